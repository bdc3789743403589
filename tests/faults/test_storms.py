"""What the notifier tells together, through real Kafka and with notifiers that are killed: reports of shifts, storms, digests."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from models import clock
from models.policy_file import load
from models.settings import Settings
from models.windows import MINUTE_MS
from streams.admin import create
from streams.local.service import free_port
from streams.notifier.digests import PAGES_MAX
from streams.policies import apply_policy
from tests.faults.impatient import IMPATIENT
from tests.notifiers import page, results, settings_for, state, write
from tests.pagers import Pager, serving
from tests.waiting import until
from tests.workers import Worker, ask, following, metrics, send

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

RECEIVERS = """\
version: 1
receivers:
  - {id: hook, type: webhook, url: "%s/hook", signing: hook-key}
"""


async def installed(kafka: str, redis_url: str, app_id: str, folder: Path) -> Settings:
    settings = settings_for(kafka, redis_url, app_id, folder, http_port=free_port())
    await create(settings)
    return settings


async def applied(settings: Settings, policy: str) -> None:
    await apply_policy(settings, load(policy, "policy.yaml"), clock.now_ms())


def taken(pager: Pager) -> list[dict[str, Any]]:
    return [each.body["data"] for each in pager.got if each.taken]


def kinds(pager: Pager, kind: str) -> Counter[str]:
    """How often each incident was told so."""
    return Counter(each.body["data"]["incident"] for each in pager.got if each.taken and each.body["type"] == f"incident.{kind}")


async def ready(settings: Settings) -> bool:
    return (await ask(settings, "/readyz"))[0] == 200


async def sent(count: int, *of: Settings) -> None:
    """Wait until these notifiers have done with so many, as sent by them or before."""

    async def done() -> bool:
        told = [(await metrics(each)).get('outwatch_notify_done_total{outcome="sent",type="webhook"}', 0) for each in of]
        return sum(told) >= count

    await until(done, 60)


def rotations(pager: Pager, at_ms: int, *names: str) -> str:
    """A policy in which the shifts of these rotations pass from ana to bo."""
    starts = datetime.fromtimestamp(at_ms / 1000, UTC) - timedelta(days=1)
    layer = f"{{starts: {starts:%Y-%m-%dT%H:%M}, rrule: FREQ=DAILY, members: [ana, bo]}}"
    people = "".join(f"  - {{id: {each}, name: {each}, reach: {{receivers: [hook]}}}}\n" for each in ("ana", "bo"))
    said = "".join(f"  - {{id: {each}, timezone: UTC, layers: [{layer}]}}\n" for each in names)
    return f"{RECEIVERS % pager.url}people:\n{people}rotations:\n{said}"


def reported(pager: Pager) -> Counter[str]:
    """How often a report came of each rotation."""
    return Counter(each["labels"]["rotation"] for each in taken(pager) if each["reason"] == "handover")


async def test_each_handover_has_one_report_whoever_is_killed(kafka: str, redis_url: str, app_id: str, tmp_path: Path) -> None:
    """Killed while a receiver keeps it waiting, and after all was told: who comes next tells what was not."""
    settings = await installed(kafka, redis_url, app_id, tmp_path)
    beside = settings.model_copy(update={"http_port": free_port()})
    async with serving() as pager:
        pager.script["/hook"].extend(["hang", "hang"])
        handover_ms = clock.now_ms() - 2 * MINUTE_MS
        await applied(settings, rotations(pager, handover_ms, "early", "late"))
        with Worker(settings, tmp_path / "one.log", program=IMPATIENT) as first:
            await pager.until(lambda got: len(got) == 2, 40)
            first.kill()
        with (
            Worker(settings, tmp_path / "two.log", program=IMPATIENT) as one,
            Worker(beside, tmp_path / "three.log", program=IMPATIENT) as other,
        ):
            await sent(2, settings, beside)
            one.kill()
            other.kill()
        # Of three that are due now one was not told before.
        await applied(settings, rotations(pager, handover_ms, "early", "late", "last"))
        with Worker(settings, tmp_path / "four.log", program=IMPATIENT) as notifier:
            await sent(3, settings)
            assert await notifier.terminate() == 0
        assert reported(pager) == {"early": 1, "late": 1, "last": 1}


ESCALATIONS = """\
defaults: {settle_seconds: 0, storm_partners: 4}
partners:
%s
rules:
  - {id: many, kpi: abandon_rate, scopes: [partner], %s}
  - {id: few, kpi: service_level, scopes: [partner], %s}
escalations:
  - {id: ops, group_by: [rule], group_wait: 8s, steps: [{tell: [{receiver: hook}]}]}
