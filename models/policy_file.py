"""Policy files: read, checked and taken apart into what travels on `outwatch.policies`."""

from collections.abc import Iterable, Sequence
from json import dumps
from typing import Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.criticality import CriticalitySpec, WeightSpec
from models.custom import Condition, KpiSpec, TermSpec, compile_customs, lint_kpis
from models.definitions import Ces, Csat, Definition, ServiceLevel, Target
from models.errors import FileError, PolicyError, Problem
from models.escalation import EscalationSpec, StepSpec, TargetSpec, WhenSpec
from models.hours import Holidays
from models.inhibition import AlertMatch, Inhibition, lint_inhibit
from models.oncall_lint import known_of, lint_oncall, lint_reports
from models.people import ContactSpec, PersonSpec, ReachSpec
from models.policy_critical import lint_criticality
from models.policy_escalation import lint_escalations
from models.policy_lint import lint_definitions, lint_partners, lint_rules
from models.policy_repeats import lint_repeats
from models.policy_spec import (
    FORMS,
    KPIS_MAX,
    TYPES,
    Activities,
    Baseline,
    Defaults,
    LevelSpec,
    PartnerPart,
    PolicyFile,
    SharedPart,
    form_of,
    to_json,
)
from models.receivers import RECEIVERS, Receiver, lint_receivers
from models.rotations import LayerSpec, RotationSpec
from models.rule_base import RuleBase
from models.rule_forms import AllSpec, AnySpec, ComparisonSpec, NotSpec, OutsideSpec
from models.windows import SIDES
from models.yaml_file import Document, Path, read_yaml, suggest

__all__ = ["lint", "load", "parts", "whole"]

T = TypeVar("T", bound=BaseModel)

_MODELS: Final[tuple[type[BaseModel], ...]] = (
    *(Defaults, Activities, Baseline, PartnerPart, LevelSpec),
    *FORMS.values(),
    *(AllSpec, AnySpec, NotSpec, ComparisonSpec, OutsideSpec),
    *(Definition, ServiceLevel, Csat, Ces, Target),
    *(KpiSpec, TermSpec, Condition),
    *(Holidays, CriticalitySpec, WeightSpec, Inhibition, AlertMatch),
    *RECEIVERS.values(),
    *(EscalationSpec, StepSpec, TargetSpec, WhenSpec),
    *(PersonSpec, ReachSpec, ContactSpec, RotationSpec, LayerSpec),
)
FIELDS: Final = frozenset(field.alias or name for model in _MODELS for name, field in model.model_fields.items())
"""What a misspelt field may have been meant for."""
_SECTIONS: Final = ("kpis", "inhibit", "receivers", "people", "rotations", "escalations")
"""Of the file, beside `rules`, that all partners share; one that is not there is not said, so that revisions stay what they were."""


