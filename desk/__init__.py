"""Who looks: the HTTP API, and later the live page, from Redis. It writes commands, by what whoever runs it hands it, and nothing else."""

from desk.desk import Desk
from desk.users import hashed

__all__ = ["Desk", "hashed"]
