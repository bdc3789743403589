"""What the topics hold of a rig's past."""

from collections.abc import Sequence

from models.windows import Scope
from streams.engine import Output
from streams.recomputed.kept import Kept
from tests.engines import TOPICS, Rig

__all__ = ["kept_of"]


def kept_of(rig: Rig, scope: Scope, before: Sequence[Output] = ()) -> Kept:
    """The policy of acme as it is now, and the closed stretches of a scope, also of what was written `before`."""
    written = [*before, *rig.written]
    days, quarters, minutes = (
        [body for body in rig.compacted(topic, written).values() if (body["partner"], body["scope"]) == ("acme", str(scope))]
        for topic in (TOPICS.rollups_1d, TOPICS.rollups_15m, TOPICS.rollups_1m)
    )
    return Kept(rig.engine._state.policies.of("acme"), scope, days, quarters, minutes)
