"""Reading the view: one consistent look at Redis, at nothing else."""

from typing import Any

import orjson
from redis import Redis

from models.clock import now_ms
from models.overview import Overview, View, overview
from models.settings import Settings
from models.topics import partition_of
from models.view import TRANSITIONS_MAX, Keys
from streams.connection import redis

__all__ = ["connect", "read_overview", "read_transitions"]


def connect(settings: Settings) -> Redis:
    """A client of the view; Redis is first asked when something is read."""
    return Redis.from_url(**redis(settings))


def read_overview(client: Redis, settings: Settings, window: str) -> Overview:
    """How every partner stands now.

    Raises:
        redis.exceptions.RedisError: if Redis cannot be asked.
    """
    keys = Keys(settings.app_id)
    with client.pipeline(transaction=True) as pipe:
        pipe.hvals(keys.figures(window, "all"))
        pipe.hget(keys.totals, window)
        pipe.hvals(keys.alerts)
        pipe.hgetall(keys.heartbeats)
        pipe.hgetall(keys.policies)
        pipe.get(keys.projector)
        figures, total, alerts, heartbeats, policies, health = pipe.execute()
    view = View(
        window=window,
        figures=tuple(map(orjson.loads, figures)),
        total=_loads(total),
        alerts=tuple(map(orjson.loads, alerts)),
        heartbeats={int(partition): orjson.loads(value) for partition, value in heartbeats.items()},
        policies={partner.decode(): orjson.loads(value) for partner, value in policies.items()},
        health=_loads(health),
    )
    return overview(view, now_ms(), settings.clock, lambda partner: partition_of(partner, settings.partitions, settings.partitioner))


def read_transitions(client: Redis, settings: Settings) -> list[dict[str, Any]]:
    """The newest transitions, oldest first.

    Raises:
        redis.exceptions.RedisError: if Redis cannot be asked.
    """
    values: Any = client.zrange(Keys(settings.app_id).transitions, -TRANSITIONS_MAX, -1)
    events = [orjson.loads(value) for value in values]
    # One commit writes several with the same time; their order is that of the stream.
    return sorted(events, key=lambda event: (event["processed_at"], event["evaluated_at"], event["seq"]))


def _loads(value: bytes | None) -> Any:  # noqa: ANN401 - a record
    return None if value is None else orjson.loads(value)
