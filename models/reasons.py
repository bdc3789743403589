"""Why a record did not count. One value is the log field, the metric label, the dead-letter header and the test's assertion."""

from enum import StrEnum

__all__ = ["LateReason", "RejectReason", "SuppressReason"]


class RejectReason(StrEnum):
    """Why a record went to the dead letters; each says what to change so that its like counts."""

    NULL = "null"
    """The value is null, or missing. Source topics are not compacted: send the event, not a tombstone."""
    TOO_LARGE = "too_large"
    """The value is longer than `models.decode.MAX_EVENT_BYTES`. Send one event a record; leave transcripts out."""
    UTF8 = "utf8"
    """The value is not UTF-8, so it cannot be JSON. Set the producer's encoding, or its serializer where it writes Avro."""
    JSON = "json"
    """The value is not one JSON value. Send one object a record, neither cut short nor several to a record."""
    TYPE = "type"
    """`type` is missing, or none that this release knows. Correct it, or upgrade the workers before the producer."""
    INVALID = "invalid"
    """A field is missing, of the wrong type, or out of bounds; the error names it. Correct the producer."""
    TIME = "time"
    """A time cannot be read, has no offset, or lies before 1980. Send RFC 3339 with an offset, or epoch milliseconds."""
    FUTURE = "future"
    """The event lies more than 5 minutes ahead of its record's timestamp, or tells of over 400 days ahead. Set the source's clock."""
    NO_KEY = "no_key"
    """The record has no key. Give every record its `partner_id` as key."""
    MISROUTED = "misrouted"
    """The record lies in another partition than its partner's. Key by `partner_id`, with the partitioner of the settings."""
    CLOCK = "clock"
    """`clock.advanced` where the worker does not run with `clock: log`. Replay under an application id of its own."""
    PARTNERS = "partners"
    """More partners without a policy than the limit allows. Name them in the policy, or correct the producer's `partner_id`."""
    BUG = "bug"
    """Our own code raised on it; the error holds the traceback. Report it; send the record again after the upgrade."""


class LateReason(StrEnum):
    """Why a readable record went to `outwatch.late`."""

    PAST_LEDGER = "past_ledger"
    """It is older than the ledger reaches (35 days), so the figures of its day are closed for good."""
    UNMATCHED = "unmatched"
    """A record of a contact completed longer ago than `record_retention_seconds`, updated since: what it replaces is not known any more."""
    PAST_PERIOD = "past_period"
    """An amount of a period that ended over 760 days ago: nothing of it is held any more."""
    PAST_FORECAST = "past_forecast"
    """A forecast of an interval whose day is kept as a whole (after 49 hours): what it missed is not told any more."""
    PAST_AGENTS = "past_agents"
    """It tells what an agent did, or was to do, before what is known of agents (48 hours), so that nothing can be counted anew."""


class SuppressReason(StrEnum):
    """Why a page waits although its alert is open; several may hold at once."""

    SILENCED = "silenced"
    """Somebody asked for quiet: `outwatch silence list`."""
    MAINTENANCE = "maintenance"
    """The partner's weekly maintenance, by its policy."""
    INHIBITED = "inhibited"
    """Another alert explains it, by `inhibit` of the policy, or is waited for."""
    OUT_OF_HOURS = "out_of_hours"
    """Outside the partner's hours, or on its holiday."""
    FLAPPING = "flapping"
    """It began and ended too often of late."""
    FEED_SILENT = "feed_silent"
    """Nothing comes from the partner, which is an alert of its own."""
    LATE = "late"
    """It was decided long after its time, while the past was caught up on."""