"""
_FIRES = (
    "window: 5m, direction: %s, escalation: ops, levels: [{severity: critical, enter: %s, for: 0}], "
    "recover_for: 0, min_samples: 1, partners: [%s]"
)
MANY, FEW = tuple(f"many{number}" for number in range(6)), tuple(f"few{number}" for number in range(3))


def storming(pager: Pager) -> str:
    """A policy under which four partners that lose contacts are a storm, and three that answer late are none."""
    partners = "\n".join(f"  - {{id: {each}, name: {each}}}" for each in (*MANY, *FEW))
    rules = (_FIRES % (*how, ", ".join(who)) for who, *how in ((MANY, "above", "0.5, exit: 0.4"), (FEW, "below", "0.5, exit: 0.6")))
    return RECEIVERS % pager.url + ESCALATIONS % (partners, *rules)


async def contacts(settings: Settings, kind: str, wait_seconds: float, count: int, *partners: str) -> None:
    at_ms = clock.now_ms()
    said = {"type": f"contact.{kind}", "occurred_at": at_ms, "queue": "billing", "channel": "voice", "wait_seconds": wait_seconds}
    names = ((each, f"{at_ms}-{each}-{number}") for each in partners for number in range(count))
    await send(settings, settings.topics.interactions, *(said | {"partner_id": each, "event_id": name} for each, name in names))


async def test_a_storm_is_told_by_one_of_its_incidents_though_the_notifier_dies_in_it(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path
) -> None:
    """As many as the policy says, with real workers: one pages for six; three that are ill of something else page each for itself."""
    settings = await installed(kafka, redis_url, app_id, tmp_path)
    async with serving() as pager:
        await applied(settings, storming(pager))
        topics = settings.topics
        with Worker(settings.model_copy(update={"http_port": 0}), tmp_path / "worker.log"):
            async with following(settings, topics.incidents) as seen:

                def present() -> list[dict[str, Any]]:
                    return [*{each.key: orjson.loads(each.value) for each in seen}.values()]

                async def taken_in() -> bool:
                    return sum(each["absorbed_by"] is not None for each in present()) == len(MANY) - 1

                with Worker(settings, tmp_path / "one.log", program=IMPATIENT) as first:
                    await until(lambda: ready(settings), 40)
                    await contacts(settings, "answered", 90.0, 10, *FEW)
                    await contacts(settings, "abandoned", 90.0, 10, *MANY)
                    await until(taken_in, 40)
                    first.kill()
                with Worker(settings, tmp_path / "two.log", program=IMPATIENT) as notifier:
                    await pager.until(lambda _: len(kinds(pager, "trigger")) >= 1 + len(FEW), 40)
                    await contacts(settings, "answered", 1.0, 200, *MANY, *FEW)

                    async def over() -> bool:
                        return all(each["ended_at"] is not None for each in present())

                    await until(over, 60)
                    await pager.until(lambda _: len(kinds(pager, "resolve")) >= 1 + len(FEW), 40)
                    assert await notifier.terminate() == 0
        (into,) = {each["absorbed_by"] for each in present() if each["absorbed_by"] is not None}
        expected = {each["id"] for each in present() if each["partner"] in FEW} | {into}
        assert kinds(pager, "trigger") == kinds(pager, "resolve") == Counter(dict.fromkeys(expected, 1))


@pytest.mark.long
async def test_a_person_gets_five_pages_and_one_message_of_the_rest_though_the_notifier_dies(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path
) -> None:
    settings = await installed(kafka, redis_url, app_id, tmp_path)
    async with serving() as pager:
        ana = {"kind": "person", "id": "ana", "person": "ana"}
        pages = [page(pager.url, number, number, target=ana) for number in range(PAGES_MAX + 4)]
        await write(settings, *map(state, pages), *pages)
        with Worker(settings, tmp_path / "one.log", program=IMPATIENT) as first:
            await sent(PAGES_MAX, settings)
            first.kill()
        with Worker(settings, tmp_path / "two.log", program=IMPATIENT) as notifier:

            async def all_told() -> bool:
                return sum((await results(settings)).values()) == len(pages)

            await until(all_told, 60)
            assert await notifier.terminate() == 0
        assert Counter(outcome for _, outcome in await results(settings)) == {"sent": PAGES_MAX, "digested": 4}
        (digest,) = [each for each in taken(pager) if each["reason"] == "digest"]
        assert digest["text"].startswith("4 more pages of 1 partner were held back")
        assert kinds(pager, "trigger").total() == PAGES_MAX + 1
