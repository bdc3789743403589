"""`outwatch notify test`: a page that says that it is a test, and what was answered."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from models.policy_spec import SharedPart
from streams.cli import app
from streams.notifier.trial import NoTargetError, meant
from tests.notifiers import LOOPBACK, secrets_in
from tests.pagers import Pager, serving

POLICY = """
version: 1
receivers:
  - {{id: ops_hook, type: webhook, url: "{url}/hook", signing: hook-key}}
  - {{id: ops_pager, type: pagerduty, url: "{url}/pager", routing_key: not-there}}
people:
  - {{id: ana, name: Ana, reach: {{receivers: [ops_hook, ops_pager]}}}}
"""


async def send(pager: Pager, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    import asyncio

    policy = folder / "policy.yaml"
    policy.write_text(POLICY.format(url=pager.url))
    monkeypatch.setenv("OUTWATCH_SECRETS_DIR", str(secrets_in(folder / "secrets")))
    monkeypatch.setenv("OUTWATCH_NOTIFY_NETWORKS", LOOPBACK)
    return await asyncio.to_thread(CliRunner().invoke, app, ["notify", "test", *words, "--policy", str(policy)])


async def test_a_test_page_is_sent_and_the_answer_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as pager:
        done = await send(pager, tmp_path, monkeypatch, "ops_hook")
        assert (done.exit_code, done.stdout[:32]) == (0, 'ops_hook (webhook): sent: 202 {"')
        (got,) = pager.got
        assert got.headers["webhook-signature"].startswith("v1,")
        assert (got.body["data"]["state"], got.body["data"]["reason"]) == ("TEST", "test")


async def test_a_person_is_told_by_all_that_reaches_her_and_what_fails_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as pager:
        done = await send(pager, tmp_path, monkeypatch, "ana", "--json")
    assert done.exit_code == 1
    told = orjson.loads(done.stdout)
    assert [(each["receiver"], each["outcome"]) for each in told] == [("ops_hook", "sent"), ("ops_pager", "rejected")]
    assert told[1]["detail"].startswith("secret not-there is missing")


@pytest.mark.parametrize(
    ("name", "why"),
    [("ops_hok", "write ops_hook"), ("nobody", "write one of ops_hook, ana, bea"), ("bea", "nothing reaches bea")],
)
def test_who_cannot_be_told_is_named_with_a_remedy(name: str, why: str) -> None:
    hook = {"id": "ops_hook", "type": "webhook", "url": "https://pages.example"}
    people = [{"id": "ana", "name": "Ana", "reach": {"receivers": ["ops_hook"]}}, {"id": "bea", "name": "Bea"}]
    shared = SharedPart.model_validate({"receivers": [hook], "people": people})
    with pytest.raises(NoTargetError, match=why):
        meant(shared, name)
