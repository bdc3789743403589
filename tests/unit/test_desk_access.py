"""Users, sessions and limits of the desk."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from desk.limits import Limits
from desk.sessions import SESSION_SECONDS, Sessions
from desk.users import Role, User, Users, UsersFile, hashed, load_users
from models.errors import FileError
from streams.cli import app
from streams.health.desk_metrics import DeskMetrics
from tests.view_records import AT_MS

ANA = User(name="ana", role=Role.OPERATOR, token_sha256=hashed("secret"))
SESSIONS = Sessions(b"0123456789abcdef")


def named(*users: User) -> Callable[[str], User | None]:
    return Users(users=users).named


def test_a_session_is_its_user_s_until_it_is_over() -> None:
    cookie = SESSIONS.begin(ANA, AT_MS)
    assert SESSIONS.user(cookie, AT_MS, named(ANA)) == ANA
    end_ms = (AT_MS // 1000 + SESSION_SECONDS) * 1000
    assert SESSIONS.user(cookie, end_ms - 1, named(ANA)) == ANA
    assert SESSIONS.user(cookie, end_ms, named(ANA)) is None


def test_another_token_and_no_user_any_more_end_a_session() -> None:
    cookie = SESSIONS.begin(ANA, AT_MS)
    assert SESSIONS.user(cookie, AT_MS, named(ANA.model_copy(update={"token_sha256": hashed("other")}))) is None
    assert SESSIONS.user(cookie, AT_MS, named()) is None


def test_another_key_signs_nothing_that_counts() -> None:
    cookie = Sessions(b"another key of it").begin(ANA, AT_MS)
    assert SESSIONS.user(cookie, AT_MS, named(ANA)) is None


@given(st.one_of(st.text(max_size=60), st.integers(0, 200)))
def test_what_is_no_cookie_of_ours_is_nobody_s(what: str | int) -> None:
    cookie = SESSIONS.begin(ANA, AT_MS)
    if isinstance(what, int):
        at = what % len(cookie)
        what = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
    assert SESSIONS.user(what, AT_MS, named(ANA)) is None


def test_what_a_page_must_say_is_of_one_user_and_session() -> None:
    boss = User(name="boss", role=Role.ADMIN)
    said = {SESSIONS.csrf(user, cookie) for user in (ANA, boss) for cookie in ("one", "two")}
    assert len(said) == 4


def test_a_token_is_found_by_its_hash_alone() -> None:
    users = Users(users=(User(name="cy", role=Role.VIEWER), ANA))
    assert users.of_token("secret") == ANA
    assert users.of_token("") is users.of_token(hashed("secret")) is None


def test_a_partner_sees_its_own_and_what_is_of_nobody_in_particular_is_not_its_own() -> None:
    partner = User(name="bia", role=Role.PARTNER, partner="acme")
    assert [partner.sees(each) for each in ("acme", "boreal", "*", None)] == [True, False, False, False]
    assert ANA.sees("boreal")
    assert ANA.sees(None)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("users:\n  - {name: ana}\n", 2, "is missing"),
        ("users:\n  - {name: ana, role: boss}\n", 2, "is not one of them"),
        ("users:\n  - {name: ana, role: partner}\n", 2, "has a partner"),
        ("users:\n  - {name: ana, role: viewer, partner: acme}\n", 2, "has a partner"),
        ("users:\n  - name: ana\n    role: viewer\n    token: secret\n", 4, "is no field"),
        ("users:\n  - {name: ana, role: viewer}\n  - {name: ana, role: admin}\n", 1, "twice"),
    ],
)
def test_a_file_that_does_not_hold_says_where(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "users.yaml"
    path.write_text(text)
    with pytest.raises(FileError) as raised:
        load_users(path)
    assert f"{path}:{line}: " in str(raised.value)
    assert words in str(raised.value)


def test_the_file_is_read_again_when_it_changes_and_one_that_does_not_hold_changes_nothing(tmp_path: Path) -> None:
    path, now = tmp_path / "users.yaml", [0.0]
    path.write_text("users:\n  - {name: ana, role: viewer}\n")
    file = UsersFile(path, lambda: now[0])
    for text, names in [("users: []\n", []), ("users: {\n", []), ("users:\n  - {name: bo-bo, role: viewer}\n", ["bo-bo"])]:
        path.write_text(text)
        assert [each.name for each in file.now().users] != names or names == []
        now[0] += 5
        assert [each.name for each in file.now().users] == names
    path.unlink()
    now[0] += 5
    assert [each.name for each in file.now().users] == ["bo-bo"]


def test_without_a_file_nobody_is_known() -> None:
    assert UsersFile(None, lambda: 0.0).now().users == ()


def test_a_limit_lets_a_burst_through_and_then_its_rate() -> None:
    limits = Limits(3, 0.5, forgotten=[].clear)
    assert [limits.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 2]
    assert limits.take("b", 0.0) == 0
    assert [limits.take("a", at) for at in (1.9, 2.0, 2.1)] == [1, 0, 2]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=60))
def test_nobody_is_let_through_more_often_than_the_limit_says(asked: list[tuple[str, float]]) -> None:
    limits, now, taken = Limits(2, 1, forgotten=[].clear), 0.0, dict.fromkeys("abc", 0)
    for key, wait in asked:
        now += wait
        taken[key] += limits.take(key, now) == 0
    assert all(count <= 2 + now + 1e-6 for count in taken.values())


def test_limits_remember_so_many_and_count_whom_they_forgot() -> None:
    metrics = DeskMetrics()
    limits = Limits(1, 0.001, metrics.forgotten, keys_max=2)
    assert [limits.take(key, 0.0) for key in "abc"] == [0, 0, 0]
    assert b"outwatch_desk_limits_dropped_total 1.0" in metrics.catalogue.text()
    assert limits.take("a", 0.0) == 0
    assert limits.take("c", 0.0) > 0


def test_a_drawn_token_comes_with_the_line_that_lets_it_in(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["desk", "token", "bia", "--role", "partner", "--partner", "acme"])
    assert done.exit_code == 0, done.output
    told, line = done.output.splitlines()
    path = tmp_path / "users.yaml"
    path.write_text(f"users:\n{line}\n")
    user = load_users(path).of_token(told.removeprefix("token: "))
    assert user is not None
    assert (user.name, user.role, user.partner) == ("bia", Role.PARTNER, "acme")
    assert told.removeprefix("token: ") not in line
