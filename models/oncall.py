"""Who is on call: of a rotation at a moment and over a span, with the overrides laid over its layers.

Everything is a function of the policy, the overrides and the times that are asked for. Of several overrides at a moment the one asked for
last holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from models.hours import Schedule, compile_hours
from models.notices import OverrideState
from models.revisions import revision_of
from models.rotations import RotationSpec
from models.shifts import Layer, compile_layer
from models.windows import DAY_MS

__all__ = ["COVERAGE_MS", "Gap", "GapReason", "OnCall", "Rotation", "Segment", "calendar_revision", "compile_rotation", "coverage"]

COVERAGE_MS: Final = 14 * DAY_MS
"""How far ahead gaps are looked for."""
_HANDOVER_MS: Final = 400 * DAY_MS


class GapReason(StrEnum):
    """Why nobody is on call."""

    UNCOVERED = "uncovered"
    """No layer has a shift then."""
    EMPTY_SHIFT = "empty_shift"
    """The shift is nobody's."""


class OnCall(NamedTuple):
    """Who is on call, and by what; by neither where no layer has a shift."""

    people: tuple[str, ...]
    layer: int | None = None
    """Its position from 0 on."""
    override: str | None = None
    """Its id."""


class Segment(NamedTuple):
    """[begin, end) in which the same people are on call by the same layer or override."""

    begin_ms: int
    end_ms: int
    on_call: OnCall


class Gap(NamedTuple):
    """[begin, end) in which nobody is on call although somebody must be."""

    rotation: str
    begin_ms: int
    end_ms: int
    reason: GapReason


_NOBODY: Final = OnCall(())


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation that was checked."""

    id: str
    layers: tuple[Layer, ...]
    hours: Schedule | None
    """When somebody must be on call; None: always."""
    takers: frozenset[str] | None = None
    """Who may take a shift over; None: anybody."""

    def who(self, at_ms: int, overrides: Sequence[OverrideState] = ()) -> OnCall:
        """Who is on call at a moment; overrides of other rotations, and by whom the policy does not know, are passed over."""
        held = [each for each in overrides if each.from_ <= at_ms < each.to and self._is_own(each)]
        if held:
            last = max(held, key=lambda each: (each.at, each.id))
            return OnCall((last.person,), override=last.id)
        for number in range(len(self.layers) - 1, -1, -1):
            shift = self.layers[number].at(at_ms)
            if shift is not None:
                return OnCall(shift.people, layer=number)
        return _NOBODY

    def schedule(self, from_ms: int, to_ms: int, overrides: Sequence[OverrideState] = ()) -> Iterator[Segment]:
        """Segments that follow each other from `from_ms` to `to_ms` without a hole; those beside each other differ."""
        own = [each for each in overrides if self._is_own(each)]
        edges = {edge for each in own for edge in (each.from_, each.to)}
        edges |= {edge for layer in self.layers for shift in layer.between(from_ms, to_ms) for edge in shift[:2]}
        begin_ms, on_call = from_ms, self.who(from_ms, own)
        for edge in sorted(each for each in edges if from_ms < each < to_ms):
            following = self.who(edge, own)
            if following != on_call:
                yield Segment(begin_ms, edge, on_call)
                begin_ms, on_call = edge, following
        if begin_ms < to_ms:
            yield Segment(begin_ms, to_ms, on_call)

    def next_handover_ms(self, after_ms: int, overrides: Sequence[OverrideState] = ()) -> int | None:
        """When others are on call next; None if not within 400 days."""
        people = self.who(after_ms, overrides).people
        for begin_ms in range(after_ms, after_ms + _HANDOVER_MS, 20 * DAY_MS):
            for segment in self.schedule(begin_ms, begin_ms + 20 * DAY_MS, overrides):
                if segment.on_call.people != people:
                    return segment.begin_ms
        return None

    def shift_before(self, at_ms: int, overrides: Sequence[OverrideState] = ()) -> Segment | None:
        """The last shift that was over by then, from handover to handover; None if there was none within 400 days.

        Where the people did not change within 400 days before it ended, it begins there.
        """
        days = 40
        while True:
            from_ms = at_ms - days * DAY_MS
            shifts: list[Segment] = []
            # One millisecond on, the shift that ends at this very time has a successor.
            for each in self.schedule(from_ms, at_ms + 1, overrides):
                if shifts and shifts[-1].on_call.people == each.on_call.people:
                    shifts[-1] = Segment(shifts[-1].begin_ms, each.end_ms, shifts[-1].on_call)
                else:
                    shifts.append(each)
            over = next((each for each in reversed(shifts[:-1]) if each.on_call.people), None)
            known = over is not None and over.begin_ms > from_ms
            if known or days * DAY_MS >= _HANDOVER_MS:
                return over
            days *= 10

    def gaps(self, from_ms: int, to_ms: int, overrides: Sequence[OverrideState] = ()) -> Iterator[Gap]:
        """The spans in which nobody is on call, of the hours in which somebody must be."""
        for segment in self.schedule(from_ms, to_ms, overrides):
            if segment.on_call.people:
                continue
            reason = GapReason.UNCOVERED if segment.on_call.layer is None else GapReason.EMPTY_SHIFT
            for begin_ms, end_ms in self._must(segment.begin_ms, segment.end_ms):
                yield Gap(self.id, begin_ms, end_ms, reason)

    def _is_own(self, override: OverrideState) -> bool:
        return override.rotation == self.id and (self.takers is None or override.person in self.takers)

    def _must(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        """The parts of a span in which somebody must be on call."""
        if self.hours is None:
            yield from_ms, to_ms
            return
        at_ms = from_ms
        while at_ms < to_ms:
            end_ms = at_ms
            while end_ms < to_ms and self.hours.holds(end_ms):
                end_ms = min(self.hours.turns_ms(end_ms), to_ms)
            if end_ms > at_ms:
                yield at_ms, end_ms
            at_ms = self.hours.turns_ms(end_ms)


def compile_rotation(spec: RotationSpec, people: Mapping[str, str | None] | None = None) -> Rotation:
    """The rotation of what a policy says; keep it, since it remembers the shifts that it found.

    `people` are those of the policy with the partner on whose side each is: only those of the rotation's side may take a shift over.
    """
    layers = tuple(compile_layer(each, spec.timezone) for each in spec.layers)
    takers = None if people is None else frozenset(each for each, partner in people.items() if partner == spec.partner)
    return Rotation(spec.id, layers, compile_hours(spec.hours, spec.timezone), takers)


def calendar_revision(specs: Sequence[RotationSpec], overrides: Sequence[OverrideState] = ()) -> str:
    """12 hex digits that name rotations with their overrides: equal where who is on call is said alike."""
    said = [each.model_dump(mode="json", by_alias=True, exclude={"report"}) for each in specs]
    over = sorted((each.id, each.rotation, each.person, each.from_, each.to, each.at) for each in overrides)
    return revision_of([said, over])


def coverage(
    rotations: Sequence[Rotation], at_ms: int, overrides: Sequence[OverrideState] = (), ahead_ms: int = COVERAGE_MS
) -> Iterator[Gap]:
    """What no rotation covers of the 14 days from `at_ms` on."""
    for rotation in rotations:
        yield from rotation.gaps(at_ms, at_ms + ahead_ms, overrides)
