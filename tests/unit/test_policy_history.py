"""Revisions that were: listed, and made to hold again."""

import pytest

from models.errors import PolicyError
from models.policy_file import load, parts, whole
from models.policy_spec import PolicyFile
from streams.policies import plan
from streams.policy_history import Stored, current, history, restored
from tests.unit.test_policy_plan import AT_MS, SETTINGS, policy, written


def applied(*policies: PolicyFile) -> Stored:
    """What the topic holds after these were applied, a second apart."""
    stored: Stored = {}
    for number, each in enumerate(policies):
        stored = written(plan(each, stored, SETTINGS, AT_MS + 1000 * number)[0], stored)
    return stored


def named(stored: Stored) -> dict[str, str]:
    return {each.partner: each.revision for each in current(stored)}


def test_every_revision_is_listed_once_the_newest_first_and_what_holds_is_marked() -> None:
    stored = applied(policy("acme", "delta"), policy("acme", settle=6))
    first, second = applied(policy("acme", "delta")), named(stored)
    listed = [(each.applied_at - AT_MS, each.partner, each.current) for each in history(stored)]
    assert listed == [(1000, "*", True), (0, "*", False), (0, "acme", True), (0, "delta", False)]
    assert {each.revision for each in history(stored)} == {*named(first).values(), *second.values()}


def test_one_part_goes_back_and_the_others_stay() -> None:
    before = applied(policy("acme", settle=5))
    stored = applied(policy("acme", settle=5), policy("acme", "delta", settle=6))
    again = written(plan(restored(stored, named(before)["*"]), stored, SETTINGS, AT_MS + 9000)[0], stored)
    assert named(again) == named(stored) | {"*": named(before)["*"]}
    newest = history(again)[0]
    assert (newest.applied_at, newest.partner, newest.current) == (AT_MS + 9000, "*", True)


def test_a_partner_who_is_no_longer_named_comes_back_by_its_revision() -> None:
    stored = applied(policy("acme", "delta"), policy("acme"))
    gone = next(each.revision for each in history(stored) if each.partner == "delta")
    assert [each.id for each in restored(stored, gone).partners] == ["acme", "delta"]


def test_a_revision_that_never_was_is_told() -> None:
    with pytest.raises(PolicyError, match=r"nowhere: is no revision of this topic.*outwatch policy history"):
        restored(applied(policy("acme")), "nowhere")


def test_a_part_that_does_not_hold_with_the_others_any_more_is_refused_whole() -> None:
    kpi = "kpis: [{id: own, unit: ratio, better: higher, perspective: customer, numerator: {count: contact.completed},"
    with_kpi = f"{kpi} denominator: {{count: contact.completed}}}}]"
    target = "partners: [{id: acme, name: Acme, definition: {targets: {own: {target: 0.5}}}}]"
    old = load(f"version: 1\n{with_kpi}\n{target}", "p.yaml")
    stored = applied(old, policy("acme"))
    (aimed,) = [each.revision for each in history(stored) if each.partner == "acme" and not each.current]
    with pytest.raises(PolicyError, match="'own' is no KPI"):
        restored(stored, aimed)


def test_parts_make_the_file_that_they_were_taken_from() -> None:
    text = (
        "version: 1\ndefaults: {timezone: Europe/Lisbon}\npartners: [{id: acme, name: Acme}]\n"
        "rules: [{id: r, kpi: asa, window: 1h, direction: above, runbook: x, levels: [{severity: warning, enter: 30, exit: 20, for: 1m}]}]"
    )
    file = load(text, "p.yaml")
    shared, own = parts(file)
    assert parts(whole(shared, own.values(), "again")) == (shared, own)
