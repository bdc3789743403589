"""JSON texts of events: good ones, and good ones with a few things wrong."""

import json

from hypothesis import strategies as st
from pydantic import BaseModel

from models import events

GOOD: dict[str, dict[str, str]] = {
    "contact.queued": {"contact_id": '"c1"', "priority": "3"},
    "contact.answered": {"wait_seconds": "12.5"},
    "contact.abandoned": {"wait_seconds": "7"},
    "contact.completed": {"talk_seconds": "180.25", "hold_seconds": "0", "holds": "0", "resolved": "true", "transferred": "false"},
    "contact.left": {"outcome": '"call-back"'},
    "contact.record": {
        "outcome": '"answered"',
        "queued_at": "1714552200000",
        "talk_seconds": "1e2",
        "updated_at": '"2024-05-01T08:30:00Z"',
    },
    "ticket.opened": {"contact_id": '"t1"', "due_at": "1714552200000"},
    "ticket.replied": {"contact_id": '"t1"'},
    "ticket.solved": {"contact_id": '"t1"', "due_at": '"2024-05-01T08:30:00Z"'},
    "ticket.reopened": {"contact_id": '"t1"', "due_at": "null"},
    "agent.state": {"agent_id": '"ann"', "state": '"available"'},
    "agent.scheduled": {"agent_id": '"ann"', "from": "1714552200000", "to": '"2024-05-01T16:30:00Z"', "activity": '"contacts"'},
    "agent.joined": {"agent_id": '"ann"'},
    "agent.left": {"agent_id": '"ann"', "reason": '"moved"'},
    "training.due": {"agent_id": '"ann"', "course": '"tone"', "due_at": "1714552200000"},
    "training.done": {"agent_id": '"ann"', "course": '"tone"'},
    "survey.invited": {"survey": '"nps"'},
    "survey.response": {"survey": '"csat"', "score": "4", "scale_max": "5", "comment": '"caf\\u00e9"'},
    "quality.evaluated": {
        "points": "4.5",
        "points_possible": "5",
        "script_done": "3",
        "items": '[{"criterion": "greeting", "points": 1, "possible": 2.5, "critical": true}]',
    },
    "cost.reported": {
        "amount": '"1234.5678"',
        "currency": '"EUR"',
        "period_start": "1714521600000",
        "period_end": '"2024-06-01T00:00:00Z"',
        "line": '"licences"',
    },
    "revenue.reported": {
        "amount": "99.5",
        "currency": '"USD"',
        "period_start": "1714521600000",
        "period_end": "1717200000000",
        "customers": "10",
        "customers_kept": "9",
    },
    "volume.forecast": {
        "interval_start": "1714552200000",
        "interval_end": '"2024-05-01T08:45:00Z"',
        "offered": "42.5",
        "aht_seconds": "300",
        "staff_required": "7",
    },
    "clock.advanced": {"to": "1714552200000", "topics": '["cx.interactions", "cx.surveys"]'},
    "source.alive": {"source": '"acd"'},
}
"""Type -> its own fields as JSON texts."""

COMMON = {"event_id": '"e1"', "partner_id": '"acme"', "occurred_at": "1714552200000", "queue": '"billing"', "channel": '"voice"'}

_MODELS: tuple[type[BaseModel], ...] = events.EVENT_TYPES
FIELDS = sorted({info.alias or name for model in _MODELS for name, info in model.model_fields.items()})

