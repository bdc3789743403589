"""A state as a release leaves it, to be kept: `python -m tests.kept_state > tests/data/state/format-N.jsonl`.

Run it once, when a format has been released, and never again for the same format: what a later release must read is what that one
wrote. A line is a row: its key, and its value in base64.
"""

from base64 import b64decode, b64encode
from pathlib import Path

import orjson

from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE

__all__ = ["LIVED_TO_MS", "kept", "lived"]

LIVED_TO_MS = START_MS + 20 * SECOND
"""Where the story of `lived` ends."""


def lived() -> Rig:
    """A rig with rows of every kind, in every tier."""
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS - 5 * DAY)
    for before_ms in (4 * DAY, 2 * DAY, 30 * HOUR, 3 * HOUR, HOUR, MINUTE, 0):
        at_ms = START_MS - before_ms
        rig.send(event("contact.abandoned", at_ms, f"a{before_ms}", queue="billing"), at_ms=at_ms)
        rig.send(event("contact.queued", at_ms, f"q{before_ms}"), at_ms=at_ms)
        rig.send(event("ticket.opened", at_ms, f"t{before_ms}", channel="mail"), at_ms=at_ms)
        rig.send(event("survey.response", at_ms, f"s{before_ms}", channel="voice"), at_ms=at_ms, topic=TOPICS.surveys)
        rig.to(at_ms)
    rig.to(LIVED_TO_MS)
    return rig


def kept(path: Path) -> dict[bytes, bytes]:
    """The rows of a kept state, as its changelog holds them."""
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return {key.encode(): b64decode(value) for key, value in rows}


if __name__ == "__main__":
    for key, value in sorted(lived().changelog.items()):
        print(orjson.dumps([key.decode(), b64encode(value).decode()]).decode())
