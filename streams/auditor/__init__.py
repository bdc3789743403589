"""The auditor: a process of its own that watches whether outwatch can be relied on, and alarms by a path that needs no Kafka."""

from streams.auditor.auditor import run_auditor
from streams.auditor.once import audit_once

__all__ = ["audit_once", "run_auditor"]
