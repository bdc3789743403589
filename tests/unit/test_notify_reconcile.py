"""An Alertmanager shows what is open and nothing else: what stands there and should not is ended, and what is another's is left alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alerts.notify.alertmanager import AHEAD_MS
from models.incidents import IncidentState
from models.settings import Settings
from streams.health.notifier_metrics import NotifierMetrics
from streams.notifier.incidents import Incidents
from streams.notifier.reconcile import Reconciler
from streams.notifier.secrets import SecretsFolder
from streams.notifier.sender import Sender
from streams.notifier.standing import standing
from tests.alertmanagers import Alertmanager, alertmanager
from tests.notifiers import LOOPBACK, page, secrets_in, state, uuid
from tests.pages import AT_MS

MINUTE_MS = 60_000


@dataclass
class Desk:
    """A notifier's part that tends one Alertmanager, and its clock."""

    now_ms: int = AT_MS
    incidents: Incidents = field(default_factory=Incidents)
    metrics: NotifierMetrics = field(default_factory=NotifierMetrics)
    busy: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    """Partners whose pages another notifier sends."""
    bearer: str | None = None
    there: Alertmanager = field(init=False)
    sender: Sender = field(init=False)
    reconciler: Reconciler = field(init=False)

    def begin(self) -> None:
        self.reconciler = Reconciler(
            self.sender,
            self.incidents,
            lambda each: each.incident not in self.busy,
            lambda partner: partner not in self.others,
            self.metrics,
            lambda: self.now_ms,
        )

    def opened(self, number: int, severity: str = "critical", rule: str = "sl", **over: Any) -> IncidentState:
        """An incident as its record tells it, told to the Alertmanager; its alerts are told by their rule."""
        receiver = {"id": "am", "type": "alertmanager", "url": self.there.url, "bearer": self.bearer}
        first = page(self.there.url, number, number, receiver=receiver, severity=severity, partner=over.pop("partner", "northwind"))
        told: dict[str, Any] = {name: getattr(first, name) for name in ("loop", "step", "epoch", "reason", "side")}
        told |= {"receiver": receiver, "target": first.target.model_dump(), "notification": first.id, "at": AT_MS, "outcome": "sent"}
        member: dict[str, Any] = {"fingerprint": "f" * 32, "episode": uuid(1, 9), "rule": rule, "scope": "all", "severity": severity}
        member |= {"counted": severity, "text": first.text, "fired_at": AT_MS}
        found = state(first, told=[told], members=[member], labels={}, **over)
        self.incidents.put(found.id.encode(), found.model_dump_json().encode())
        return found

    async def stand(self) -> None:
        """What a notifier does each minute."""
        await self.reconciler.look()
        for each in self.incidents.open():
            for notification in standing(each, self.now_ms):
                assert (await self.sender.once(notification, None)).kind == "sent"

    def shown(self) -> list[tuple[str, str, str]]:
        return sorted((each["incident"], each["alertname"], each["severity"]) for each in self.there.firing())

    def counted(self, what: str) -> float:
        found = self.metrics.reconciled.labels(what)._value.get()
        assert isinstance(found, float)
        return found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk()
    settings = Settings(secrets_dir=secrets_in(tmp_path / "secrets"), notify_networks=LOOPBACK)
    secrets = SecretsFolder(settings.secrets_dir)
    async with alertmanager(lambda: made.now_ms) as made.there, Sender(settings, secrets, lambda: made.now_ms) as made.sender:
        made.begin()
        yield made


async def test_an_incident_that_gets_worse_or_is_told_by_another_alert_stands_there_once(desk: Desk) -> None:
    desk.opened(1, "warning")
    await desk.stand()
    assert desk.shown() == [(uuid(1), "sl", "warning")]
    desk.now_ms += MINUTE_MS
    desk.opened(1, "critical", "asa")
    await desk.stand()
    assert len(desk.shown()) == 2, "what was posted a minute ago may be newer than what is known"
    desk.now_ms += MINUTE_MS
    await desk.stand()
    assert desk.shown() == [(uuid(1), "asa", "critical")]
    assert [each["severity"] for each in desk.there.ended] == ["warning"]
    assert desk.counted("ended") == 1


