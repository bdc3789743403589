"""Alerts that fire already when an escalation is named for their rule: they page as if they fired now, as whoever names it expects.

The rules stand in the partner's row from the policy's record to the next grid point, where it holds, so that a crash in between neither
forgets them nor takes what somebody closed by hand for one of them.
"""

from collections.abc import Collection, Iterator

from alerts.aside import NOTHING
from models.policy import PartnerPolicy
from streams.engine.judge import Judged
from streams.engine.partner import Partner

__all__ = ["gain", "take_gained"]


def gain(partner: Partner, policy: PartnerPolicy) -> None:
    """Remember the rules of open alerts that have an escalation by `policy`, which is to hold, and have none by the one that does."""
    fires = {rule_id for (rule_id, _), condition in partner.conditions.items() if condition.open}
    if not fires or policy.paging is None:
        return
    had = {rule.id for rule in partner.policy.rules if rule.id in fires and partner.policy.escalation_of(rule) is not None}
    found = {rule.id for rule in policy.rules if rule.id in fires - had and policy.escalation_of(rule) is not None}
    if found:
        partner.gained, partner.row_changed = tuple(sorted(found.union(partner.gained))), True


def take_gained(partner: Partner, told: Collection[str]) -> Iterator[Judged]:
    """The open alerts of these rules, once, but those in `told` (fingerprints) and those that somebody looks after."""
    gained, partner.gained, partner.row_changed = frozenset(partner.gained), (), True
    rules = {rule.id: rule for rule in partner.policy.rules if rule.id in gained}
    for key, condition in partner.conditions.items():
        aside = partner.asides.get(key, NOTHING)
        if condition.open and key[0] in rules and aside.ack is None and condition.fingerprint not in told:
            yield Judged(rules[key[0]], key[1], condition, (), aside, aside)
