"""Incidents in any order of alerts, commands, results and time: nobody is told twice, nothing comes after the end, nobody is forgotten."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerts import attention
from alerts.around import Around
from alerts.condition import ChangeKind
from alerts.incident import UPDATE_MS, Incident, severer
from models.escalation import TargetSpec
from models.incidents import Stage
from models.notifications import Notification, Outcome
from models.reasons import SuppressReason
from models.rules import Severity
from models.windows import GRID_MS, MINUTE_MS
from tests.incidents import Book, Desk, escalation, result

COMMANDS = ("ack", "ack", "snooze", "resolve", "reassign", "comment", "absorb")
NAMES = ("sl", "asa", "aht", "csat")
SEVERITIES = tuple(Severity)
TARGETS: tuple[dict[str, str], ...] = (
    {"person": "ana"},
    {"person": "ben"},
    {"rotation": "duty"},
    {"partner": "manager"},
    {"receiver": "chat"},
)
WHENS: tuple[dict[str, Any], ...] = ({}, {}, {}, {"severity": "critical"}, {"hours": "partner_open"}, {"hours": "responder_at_work"})
STEPS = st.builds(
    lambda after, tell, when: {"after": after, "tell": tell, "when": when},
    st.sampled_from((0, 0, 5, 60, 300, 900)),
    st.lists(st.sampled_from(TARGETS), min_size=1, max_size=3),
    st.sampled_from(WHENS),
)
POLICIES = st.builds(
    lambda steps, loops, loop_after, wait, back, by: escalation(
        *steps, loops=loops, loop_after=loop_after, group_wait=wait, fallback=back, group_by=by
    ),
    st.lists(STEPS, min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from((0, 60, 600)),
    st.sampled_from((0, 30)),
    st.sampled_from(([], [{"receiver": "pager"}], [{"rotation": "duty"}])),
    st.sampled_from(([], ["rule"], ["queue"])),
)

Story = list[tuple[str, float]]
STORIES: st.SearchStrategy[Story] = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from((0.2, 3.0, 11.0, 40.0))), max_size=6)


def book(number: int) -> Book:
    """Who has the shift changes every seven minutes; now and then it is nobody's."""
    shifts: tuple[tuple[str, ...], ...] = (("cleo",), (), ("dora", "ana"))
    return Book(
        rotations={"duty": lambda at_ms: shifts[at_ms // (7 * MINUTE_MS) % 3]},
        roles={"manager": ("emma",)} if number % 2 else {},
        away={"ben"} if number % 3 else set(),
        open_=bool(number % 5),
    )


class Incidents(RuleBasedStateMachine):
    """One partner's; what was open before each step is kept to hold the next against."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.before: dict[str, Incident] = {}
        self.checked = 0

    @initialize(policy=POLICIES, number=st.integers(0, 29))
    def begin(self, policy: Any, number: int) -> None:
        self.desk = Desk(policy, book(number))

    def open(self) -> list[str]:
        """The alerts that are, at the next grid point: each is looked at once."""
        self.desk.wait(GRID_MS / MINUTE_MS)
        return [name for name, each in self.desk.alerts.items() if each.open]

    @rule(name=st.sampled_from(NAMES), severity=st.sampled_from(SEVERITIES), waits=st.booleans(), scope=st.sampled_from(("all", "queue=a")))
    def fire(self, name: str, severity: Severity, waits: bool, scope: str) -> None:
        if name not in self.open():
            self.desk.fire(name, severity=severity, waits=[SuppressReason.SILENCED] if waits else [], scope=scope)

    @rule(names=st.permutations(NAMES), worse=st.booleans())
    def change(self, names: list[str], worse: bool) -> None:
        opened = self.open()
        for name in names:
            if name in opened:
                kind, severity = (ChangeKind.ESCALATED, Severity.CRITICAL) if worse else (ChangeKind.EASED, Severity.WARNING)
                if self.desk.alerts[name].severity is not severity:
                    self.desk.turn(name, kind, severity=severity)
                return

    @rule(name=st.sampled_from(NAMES))
    def hold_back(self, name: str) -> None:
        if name in self.open():
            self.desk.turn(name, None, suppressed_by=(SuppressReason.INHIBITED,))

    @rule(name=st.sampled_from(NAMES), late=st.booleans())
    def let_go(self, name: str, late: bool) -> None:
        if name in self.open() and self.desk.alerts[name].suppressed_by:
            self.desk.turn(name, ChangeKind.SUPPRESSION_ENDED, late=late, suppressed_by=())

    @rule(name=st.sampled_from(NAMES), gone=st.booleans())
    def end(self, name: str, gone: bool) -> None:
        if name in self.open():
            self.desk.turn(name, ChangeKind.RETIRED if gone else ChangeKind.RESOLVED)

    @rule(minutes=st.sampled_from((0.2, 0.5, 1, 5, 10, 30, 600)), behind=st.booleans())
    def wait(self, minutes: float, behind: bool) -> None:
        # The checks of what time does hold at each grid point, not only at the end of a span.
        if behind:
            self.desk.head_ms = self.desk.at_ms + round(minutes * MINUTE_MS)
        self.desk.wait(minutes)

    @precondition(lambda self: any(each.ended_ms is None for each in self.desk.held.values()))
    @rule(what=st.sampled_from(COMMANDS), minutes=st.sampled_from((None, 1, 20)))
    def ask(self, what: str, minutes: int | None) -> None:
        desk = self.desk
        until_ms = None if minutes is None else desk.at_ms + minutes * MINUTE_MS
        doings = {
            "ack": lambda each: attention.acknowledge(each, "ana", desk.at_ms, until_ms),
            "snooze": lambda each: attention.snooze(each, "ana", desk.at_ms, until_ms or desk.at_ms + MINUTE_MS),
            "resolve": lambda each: attention.resolve(each, "ana", desk.at_ms),
            "reassign": lambda each: attention.reassign(each, "ana", TargetSpec(person="cleo"), Around(desk.at_ms, desk.book)),
            "comment": lambda each: attention.comment(each, "ana", desk.at_ms, "looking"),
            "absorb": lambda each: attention.absorb(each, "another", desk.at_ms, until_ms),
        }
        last = [identity for identity, each in desk.held.items() if each.ended_ms is None][-1]
        desk.ask(last, doings[what])

    @precondition(lambda self: self.desk.pages)
    @rule(back=st.integers(1, 5), outcome=st.sampled_from(tuple(Outcome)))
    def answer(self, back: int, outcome: Outcome) -> None:
        page = self.desk.pages[-min(back, len(self.desk.pages))]
        if self.desk.held[page.incident].ended_ms is None:
            self.desk.ask(page.incident, lambda each: attention.answered(each, result(page, outcome), self.desk.at_ms))

    @invariant()
    def nobody_is_told_twice_alike(self) -> None:
        identities = [each.id for each in self.desk.pages]
        assert len(set(identities)) == len(identities)

    @invariant()
    def whatever_is_open_has_a_deadline_or_somebody_or_an_end(self) -> None:
        for each in self.desk.held.values():
            waits = each.held is not None or each.absorbed_by is not None or not any(one.pages for one in each.members)
            assert each.ended_ms is not None or waits or each.next_ms is not None or each.stage is Stage.EXHAUSTED
            assert (each.ended_ms is None) == bool(each.open) or each.resolved_by is not None
            assert each.next_ms is None or each.next_ms > self.desk.at_ms or each.next_ms <= self.desk.at_ms + GRID_MS

    @invariant()
    def the_last_that_is_told_is_the_end_and_everybody_is_told_it(self) -> None:
        for identity, each in self.desk.held.items():
            mine = [page for page in self.desk.pages if page.incident == identity]
            ends = [at for at, page in enumerate(mine) if page.kind == "resolve"]
            assert ends == [*range(len(mine) - len(ends), len(mine))]
            told = {page.receiver.id for page in mine if page.kind == "trigger"}
            assert {page.receiver.id for page in mine} == told
            assert [page.receiver.id for page in mine if page.kind == "resolve"].count("") == 0
            if each.ended_ms is not None:
                assert {mine[at].receiver.id for at in ends} == told
                assert len(ends) == len(told)

    @invariant()
    def epochs_rise_and_who_looks_after_it_is_paged_only_if_it_got_worse(self) -> None:
        new, self.checked = self.desk.pages[self.checked :], len(self.desk.pages)
        for identity, before in self.before.items():
            after = self.desk.held[identity]
            assert after.epoch >= before.epoch
            triggers = [each for each in new if each.incident == identity and each.kind == "trigger" and each.reason != "reassigned"]
            if before.held is not None and before.held.until is None and triggers:
                assert severer(after.severity, before.severity) or before.severity is None or after.assigned != before.assigned
                assert after.epoch > before.epoch
        self.before = dict(self.desk.held)

    @invariant()
    def updates_are_a_minute_apart(self) -> None:
        for first, second in pairwise(_updates(self.desk.pages)):
            assert first[0] != second[0] or second[1] - first[1] >= UPDATE_MS

    @invariant()
    def a_text_is_whole(self) -> None:
        assert all(len(each.text) <= 200 for each in self.desk.pages)


def _updates(pages: list[Notification]) -> Iterator[tuple[tuple[str, str], int]]:
    """By incident and receiver, and then by time."""
    yield from sorted(((each.incident, each.receiver.id), each.processed_at) for each in pages if each.kind == "update")


Incidents.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_incidents_hold_together = Incidents.TestCase


@settings(max_examples=60, deadline=None)
@given(POLICIES, st.integers(0, 29), st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from((0.2, 3, 11, 40))), max_size=6))
def test_looking_only_when_something_is_due_equals_looking_at_every_grid_point(
    policy: Any, number: int, story: list[tuple[str, float]]
) -> None:
    desks = [Desk(policy, book(number)) for _ in range(2)]
    for name, minutes in story:
        for desk, always in zip(desks, (False, True), strict=True):
            if name in desk.alerts and desk.alerts[name].open:
                desk.resolve(name)
            else:
                desk.fire(name)
            desk.wait(minutes, always=always)
    assert desks[0].pages == desks[1].pages
    assert desks[0].held == desks[1].held
