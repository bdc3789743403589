"""`outwatch run`: a worker."""

import gc

__all__ = ["run"]


def run() -> None:
    """Run a worker: events in, figures and alerts out. More workers share the partitions."""
    # What is imported stays: to look for cycles in it takes a tenth of the time. The worker looks again once it runs.
    gc.disable()
    from models.settings import Settings
    from streams.logs import configure_logging
    from streams.worker import main

    settings = Settings()
    configure_logging()
    main(settings)
