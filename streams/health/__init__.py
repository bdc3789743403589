"""Signs of life: the endpoints `/livez`, `/readyz` and `/metrics`, the metrics themselves, and the watchdog that ends a stalled worker."""
