"""`outwatch project`: the projector."""

__all__ = ["project"]


def project() -> None:
    """Keep the view in Redis up to date from the topics. One is enough, two do no harm."""
    import asyncio

    from models.settings import Settings
    from streams.logs import configure_logging
    from streams.projector import run_projector

    settings = Settings()
    configure_logging()
    asyncio.run(run_projector(settings))
