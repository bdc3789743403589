"""A policy on a real topic: put there whole, read back as workers read it, and taken away."""

import asyncio
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from typer.testing import CliRunner

from models.errors import PolicyError
from models.policy_file import load
from models.policy_record import decode_policy
from models.policy_spec import PolicyFile
from models.settings import Settings
from models.topics import partition_of
from streams import admin
from streams.cli import policy as policy_cli
from streams.errors import TopicsError
from streams.policies import apply_policy, read_policies

pytestmark = pytest.mark.kafka

AT_MS = 1_700_000_000_000
EXAMPLE = Path(__file__).parents[2] / "models" / "example_policy.yaml"


@pytest.fixture
def settings(kafka: str, app_id: str) -> Settings:
    return Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=3)


@pytest.fixture
async def ready(settings: Settings) -> Settings:
    await admin.create(settings)
    return settings


def policy(*partners: str, settle: int = 5) -> PolicyFile:
    named = "\n".join(f"  - {{id: {partner}, name: {partner.title()}}}" for partner in partners)
    return load(f"version: 1\ndefaults: {{settle_seconds: {settle}}}\npartners:\n{named}", "p.yaml")


async def current(settings: Settings) -> dict[tuple[int, str], str | None]:
    """What holds, by partition and partner: its revision."""
    changes = [(partition, decode_policy(key, value)) for (partition, key), value in (await read_policies(settings)).items()]
    return {(partition, change.partner): change.revision for partition, change in changes if change.current}


async def test_every_partition_gets_what_is_shared_and_a_partners_own_part_goes_to_its_own(ready: Settings) -> None:
    applied = await apply_policy(ready, load(EXAMPLE.read_text(), EXAMPLE.name), AT_MS)
    shared = {(partition, "*"): applied.changed["*"] for partition in range(3)}
    own = {(partition_of(name, 3), name): revision for name, revision in applied.changed.items() if name != "*"}
    assert await current(ready) == shared | own
    assert len(own) == 6


async def test_the_same_policy_again_writes_nothing(ready: Settings) -> None:
    first = await apply_policy(ready, policy("acme"), AT_MS)
    before = await read_policies(ready)
    again = await apply_policy(ready, policy("acme"), AT_MS + 1)
    assert (again.changed, again.unchanged, again.retired) == ({}, list(first.changed), [])
    assert await read_policies(ready) == before


async def test_former_revisions_stay_and_a_partner_no_longer_named_is_gone(ready: Settings) -> None:
    first = await apply_policy(ready, policy("acme", "delta"), AT_MS)
    second = await apply_policy(ready, policy("acme", settle=7), AT_MS)
    assert (list(second.changed), second.unchanged, second.retired) == (["*"], ["acme"], ["delta"])
    keys = {key for _, key in await read_policies(ready)}
    assert b"delta/current" not in keys
    assert f"delta/{first.changed['delta']}".encode() in keys
    assert {f"*/{each.changed['*']}".encode() for each in (first, second)} <= keys


async def test_an_application_that_was_cut_off_is_undone_and_cannot_end_late(ready: Settings) -> None:
    cut_off = AIOKafkaProducer(bootstrap_servers=ready.brokers, transactional_id=f"{ready.topic_prefix}outwatch-policy-apply")
    await cut_off.start()
    try:
        await cut_off.begin_transaction()
        await cut_off.send_and_wait(ready.topics.policies, key=b"ghost/current", value=b"{}", partition=0)
        async with asyncio.timeout(20):
            await apply_policy(ready, policy("acme"), AT_MS)
        with pytest.raises(KafkaError):
            await cut_off.commit_transaction()
    finally:
        await cut_off.stop()
    assert {partner for _, partner in await current(ready)} == {"*", "acme"}


async def test_without_its_topic_the_remedy_is_told(settings: Settings) -> None:
    with pytest.raises(TopicsError, match="run `outwatch topics create`"):
        await apply_policy(settings, policy("acme"), AT_MS)


async def test_with_another_number_of_partitions_nothing_is_written(ready: Settings) -> None:
    with pytest.raises(TopicsError, match="has 3 partitions, OUTWATCH_PARTITIONS says 5"):
        await apply_policy(ready.model_copy(update={"partitions": 5}), policy("acme"), AT_MS)
    assert await read_policies(ready) == {}


def test_the_commands_apply_and_show(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(admin.create(settings))
    for name in ("brokers", "topic_prefix", "partitions"):
        monkeypatch.setenv(f"OUTWATCH_{name.upper()}", str(getattr(settings, name)))
    cli = CliRunner()
    assert "no policy was applied" in cli.invoke(policy_cli.app, ["show"]).output
    applied = cli.invoke(policy_cli.app, ["apply", str(EXAMPLE)])
    assert (applied.exit_code, applied.output.splitlines()[-1]) == (0, "7 changed, 0 unchanged, 0 retired")
    shown = cli.invoke(policy_cli.app, ["show"])
    assert (shown.exit_code, "service_level_low" in shown.output, "Delta Assist" in shown.output) == (0, True, True)
    (delta,) = orjson.loads(cli.invoke(policy_cli.app, ["show", "--partner", "delta", "--json"]).output)
    assert (delta["partner"], delta["part"]["timezone"]) == ("delta", "Asia/Manila")
    assert cli.invoke(policy_cli.app, ["show", "--partner", "nobody"]).exit_code == 1


def test_a_change_is_seen_before_and_can_be_taken_back(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asyncio.run(admin.create(settings))
    for name in ("brokers", "topic_prefix", "partitions"):
        monkeypatch.setenv(f"OUTWATCH_{name.upper()}", str(getattr(settings, name)))
    cli, file = CliRunner(), tmp_path / "policy.yaml"

    def run(*arguments: str) -> str:
        ran = cli.invoke(policy_cli.app, arguments)
        assert ran.exit_code == 0, ran.output
        return ran.output

    file.write_text(EXAMPLE.read_text())
    run("apply", str(file))
    assert run("diff", str(file)) == "nothing would change\n"
    file.write_text(
        EXAMPLE.read_text().replace("name: Delta Assist", "name: Delta Group").replace("threshold_seconds: 20\n", "threshold_seconds: 30\n")
    )
    told = run("diff", str(file))
    assert "-name: Delta Assist\n+name: Delta Group\n" in told
    assert "-    threshold_seconds: 20.0\n+    threshold_seconds: 30.0\n" in told
    assert orjson.loads(run("diff", str(file), "--json")).keys() == {"*", "delta"}
    assert "Delta Group" not in run("show")
    run("apply", str(file))
    listed = orjson.loads(run("history", "--partner", "delta", "--json"))
    assert [each["current"] for each in listed] == [True, False]
    assert run("rollback", listed[1]["revision"]).splitlines()[-1] == "1 changed, 6 unchanged, 0 retired"
    shown = run("show")
    assert ("Delta Assist" in shown, "Delta Group" in shown, "threshold_seconds: 30.0" in shown) == (True, False, True)
    assert run("history").splitlines()[0].endswith(f"{listed[1]['revision']}  delta  (holds)")
    assert isinstance(cli.invoke(policy_cli.app, ["rollback", "no-such"]).exception, PolicyError)
