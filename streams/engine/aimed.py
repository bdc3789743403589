"""What a silence means of what is known: a name that is misspelt silences nothing, and whoever wrote it should hear of it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from models.commands import NO_PARTNER, NO_RULE, NO_SCOPE, NO_SEVERITY, Matchers
from streams.engine.partner import Partner

__all__ = ["misses"]


def misses(matchers: Matchers, partners: Iterable[Partner]) -> str | None:
    """Why no alert that is possible now is meant, of these partners; None where one is.

    What has no figures in the last day is no scope that is known.
    """
    named = [each for each in partners if _fits(each.id, matchers.partner)]
    if not named:
        return NO_PARTNER
    judged = [(each, rule) for each in named for rule in each.policy.rules if _fits(rule.id, matchers.rule)]
    if not judged:
        return NO_RULE
    placed = [
        (each, rule, scope)
        for each, rule in judged
        for scope in each.scopes()
        if scope.dimension in rule.scopes and _fits(str(scope), matchers.scope)
    ]
    if not placed:
        return NO_SCOPE
    severities = (
        each.policy.told(level.severity, scope)
        for each, rule, scope in placed
        for ladder in (rule, rule.outside)
        if ladder is not None
        for level in ladder.levels
    )
    return None if any(_fits(each, matchers.severity) for each in severities) else NO_SEVERITY


def _fits(name: str, glob: str | None) -> bool:
    return glob is None or fnmatchcase(name, glob)
