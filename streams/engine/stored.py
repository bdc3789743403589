"""Loading: from the rows of the changelog to a state."""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from alerts.aside import NOTHING, Aside
from alerts.condition import Condition
from alerts.errors import RowFormatError
from models.money import Period
from models.windows import Scope
from streams.engine import rows
from streams.engine.panes import DAY_TIER, PaneStore
from streams.engine.state import State
from streams.errors import CorruptRowError, NewerStateError

__all__ = ["Loader", "Stored"]

_UNTOLD: Final[tuple[Any, ...]] = (None, 0, False, (), None, (), None, (0, None), ())
"""What a row of a partner means that ends before a field that was appended since."""
_PANE: Final = rows.key("pane", "")[:-2]
"""How the key of a pane's row begins."""
_FIRST: Final = b",0]"
"""How it ends where no other chunk comes before."""
_BEHIND: Final = len(b",1760000000000,0]")
"""What follows the tier in such a key."""


class Stored(Protocol):
    """A record of the changelog, as aiokafka's reader of batches makes it."""

    @property
    def key(self) -> bytes:
        """Of the row."""

    @property
    def value(self) -> bytes | None:
        """None where it is deleted."""


class Loader:
    """Rows come in the order of the log, which is not the order in which they depend on each other: they are sorted at the end.

    A row that a later one replaces, or deletes, is taken again with the newer value, or None.
    """

    def __init__(self) -> None:
        self._panes: dict[bytes, dict[bytes, bytes]] = {}
        """The first rows of panes, as nearly all of a million are, by how the keys of a partner's tier begin."""
        self._odd: set[bytes] = set()
        """The beginnings under which a row came that is of another format or layout: only there rows are looked at again."""
        self._others: dict[bytes, bytes] = {}

    def take(self, records: Iterable[Stored]) -> None:
        """Keep the newest value of each row."""
        panes, others, odd, prefix = self._panes, self._others, self._odd, rows.PREFIX
        for record in records:
            key, value = record.key, record.value
            found = others
            if key[-3:] == _FIRST:
                begin = key[:-_BEHIND]
                known = panes.get(begin)
                if known is not None:
                    found = known
                elif begin.startswith(_PANE):
                    found = panes[begin] = {}
                if found is not others and value is not None and not value.startswith(prefix):
                    odd.add(begin)
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value

    def finish(self, state: State) -> None:
        """Fill the state, which must be empty.

        Raises:
            CorruptRowError: if a row cannot be read.
            NewerStateError: if a newer release wrote one.
        """
        # Panes come last, since each belongs to a partner.
        kinds: dict[str, list[tuple[list[Any], bytes]]] = {}
        for key in [key for key in self._others if not key.startswith(_PANE)]:
            parts = rows.unpack_key(key)
            kinds.setdefault(parts[0], []).append((parts, self._others.pop(key)))
        unknown = kinds.keys() - _STEPS.keys()
        if unknown:
            msg = f"rows of kind {', '.join(map(repr, sorted(map(str, unknown))))} are unknown to this release: run the newer release"
            raise NewerStateError(msg)
        for kind, step in _STEPS.items():
            for parts, value in kinds.get(kind, ()):
                with _reading(parts):
                    step(state, parts, value)
        self._load_panes({partner.id: partner.panes for partner in state.partners.values()})
        state.contacts.loaded()
        state.done.loaded()
        state.incidents.loaded()
        with _reading(["tickets"]):
            state.tickets.loaded()
        with _reading(["records"]):
            state.contributions.loaded()
        with _reading(["history"]):
            state.history.loaded({partner.id: partner.panes.closed_ms for partner in state.partners.values()})
        for partner in state.partners.values():
            with _reading(["pane", partner.id]):
                partner.loaded()
            state.want(partner, partner.panes.closed_ms)
            state.reschedule(partner)

    def _load_panes(self, stores: dict[str, PaneStore]) -> None:
        """Hand each partner its panes as they are stored: what is not in a window of today is not looked at."""
        by_key = {rows.key("pane", partner_id)[:-1]: panes for partner_id, panes in stores.items()}
        tiers = {b"%s,%d" % (begin, tier): (panes, tier) for begin, panes in by_key.items() for tier in range(DAY_TIER)}
        key = b""
        try:
            for begin, stored in self._panes.items():
                for key, value in stored.items() if begin in self._odd else ():
                    rows.check(rows.unpack_key(key), value)
                panes, tier = tiers.get(begin, (None, 0))
                if panes is not None:
                    panes.load_first(tier, stored)
                else:
                    self._others |= stored
            for key, value in self._others.items():
                rows.check(rows.unpack_key(key), value)
                by_key[key.rsplit(b",", 3)[0]].load(key, value)
        except (TypeError, ValueError, KeyError) as error:
            msg = f"row {key[:80]!r} does not hold: {error!r}"
            raise CorruptRowError(msg) from error
        self._panes.clear()
        self._odd.clear()
        self._others.clear()


@contextmanager
def _reading(what: Sequence[Any]) -> Iterator[None]:
    """Say which row could not be read, and how."""
    try:
        yield
    except RowFormatError as error:
        msg = f"row {what}: {error}"
        raise NewerStateError(msg) from error
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, struct.error) as error:
        msg = f"row {what} does not hold: {error!r}"
        raise CorruptRowError(msg) from error


def _applied(state: State, key: list[Any], value: bytes) -> None:
    applied, frontier, sequence, counters = rows.unpack(key, value)
    state.applied = applied
    state.frontier.load(frontier)
    state.sequence = sequence
    state.counters.update(counters)


def _policy(state: State, key: list[Any], value: bytes) -> None:
    state.policies.load(key[1], rows.unpack(key, value))