async def test_what_is_over_is_ended_although_its_end_never_arrived_and_nothing_of_it_is_asked_any_more(desk: Desk) -> None:
    desk.opened(1)
    desk.opened(2)
    await desk.stand()
    desk.opened(1, ended_at=desk.now_ms, attention="resolved")
    desk.now_ms += 2 * MINUTE_MS
    await desk.stand()
    assert desk.shown() == [(uuid(2), "sl", "critical")]
    desk.opened(2, ended_at=desk.now_ms, attention="resolved")
    desk.now_ms += 2 * MINUTE_MS
    await desk.stand()
    assert desk.shown() == [], "it is asked although nothing is open any more"
    desk.now_ms += 2 * AHEAD_MS
    await desk.stand()
    assert desk.reconciler._asked == {}


async def test_one_that_was_restarted_shows_everything_again_within_a_minute_and_that_is_counted(desk: Desk) -> None:
    desk.opened(1)
    desk.opened(2)
    await desk.stand()
    desk.there.restart()
    assert desk.shown() == []
    desk.now_ms += MINUTE_MS
    await desk.stand()
    assert [each for each, _, _ in desk.shown()] == [uuid(1), uuid(2)]
    assert desk.counted("missing") == 4, "at the beginning nothing stood there either"


async def test_what_is_not_ours_is_left_alone(desk: Desk) -> None:
    desk.others.add("bolt")
    for number in (1, 2):
        desk.opened(number, "warning", partner=("northwind", "bolt")[number - 1])
    later = {"startsAt": "2026-11-23T11:00:00Z", "endsAt": "2026-11-23T12:03:20Z", "annotations": {}}
    named = [{"alertname": "Other", "incident": uuid(77)}, {"alertname": "Else", "incident": uuid(2)}]
    strangers = [{"alertname": "Up", "job": "node"}, *named]
    desk.there.put(*({"labels": labels, **later} for labels in strangers))
    desk.opened(2, partner="bolt", ended_at=desk.now_ms, attention="resolved")
    desk.now_ms += MINUTE_MS
    await desk.stand()
    assert desk.there.ended == []
    assert all(each in desk.there.firing() for each in strangers)


async def test_what_is_on_its_way_is_waited_for(desk: Desk) -> None:
    desk.opened(1, "warning")
    await desk.stand()
    desk.opened(1, "critical")
    desk.busy.add(uuid(1))
    desk.now_ms += 2 * MINUTE_MS
    await desk.reconciler.look()
    assert (desk.there.ended, desk.shown()) == ([], [(uuid(1), "sl", "warning")])
    desk.busy.clear()
    desk.incidents.saw(page(desk.there.url, 1, 9, epoch=2))
    await desk.reconciler.look()
    assert desk.there.ended == [], "a page of it told of an epoch that its record does not know yet"
    desk.opened(1, "critical", epoch=2)
    await desk.reconciler.look()
    assert [each["severity"] for each in desk.there.ended] == ["warning"]


async def test_one_that_cannot_be_read_is_counted_and_told_all_the_same(desk: Desk) -> None:
    desk.opened(1)
    desk.there.failing = 1
    await desk.stand()
    assert (desk.counted("failed"), len(desk.shown())) == (1, 1)
    desk.bearer, desk.there.bearer = "am-token", "am-bearer-secret"
    desk.opened(1)
    desk.now_ms += MINUTE_MS
    await desk.stand()
    assert desk.counted("failed") == 2, "the way without the secret is asked for a while still"
    desk.there.bearer = "another"
    await desk.reconciler.look()
    assert desk.counted("failed") == 4
