"""The auditor: a process of its own that watches whether outwatch can be relied on, and alarms by a path that needs no Kafka."""

from streams.auditor.auditor import audit_once, run_auditor

__all__ = ["audit_once", "run_auditor"]
