"""The projector: keeps the view in Redis up to date from the topics. Losing the view loses nothing."""

from streams.projector.projector import run_projector

__all__ = ["run_projector"]
