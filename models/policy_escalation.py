"""What is wrong with escalations, and with who names them, although each of them reads well. Pure; paths are those of the file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from models.criticality import laid_over
from models.escalation import EscalationSpec, TargetSpec, WhenSpec
from models.finding import Finding
from models.oncall_lint import Known
from models.policy_spec import Defaults, PartnerPart
from models.rule_base import RuleBase
from models.rules import Severity
from models.yaml_file import Path, suggest

__all__ = ["lint_escalations"]

_ORDER: Final = tuple(Severity)


def lint_escalations(
    escalations: Sequence[EscalationSpec | None],
    defaults: Defaults,
    partners: Sequence[PartnerPart | None],
    rules: Sequence[RuleBase | None],
    known: Known,
    named: Collection[str],
) -> Iterator[Finding]:
    """Escalations, partners and rules by their position in the file, None where one does not read; `named` are all ids, of those too."""
    there = {each.id: each for each in escalations if each is not None}
    yield from _lint_names(escalations, defaults, partners, rules, named)
    if None in rules or None in partners:
        return
    for at, each in enumerate(escalations):
        if each is not None:
            used = [rule for rule in rules if rule is not None and each.id in _of(rule, defaults, partners)]
            yield from _lint_escalation(("escalations", at), each, used, known)
            yield from _lint_when(("escalations", at), each, used, defaults, partners)
    for at, partner in enumerate(partners):
        if partner is not None:
            yield from _lint_roles(("partners", at), partner, rules, there, defaults)


def _lint_names(
    escalations: Sequence[EscalationSpec | None],
    defaults: Defaults,
    partners: Sequence[PartnerPart | None],
    rules: Sequence[RuleBase | None],
    named: Collection[str],
) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, each in enumerate(escalations):
        if each is not None and each.id in seen:
            yield Finding(("escalations", at, "id"), f"{each.id!r} is there already", "give each escalation its own id")
        seen |= {each.id} if each is not None else set()
    said: list[tuple[Path, str | None]] = [(("defaults", "escalation"), defaults.escalation)]
    said += [(("partners", at, "escalation"), each.escalation) for at, each in enumerate(partners) if each is not None]
    said += [(("rules", at, "escalation"), each.escalation) for at, each in enumerate(rules) if each is not None]
    for path, name in said:
        if name is not None and name not in named:
            yield Finding(path, f"{name!r} is no escalation", suggest(name, named, "add it under escalations"))
    if any(name is not None for _, name in said) and defaults.escalation is None:
        for at, rule in enumerate(rules):
            if rule is not None and not _of(rule, defaults, partners):
                yield Finding(("rules", at), "pages nobody, while others escalate", "add escalation:, here or to defaults", "warning")


def _of(rule: RuleBase, defaults: Defaults, partners: Sequence[PartnerPart | None]) -> set[str]:
    """The escalations by which a rule's alerts may page."""
    if rule.escalation is not None:
        return {rule.escalation}
    own = {each.escalation for each in partners if each is not None and (rule.partners is None or each.id in rule.partners)}
    return {each for each in (defaults.escalation if name is None else name for name in own or {None}) if each is not None}


def _lint_escalation(path: Path, spec: EscalationSpec, used: Sequence[RuleBase], known: Known) -> Iterator[Finding]:
    if not used:
        yield Finding(path, "no rule escalates by it", "name it in a rule, a partner or defaults, or remove it", "warning")
    if not spec.fallback:
        yield Finding(path, "nobody is told when all steps passed without an answer", "add fallback:", "warning")
    said = [((*path, "steps", at, "tell", number), each) for at, step in enumerate(spec.steps) for number, each in enumerate(step.tell)]
    said += [((*path, "fallback", number), each) for number, each in enumerate(spec.fallback)]
    for here, target in said:
        yield from _lint_target(here, target, known)


def _lint_target(path: Path, target: TargetSpec, known: Known) -> Iterator[Finding]:
    for kind, section, name, there in (
        ("person", "people", target.person, known.people),
        ("rotation", "rotations", target.rotation, known.rotations),
        ("receiver", "receivers", target.receiver, known.receivers),
    ):
        if name is None or there is None:
            continue
        if name not in there:
            yield Finding((*path, kind), f"{name!r} is no {kind}", suggest(name, there, f"add it under {section}"))
        elif (side := there[name]) is not None:
            message = f"{name} is on the side of {side}, and hears of no other partner"
            yield Finding((*path, kind), message, "write partner: and a role among the contacts of each", "warning")


def _lint_when(
    path: Path, spec: EscalationSpec, used: Sequence[RuleBase], defaults: Defaults, partners: Sequence[PartnerPart | None]
) -> Iterator[Finding]:
    """Conditions that never hold, so that nobody is told at their step."""
    raised = [laid_over(defaults.criticality, each.criticality) for each in partners if each is not None] or [defaults.criticality]
    heaviest = max((each.heaviest for each in raised if each is not None), default=0)
    raises = any(each is not None and each.raise_from is not None and each.raise_from <= each.heaviest for each in raised)
    closes = defaults.hours is not None or any(each is not None and each.hours is not None for each in partners)
    rules = [rule.compiled for rule in used]
    worst = max((_ORDER.index(level.severity) for rule in rules for level in (*rule.levels, *(rule.outside or rule).levels)), default=0)
    for at, step in enumerate(spec.steps):
        here: Path = (*path, "steps", at, "when")
        yield from _never(here, step.when, (min(worst + raises, len(_ORDER) - 1) if used else len(_ORDER), heaviest), closes=closes)


def _never(path: Path, when: WhenSpec, most: tuple[int, int], *, closes: bool) -> Iterator[Finding]:
    worst, heaviest = most
    if when.severity is not None and _ORDER.index(when.severity) > worst:
        yield Finding((*path, "severity"), f"no rule that escalates by it is ever {when.severity}", "remove it, or add such a level")
    if when.criticality is not None and when.criticality > heaviest:
        yield Finding((*path, "criticality"), f"nothing weighs {when.criticality}", "say in criticality: what does, or write less")
    if when.hours == "partner_closed" and not closes:
        yield Finding((*path, "hours"), "no partner is ever closed", "add hours: to defaults or a partner, or remove it")


def _lint_roles(
    path: Path, partner: PartnerPart, rules: Sequence[RuleBase | None], there: Mapping[str, EscalationSpec], defaults: Defaults
) -> Iterator[Finding]:
    """Contacts that a partner's escalations tell, and that it does not have."""
    mine = [rule for rule in rules if rule is not None and (rule.partners is None or partner.id in rule.partners)]
    names = sorted({name for rule in mine for name in _of(rule, defaults, [partner])} & there.keys())
    missing: dict[str, str] = {}
    for name in names:
        spec = there[name]
        targets = (*(each for step in spec.steps for each in step.tell), *spec.fallback)
        missing |= {each.partner: name for each in targets if each.partner is not None and each.partner not in partner.contacts}
    for role, name in missing.items():
        yield Finding((*path, "contacts"), f"has no {role}, whom the escalation {name} tells", f"add {role}: to contacts:")
