"""Reading a file of tests: with the policy that it is about, and everything that is wrong with it, by line."""

from collections.abc import Iterator
from json import dumps
from pathlib import Path

from pydantic import ValidationError

from models.errors import FileError, Problem
from models.events import event_adapter
from models.figures import Kind
from models.finding import Finding
from models.kpis import FEED_SILENCE, Kpi
from models.mapping import EVENT_NAMES, event_model
from models.paging import NOBODY, Paging
from models.people import receivers_of
from models.policy import PartnerPolicy, compile_partner
from models.policy_file import load, parts
from models.policy_spec import PolicyFile
from models.windows import Scope
from models.yaml_file import Document, read_yaml, suggest
from models.yaml_file import Path as Where
from streams.trial.estimates import SPREAD, kind_of, out_of_range
from streams.trial.pace import EVENTS_MAX, count_of, example_event
from streams.trial.suite import CaseSpec, CommandSpec, EventsSpec, ExpectSpec, SeriesSpec, Suite, ToldSpec

__all__ = ["Trial", "read_suite", "read_text"]

_FIELDS = frozenset(
    field.alias or name
    for model in (Suite, CaseSpec, SeriesSpec, EventsSpec, CommandSpec, ExpectSpec, ToldSpec)
    for name, field in model.model_fields.items()
)


class Trial:
    """A file of tests that reads well, its policy, and the lines of its fields."""

    def __init__(self, suite: Suite, policy: PolicyFile, document: Document) -> None:
        self.suite = suite
        self.policy = policy
        self.file = document.file
        self._document = document

    def line(self, *where: str | int) -> int:
        """Of the field there."""
        return self._document.line(where)

    def of(self, partner: str) -> PartnerPolicy:
        """The policy of a partner."""
        return _compiled(self.policy, partner)


