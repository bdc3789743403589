"""What must have come of a stream with incidents in it, whatever befell the processes: held against a run in which nothing did.

That run is an engine a partition in our own process, which is given the committed logs once, in order, without a crash: it says which
incidents there are and what is to be sent of them. What was sent is held against the intents that were committed, and steps against the
times that the policy asks for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from models.notifications import NotifyReason
from models.settings import Settings
from streams.engine import Budget, Engine, EngineConfig, Output
from tests.pagers import Got

__all__ = ["Intents", "check_incidents", "check_intents", "check_received", "check_results", "check_steps", "unharmed"]

Intents = Sequence[dict[str, Any]]
"""In the order in which they stand in their partition."""

_OF_THE_WALL = frozenset({"processed_at", "receipt"})
"""Of an intent, what is not of the stream."""
_NEXT, _HANDED = NotifyReason.NOT_ACKNOWLEDGED, NotifyReason.REASSIGNED
_AFTER_SECONDS = {60, 90}
"""Between the steps and loops of the policy."""


def unharmed(settings: Settings, records: Iterable[ConsumerRecord]) -> list[Output]:
    """What an engine a partition writes that reads the same logs once, without notifiers' answers.

    Commands are read after whatever was written before them, as the stream waits for them to be done.
    """
    topics = settings.topics
    config = EngineConfig(settings.app_id, "unharmed", topics, settings.partitions, clock_from_log=True)
    logs: dict[int, list[ConsumerRecord]] = defaultdict(list)
    for record in records:
        if record.topic != topics.commands or orjson.loads(record.value)["type"] != "notification.result":
            logs[record.partition].append(record)
    written: list[Output] = []
    for partition, log in logs.items():
        engine = Engine(partition, config)
        for record in sorted(log, key=lambda each: (each.timestamp, each.topic != topics.policies, each.offset)):
            for _ in engine.apply(record.topic, engine.applied.get(record.topic, record.offset), [record], record.timestamp):
                pass
        commit = engine.drain(0, Budget(0, 0))
        assert commit is not None
        written += commit.records
    return written


def check_intents(expected: Intents, found: Intents) -> None:
    """Each is there once, says what it would have said, and stands behind those of its incident that came before."""

    def told(intents: Intents) -> dict[str, list[dict[str, Any]]]:
        of: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in intents:
            of[each["incident"]].append({name: said for name, said in each.items() if name not in _OF_THE_WALL})
        return of

    assert len({each["id"] for each in found}) == len(found)
    assert told(found) == told(expected)


def _without_answers(state: dict[str, Any]) -> dict[str, Any]:
    told = [each | {"outcome": None, "receipt": None} for each in state["told"]]
    return {name: said for name, said in state.items() if name not in {"as_of", "revision"}} | {"told": told}


def check_incidents(expected: Mapping[str, dict[str, Any]], found: Mapping[str, dict[str, Any]]) -> None:
    """The same incidents stand as they would, up to what notifiers answered."""
    assert {name: _without_answers(each) for name, each in found.items()} == {
        name: _without_answers(each) for name, each in expected.items()
    }


def check_steps(incidents: Iterable[dict[str, Any]]) -> None:
    """Whoever was not answered is followed by the next after the time that the policy asks for, to the grid point."""
    looked = 0
    for incident in incidents:
        lines = [each for each in incident["timeline"] if each["what"] != "commented"]
        for before, line in pairwise(lines):
            if before["what"] == line["what"] == "told" and line["text"].endswith(_NEXT) and not before["text"].endswith(_HANDED):
                looked += 1
                assert (line["at"] - before["at"]) / 1000 in _AFTER_SECONDS, (incident["id"], before, line)
    assert looked > 5, "the stream must have made steps follow each other"


def check_results(intents: Intents, results: Mapping[str, set[str]], incidents: Mapping[str, dict[str, Any]]) -> Counter[str]:
    """Each intent came to something: it was sent, or its incident had moved on."""
    for each in intents:
        outcome = results.get(each["id"], set())
        assert outcome, f"nothing came of {each}"
        assert outcome <= {"sent", "stale"}, (each, outcome)
        if outcome == {"stale"}:
            incident = incidents[each["incident"]]
            assert each["kind"] != "resolve"
            assert each["epoch"] < incident["epoch"] or incident["ended_at"] is not None, each
    return Counter("sent" if "sent" in each else "stale" for each in results.values())


def check_received(intents: Intents, results: Mapping[str, set[str]], got: Sequence[Got], doubles_max: int) -> int:
    """What was sent arrived, in its order, none after its end; returns how often something came again."""
    hooks: dict[tuple[str, str], list[str]] = defaultdict(list)
    pagers: dict[str, list[str]] = defaultdict(list)
    for each in got:
        if each.taken and each.path == "/pager":
            pagers[each.body["dedup_key"]].append(each.body["event_action"])
        elif each.taken:
            hooks[each.body["data"]["incident"], each.path].append(each.headers["webhook-id"])
    place, doubles = {each["id"]: number for number, each in enumerate(intents)}, 0
    for arrived in hooks.values():
        first = list(dict.fromkeys(arrived))
        doubles += len(arrived) - len(first)
        assert [place[each] for each in first] == sorted(place[each] for each in first), "out of order"
        _check_ends([intents[place[each]]["kind"] for each in arrived])
    for actions in pagers.values():
        _check_ends(actions)
    came = {each for arrived in hooks.values() for each in arrived}
    sent = [each for each in intents if "sent" in results[each["id"]]]
    assert [each for each in sent if each["receiver"]["type"] == "webhook" and each["id"] not in came] == [], "said to be sent"
    for incident, count in Counter(each["incident"] for each in sent if each["receiver"]["type"] == "pagerduty").items():
        assert len(pagers[incident]) >= count, f"said to be sent: {incident}"
        doubles += len(pagers[incident]) - count
    assert doubles <= doubles_max, f"{doubles} came again"
    return doubles


def _check_ends(kinds: Sequence[str]) -> None:
    """What a receiver took of an incident: nothing but an end after its end."""
    assert "resolve" not in kinds or set(kinds[kinds.index("resolve") :]) == {"resolve"}, kinds
