"""`outwatch run`: a worker."""

__all__ = ["run"]


def run() -> None:
    """Run a worker: events in, figures and alerts out. More workers share the partitions."""
    from models.settings import Settings
    from streams.logs import configure_logging
    from streams.worker import main

    settings = Settings()
    configure_logging()
    main(settings)