class _Outline(BaseModel):
    """The file without what stands in its parts, so that one bad part does not hide what is wrong with the others."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    defaults: dict[str, Any] = Field(default_factory=dict)
    partners: list[Any] = Field(default_factory=list, max_length=10_000)
    kpis: list[Any] = Field(default_factory=list, max_length=KPIS_MAX)
    rules: list[Any] = Field(default_factory=list, max_length=500)
    inhibit: list[Any] = Field(default_factory=list, max_length=50)
    receivers: list[Any] = Field(default_factory=list, max_length=500)
    people: list[Any] = Field(default_factory=list, max_length=1000)
    rotations: list[Any] = Field(default_factory=list, max_length=200)
    escalations: list[Any] = Field(default_factory=list, max_length=100)


def lint(text: str, file: str, at_ms: int | None = None) -> list[Problem]:
    """Everything wrong with the policy in `text`, in the order of its lines; empty when all is well.

    With a time, also when nobody will be on call in the 14 days from then on.
    """
    return _read(text, file, at_ms)[1]


def load(text: str, file: str) -> PolicyFile:
    """The policy in `text`; warnings do not refuse it.

    Raises:
        PolicyError: with everything that is wrong.
    """
    data, problems = _read(text, file)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise PolicyError(errors)
    return PolicyFile.model_validate_json(dumps(data), strict=True)


def _read(text: str, file: str, at_ms: int | None = None) -> tuple[Any, list[Problem]]:
    try:
        document = read_yaml(text, file)
    except FileError as error:
        return None, list(error.problems)
    problems: list[Problem] = []
    outline = _valid(_Outline, document.data, document, (), problems)
    if outline is not None:
        defaults = _valid(Defaults, outline.defaults, document, ("defaults",), problems)
        partners = [_valid(PartnerPart, each, document, ("partners", at), problems) for at, each in enumerate(outline.partners)]
        kpis = [_valid(KpiSpec, each, document, ("kpis", at), problems) for at, each in enumerate(outline.kpis)]
        rules = [_rule(each, document, ("rules", at), problems) for at, each in enumerate(outline.rules)]
        inhibit = [_valid(Inhibition, each, document, ("inhibit", at), problems) for at, each in enumerate(outline.inhibit)]
        receivers = [_receiver(each, document, ("receivers", at), problems) for at, each in enumerate(outline.receivers)]
        people = [_valid(PersonSpec, each, document, ("people", at), problems) for at, each in enumerate(outline.people)]
        rotations = [_valid(RotationSpec, each, document, ("rotations", at), problems) for at, each in enumerate(outline.rotations)]
        escalations = [_valid(EscalationSpec, each, document, ("escalations", at), problems) for at, each in enumerate(outline.escalations)]
        # A partner that does not read is named all the same: the rules that name it are not wrong for it.
        ids = [str(each["id"]) if isinstance(each, dict) and "id" in each else None for each in outline.partners]
        known = known_of(outline.people, outline.rotations, outline.receivers, outline.partners)
        defaults = defaults or Defaults()
        wrong = list(lint_kpis(kpis))
        # One that does not hold is there all the same: the rules and targets that name it are not wrong for it.
        catalogue = compile_customs([each for each in kpis if each is not None] if not wrong else []).catalogue
        findings = [
            *wrong,
            *lint_partners(ids),
            *lint_rules(rules, defaults.windows, catalogue, {each for each in ids if each is not None}, _sides(defaults, partners)),
            *lint_repeats(defaults, partners, rules, catalogue),
            *lint_definitions(defaults, partners, catalogue),
            *lint_criticality(defaults, partners, rules),
            *lint_receivers(receivers, {each for each in ids if each is not None}),
            *lint_escalations(escalations, defaults, partners, rules, known, _named(outline.escalations)),
            *lint_oncall(people, rotations, partners, known, at_ms),
            *lint_reports(rotations, people, receivers),
            # Of rules that do not read nobody knows which alerts there will be.
            *(lint_inhibit(inhibit, [each.compiled for each in rules if each is not None]) if None not in rules else ()),
        ]
        problems += [document.problem(each.path, each.message, each.remedy, each.level) for each in findings]
    return document.data, sorted(problems, key=lambda problem: problem.line)


def parts(policy: PolicyFile) -> tuple[SharedPart, dict[str, PartnerPart]]:
    """What is shared, and each partner's own part by id."""
    own = {name: said for name in _SECTIONS if (said := getattr(policy, name))}
    shared = SharedPart.model_validate({**_set(policy.defaults), **own, "rules": policy.rules})
    return shared, {partner.id: partner for partner in policy.partners}


def whole(shared: SharedPart, own: Iterable[PartnerPart], file: str) -> PolicyFile:
    """The policy that has these parts, the inverse of `parts`; it is called `file` where something is wrong with it.

    Raises:
        PolicyError: if they do not hold together.
    """
    defaults = to_json(shared)
    data: dict[str, Any] = {name: defaults.pop(name) for name in (*_SECTIONS, "rules") if name in defaults}
    data |= {"version": 1, "defaults": defaults, "partners": [to_json(each) for each in own]}
    return load(dumps(data, indent=1), file)


def _named(parts: Sequence[Any]) -> set[str]:
    """The ids of parts, also of those that do not read."""
    return {str(each["id"]) for each in parts if isinstance(each, dict) and "id" in each}


def _sides(defaults: Defaults, partners: Sequence[PartnerPart | None]) -> set[str]:
    """What any partner is split by; of one that does not read nobody knows."""
    return {side for each in partners for side in (SIDES if each is None else each.scopes or ())} | {*defaults.scopes}


def _set(part: BaseModel) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.model_fields_set}


def _rule(data: object, document: Document, at: Path, problems: list[Problem]) -> RuleBase | None:
    named = data.get("type") if isinstance(data, dict) else None
    if named is not None and named not in TYPES:
        problems.append(document.problem((*at, "type"), f"{named!r} is no type of rule", suggest(str(named), TYPES)))
        return None
    return _valid(FORMS[form_of(data)], data, document, at, problems)


def _receiver(data: object, document: Document, at: Path, problems: list[Problem]) -> Receiver | None:
    named = data.get("type") if isinstance(data, dict) else None
    if named not in RECEIVERS:
        problems.append(document.problem((*at, "type"), f"{named!r} is no type of receiver", suggest(str(named), RECEIVERS)))
        return None
    return cast("Receiver | None", _valid(RECEIVERS[named], data, document, at, problems))


def _valid(model: type[T], data: object, document: Document, at: Path, problems: list[Problem]) -> T | None:
    try:
        # Through JSON, as records are read: strict, with lists for tuples and text for names of an enumeration.
        return model.model_validate_json(dumps(data), strict=True)
    except ValidationError as error:
        problems += document.problems(error, at, FIELDS)
        return None
