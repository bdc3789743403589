"""One look at an installation, for a person or a script."""

import asyncio
from time import monotonic
from typing import Final

from alerts.audit.breach import AuditReason, Breach, Terms
from alerts.audit.look import breaches
from models import clock
from models.settings import Settings
from streams.auditor.watch import Watch

__all__ = ["audit_once"]

AGAIN_SECONDS: Final = 5.0
ONCE_SECONDS_MAX: Final = 60.0
"""For one look at topics that hold much."""


async def audit_once(settings: Settings, terms: Terms, again_seconds: float = AGAIN_SECONDS) -> tuple[Breach, ...]:
    """What does not hold now; found twice, since what one commit writes is not seen at one moment in all partitions.

    Raises:
        CertificateError: if a certificate or a key cannot be read.
    """
    watch = Watch(settings, started_ms=0)
    try:
        found = await _found(watch, settings, terms)
        if not found or any(each.reason is AuditReason.BLIND for each in found):
            return found
        await asyncio.sleep(again_seconds)
        again = await _found(watch, settings, terms)
        kept = {each.key for each in found}
        return tuple(each for each in again if each.key in kept or each.reason is AuditReason.BLIND)
    finally:
        await watch.close()


async def _found(watch: Watch, settings: Settings, terms: Terms) -> tuple[Breach, ...]:
    deadline, read = monotonic() + ONCE_SECONDS_MAX, watch.records
    # A look has its time, which much to read may not fit in; one that read nothing more has another obstacle.
    while not await watch.look(clock.now_ms()) and watch.records > read and monotonic() < deadline:
        read = watch.records
    return tuple(breaches(watch.seen, settings.partitions, clock.now_ms(), terms))
