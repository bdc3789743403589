"""Hours, holidays and maintenance of a partner: pages wait, or another ladder holds; what resolves passes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.policy import compile_partner
from models.rule_base import RuleBase
from models.rule_forms import BalanceSpec, CompositeSpec, DriftSpec
from models.rule_silence import SilenceSpec
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.unit.test_engine_commands import WARNING, lost
from tests.unit.test_engine_suppression import events

# START_MS is a Sunday, 15:10 UTC.
SUNDAY = date(2025, 6, 15)


def fired(rule_fields: dict[str, Any], **hours: Any) -> Rig:
    """A partner whose alert fires at the grid point after START_MS."""
    rig = Rig()
    rig.policy(shared_part(rule(levels=WARNING, window="24h", **rule_fields)), partner_part(**hours), at_ms=START_MS - MINUTE_MS)
    rig.to(START_MS - MINUTE_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    return rig


def test_pages_wait_until_the_partner_opens() -> None:
    rig = fired({}, hours={"mon-fri": "08:00-20:00"}, timezone="Europe/Lisbon")
    assert events(rig) == [("fired", ["out_of_hours"])]
    rig.crash()
    rig.to(START_MS + 20 * HOUR_MS)
    assert events(rig)[1:] == [("suppression_ended", [])]
    opened = datetime.fromtimestamp(rig.bodies(TOPICS.alerts)[1]["evaluated_at"] / 1000, UTC)
    assert (opened.day, opened.hour, opened.minute) == (16, 7, 0)


def test_in_its_hours_and_for_rules_that_page_at_any_time_nothing_waits() -> None:
    assert events(fired({}, hours={"sun": "08:00-20:00"})) == [("fired", [])]
    assert events(fired({"outside_hours": "page"}, hours={"mon": "08:00-20:00"})) == [("fired", [])]


FORMS: list[tuple[type[RuleBase], dict[str, Any]]] = [
    (CompositeSpec, {"when": {"all": [{"kpi": "abandon_rate", "above": 0.5}]}, "window": "24h", "severity": "warning", "for": 0}),
    (BalanceSpec, {"type": "balance", "efficiency": "aht", "quality": "csat", "window": "1h"}),
    (DriftSpec, {"type": "drift", "kpi": "asa", "direction": "above", "reference": 5}),
    (SilenceSpec, {"type": "feed_silence"}),
]


@pytest.mark.parametrize(("form", "said"), FORMS)
def test_rules_of_every_form_wait_outside_hours_or_page_and_keep_their_revision_where_they_wait(
    form: type[RuleBase], said: dict[str, Any]
) -> None:
    waits, plain, pages = (
        form.model_validate({"id": "r", **said, **more}) for more in ({"outside_hours": "wait"}, {}, {"outside_hours": "page"})
    )
    assert (plain.compiled.waits_outside_hours, pages.compiled.waits_outside_hours) == (True, False)
    assert waits.canonical == plain.canonical != pages.canonical


@pytest.mark.parametrize(("outside", "waits"), [("wait", ["out_of_hours"]), ("page", [])])
def test_pages_of_a_rule_over_several_figures_wait_while_the_partner_is_closed_unless_it_says_page(outside: str, waits: list[str]) -> None:
    rig = Rig()
    form, said = FORMS[0]
    both = form.model_validate({"id": "both", **said, "min_samples": 1, "outside_hours": outside})
    rig.policy(shared_part(both), partner_part(hours={"mon": "08:00-20:00"}), at_ms=START_MS - MINUTE_MS)
    rig.to(START_MS - MINUTE_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert events(rig) == [("fired", waits)]


def test_another_combination_holds_while_the_partner_is_closed() -> None:
    rig = Rig()
    form, said = FORMS[0]
    closed = {"when": {"all": [{"kpi": "in_queue", "above": 3}]}, "for": 60}
    both = form.model_validate({"id": "both", **said, "window": "1h", "min_samples": 1, "recover_for": 0, "outside_hours": closed})
    rig.policy(shared_part(both), partner_part(hours={"mon": "00:00-20:00"}), at_ms=START_MS - MINUTE_MS)
    rig.to(START_MS - MINUTE_MS)
    lost(rig, START_MS)
    rig.send(*(event("contact.queued", START_MS, f"q{number}") for number in range(9)), at_ms=START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert events(rig) == [("pending", [])], "nothing is said of who is lost on a Sunday"
    rig.crash()
    rig.to(START_MS + 2 * MINUTE_MS)
    assert events(rig)[1:] == [("fired", [])]
    assert [part["kpi"] for part in rig.bodies(TOPICS.alerts)[-1]["evidence"]["parts"]] == ["in_queue"]
    rig.to(START_MS + HOUR_MS)
    monday_ms = round(datetime(2025, 6, 16, tzinfo=UTC).timestamp() * 1000)
    lost(rig, monday_ms - 5 * MINUTE_MS)
    rig.to(monday_ms + MINUTE_MS)
    fired = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"][-1]
    assert (fired["evaluated_at"], [part["kpi"] for part in fired["evidence"]["parts"]]) == (monday_ms, ["abandon_rate"])


def test_a_holiday_is_outside_hours() -> None:
    assert events(fired({}, hours={"sun": "08:00-20:00"}, holidays={"dates": [SUNDAY]})) == [("fired", ["out_of_hours"])]


def test_maintenance_holds_back_every_rule() -> None:
    rig = fired({"outside_hours": "page"}, maintenance={"sun": "15:00-16:00"})
    assert events(rig) == [("fired", ["maintenance"])]
    rig.to(START_MS + HOUR_MS)
    assert rig.bodies(TOPICS.alerts)[1]["evaluated_at"] == START_MS + 50 * MINUTE_MS


def test_another_ladder_holds_while_the_partner_is_closed() -> None:
    strict = [{"severity": "critical", "enter": 0.5, "exit": 0.55, "for": 0}]
    rig = fired({"outside_hours": strict}, hours={"mon": "08:00-20:00"})
    assert [(each["severity"], each["evidence"]["enter"]) for each in rig.bodies(TOPICS.alerts)] == [("critical", 0.5)]
    assert events(rig) == [("fired", [])]
    rig.crash()
    rig.to(START_MS + DAY_MS - HOUR_MS)
    opened = rig.bodies(TOPICS.alerts)[1]
    assert (opened["transition"]["kind"], opened["severity"]) == ("eased", "warning")
    assert opened["evaluated_at"] == round(datetime(2025, 6, 16, 8, tzinfo=UTC).timestamp() * 1000)
    assert opened["episode"] == rig.bodies(TOPICS.alerts)[0]["episode"]


def test_a_partner_s_own_hours_hold_instead_of_the_defaults() -> None:
    shared = shared_part(hours={"mon": "08:00-20:00"}, maintenance={"sun": "15:00-16:00"})
    own = compile_partner(shared, partner_part(hours={"sun": "08:00-20:00"}), "acme")
    assert own.hours is not None
    assert own.hours.holds(START_MS)
    assert own.maintenance is not None
    assert own.maintenance.holds(START_MS)


def test_a_policy_that_says_nothing_of_hours_keeps_its_revisions() -> None:
    plain, shared = rule(), shared_part(rule())
    assert '"outside_hours"' not in plain.canonical
    assert (
        compile_partner(shared, partner_part(), "acme").revision
        != compile_partner(shared, partner_part(hours={"mon": "08:00-20:00"}), "acme").revision
    )
    assert rule(outside_hours="page").compiled.revision == plain.compiled.revision, "what fires keeps firing, whoever is to be paged"