# Written out, because json.dumps makes none of these: what parsers differ about, and both sides of every bound.
_ODD = r"""
    null true false "" "a" 0 1 -1 -0 -0.0 0.5 1.0 1e3 1E+2 1e-400 1e400 -1e400 1e999999999999 5e-324
    1.7976931348623157e308 1.7976931348623159e308 0.1000000000000000055511151231257827 10000000.000000001 10000000 10000001
    9007199254740991 9007199254740992 9007199254740993 -9007199254740992 -9007199254740993 9007199254740992.0
    9223372036854775807 9223372036854775808 18446744073709551616 123456789012345678901234567890
    1000000 1000001 1000 1001 -1000000 -1000001 NaN Infinity -Infinity nan .5 1. 01 -01 +1 - 1e 0x10 1_000 tru True None undefined
    [] {} [null] ["a",5] [""] [1,] {"a":1,} {"a"} {1:2} {"a":{"b":[{},{"c":null}]}} [[[[[]]]]] [1,2] /*x*/ 'a' "a a"
    "\t" "\x" "\u12" "\u0000" "\u0041" "\/" "\ud83d\ude00" "\ud800" "\udc00" "\ud800\u0041" "\ud800\ud800" "\udc00\ud800"
    "contact.queued" contact.left "agent.state" "offline" "break"
    "contact.record" "clock.advanced" "csat" "answered" "1" "true" "2024-05-01T08:30:00Z"
""".split()  # noqa: SIM905 -- a list of quoted quotes would be unreadable
ODD = sorted({*_ODD, " 1 ", "\t1\n", "1\v", "1\f", '"a\nb"', f'"{"x" * 64}"', f'"{"x" * 65}"', f'"{"x" * 128}"', f'"{"x" * 129}"'})
ODD += ['"\t"', '"\x00"', '"\x1f"', '"\x7f"', '"\ufeff"', '"\ufffe"', '"\ud800"', "a b"]
ODD += [f'"{"é" * 128}"', f'"{"😀" * 128}"', f'"{"😀" * 129}"', f'"{"x" * 10_000}"', f'"{"x" * 10_001}"', "1" + "0" * 400, "0." + "1" * 400]
_ITEM = {"criterion": "greeting", "points": 1, "possible": 2}
ODD += [json.dumps([_ITEM | other] * count) for other, count in (({}, 1), ({}, 100), ({}, 101), ({"critical": False, "more": {}}, 2))]
ODD += [json.dumps([_ITEM | other]) for other in ({"points": -1}, {"points": True}, {"critical": 1}, {"criterion": ""}, {"type": "a"})]
ODD += ["[{}]", "[[]]", '[{"criterion": "a", "points": 1}]', f"[{json.dumps(_ITEM)}, null]", json.dumps(_ITEM), "10000.5", "10000"]
ODD += ['[{"criterion": "a", "criterion": "b", "points": 1, "points": 1e1, "possible": 10000}]']
ODD += [json.dumps(["t"] * 16), json.dumps(["t"] * 17), "[" * 150 + "]" * 150]

letters = st.text(st.sampled_from('aZ09 _-"\\/{}[]:,\b\t\n\r\x00\x1f\x7f\x80éßİ\u2028\ud800\udc00\uffff\U0001f600'), max_size=20)
"""Few letters, each of which some parser treats in its own way."""

_plain = st.none() | st.booleans() | st.integers() | st.floats() | letters
_value = st.recursive(_plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3), max_leaves=5)


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """Any value, mostly in JSON."""
    if draw(st.booleans()):
        return draw(st.sampled_from(ODD))
    return json.dumps(draw(_value), ensure_ascii=draw(st.booleans()))


@st.composite
def event_texts(draw: st.DrawFn) -> bytes:
    """An event with up to three fields changed, added twice or taken away, in any order and spacing."""
    kind = draw(st.sampled_from(sorted(GOOD)))
    pairs = list(({"type": json.dumps(kind)} | COMMON | GOOD[kind]).items())
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            pairs.append((draw(st.sampled_from(FIELDS) | letters), draw(json_texts())))
        elif pairs:
            at = draw(st.integers(0, len(pairs) - 1))
            pairs[at : at + 1] = draw(st.sampled_from([[], [(pairs[at][0], draw(json_texts()))]]))
    pairs = draw(st.permutations(pairs))
    space = draw(st.sampled_from(["", "", " ", "\n", "\r\n\t "]))
    body = f",{space}".join(f"{json.dumps(name)}{space}:{space}{text}" for name, text in pairs)
    return f"{space}{{{body}{space}}}{space}".encode(errors="surrogatepass")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An event text with some bytes replaced, taken away or put in."""
    text = draw(event_texts())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(
            st.binary(max_size=2) | st.sampled_from([b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b"0", b"\xc3", b"\xa9"])
        )
        text = text[:at] + put + text[at + draw(st.integers(0, 3)) :]
    return text


@st.composite
def runs(draw: st.DrawFn) -> list[bytes | None]:
    """A run with whole events, pieces of events that were cut or glued, bytes of any kind, and nulls."""
    whole = draw(st.lists(event_texts(), min_size=1, max_size=4))
    run: list[bytes | None] = list(whole)
    for _ in range(draw(st.integers(0, 4))):
        text = draw(st.sampled_from(whole))
        cut = draw(st.integers(0, len(text)))
        pieces: list[list[bytes]] = [
            [text[:cut], text[cut:]],
            [text + text],
            [text + b"\n" + text],
            [text[:-1] + b',"a":[{}', b"]}" + text],
        ]
        small = st.none() | st.binary(max_size=4) | st.sampled_from([b"{}", b"}", b"{", b"\n", b'{"a":[{}', b"]}", b"{}]}"])
        piece = draw(st.sampled_from(pieces) | st.lists(small, max_size=2))
        at = draw(st.integers(0, len(run)))
        run[at:at] = piece
    return run
