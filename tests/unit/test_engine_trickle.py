"""A count in a wide window catches what shares of too few contacts hide."""

from tests.engines import TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR
from tests.weeks import MONDAY_MS, SETTLED

SHARE = rule(
    id="share",
    kpi="abandon_rate",
    window="7d",
    direction="above",
    levels=[{"severity": "warning", "enter": 0.1, "exit": 0.05, "for": 0}],
    min_samples=20,
)
TRICKLE = rule(
    id="trickle",
    kpi="abandoned",
    window="7d",
    direction="above",
    levels=[{"severity": "warning", "enter": 4, "exit": 2, "for": 0}],
    scopes=["partner/queue"],
)


def test_a_queue_that_loses_two_of_three_a_day_fires_by_the_count_and_never_by_the_share() -> None:
    rig = Rig()
    rig.policy(shared_part(SHARE, TRICKLE), partner_part(), at_ms=MONDAY_MS)
    rig.to(MONDAY_MS)
    for day in range(5):
        for hour, kind in ((9, "contact.abandoned"), (12, "contact.answered"), (15, "contact.abandoned")):
            at_ms = MONDAY_MS + day * DAY + hour * HOUR
            rig.send(event(kind, at_ms, f"{at_ms}", queue="claims"), at_ms=at_ms)
            rig.to(at_ms + 2 * SETTLED)
    fired = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    assert [(each["rule"]["id"], each["scope"], each["evidence"]["value"]) for each in fired] == [("trickle", "queue=claims", 5)]
