"""Digests, the limit of pages a person, what is stale or too old, and storms: what is not sent as it stands."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.incidents import IncidentState
from models.notifications import Notification, NotifyReason
from models.policy_record import encode_policy, policy_key
from models.policy_spec import to_json
from streams.notifier.digests import GATHER_MS, LINES_MAX, PAGES_MAX, PAGES_SPAN_MS, Digests, Pages
from streams.notifier.incidents import Incidents
from streams.notifier.lanes import Intent
from streams.notifier.partners import Partners
from streams.notifier.storms import SPAN_MS, absorbed, handed_on
from streams.notifier.verdicts import END_KEPT_MS, OLD_MS, Course, Known, course, wait_ms
from tests.engines import partner_part, shared_part
from tests.notifiers import page, state, uuid
from tests.pages import AT_MS, ENDED, notification


def intent(number: int, **over: Any) -> Intent:
    over = {"target": {"kind": "person", "id": "ana", "person": "ana"}, **over}
    return Intent(page("http://pages.example", number, number, **over), (0, number), AT_MS)


def test_a_person_gets_so_many_pages_and_one_page_by_two_receivers_is_one() -> None:
    pages = Pages()
    assert [pages.admit("ana", f"page{number // 2}", AT_MS) for number in range(14)] == [True] * 10 + [False] * 4
    assert pages.admit("bea", "page9", AT_MS)
    assert not pages.admit("ana", "page9", AT_MS + PAGES_SPAN_MS - 1)
    assert pages.admit("ana", "page9", AT_MS + PAGES_SPAN_MS)


def test_who_was_not_paged_for_ten_minutes_is_forgotten() -> None:
    pages = Pages()
    for number in range(100):
        pages.admit(f"person{number}", "page", AT_MS + number)
    pages.admit("ana", "page", AT_MS + PAGES_SPAN_MS + 97)
    assert [*pages._of] == ["person98", "person99", "ana"]


@given(st.lists(st.tuples(st.integers(0, 2 * PAGES_SPAN_MS), st.integers(0, 20))))
def test_in_no_ten_minutes_there_are_more(asked: list[tuple[int, int]]) -> None:
    pages, admitted = Pages(), []
    for at_ms, number in sorted(asked):
        if pages.admit("ana", str(number), at_ms):
            admitted.append((at_ms, number))
    for at_ms, _ in admitted:
        assert len({number for other_ms, number in admitted if at_ms - PAGES_SPAN_MS < other_ms <= at_ms}) <= PAGES_MAX


def test_what_is_held_back_is_told_at_once_with_the_count_and_the_next_ten_minutes_later() -> None:
    digests, lines = Digests(), [intent(number) for number in range(LINES_MAX + 3)]
    for each in lines:
        digests.add(each, AT_MS)
    assert digests.take(AT_MS + GATHER_MS - 1) == []
    assert digests.next_due_ms() == AT_MS + GATHER_MS
    (digest,) = digests.take(AT_MS + GATHER_MS)
    assert (digest.intents, digests.waiting()) == (lines, [])
    told = digest.notification
    assert (told.reason, told.kind, told.severity, told.members) == (NotifyReason.DIGEST, "trigger", "critical", 23)
    assert told.text == "23 more pages of 1 partner were held back: see outwatch incident list"
    assert told.facts[-1].value == "3"
    assert Notification.model_validate(told.model_dump()) == told
    digests.told(digest, AT_MS + GATHER_MS)
    digests.add(intent(90), AT_MS + GATHER_MS + 1)
    assert digests.next_due_ms() == AT_MS + GATHER_MS + PAGES_SPAN_MS


def test_each_reader_has_a_digest_of_her_own_and_what_is_another_notifiers_is_forgotten() -> None:
    digests, mine, other = Digests(), intent(1), intent(2, target={"kind": "person", "id": "bea", "person": "bea"})
    digests.add(mine, AT_MS)
    digests.add(other, AT_MS)
    digests.keep([mine])
    assert [each.intents for each in digests.take(AT_MS + GATHER_MS)] == [[mine]]


OPEN, WORSE, OVER = Known(1, open=True), Known(2, open=True), Known(2, open=False)
OLD = {"processed_at": AT_MS - OLD_MS - 1}


@pytest.mark.parametrize(
    ("over", "known", "tried_ms", "expected"),
    [
        ({}, OPEN, None, Course.SEND),
        ({}, None, None, Course.SEND),
        ({}, WORSE, None, Course.STALE),
        ({}, OVER, None, Course.STALE),
        ({"kind": "update", "reason": "changed"}, WORSE, None, Course.STALE),
        (ENDED, OVER, None, Course.SEND),
        (ENDED | OLD, OVER, None, Course.SEND),
        (ENDED | {"processed_at": AT_MS - END_KEPT_MS - 1}, OVER, None, Course.SEND),
        (ENDED | {"processed_at": AT_MS - END_KEPT_MS - 1}, OVER, AT_MS, Course.EXPIRED),
        (OLD, OPEN, None, Course.SEND),
        (OLD, OVER, None, Course.DIGEST),
        (OLD, None, None, Course.DIGEST),
        (OLD | {"kind": "update", "reason": "changed"}, OVER, None, Course.STALE),
        ({}, OPEN, AT_MS - OLD_MS, Course.SEND),
        ({}, OPEN, AT_MS - OLD_MS - 1, Course.EXPIRED),
    ],
)
def test_what_is_to_be_done_with_a_page(over: dict[str, Any], known: Known | None, tried_ms: int | None, expected: Course) -> None:
    assert course(notification("webhook", **over), known, tried_ms, AT_MS) is expected


def test_waits_grow_to_two_minutes_and_a_receiver_that_asks_is_obeyed() -> None:
    assert [wait_ms(tries, None) for tries in (1, 2, 3, 4, 5, 99)] == [10_000, 20_000, 40_000, 80_000, 120_000, 120_000]
    assert [wait_ms(1, 5.0), wait_ms(1, 0.0), wait_ms(99, 0.0), wait_ms(99, 600.0)] == [5_000, 1_250, 15_000, 600_000]


def test_an_incident_that_ended_stays_ended_whatever_comes_late() -> None:
    incidents = Incidents()
    first = notification("webhook")
    incidents.put(first.incident.encode(), state(first).model_dump_json().encode())
    incidents.saw(notification("webhook", **ENDED))
    incidents.put(first.incident.encode(), state(first).model_dump_json().encode())
    assert (incidents.known(first.incident), [*incidents.open()]) == (Known(2, open=False), [])
    assert incidents.partner(first.incident) == "northwind"
    assert not incidents.put(b"other", b"{}")
    newer = state(first).model_dump(mode="json") | {"id": uuid(5), "said_since": 1}
    incidents.put(uuid(5).encode(), orjson.dumps(newer))
    assert incidents.known(uuid(5)) == Known(1, open=True), "a newer release may say more"
    assert incidents.put(first.incident.encode(), None)
    assert incidents.known(first.incident) is None


def test_what_a_page_tells_of_an_incident_that_is_not_known_is_neither_believed_nor_kept() -> None:
    incidents, old = Incidents(), notification("webhook", **OLD)
    incidents.saw(old)
    assert incidents.known(old.incident) is None
    assert course(old, incidents.known(old.incident), None, AT_MS) is Course.DIGEST
    incidents.saw(notification("webhook", **ENDED))
    assert (incidents.known(old.incident), incidents.is_over(old.incident)) == (None, False)


def opened(number: int, partner: str, at_ms: int = AT_MS, **over: Any) -> IncidentState:
    member = {"fingerprint": "f" * 32, "episode": uuid(1, 9), "rule": "service_level_low", "scope": "all", "fired_at": at_ms}
    member |= {"severity": "critical", "counted": "critical", "text": "low", **over.pop("member", {})}
    return state(page("http://pages.example", number, 1, partner=partner), opened_at=at_ms, members=[member], **over)


PARTNERS = [opened(number, f"p{number}", AT_MS + number) for number in range(5)]


def absorb(
    incidents: list[IncidentState], partners_min: int = 5, now_ms: int = AT_MS + 10, sources: dict[str, str] | None = None
) -> list[tuple[str, str]]:
    return [
        (each.payload["incident"], each.payload["into"]) for each in absorbed(incidents, partners_min, sources or {}, now_ms, "notifier")
    ]


def test_a_storm_is_told_by_the_first_of_its_incidents_and_by_the_same_each_time() -> None:
    assert absorb(PARTNERS) == [(uuid(number), uuid(0)) for number in range(1, 5)]
    once, again = (list(absorbed(each, 5, {}, AT_MS, "notifier")) for each in (PARTNERS, PARTNERS[::-1]))
    assert once == again
    assert len({each.id for each in once}) == 4


@pytest.mark.parametrize(
    "incidents",
    [
        PARTNERS[:4],
        [*PARTNERS[:4], opened(9, "p0")],
        [*PARTNERS[:4], opened(9, "p9", AT_MS + SPAN_MS + 1)],
        [*PARTNERS[:4], opened(9, "p9", member={"rule": "csat_low"})],
        [*PARTNERS[:4], opened(9, "p9", member={"suppressed_by": ["silenced"]})],
    ],
    ids=["too few", "of one partner", "later", "of another rule", "silenced"],
)
def test_what_is_no_storm_takes_nothing_in(incidents: list[IncidentState]) -> None:
    assert absorb(incidents) == []


def test_what_somebody_looks_after_is_left_to_her_and_a_storm_of_long_ago_to_itself() -> None:
    acknowledged = [*PARTNERS[:4], opened(4, "p4", AT_MS + 4, attention="acked")]
    assert absorb(acknowledged) == [(uuid(number), uuid(0)) for number in range(1, 4)]
    assert absorb(PARTNERS, now_ms=AT_MS + 3 * SPAN_MS) == []
    assert absorb(PARTNERS, partners_min=0) == []


def taken_in(number: int, **over: Any) -> IncidentState:
    line = {"at": AT_MS, "what": "absorbed", "text": uuid(0)}
    return opened(number, f"p{number}", AT_MS + number, **{"absorbed_by": uuid(0), "due_at": AT_MS + 3_600_000, "timeline": [line], **over})


def hand_on(*incidents: IncidentState, over: int = 0) -> list[tuple[str, str, int]]:
    commands = handed_on(incidents, {uuid(over)}.__contains__, AT_MS + 10, "notifier")
    return [tuple(each.payload[name] for name in ("incident", "into", "until")) for each in commands]


def test_what_was_taken_in_by_one_that_is_over_is_told_by_the_next_for_what_is_left_of_the_hour() -> None:
    left_ms = AT_MS + 3_600_000
    assert hand_on(taken_in(2), taken_in(1)) == [(uuid(1), uuid(0), AT_MS + 10), (uuid(2), uuid(1), left_ms)]
    assert hand_on(taken_in(2), taken_in(1), over=7) == [], "it burns still"
    assert hand_on(opened(1, "p1"), opened(2, "p2")) == [], "nothing took them in"


def test_one_that_was_let_go_already_tells_of_the_others_and_what_somebody_looks_after_is_left_to_her() -> None:
    let_go = taken_in(1, absorbed_by=None, due_at=None)
    assert hand_on(let_go, taken_in(2)) == [(uuid(2), uuid(1), AT_MS + 3_600_000)]
    assert hand_on(let_go, taken_in(2, attention="acked")) == []
    assert hand_on(let_go) == []


ON_ONE_SOURCE = [opened(number, f"p{number}", AT_MS + number, member={"rule": f"rule_{number}"}) for number in range(3)]


@pytest.mark.parametrize(("partners", "taken_in"), [(3, 2), (6, 2), (7, 0)])
def test_half_of_those_on_a_source_are_a_storm_whatever_their_rules(partners: int, taken_in: int) -> None:
    sources = {f"p{number}": "genesys" for number in range(partners)} | {f"q{number}": "other" for number in range(20)}
    assert absorb(ON_ONE_SOURCE, sources=sources) == [(uuid(number), uuid(0)) for number in range(1, 1 + taken_in)]
    assert absorb(ON_ONE_SOURCE, partners_min=0, sources=sources) == []


def test_less_than_three_on_a_source_are_no_storm_and_neither_are_those_on_several() -> None:
    assert absorb(ON_ONE_SOURCE[:2], sources={"p0": "genesys", "p1": "genesys"}) == []
    assert absorb(ON_ONE_SOURCE, sources={f"p{number}": f"source {number % 2}" for number in range(3)}) == []


def test_on_which_source_a_partner_is_says_its_policy_as_it_holds_now() -> None:
    partners = Partners()

    def say(last: str = "current", **fields: Any) -> None:
        record = encode_policy(partner_part("a/b", **fields), AT_MS)
        partners.put(policy_key("a/b", last), record.model_dump_json().encode())

    say(source="genesys")
    assert partners.sources == {"a/b": "genesys"}
    say("r2", source="kept only")
    assert not partners.put(policy_key("a/b", "current"), b"{}")
    partners.put(policy_key("*", "current"), encode_policy(shared_part(), AT_MS).model_dump_json().encode())
    assert partners.sources == {"a/b": "genesys"}
    partners.put(policy_key("a/b", "r2"), None)
    assert partners.sources == {"a/b": "genesys"}
    say()
    assert partners.sources == {}
    say(source="genesys")
    partners.put(policy_key("a/b", "current"), None)
    assert partners.sources == {}


def test_how_many_partners_are_a_storm_says_the_policy_as_it_holds_now() -> None:
    partners = Partners()

    def say(last: str = "current", **fields: Any) -> None:
        record = encode_policy(shared_part(**fields), AT_MS)
        assert partners.put(policy_key("*", last), record.model_dump_json().encode())

    found = [partners.storm_min]
    for last, said in (
        ("current", {"storm_partners": 3}),
        ("r2", {"storm_partners": 9}),
        ("current", {"storm_partners": 0}),
        ("current", {}),
    ):
        say(last, **said)
        found.append(partners.storm_min)
    assert found == [5, 3, 3, 0, 5]
    assert partners.sources == {}


def test_a_policy_that_says_nothing_of_storms_is_the_record_that_it_was() -> None:
    assert to_json(shared_part()) == {"rules": []}
    assert encode_policy(shared_part(), AT_MS).revision == "da506c8a9c8a", "as before there was such a field"
