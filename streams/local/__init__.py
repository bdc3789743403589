"""The local services: Apache Kafka and Redis on loopback, for the demo, the tests and a person at a laptop."""
