"""The demo's receiver of pages: it takes what a notifier sends, and everybody of a policy is reached by it."""

from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

import orjson
import pytest

from models.policy_file import load, parts
from models.policy_record import CURRENT, decode_policy, encode_policy, policy_key
from models.topics import BROADCAST
from streams.demo.pages import Pages, page_line

EXAMPLE = (Path(__file__).parents[2] / "models" / "example_policy.yaml").read_text()


def body(kind: str) -> dict[str, object]:
    return {"data": {"kind": kind, "reason": "not_acknowledged", "target": {"id": "duty", "person": "ana"}, "text": "Delta: 41 %"}}


@pytest.mark.parametrize(("kind", "verb"), [("trigger", "pages"), ("resolve", "tells the end to"), ("update", "updates")])
def test_a_page_that_is_posted_is_a_line(kind: str, verb: str) -> None:
    with ExitStack() as stack:
        pages = Pages(stack)
        with urlopen(Request(pages.url, orjson.dumps(body(kind))), timeout=10) as answer:
            assert answer.status == 202
        assert [page_line(each) for each in pages.take()] == [f"{verb} ana (not acknowledged): Delta: 41 %"]
        assert pages.take() == []


def test_workers_take_the_policy_that_reaches_everybody_there() -> None:
    with ExitStack() as stack:
        pages = Pages(stack)
        shared, _ = parts(pages.reached(load(EXAMPLE, "example")))
        record = encode_policy(shared, 1).model_dump_json().encode()
        change = decode_policy(policy_key(BROADCAST, CURRENT), record)
    assert change.part == shared
    assert {each.url for each in shared.receivers if each.type == "webhook"} == {pages.url}
    assert not any(each.reach.mail for each in shared.people)
