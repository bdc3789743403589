"""The stream that the ordeals of pages play, made up from a seed: contacts that are lost in spells, so that incidents open, worsen and end.

Nothing of it is late or wrong, which the crash test's stream is: what is at stake here is whom alerts tell. Two queues of every partner
turn bad, or worse, and good again, each by itself. By one rule partners' incidents escalate over several steps and again, to receivers
and their fallback; by the other to whoever is on call for the partner, of whom one takes the shift over in the middle.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson

__all__ = ["GRID_MS", "PARTNERS", "PERSON_MAX", "START_MS", "clock", "grids", "policy"]

GRID_MS = 10_000
START_MS = 1_772_495_400_000
"""2026-03-02T23:50Z: a shift ends ten minutes into the stream."""
PARTNERS = tuple(f"p{number}" for number in range(8))
PERSON_MAX = 5
"""So many pages a person gets within ten minutes of the wall clock; more would wait for a digest."""
_EACH = 4
"""Contacts of a queue at a grid point."""
_LOST = {"good": 0.05, "bad": 0.4, "worse": 0.9}
_SPELL_GRIDS = {"good": (30, 60), "bad": (20, 40), "worse": (20, 40)}

_POLICY = """
version: 1
defaults: {{settle_seconds: 0}}
partners:
{partners}
rules:
  - id: lost
    kpi: abandon_rate
    scopes: [partner/queue]
    window: 5m
    direction: above
    escalation: ops
    levels:
      - {{severity: warning, enter: 0.2, exit: 0.15, for: 20s}}
      - {{severity: critical, enter: 0.5, exit: 0.4, for: 20s}}
    recover_for: 30s
    min_samples: 10
  - id: lost_by_all
    kpi: abandon_rate
    window: 5m
    direction: above
    escalation: duty
    levels: [{{severity: critical, enter: 0.35, exit: 0.25, for: 30s}}]
    recover_for: 60s
    min_samples: 20
receivers:
  - {{id: hook, type: webhook, url: "{url}/hook", signing: hook-key}}
  - {{id: pager, type: pagerduty, url: "{url}/pager", routing_key: pagerduty-ops}}
  - {{id: second_pager, type: pagerduty, url: "{url}/pager", routing_key: pagerduty-ops}}
  - {{id: last, type: webhook, url: "{url}/last", signing: hook-key}}
  - {{id: desk, type: webhook, url: "{url}/desk", signing: hook-key}}
people:
{people}
rotations:
{rotations}
escalations:
  - id: ops
    group_wait: 20s
    steps:
      - tell: [{{receiver: hook}}]
      - {{after: 60s, tell: [{{receiver: last}}, {{receiver: desk}}], when: {{severity: critical}}}}
      - {{after: 60s, tell: [{{receiver: last}}]}}
    loops: 2
    loop_after: 90s
    fallback: [{{receiver: pager}}]
  - id: duty
    group_wait: 0s
    steps:
      - tell: [{{partner: lead}}]
      - {{after: 90s, tell: [{{receiver: second_pager}}]}}
    fallback: [{{receiver: last}}]
"""
_PERSON = "  - {{id: {name}, name: {name}, reach: {{receivers: [desk]}}}}"
_PARTNER = "  - {{id: {name}, name: {name}, contacts: {{lead: [{{rotation: {name}}}]}}}}"
_ROTATION = "  - {{id: {name}, timezone: UTC, layers: [{{starts: 2026-03-02T00:00, rrule: FREQ=DAILY, members: [{name}-ana, {name}-bo]}}]}}"


def policy(url: str) -> str:
    """The policy under which it plays; its receivers are at `url`."""
    return _POLICY.format(
        url=url,
        partners="\n".join(_PARTNER.format(name=name) for name in PARTNERS),
        people="\n".join(_PERSON.format(name=f"{name}-{each}") for name in PARTNERS for each in ("ana", "bo")),
        rotations="\n".join(_ROTATION.format(name=name) for name in PARTNERS),
    )


class _Queue:
    """One that is good at first, and turns."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._state = "good"
        self._left = random.randrange(6, 40)

    def loses(self) -> float:
        """Which part of its contacts is lost at this grid point."""
        if not self._left:
            self._state = self._random.choice(("bad", "worse")) if self._state == "good" else self._random.choice(("good", "good", "worse"))
            self._left = self._random.randrange(*_SPELL_GRIDS[self._state])
        self._left -= 1
        return _LOST[self._state]


def grids(seed: int, minutes: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Of each grid point in turn, its end in ms and the events before it."""
    random = Random(seed)
    queues = {(partner, queue): _Queue(random) for partner in PARTNERS for queue in ("billing", "sales")}
    for number in range(minutes * 60_000 // GRID_MS):
        begin_ms, events = START_MS + number * GRID_MS, list[dict[str, Any]]()
        for (partner, queue), each in queues.items():
            loses = each.loses()
            for contact in range(_EACH):
                kind = "abandoned" if random.random() < loses else "answered"
                at_ms = begin_ms + random.randrange(GRID_MS)
                about = {"partner_id": partner, "queue": queue, "channel": "voice", "wait_seconds": 30}
                identity = f"{partner}-{queue}-{number}-{contact}"
                events.append({"type": f"contact.{kind}", "event_id": identity, "occurred_at": at_ms, **about})
        yield begin_ms + GRID_MS, events


def clock(to_ms: int) -> bytes:
    """That all before `to_ms` was written: what advances the stream's time."""
    return orjson.dumps({"type": "clock.advanced", "to": to_ms})