def read_text(path: Path) -> str:
    """A file that people write.

    Raises:
        FileError: if it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError([Problem(str(path), 1, "(file)", f"cannot be read: {error.strerror}", "correct the name")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FileError([Problem(str(path), line, "(file)", "is not UTF-8", "save it as UTF-8")]) from None


def read_suite(path: Path, name: str) -> Trial:
    """The tests of the file at `path`, which is called `name` where something is wrong with it.

    Raises:
        FileError: with everything that is wrong with it, or with its policy.
    """
    document = read_yaml(read_text(path), name)
    try:
        # Through JSON, as policies are read: strict, with lists for tuples.
        suite = Suite.model_validate_json(dumps(document.data), strict=True)
    except ValidationError as error:
        raise FileError(sorted(document.problems(error, known=_FIELDS), key=lambda each: each.line)) from None
    of = path.parent / suite.policy
    if not of.is_file():
        raise FileError([document.problem(("policy",), f"{suite.policy!r} is no file", "write its path from where this file stands")])
    policy = load(read_text(of), str(of))
    problems = [document.problem(each.path, each.message, each.remedy) for each in _lint(suite, policy)]
    if problems:
        raise FileError(sorted(problems, key=lambda each: each.line))
    return Trial(suite, policy, document)


def _compiled(policy: PolicyFile, partner: str) -> PartnerPolicy:
    shared, own = parts(policy)
    return compile_partner(shared, own.get(partner), partner)


def _lint(suite: Suite, policy: PolicyFile) -> Iterator[Finding]:
    partners = [each.id for each in policy.partners]
    names = [case.name for case in suite.tests]
    if not suite.tests:
        yield Finding(("tests",), "holds no test", "write one")
    for at, case in enumerate(suite.tests):
        path: Where = ("tests", at)
        if case.name in names[:at]:
            yield Finding((*path, "name"), "is there already", "give each test its own name")
        if case.partner not in partners:
            yield Finding((*path, "partner"), f"{case.partner!r} is no partner of the policy", suggest(case.partner, partners))
            continue
        if bool(case.series) == bool(case.events):
            yield Finding(path, "needs series or events, and not both", "write the one that the test is about")
            continue
        if case.commands and case.series:
            yield Finding((*path, "commands"), "are obeyed by the engine, which series do not drive", "write events instead of series")
        if case.start_ms % 1000 or case.start.second % 10:
            yield Finding((*path, "start"), "is no grid point", "begin at a multiple of 10 seconds")
        compiled = _compiled(policy, case.partner)
        for number, each in enumerate(case.series):
            yield from _lint_series((*path, "series", number), each, compiled)
        yield from _lint_events(path, case)
        yield from _lint_expected(path, case, compiled)
        yield from _lint_told(path, case, compiled.paging or NOBODY)


def _lint_series(path: Where, each: SeriesSpec, compiled: PartnerPolicy) -> Iterator[Finding]:
    catalogue = compiled.customs.catalogue
    kpi = catalogue.get(each.kpi)
    if kpi is None:
        yield Finding((*path, "kpi"), f"{each.kpi!r} is no KPI", suggest(each.kpi, catalogue))
        return
    kind = kind_of(kpi, compiled.customs)
    if kind is Kind.QUANTILE:
        yield Finding((*path, "kpi"), f"{kpi.id} is a quantile, which no value alone can stand for", "write events")
    if each.n is None and kind is not Kind.GAUGE:
        yield Finding(path, f"does not say how many observations {kpi.id} is of", "add n: 100, say")
    if each.sd is None and kind in SPREAD:
        yield Finding(path, f"{kpi.id} is a {kind}: its interval follows from the spread of single observations", "add sd:")
    yield from _lint_values(path, each, kpi)


def _lint_values(path: Where, each: SeriesSpec, kpi: Kpi) -> Iterator[Finding]:
    wrong = next((said for value in each.steps if value is not None and (said := out_of_range(kpi, value))), None)
    if wrong is not None:
        yield Finding((*path, "values"), wrong, "correct the value")
    if each.n is not None and any(n is None or n < 0 or n != int(n) for n in each.counts):
        yield Finding((*path, "n"), "counts observations, so it is whole and never missing", "write 0 for none")


def _lint_events(path: Where, case: CaseSpec) -> Iterator[Finding]:
    if sum(map(count_of, case.events)) > EVENTS_MAX:
        yield Finding((*path, "events"), f"are more than {EVENTS_MAX}", "make it shorter, or a_minute less")
        return
    for number, each in enumerate(case.events):
        here: Where = (*path, "events", number)
        if each.to_ms <= each.from_ms:
            yield Finding((*here, "to"), "is not after from", "write a later time")
        for at, said in enumerate(each.of):
            share = said.get("share", 1)
            if isinstance(share, bool) or not isinstance(share, int | float) or not share > 0:
                yield Finding((*here, "of", at, "share"), f"{share!r} is no share", "write a number above 0")
            if event_model(str(said.get("type"))) is None:
                yield Finding((*here, "of", at, "type"), f"{said.get('type')!r} is no event", suggest(str(said.get("type")), EVENT_NAMES))
                continue
            try:
                event_adapter.validate_python(example_event(case.partner, said))
            except ValidationError as error:
                first = error.errors()[0]
                field = str(first["loc"][-1]) if first["loc"] else "type"
                yield Finding((*here, "of", at, field), f"{field}: {first['msg']}", "correct the event")


def _lint_told(path: Where, case: CaseSpec, paging: Paging) -> Iterator[Finding]:
    if case.told is not None and case.series:
        yield Finding((*path, "told"), "is what the engine tells, which series do not drive", "write events instead of series")
    known = sorted({*paging.people, *paging.rotations, *paging.receivers, *paging.contacts})
    for number, each in enumerate(case.told or ()):
        for field, names, there in (("to", (each.to,), known), ("by", each.by or (), sorted(_reached(paging)))):
            for name in names:
                if name not in there:
                    remedy = suggest(name, there, None if there else "the policy names none")
                    yield Finding((*path, "told", number, field), f"{name!r} is nobody whom alerts of {case.partner} may page", remedy)


def _reached(paging: Paging) -> set[str]:
    """The ids of receivers by which somebody may be told, those that addresses of people make included."""
    return {*paging.receivers, *(each.id for person in paging.people.values() for each in receivers_of(person, paging.receivers))}


def _lint_expected(path: Where, case: CaseSpec, compiled: PartnerPolicy) -> Iterator[Finding]:
    rules = {rule.id: rule for rule in compiled.rules}
    given = {(each.kpi, each.scope) for each in case.series}
    if not case.expect and case.told is None:
        yield Finding((*path, "expect"), "expects nothing", "write what holds at some time, or who is told")
    for number, each in enumerate(case.expect):
        here: Where = (*path, "expect", number)
        rule = rules.get(each.rule)
        if rule is None:
            yield Finding(
                (*here, "rule"),
                f"{each.rule!r} is no rule of {case.partner}",
                suggest(each.rule, rules, None if rules else "the policy has none"),
            )
        elif Scope.parse(each.scope).dimension not in rule.scopes:
            yield Finding((*here, "scope"), f"{rule.id} is not judged for {each.scope}", f"write one of {', '.join(sorted(rule.scopes))}")
        elif case.series and (rule.compare is not None or rule.kpi == FEED_SILENCE):
            yield Finding((*here, "rule"), f"{rule.id} is held against what is usual, which no series tells", "write events, not series")
        elif case.series and rule.form is not None:
            yield Finding((*here, "rule"), f"{rule.id} looks at several figures, or at quarter hours of one", "write events, not series")
        elif case.series and (rule.kpi, each.scope) not in given:
            yield Finding((*here, "rule"), f"there is no series of {rule.kpi} for {each.scope}", f"add one with kpi: {rule.kpi}")
        if case.series and each.suppressed_by is not None:
            yield Finding((*here, "suppressed_by"), "stands beside what the engine judges, which series do not drive", "write events")
        if (each.phase, each.severity, each.transitions, each.suppressed_by) == (None, None, None, None):
            yield Finding(here, "expects nothing", "add phase, severity, transitions or suppressed_by")
