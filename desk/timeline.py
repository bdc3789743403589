"""What happened to a partner: its alerts, what became of them, and what people said and did, the newest first. Pure.

Transitions of alerts are those that the view keeps by partner; the rest is told by what stands on the board anyway: an incident's own
lines for as long as it is known, annotations, silences that stand, and who looks after or commented on an alert that stands.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from desk.users import Role, User
from desk.view import Look
from models.incidents import Happening
from models.topics import BROADCAST

__all__ = ["LIMIT_MAX", "page_of", "timeline"]

LIMIT_MAX: Final = 200

Json = Mapping[str, Any]

_TOLD_TO_PARTNERS: Final = frozenset(
    {
        Happening.OPENED,
        Happening.JOINED,
        Happening.WORSE,
        Happening.EASED,
        Happening.ENDED,
        Happening.ACKNOWLEDGED,
        Happening.RESOLVED,
    }
)
"""Lines of an incident that are its partner's too: neither who else was told, nor what others said."""
_SAID: Final = frozenset({Happening.ACKNOWLEDGED, Happening.RESOLVED})
"""Of these the text is a person's."""


def timeline(partner: str, user: User, transitions: Iterable[Json], look: Look) -> list[dict[str, Any]]:
    """All that is known, the newest first; each with the fields of `desk.shapes.Entry`.

    Args:
        partner: of whom.
        user: who asks; a partner is told less.
        transitions: of its alerts, as the view holds them.
        look: all the rest.
    """
    whole = user.role is not Role.PARTNER
    incidents = [each.body for each in look.incidents.values() if each.body["partner"] == partner]
    in_incidents = {member["fingerprint"] for incident in incidents for member in incident["members"]}
    alerts = [each.body for each in look.alerts.values() if each.body["partner"] == partner]
    meant = {partner, BROADCAST} if whole else {partner}
    found = [
        *(_entry(kind="alert", **each) for each in transitions),
        *(line for incident in incidents for line in _incident(incident, whole=whole)),
        *(line for alert in alerts for line in _said_of(alert, user, acknowledged=alert["fingerprint"] not in in_incidents)),
        *(_annotation(each.body) for each in look.annotations.values() if each.body["partner"] in meant),
        *(_silence(each.body, whole=whole) for each in look.silences.values() if each.body["partner"] in meant),
    ]
    return sorted(found, key=lambda each: (-each["at"], each["id"]))


def page_of(entries: Sequence[dict[str, Any]], before_ms: int | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """So many of before that time, and whether there are more: what happened at the same time as the last of them stands there too."""
    earlier = [each for each in entries if before_ms is None or each["at"] < before_ms]
    end = limit
    while 0 < end < len(earlier) and earlier[end]["at"] == earlier[end - 1]["at"]:
        end += 1
    return earlier[:end], end < len(earlier)


def _incident(incident: Json, *, whole: bool) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(incident["timeline"], incident["timeline_dropped"]):
        what = line["what"]
        if whole or what in _TOLD_TO_PARTNERS:
            yield _entry(
                id=f"{incident['id']}/{number}",
                kind="incident",
                at=line["at"],
                what=what,
                by=line.get("by"),
                text=line.get("text", "") if whole or what not in _SAID else "",
                incident=incident["id"],
                severity=incident["severity"],
            )


def _said_of(alert: Json, user: User, *, acknowledged: bool) -> Iterator[dict[str, Any]]:
    about = {"rule": alert["rule"]["id"], "scope": alert["scope"], "alert": alert["fingerprint"], "kind": "alert"}
    whole = user.role is not Role.PARTNER
    ack = alert.get("ack")
    if ack is not None and acknowledged:
        text = (ack.get("comment") or "") if whole else ""
        yield _entry(
            id=f"{alert['fingerprint']}/ack", at=ack["at"], what="acknowledged", by=ack["actor"], text=text, to=ack["until"], **about
        )
    for comment in alert.get("comments", ()):
        if whole or comment["actor"] == user.name:
            identity = f"{alert['fingerprint']}/{comment['actor']}@{comment['at']}"
            yield _entry(id=identity, at=comment["at"], what="commented", by=comment["actor"], text=comment["text"], **about)


def _annotation(note: Json) -> dict[str, Any]:
    about = {"text": note["text"], "kpi": note.get("kpi"), "by": note["actor"]}
    return _entry(id=note["id"], kind="annotation", at=note["from"], to=note["to"], what=note["kind"], **about)


def _silence(silence: Json, *, whole: bool) -> dict[str, Any]:
    said = {"by": silence["actor"], "text": silence["comment"]} if whole else {}
    matchers = silence["matchers"]
    about = {name: matchers.get(name) for name in ("rule", "scope", "severity")}
    return _entry(id=silence["id"], kind="silence", at=silence["from"], to=silence["until"], what="silenced", **about, **said)


def _entry(**said: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    return {**_NOTHING, **said}


_NOTHING: Final[Json] = {
    "to": None,
    "by": None,
    "text": "",
    "severity": None,
    "rule": None,
    "scope": None,
    "kpi": None,
    "alert": None,
    "incident": None,
    "suppressed_by": (),
    "late": False,
}
