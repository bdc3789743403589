"""What the reducer asks of the forms that rules have beside a figure against a ladder."""

from typing import Any

from alerts import balance, composite, drift
from alerts.gate import Reading, Sample
from alerts.gate import judge as judge_ladder
from models.forms import Balance, Drift
from models.rules import Rule

__all__ = ["judge", "parts"]


def judge(rule: Rule, sample: Sample, total: float) -> Reading:
    """Say where the sample stands with respect to each level of the rule, whatever its form; `total` is what added up before."""
    form = rule.form
    if form is None:
        return judge_ladder(rule, sample)
    if isinstance(form, Drift):
        return drift.judge_drift(rule, form, sample, total)
    return balance.judge_balance(rule, sample) if isinstance(form, Balance) else composite.judge_composite(rule, form, sample)


def parts(rule: Rule, sample: Sample, reading: Reading) -> list[dict[str, Any]] | None:
    """The evidence of each figure that the rule looks at; None where that is one against a ladder."""
    form = rule.form
    if form is None:
        return None
    if isinstance(form, Drift):
        return drift.gathered(rule, form, sample, reading)
    return balance.gathered(rule, form, sample) if isinstance(form, Balance) else composite.gathered(rule, form, sample)
