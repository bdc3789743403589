"""The board: what differs is told, to those who may see it."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.board import KINDS, Board, Entity, delta, snapshot
from desk.users import Role, User

OPERATOR = User(name="ana", role=Role.OPERATOR)
PARTNER = User(name="bia", role=Role.PARTNER, partner="acme")
IDS = st.sampled_from("abcdef")
PARTNERS = st.sampled_from(["acme", "boreal", "*", None])


def _place(partner: str) -> int:
    return 0 if partner == "acme" else 1


@st.composite
def entities(draw: st.DrawFn) -> dict[Any, Entity]:
    found = {}
    for kind, identity, partner, version in draw(st.sets(st.tuples(st.sampled_from(KINDS), IDS, PARTNERS, st.integers(0, 2)), max_size=12)):
        name = str("abcdef".index(identity) % 2) if kind == "heartbeats" else identity
        whole = json.dumps({"id": name, "partner": partner, "version": version, "secret": "x"}).encode()
        theirs = draw(st.sampled_from([None, json.dumps({"id": name, "partner": partner, "version": version}).encode()]))
        found[kind, name] = Entity(partner, whole, theirs)
    return found


def board(number: int, held: dict[Any, Entity]) -> Board:
    return Board(number, 1000 + number, "15m", held, {0: 500, 1: 300}, _place)


def applied(shown: dict[str, dict[str, Any]], frame: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a page does with a delta."""
    for kind, ids in frame["gone"].items():
        for identity in ids:
            del shown[kind][identity]
    for kind, bodies in frame["changed"].items():
        shown[kind] |= {each["id"]: each for each in bodies}
    return shown


def shown_of(frame: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {kind: {each["id"]: each for each in frame[kind]} for kind in KINDS}


@pytest.mark.parametrize("user", [OPERATOR, PARTNER], ids=["operator", "partner"])
@given(states=st.lists(entities(), min_size=2, max_size=5))
def test_a_snapshot_and_the_deltas_after_it_come_to_the_newest_snapshot(user: User, states: list[dict[Any, Entity]]) -> None:
    boards = [board(number, held) for number, held in enumerate(states)]
    shown = shown_of(json.loads(snapshot(boards[0], user)))
    for old, new in itertools.pairwise(boards):
        told = delta(old, new, user)
        if told is not None:
            shown = applied(shown, json.loads(told))
        assert shown == shown_of(json.loads(snapshot(new, user)))


@given(entities(), entities())
def test_a_partner_is_told_nothing_of_others_and_nothing_that_is_not_meant_for_it(old: dict[Any, Entity], new: dict[Any, Entity]) -> None:
    frames = [snapshot(board(1, old), PARTNER), delta(board(1, old), board(2, new), PARTNER) or b""]
    for kind, identity in {**old, **new}:
        if kind == "heartbeats" and identity == "0":
            continue  # Of the partition that its own figures come from.
        for held in (old, new):
            entity = held.get((kind, identity))
            if entity is not None and entity.partner != "acme":
                assert all(entity.body not in frame for frame in frames)
    told = json.loads(frames[0])
    assert all(each["partner"] == "acme" and "secret" not in each for kind in KINDS if kind != "heartbeats" for each in told[kind])


@given(entities())
def test_what_stays_as_it_is_is_not_told_again(held: dict[Any, Entity]) -> None:
    assert delta(board(1, held), board(2, dict(held)), OPERATOR) is None


@pytest.mark.parametrize(("user", "as_of"), [(OPERATOR, 300), (PARTNER, 500)])
def test_the_age_is_that_of_the_worker_that_was_silent_for_longest_of_those_that_matter(user: User, as_of: int) -> None:
    assert json.loads(snapshot(board(1, {}), user))["as_of"] == as_of
    nothing: Callable[[str], int] = _place
    assert json.loads(snapshot(Board(1, 0, "15m", {}, {}, nothing), user))["as_of"] is None
