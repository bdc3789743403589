"""What is wrong with the KPIs of a policy although each reads well. Paths are those of the file."""

from collections.abc import Iterator, Sequence
from typing import Final

from models.custom.compiled import fingerprint, is_part
from models.custom.fields import AMOUNTS, EVALUATED, FIELDS, WHOLE, Asked
from models.custom.spec import Condition, KpiSpec, TermSpec
from models.finding import Finding
from models.kpis import CATALOGUE
from models.yaml_file import Path, suggest

__all__ = ["lint_kpis"]

_BOUNDS: Final = ("gt", "gte", "lt", "lte")


def lint_kpis(kpis: Sequence[KpiSpec | None]) -> Iterator[Finding]:
    """KPIs by their position in the file; None where one does not read."""
    ids: set[str] = set()
    formulas: dict[int, str] = {}
    for at, kpi in enumerate(kpis):
        if kpi is None:
            continue
        path: Path = ("kpis", at)
        if kpi.id in CATALOGUE or kpi.id in ids:
            where = "is a KPI of the catalogue" if kpi.id in CATALOGUE else "is there already"
            yield Finding((*path, "id"), f"{kpi.id!r} {where}", "give it an id of its own")
        ids.add(kpi.id)
        found = [*_lint_term((*path, "numerator"), kpi.numerator), *_lint_term((*path, "denominator"), kpi.denominator)]
        yield from found or _lint_whole(path, kpi)
        same = formulas.setdefault(fingerprint(kpi), kpi.id)
        if same != kpi.id and not found:
            yield Finding(path, f"has the formula of {same}", "keep one of them")


def _lint_term(path: Path, term: TermSpec) -> Iterator[Finding]:
    if (term.count is None) == (term.sum is None) or (term.sum is None) != (term.of is None):
        yield Finding(
            path, "neither counts nor sums, or does both", "write count: and an event, or sum: and a field with of: and its event"
        )
        return
    assert term.event is not None, "one of both is there"
    fields, what = FIELDS[term.event], str(term.event)
    if term.criterion is not None:
        if term.event != EVALUATED:
            yield Finding((*path, "criterion"), f"{term.event} has no criteria", f"leave it out, or count {EVALUATED}")
        fields, what = {name: asked for name, asked in fields.items() if name not in WHOLE}, f"{term.event} with a criterion"
    if term.sum is not None:
        summed = [name for name in fields if name in AMOUNTS]
        if term.sum not in summed:
            remedy = suggest(term.sum, summed, None if summed else "count the events")
            yield Finding((*path, "sum"), f"{term.sum!r} is no amount of {what}", remedy)
    for name, condition in term.where.items():
        if name not in fields:
            yield Finding((*path, "where", name), f"is no field of {what} that can be asked for", suggest(name, fields))
        else:
            yield from _lint_condition((*path, "where", name), condition, fields[name])


def _lint_condition(path: Path, condition: Condition, asked: Asked) -> Iterator[Finding]:
    said = condition.model_dump(exclude_none=True)
    if not said:
        yield Finding(path, "says nothing", "write a value, a list of them, or eq, in, gt, gte, lt, lte or exists")
    for bound in _BOUNDS:
        if bound in said and asked.kind != "number":
            yield Finding((*path, bound), f"compares a {asked.kind} with a number", "write eq, in or exists")
    for value in (*([condition.eq] if condition.eq is not None else ()), *(condition.in_ or ())):
        kind = "flag" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"
        if kind != asked.kind:
            yield Finding(path, f"{value!r} is a {kind}, and the field is a {asked.kind}", f"write a {asked.kind}")
        elif asked.options and value not in asked.options:
            yield Finding(path, f"{value!r} is none of its values", suggest(str(value), asked.options))


def _lint_whole(path: Path, kpi: KpiSpec) -> Iterator[Finding]:
    numerator, denominator = kpi.numerator, kpi.denominator
    if (numerator.sum or denominator.sum) and not is_part(numerator, denominator):
        remedy = "sum the same events as the denominator, with its criterion, its conditions and maybe more"
        yield Finding((*path, "numerator"), "a sum is of events that the denominator does not have", remedy)
    units = _units(numerator, denominator)
    if kpi.unit not in units:
        yield Finding((*path, "unit"), f"the formula does not come to {kpi.unit}", f"write {' or '.join(units)}")


def _units(numerator: TermSpec, denominator: TermSpec) -> tuple[str, ...]:
    """What the formula may come to."""
    of, to = (AMOUNTS[each.sum] if each.sum else None for each in (numerator, denominator))
    if of == to:
        return ("ratio",)
    if of is not None and of.seconds:
        return ("s",)
    return "count", "points"
