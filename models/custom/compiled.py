"""From what a policy says of its KPIs to functions of events and of measures.

A formula has a fingerprint, the cells of its measures bear it, and so what was counted stays with the formula, whatever the KPI is called
and wherever it stands in the list. Nothing here raises for an event that was decoded: what is compared has one type, or is not there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from models.custom.fields import AMOUNTS, CRITICAL_FAIL, CUSTOMERS, HANDLE_SECONDS, RECORD, STRUCTS, Amount
from models.custom.spec import Condition, EventName, KpiSpec, TermSpec
from models.definitions import Definition
from models.evaluations import critical_fail, on_criteria
from models.figures import Estimate, Kind, Live
from models.kpis import CATALOGUE, Kpi, Unit
from models.kpis.kpi import never, proportion, rate, unknown, words
from models.measures import SIZE, WIDTHS, Family
from models.revisions import revision_of

__all__ = ["NO_CUSTOMS", "Counter", "Customs", "compile_customs", "fingerprint", "is_part"]

_Event = Any
"""A struct of `models.decode`."""
Matches = Callable[[_Event], bool]
Fold = Callable[[Any, list[int], int, int], None]

_WIDTH: Final = WIDTHS[Family.CUSTOM]
_MEASURES: Final = ("n", "numerator", "denominator", "numerator_squares", "products", "denominator_squares")
"""Of one formula, as records name them: sums of times and points are in thousandths, and so are squares of points in millionths."""
_N, _NUM, _DEN, _NUM2, _PRODUCT, _DEN2 = range(_WIDTH)
_LANE_BITS: Final = 64
_ONE: Final = Amount(1, 1)
"""What a count sums."""
_SIGNS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Counter(NamedTuple):
    """What an event adds to the measures of one formula."""

    formula: int
    """Its fingerprint, 48 bits."""
    matches: Matches
    fold: Fold
    """(event, vector, _, _): as those of `streams.engine.fold`; only for events that match."""


@dataclass(frozen=True, slots=True, eq=False)
class Customs:
    """The KPIs of a policy; their measures stand behind the flat vector in the order of the list."""

    kpis: tuple[Kpi, ...] = ()
    catalogue: Mapping[str, Kpi] = field(default_factory=lambda: CATALOGUE)
    """Every KPI by id, those of the policy last."""
    counters: Mapping[type, tuple[Counter, ...]] = field(default_factory=dict)
    """By the struct of an event; those without any are left out."""
    parts: Mapping[str, tuple[Counter, ...]] = field(default_factory=dict)
    """By the name of the event that a part of a `contact.record` stands for."""
    shifts: Mapping[int, int] = field(default_factory=dict)
    """By fingerprint, how far its packed measures are shifted to stand in their place."""
    names: tuple[str, ...] = ()
    """Of the measures behind the flat vector, as records carry them."""

    @property
    def width(self) -> int:
        """How many measures stand behind the flat vector."""
        return len(self.names)

    def to_names(self, flat: Sequence[int]) -> dict[str, int]:
        """The non-zero measures behind a flat vector by name."""
        return {name: value for name, value in zip(self.names, flat[SIZE:], strict=True) if value}

    def total(self, parts: Iterable[Mapping[str, Any]]) -> list[int]:
        """What stands behind a flat vector, from the measures of records by name."""
        measures = list(parts)
        return [sum(each.get(name, 0) for each in measures) for name in self.names]


NO_CUSTOMS: Final = Customs()


def fingerprint(spec: KpiSpec) -> int:
    """Of what is counted, however it is written, and not of what it is called or which way is better."""
    terms = (spec.numerator, spec.denominator)
    counted = [[each.event, each.sum, {name: _plain(condition) for name, condition in each.where.items()}] for each in terms]
    # Where no term names a criterion there is nothing of it here, as before there were any: what was counted goes on.
    criteria = [sorted(set(each.criterion or ())) for each in terms]
    return int(revision_of([*counted, *criteria] if any(criteria) else counted), 16)


def _plain(condition: Condition) -> dict[str, Any]:
    said = condition.model_dump(exclude_none=True, by_alias=True)
    equal = said.pop("eq", None)
    if equal is not None:
        said["eq"] = [equal]
    if "in" in said:
        said["in"] = sorted(said["in"], key=repr)
        if "eq" not in said:
            said["eq"] = said.pop("in")
    return said


def is_part(numerator: TermSpec, denominator: TermSpec) -> bool:
    """Whether every event of the numerator is one of the denominator: it must meet the same conditions, and maybe more."""
    same = numerator.event == denominator.event and set(numerator.criterion or ()) == set(denominator.criterion or ())
    return same and denominator.where.items() <= numerator.where.items()


def compile_customs(specs: Sequence[KpiSpec]) -> Customs:
    """Make functions of what was linted."""
    if not specs:
        return NO_CUSTOMS
    kpis, names, shifts = list[Kpi](), list[str](), dict[int, int]()
    counters: dict[type, tuple[Counter, ...]] = {}
    parts: dict[str, tuple[Counter, ...]] = {}
    for at, spec in enumerate(specs):
        formula = fingerprint(spec)
        kpis.append(_kpi(spec, SIZE + at * _WIDTH))
        names += [f"{spec.id}@{formula:012x}.{measure}" for measure in _MEASURES]
        shifts[formula] = _LANE_BITS * (SIZE + at * _WIDTH)
        for event in dict.fromkeys((_event(spec.numerator), _event(spec.denominator))):
            counters[STRUCTS[event]] = (*counters.get(STRUCTS[event], ()), *_counters(spec, formula, event, STRUCTS[event]))
            parts[event] = (*parts.get(event, ()), *_counters(spec, formula, event, RECORD))
    catalogue = MappingProxyType({**CATALOGUE, **{kpi.id: kpi for kpi in kpis}})
    return Customs(tuple(kpis), catalogue, counters, parts, shifts, tuple(names))


def _event(term: TermSpec) -> EventName:
    assert term.event is not None, "a policy is linted before it is compiled"
    return term.event


def _counters(spec: KpiSpec, formula: int, event: EventName, struct: type) -> list[Counter]:
    numerator, denominator = spec.numerator, spec.denominator
    if is_part(numerator, denominator):
        more = {name: condition for name, condition in numerator.where.items() if name not in denominator.where}
        fold = _fold(numerator, denominator, _matches(more, (), struct), struct)
        matches = _matches(denominator.where, [each.sum for each in (numerator, denominator) if each.sum], struct)
        return [_on(denominator.criterion, Counter(formula, matches, fold))]
    terms = [(term, measure) for term, measure in ((numerator, _NUM), (denominator, _DEN)) if term.event == event]
    return [_on(term.criterion, Counter(formula, _matches(term.where, (), struct), _one(measure))) for term, measure in terms]


def _on(criterion: Collection[str] | None, counter: Counter) -> Counter:
    """The same of these criteria alone, where there are any."""
    if criterion is None:
        return counter
    criteria = frozenset(criterion)

    def matches(event: _Event) -> bool:
        part = on_criteria(event, criteria)
        return part is not None and counter.matches(part)

    def fold(event: _Event, vector: list[int], first: int, second: int) -> None:
        counter.fold(on_criteria(event, criteria), vector, first, second)

    return Counter(counter.formula, matches, fold)


def _one(measure: int) -> Fold:
    def fold(_: _Event, vector: list[int], __: int, ___: int) -> None:
        vector[measure] += 1

    return fold


def _fold(numerator: TermSpec, denominator: TermSpec, counts: Matches, struct: type) -> Fold:
    """What an event of the denominator adds, of which the numerator's are some."""
    if not numerator.sum and not denominator.sum:

        def share(event: _Event, vector: list[int], _: int, __: int) -> None:
            vector[_DEN] += 1
            if counts(event):
                vector[_NUM] += 1

        return share
    part, whole = (_amount(each.sum, struct) for each in (numerator, denominator))
    part_cut, whole_cut = (each.scale // each.fine for each in map(_amount_of, (numerator, denominator)))
    cut = _cut(numerator, denominator)

    def ratio(event: _Event, vector: list[int], _: int, __: int) -> None:
        of, to = part(event) if counts(event) else 0, whole(event)
        vector[_N] += 1
        vector[_NUM] += of
        vector[_DEN] += to
        vector[_NUM2] += of * of // (part_cut * part_cut)
        vector[_PRODUCT] += of * to // cut
        vector[_DEN2] += to * to // (whole_cut * whole_cut)

    return ratio


def _amount_of(term: TermSpec) -> Amount:
    return AMOUNTS[term.sum] if term.sum else _ONE


def _cut(numerator: TermSpec, denominator: TermSpec) -> int:
    """What products are divided by so that they fit: exact where one of both is counted, and so are the residuals of a mean."""
    if not numerator.sum or not denominator.sum:
        return 1
    part, whole = _amount_of(numerator), _amount_of(denominator)
    return part.scale // part.fine * (whole.scale // whole.fine)


def _amount(name: str | None, struct: type) -> Callable[[Any], int]:
    """A field in whole numbers, each part rounded as the fold of the built-in KPIs does."""
    if name is None:
        return lambda _: 1
    if name == HANDLE_SECONDS:
        talk, hold, wrap = (_amount(f"{part}_seconds", struct) for part in ("talk", "hold", "wrap"))
        return lambda event: talk(event) + hold(event) + wrap(event)
    get, scale = _getter(name, struct), AMOUNTS[name].scale
    return lambda event: int(get(event) * scale + 0.5)


def _getter(name: str, struct: type) -> Callable[[Any], Any]:
    if name == HANDLE_SECONDS:
        return lambda event: event.talk_seconds + event.hold_seconds + event.wrap_seconds
    if name == CRITICAL_FAIL:
        return critical_fail
    # A record does not say all that the events say which it stands for.
    return attrgetter(name) if name in struct.__struct_fields__ else lambda _: None  # type: ignore[attr-defined]


def _matches(where: Mapping[str, Condition], present: Iterable[str], struct: type) -> Matches:
    """Whether an event meets all conditions, and says all fields of `present`."""
    tests = [(_getter(name, struct), test) for name, condition in where.items() for test in _tests(condition)]
    tests += [(_getter(name, struct), _is_there) for name in present]
    if "survey" in struct.__struct_fields__:  # type: ignore[attr-defined]
        tests.append((_getter("survey", struct), frozenset(CUSTOMERS).__contains__))
    if not tests:
        return lambda _: True
    if len(tests) == 1:
        ((get, test),) = tests
        return lambda event: test(get(event))

    def matches(event: _Event) -> bool:
        return all(test(get(event)) for get, test in tests)

    return matches


def _is_there(value: object) -> bool:
    return value is not None


def _tests(condition: Condition) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    if condition.exists is not None:
        tests.append(_is_there if condition.exists else lambda value: value is None)
    if condition.eq is not None:
        tests.append(frozenset({condition.eq}).__contains__)
    if condition.in_ is not None:
        tests.append(frozenset(condition.in_).__contains__)
    for bound, test in (("gt", _above), ("gte", _from), ("lt", _below), ("lte", _to)):
        limit = getattr(condition, bound)
        if limit is not None:
            tests.append(test(limit))
    return tests


def _above(limit: float) -> Callable[[Any], bool]:
    return lambda value: value is not None and value > limit


def _from(limit: float) -> Callable[[Any], bool]:
    return lambda value: value is not None and value >= limit


def _below(limit: float) -> Callable[[Any], bool]:
    return lambda value: value is not None and value < limit


def _to(limit: float) -> Callable[[Any], bool]:
    return lambda value: value is not None and value <= limit


def _kpi(spec: KpiSpec, at: int) -> Kpi:
    formula = f"{_words(spec.numerator)} / {_words(spec.denominator)}"
    return Kpi(
        id=spec.id,
        title=spec.id.replace("_", " ").capitalize(),
        unit=Unit(spec.unit),
        better=spec.better,
        perspective=spec.perspective,
        attributed_to=" and ".join(dict.fromkeys(f"{_event(each)}" for each in (spec.numerator, spec.denominator))),
        formula=formula,
        family=slice(at, at + _WIDTH),
        estimate=_estimate(spec, at),
        describe=words(formula),
        needs_basis=never,
        traps="of the policy",
        leading=spec.leading,
    )


def _estimate(spec: KpiSpec, at: int) -> Callable[[Sequence[int], Live | None, Definition], Estimate]:
    numerator, denominator = spec.numerator, spec.denominator
    num, den = at + _NUM, at + _DEN
    if not is_part(numerator, denominator):
        return lambda flat, _live, _definition: rate(flat[num], flat[den])
    if not numerator.sum and not denominator.sum:
        return lambda flat, _live, _definition: proportion(flat[num], flat[den])
    part, whole, cut = _amount_of(numerator), _amount_of(denominator), _cut(numerator, denominator)
    return lambda flat, _live, _definition: _ratio(flat[at : at + _WIDTH], part, whole, cut)


def _ratio(counted: Sequence[int], part: Amount, whole: Amount, cut: int) -> Estimate:
    """A sum to a sum over the same events, with their spread around it (Cochran 1977, 6.3): of a mean its sample variance."""
    n, num, den = counted[_N], counted[_NUM] / part.scale, counted[_DEN] / whole.scale
    if den == 0:
        return unknown(Kind.MEAN)
    value = num / den
    num2 = counted[_NUM2] / part.fine**2
    product = counted[_PRODUCT] * cut / (part.scale * whole.scale)
    den2 = counted[_DEN2] / whole.fine**2
    residuals = max(0.0, num2 - 2 * value * product + value * value * den2)
    variance = residuals / (n - 1) / (den / n) ** 2 if n > 1 else None
    return Estimate(Kind.MEAN, value, num, den, n, variance)


def _words(term: TermSpec) -> str:
    what = f"sum of {term.sum} of {term.of}" if term.sum else f"{term.count}"
    if term.criterion:
        what = f"{what} on {', '.join(term.criterion)}"
    said = [f"{name} {_said(condition)}" for name, condition in term.where.items()]
    return f"{what} where {' and '.join(said)}" if said else what


def _said(condition: Condition) -> str:
    said = [] if condition.exists is None else ["is there" if condition.exists else "is not there"]
    if condition.eq is not None:
        said.append(f"= {_value(condition.eq)}")
    if condition.in_ is not None:
        said.append(f"in {', '.join(map(_value, condition.in_))}")
    said += [f"{sign} {limit:g}" for bound, sign in _SIGNS.items() if (limit := getattr(condition, bound)) is not None]
    return " and ".join(said)


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
