"""A storm through engines: eight partners degrade within a minute, and the notifier's commands let one of their incidents tell of all."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from models.incident_commands import INCIDENT_RESOLVE
from models.incidents import IncidentState
from models.notifications import Notification
from models.windows import MINUTE_MS
from streams.notifier.incidents import Incidents
from streams.notifier.storms import absorbed, handed_on
from streams.notifier.verdicts import Course, course
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.unit.test_engine_commands import LADDER, told
from tests.unit.test_engine_incidents import OPS, RECEIVERS

NAMES = tuple(f"p{number}" for number in range(8))
LOST_MS = 4 * MINUTE_MS
"""How often contacts are lost, so that a window of five minutes never is without."""


@dataclass
class Storm:
    """An engine for each partner, and what a notifier makes of what they commit; pages arrive at once."""

    partners_min: int = 5
    sources: dict[str, str] = field(default_factory=dict)
    now_ms: int = START_MS
    rigs: dict[str, Rig] = field(default_factory=lambda: {name: Rig() for name in NAMES})
    burning: set[str] = field(default_factory=set)
    incidents: Incidents = field(default_factory=Incidents)
    states: dict[str, IncidentState] = field(default_factory=dict)
    """By partner."""
    pages: list[Notification] = field(default_factory=list)
    """Those that were sent."""
    commanded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.apply(escalation="ops")

    def apply(self, **named: str) -> None:
        shared = shared_part(rule(levels=LADDER[:1], **named), escalations=[OPS], receivers=RECEIVERS)
        for name, rig in self.rigs.items():
            rig.policy(shared, partner_part(name), at_ms=self.now_ms)

    def lose(self, name: str) -> None:
        self.burning.add(name)
        self._contacts(name, "contact.abandoned", 20, 60.0)

    def recover(self, *names: str) -> None:
        for name in names:
            self.burning.discard(name)
            self._contacts(name, "contact.answered", 900, 1.0)

    def to(self, at_ms: int, step_ms: int = 20 * SECOND) -> None:
        """Time passes; every worker is replaced at its end."""
        while self.now_ms < at_ms:
            before_ms, self.now_ms = self.now_ms, min(at_ms, self.now_ms + step_ms)
            if before_ms // LOST_MS != self.now_ms // LOST_MS:
                for name in sorted(self.burning):
                    self.lose(name)
            for rig in self.rigs.values():
                self._read(rig, len(rig.written))
            self._tick()
        for rig in self.rigs.values():
            rig.crash()

    def triggers(self, *names: str) -> list[str]:
        """Who was paged, of which partner and why."""
        return [
            f"{each.partner} {each.receiver.id} {each.reason}"
            for each in self.pages
            if each.kind == "trigger" and (not names or each.partner in names)
        ]

    def told_by(self) -> dict[str, str]:
        """By partner, the partner whose incident tells of its own."""
        owners = {each.id: each.partner for each in self.states.values()}
        return {each.partner: owners[each.absorbed_by] for each in self.states.values() if each.absorbed_by is not None}

    def _contacts(self, name: str, kind: str, count: int, wait_seconds: float) -> None:
        at_ms = self.now_ms
        said = (event(kind, at_ms, f"{kind}-{at_ms}-{each}", partner=name, wait_seconds=wait_seconds) for each in range(count))
        self.rigs[name].send(*said, at_ms=at_ms)

    def _read(self, rig: Rig, before: int) -> None:
        rig.to(self.now_ms)
        for each in rig.written[before:]:
            if each.topic == TOPICS.incidents:
                self.incidents.put(each.key or b"", each.value)
                state = IncidentState.model_validate_json(each.value or b"")
                self.states[state.partner] = state
        for each in rig.written[before:]:
            if each.topic == TOPICS.notifications:
                page = Notification.model_validate_json(each.value or b"")
                self.incidents.saw(page)
                if course(page, self.incidents.known(page.incident), None, self.now_ms) is Course.SEND:
                    self.pages.append(page)

    def _tick(self) -> None:
        handed = handed_on(self.incidents.open(), self.incidents.is_over, self.now_ms, "notifier")
        for command in (*handed, *absorbed(self.incidents.open(), self.partners_min, self.sources, self.now_ms, "notifier")):
            self.commanded.add(command.id)
            # As often as it is asked, as a notifier that was replaced each time would: an engine does it once.
            value = command.model_dump_json().encode()
            self.rigs[command.partner].append(TOPICS.commands, self.now_ms, command.partner.encode(), value)


def degraded(partners_min: int = 5, sources: dict[str, str] | None = None) -> Storm:
    """All eight degrade, one each seven seconds; three minutes pass."""
    storm = Storm(partners_min, sources or {})
    for number, name in enumerate(NAMES):
        storm.to(START_MS + number * 7 * SECOND, SECOND)
        storm.lose(name)
    storm.to(START_MS + 3 * MINUTE_MS, SECOND)
    return storm


def ends(storm: Storm) -> Counter[tuple[str, str]]:
    return Counter((each.partner, each.receiver.id) for each in storm.pages if each.kind == "resolve")


def test_a_storm_is_told_by_one_incident_that_escalates_and_the_others_page_again_after_an_hour() -> None:
    storm = degraded()
    first, *others = NAMES
    early = storm.triggers(*others)
    assert storm.told_by() == dict.fromkeys(others, first)
    assert len(early) <= 2, "only who opened before there was a storm"
    storm.to(START_MS + 12 * MINUTE_MS)
    assert storm.triggers(first) == [f"{first} first opened", f"{first} second not_acknowledged", f"{first} third not_acknowledged"]
    assert storm.triggers(*others) == early
    storm.recover("p1", "p7")
    storm.to(START_MS + 55 * MINUTE_MS)
    assert storm.triggers(*others) == early
    assert ends(storm) == Counter((each.split()[0], "first") for each in early if each.startswith("p1")), "who was told, and nobody else"
    storm.to(START_MS + 63 * MINUTE_MS)
    burn = NAMES[2:7]
    assert Counter(storm.triggers(*burn)[len(early) - 1 :]) == Counter(f"{name} first ack_ended" for name in burn)
    storm.recover(first, *burn)
    storm.to(START_MS + 75 * MINUTE_MS)
    assert ends(storm) == Counter({(each.partner, each.receiver.id): 1 for each in storm.pages if each.kind == "trigger"})
    assert len({each.id for each in storm.pages}) == len(storm.pages)
    assert {each.open for each in storm.states.values()} == {0}


def test_a_storm_costs_the_pages_of_one_and_of_those_who_were_paged_before_it() -> None:
    counts = []
    for partners_min in (0, 5):
        storm = degraded(partners_min)
        storm.to(START_MS + 12 * MINUTE_MS)
        counts.append(len(storm.triggers()))
    assert counts == [24, 4]


@pytest.mark.parametrize("closed", [False, True], ids=["it recovers", "somebody closes it"])
def test_when_the_one_that_tells_of_all_ends_the_next_pages_and_tells_of_the_rest_for_what_is_left_of_the_hour(closed: bool) -> None:
    storm = degraded()
    first, second, *others = NAMES
    storm.to(START_MS + 10 * MINUTE_MS)
    before = storm.triggers(second, *others)
    if closed:
        told(storm.rigs[first], INCIDENT_RESOLVE, storm.now_ms, "closed", first, incident=storm.states[first].id)
    else:
        storm.recover(first)
    storm.to(START_MS + 25 * MINUTE_MS)
    paged = [f"{second} first ack_ended", f"{second} second not_acknowledged", f"{second} third not_acknowledged"]
    assert storm.triggers(second, *others)[len(before) :] == paged
    assert storm.told_by() == dict.fromkeys(others, second)
    storm.recover(second)
    storm.to(START_MS + 27 * MINUTE_MS)
    assert storm.triggers()[-1] == f"{others[0]} first ack_ended"
    assert storm.told_by() == dict.fromkeys(others[1:], others[0])
    storm.to(START_MS + 63 * MINUTE_MS)
    assert Counter(storm.triggers(*others[1:])) == Counter(f"{name} first ack_ended" for name in others[1:])
    assert len({each.id for each in storm.pages}) == len(storm.pages)


def test_half_of_those_on_a_source_are_told_of_by_one_and_others_by_themselves() -> None:
    storm = degraded(100, dict.fromkeys(NAMES[:6], "dialer") | dict.fromkeys(NAMES[6:], "phones"))
    first, *others = NAMES[:6]
    assert storm.told_by() == dict.fromkeys(others, first)
    assert storm.triggers(first, *NAMES[6:]) == [f"{name} first opened" for name in (first, *NAMES[6:])]
    assert len(storm.triggers(*others)) <= 1, "only who opened before there was a storm"


def test_an_escalation_that_is_named_while_many_partners_fire_pages_for_one_of_them() -> None:
    storm = Storm()
    storm.apply()
    for name in NAMES:
        storm.lose(name)
    storm.to(START_MS + 60 * SECOND, SECOND)
    assert storm.triggers() == []
    storm.apply(escalation="ops")
    storm.to(START_MS + 4 * MINUTE_MS, SECOND)
    (first,) = {each.partner for each in storm.pages}
    assert storm.triggers() == [f"{first} first opened"]
    assert storm.told_by() == dict.fromkeys(set(NAMES) - {first}, first)
