import pytest

from alerts.notify.render import read_answer
from alerts.notify.request import WAIT_SECONDS_MAX, Answer, judge
from alerts.notify.text import cut
from alerts.notify.webhook import key_of, signature
from tests.pages import AT_MS, FOLDER, notification, shapes

SHAPES = shapes()


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_receiver_gets_the_shape_that_its_golden_file_shows(name: str) -> None:
    """`python -m tests.pages` writes them anew."""
    assert SHAPES[name] == (FOLDER / name).read_text()


def test_every_golden_file_is_of_a_shape() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(SHAPES)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "sent"), (202, "sent"), (302, "rejected"), (400, "rejected"), (404, "rejected"), (408, "again"), (429, "again"), (503, "again")],
)
def test_a_status_says_whether_to_try_again(status: int, kind: str) -> None:
    assert judge(Answer(status, b""), AT_MS).kind == kind


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("999999", WAIT_SECONDS_MAX),
        ("soon", None),
    ],
)
def test_a_receiver_may_ask_us_to_wait_within_bounds(said: str, seconds: float | None) -> None:
    assert judge(Answer(429, b"", said), AT_MS).wait_seconds == seconds


@pytest.mark.parametrize(
    ("body", "kind", "receipt"),
    [
        (b'{"ok": true, "ts": "1795435000.000100"}', "sent", "1795435000.000100"),
        (b'{"ok": false, "error": "channel_not_found"}', "rejected", None),
        (b'{"ok": false, "error": "ratelimited"}', "again", None),
        (b"<html>proxy</html>", "again", None),
    ],
)
def test_slack_says_in_the_body_whether_it_took_a_page(body: bytes, kind: str, receipt: str | None) -> None:
    verdict = read_answer(notification("slack").receiver, Answer(200, body), AT_MS)
    assert (verdict.kind, verdict.receipt) == (kind, receipt)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's reference libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("service level is low", 20, "service level is low"),
        ("service level is low", 18, "service level is…"),
        ("service level is low", 14, "service level…"),
        ("aaaaaaaaaaaaaaaa", 6, "aaaaa…"),
        ("a bbbbbbbbbbbbbb", 8, "a bbbbb…"),
        ("😀😀😀", 5, "😀😀…"),
        ("x", 0, "…"),
    ],
)
def test_a_text_is_cut_after_a_whole_word_where_that_leaves_enough(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected
