"""The engine: pure; it knows neither Faust, Kafka, asyncio nor the clock."""

from streams.engine.config import EngineConfig, Limits
from streams.engine.engine import Engine, Sizes, SourceSign
from streams.engine.output import Budget, Commit, Output

__all__ = ["Budget", "Commit", "Engine", "EngineConfig", "Limits", "Output", "Sizes", "SourceSign"]