def _partner(state: State, key: list[Any], value: bytes) -> None:
    closed_ms, zone, queues_contacts, days, *appended = rows.unpack(key, value)
    partner_id = key[1]
    touched_ms, closes_unqueued, takes_tickets, emptied, owed, sums, since, feed, gained = (*tuple(appended), *_UNTOLD[len(appended) :])
    panes = PaneStore(partner_id, zone, closed_ms)
    partner = state.make(partner_id, state.policies.of(partner_id), panes)
    partner.queues_contacts, partner.row_changed = queues_contacts, False
    partner.touched_ms, partner.closes_unqueued, partner.takes_tickets = touched_ms, closes_unqueued, takes_tickets
    if owed is None:
        partner.owed.load_days(days, emptied)
    else:
        partner.owed.load(owed)
        panes.hold(partner.owed.held(closed_ms))
    partner.sums.from_row(sums)
    partner.feed.load(feed)
    partner.gained = tuple(gained)
    if since is not None:  # Without, it was written by a release that did not know of changes: there were none.
        partner.since.load(since)
    if zone != partner.policy.timezone:
        # The policy was taken but not adopted yet: days are cut by the former zone up to the next grid point.
        partner.pending = partner.policy
    state.partners[partner_id] = partner


def _sum(state: State, key: list[Any], value: bytes) -> None:
    rows.check(key, value)
    state.partners[key[1]].sums.load(key[2], value)


def _usual(state: State, key: list[Any], value: bytes) -> None:
    rows.check(key, value)
    state.partners[key[1]].profile.load(key[2], value)


def _alert(state: State, key: list[Any], value: bytes) -> None:
    condition = Condition.from_row(rows.unpack(key, value))
    partner, key_of = state.partners[condition.partner], (condition.rule_id, Scope.parse(condition.scope))
    partner.conditions[key_of] = condition
    if condition.open:  # What stands beside it, if anything, has a row of its own, which comes later.
        partner.asides[key_of] = NOTHING


def _aside(state: State, key: list[Any], value: bytes) -> None:
    partner_id, rule_id, scope, aside = Aside.from_row(rows.unpack(key, value))
    state.partners[partner_id].asides[rule_id, Scope.parse(scope)] = aside


def _silence(state: State, key: list[Any], value: bytes) -> None:
    state.silences.load(key[1], rows.unpack(key, value))


def _annotation(state: State, key: list[Any], value: bytes) -> None:
    state.annotations.load(key[1], rows.unpack(key, value))


def _override(state: State, key: list[Any], value: bytes) -> None:
    state.overrides.load(key[1], rows.unpack(key, value))


def _incident(state: State, key: list[Any], value: bytes) -> None:
    state.incidents.load(rows.unpack(key, value))


def _command(state: State, key: list[Any], value: bytes) -> None:
    state.done.load(key[1], rows.unpack(key, value))


def _source(state: State, key: list[Any], value: bytes) -> None:
    state.sources.load(key[1], key[2], rows.unpack(key, value))


def _ids(state: State, key: list[Any], value: bytes) -> None:
    state.seen.load(key[1], key[2], rows.unpack_hashes(key, value))


def _contacts(state: State, key: list[Any], value: bytes) -> None:
    state.contacts.load(key[1], rows.unpack(key, value))


def _tickets(state: State, key: list[Any], value: bytes) -> None:
    state.tickets.load(key[1], rows.unpack(key, value))


def _records(state: State, key: list[Any], value: bytes) -> None:
    state.contributions.load(key[1], key[2], rows.unpack(key, value))


def _forecast(state: State, key: list[Any], value: bytes) -> None:
    _, partner_id, _, queue, channel = key
    state.plans.load(partner_id, (queue, channel), rows.unpack(key, value))


def _agent(state: State, key: list[Any], value: bytes) -> None:
    state.agents.of(key[1]).load(key[2], rows.unpack(key, value))


def _states(state: State, key: list[Any], value: bytes) -> None:
    state.agents.of(key[1]).load_states(key[2], rows.unpack(key, value))


def _fact(state: State, key: list[Any], value: bytes) -> None:
    _, partner_id, *parts = key
    state.partners[partner_id].books.load_fact(parts, rows.unpack(key, value))


def _handled(state: State, key: list[Any], value: bytes) -> None:
    state.partners[key[1]].books.days.update(rows.unpack(key, value))


def _owed(state: State, key: list[Any], value: bytes) -> None:
    state.partners[key[1]].books.owed.update(Period(*each) for each in rows.unpack(key, value))


def _place(state: State, key: list[Any], value: bytes) -> None:
    state.history.load_place(key[1], rows.unpack(key, value))


def _matured(state: State, key: list[Any], value: bytes) -> None:
    state.history.of(key[1]).matured_ms = rows.unpack(key, value)


def _history(state: State, key: list[Any], value: bytes) -> None:
    rows.check(key, value)
    state.history.load(key[1], key[2], value[rows.PREFIX_BYTES :])


_STEPS: dict[str, Callable[[State, list[Any], bytes], None]] = {
    "applied": _applied,
    "policy": _policy,
    "partner": _partner,
    "sum": _sum,
    "usual": _usual,
    "alert": _alert,
    "aside": _aside,
    "silence": _silence,
    "annotation": _annotation,
    "override": _override,
    "incident": _incident,
    "command": _command,
    "source": _source,
    "ids": _ids,
    "contacts": _contacts,
    "tickets": _tickets,
    "records": _records,
    "forecast": _forecast,
    "agent": _agent,
    "states": _states,
    "fact": _fact,
    "handled": _handled,
    "owed": _owed,
    "place": _place,
    "matured": _matured,
    "history": _history,
}
"""By kind of row, in the order in which they depend on each other."""
