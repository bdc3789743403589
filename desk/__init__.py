"""Who looks: the live page and the HTTP API, from Redis."""
