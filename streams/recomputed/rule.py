"""A rule judged anew at a grid point of the past: every gate, as far as the topics tell. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from alerts import Sample, forms
from alerts.gate import Gate
from alerts.gates import Held, gates, gates_of_form
from models.adaptive import adaptive_windows
from models.forms import Balance, Comparison, Drift, Form, Group, at_quarters, comparisons
from models.kpis import FEED_SILENCE, Kpi
from models.policy import PartnerPolicy
from models.rules import ADAPTIVE, Rule
from models.statistics import Compared
from models.windows import DAY_MS, QUARTER_MS, Window, window
from streams.engine.several import higher
from streams.recomputed.added import added, anchor
from streams.recomputed.kept import Kept
from streams.recomputed.usual import REACH_MS, usual_of

__all__ = ["Judged", "judged", "reach_ms"]

Json = Mapping[str, Any]
_LIVE: Final = "{} is of who waits at one moment: it is kept where the alert changes, and nowhere else"
_SILENT: Final = "when something was last heard is kept where the alert changes, and nowhere else"


class Judged(NamedTuple):
    """What is known."""

    said: str
    """What it was computed from; why it was not, where there are no gates."""
    gates: list[Gate]


def judged(
    rule: Rule, kept: Kept, at_ms: int, held: Held, *, events: Sequence[Json] = (), since_ms: int | None = None, first_ms: int | None = None
) -> Judged:
    """Judge `rule` at the grid point `at_ms`.

    Args:
        rule: with the ladder that held then.
        kept: the stretches of the scope, from `reach_ms` on where they are kept.
        at_ms: when.
        held: for how long, see `alerts.gates`.
        events: its `models.records.AlertEvent`s up to then, in order.
        since_ms: when the rule began to hold as it is; None where that is not known.
        first_ms: of a rule that compares, see `streams.recomputed.usual.since_of`.
    """
    if rule.form is None:
        return _ladder(rule, kept, at_ms, held, first_ms)
    judged_ms = at_ms - at_ms % QUARTER_MS if at_quarters(rule.form) else at_ms
    if isinstance(rule.form, Drift):
        return _drift(rule, rule.form, kept, (judged_ms, at_ms), held, anchor(rule, events, since_ms, at_ms))
    parts = tuple(_parts(rule, rule.form, kept, judged_ms))
    sample = parts[0]._replace(parts=parts)
    catalogue = kept.policy.customs.catalogue
    unkept = {kpi for kpi in rule.kpis if catalogue[kpi].live}
    found = gates_of_form(rule, sample, forms.judge(rule, sample, 0.0), held, unkept)
    return Judged(_said(kept, parts, judged_ms, at_ms), found)


def _ladder(rule: Rule, kept: Kept, at_ms: int, held: Held, first_ms: int | None) -> Judged:
    kpi = kept.policy.customs.catalogue[rule.kpi]
    if kpi.live:
        return Judged(_SILENT if kpi.id == FEED_SILENCE else _LIVE.format(kpi.id), [])
    sample = kept.narrowest(kpi, _among(kpi, rule.window, kept.policy), rule.min_samples, at_ms)
    said = _said(kept, (sample,), at_ms, at_ms)
    if rule.compare is not None and sample.estimate is not None and sample.estimate.value is not None:
        from_ms = sample.from_ms - REACH_MS
        if from_ms < kept.quarters_from_ms:
            return Judged(f"what was usual then is made of quarter hours from {_minute(from_ms)} on, which are no longer kept", [])
        known = None if first_ms is None else usual_of(kept, first_ms, kpi, (sample.from_ms, at_ms))
        sample = sample._replace(estimate=Compared.of(sample.estimate, known, rule.compare, counts=kpi.adds_up))
    return Judged(said, gates(rule, sample, held))


def _drift(rule: Rule, form: Drift, kept: Kept, times: tuple[int, int], held: Held, known: tuple[int, float] | None) -> Judged:
    at_ms, _ = times
    if kept.quarters_from_ms > at_ms - QUARTER_MS:
        return Judged(f"it is judged on quarter hours, which are kept from {_minute(kept.quarters_from_ms)} on", [])
    found = added(rule, form, kept, at_ms, known)
    said = f"{_said(kept, (found.sample,), *times)}; added up from {_minute(found.since_ms)} on"
    if not found.sure:
        said += ", and what had been by then is not known: it was this or more"
    return Judged(said, gates_of_form(rule, found.sample, found.reading, held))


def _parts(rule: Rule, form: Comparison | Group | Balance, kept: Kept, at_ms: int) -> Iterator[Sample]:
    catalogue = kept.policy.customs.catalogue
    if isinstance(form, Balance):
        now = window(rule.window)
        begin_ms = now.start(at_ms, kept.calendar)
        for kpi in (catalogue[form.efficiency], catalogue[form.quality]):
            for start_ms, end_ms in ((now.start(begin_ms, kept.calendar), begin_ms), (begin_ms, at_ms)):
                yield kept.sample(kpi, rule.window, start_ms, end_ms)._replace(higher=higher(kpi))
        return
    for each in comparisons(form):
        kpi = catalogue[each.kpi]
        yield kept.narrowest(kpi, _among(kpi, each.window, kept.policy), rule.min_samples, at_ms)


def _said(kept: Kept, samples: Sequence[Sample], judged_ms: int, at_ms: int) -> str:
    spans = {(each.from_ms, each.to_ms) for each in samples if each.estimate is not None}
    count = len({(each["from"], each["to"]) for span in spans for each in kept.between(*span)})
    which = "the window" if len(spans) == 1 else "its windows"
    judged_at = (
        "" if judged_ms == at_ms else f", judged at {datetime.fromtimestamp(judged_ms / 1000, UTC):%H:%M} as every quarter of an hour"
    )
    return f"{count} closed stretches of {which}{judged_at}{kept.cut(*(edge for span in spans for edge in span))}"


def _minute(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _among(kpi: Kpi, name: str, policy: PartnerPolicy) -> Sequence[Window]:
    """In which a figure may be judged, narrowest first."""
    return adaptive_windows(kpi, policy.windows) if name == ADAPTIVE else (window(name),)


def reach_ms(rule: Rule, kept: Kept, at_ms: int, known: tuple[int, float] | None) -> int:
    """From when on stretches are needed to judge `rule` at `at_ms`; of a drift what is `known` of before (`anchor`)."""
    catalogue, form = kept.policy.customs.catalogue, rule.form
    begin_ms = min(_start(catalogue[kpi], name, kept, at_ms) for kpi, name in _looks(rule, form))
    if isinstance(form, Balance):
        begin_ms = window(rule.window).start(begin_ms - QUARTER_MS, kept.calendar)
    elif isinstance(form, Drift):
        begin_ms = kept.quarters_from_ms if known is None else min(begin_ms - QUARTER_MS, known[0])
    return begin_ms - (REACH_MS + DAY_MS if rule.compare is not None else 0)


def _start(kpi: Kpi, name: str, kept: Kept, at_ms: int) -> int:
    return _among(kpi, name, kept.policy)[-1].start(at_ms, kept.calendar)


def _looks(rule: Rule, form: Form | None) -> list[tuple[str, str]]:
    if isinstance(form, Comparison | Group):
        return [(each.kpi, each.window) for each in comparisons(form)]
    return [(kpi, rule.window) for kpi in rule.kpis]
