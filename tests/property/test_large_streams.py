"""The figures of a day and a half of contacts are what a database says of the same events: DuckDB, in SQL, from their JSON."""

from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import orjson
import pytest

from tests import naive
from tests.conditions import START_MS
from tests.engines import TOPICS, Rig, event, partner_part, shared_part
from tests.stories import HOUR, MINUTE

PARTNERS = 3
PLACES = (("billing", "voice"), ("sales", "voice"), ("returns", "chat"), ("care", None), (None, "chat"), (None, None))
LATE_MS = (0, 0, 0, 0, 400, 900, 4_000, 9_000, 31_000, 4 * MINUTE, 50 * MINUTE, 7 * HOUR, 30 * HOUR)

_COUNTED = """
    create view once as select * from events qualify row_number() over (partition by partner_id, event_id order by n) = 1;
    create view told as select *,
        cast(floor(coalesce(wait_seconds, 0) * 1000 + 0.5) as hugeint) as wait,
        cast(floor(hold_seconds * 1000 + 0.5) as hugeint) as hold,
        hold + cast(floor(talk_seconds * 1000 + 0.5) + floor(coalesce(wrap_seconds, 0) * 1000 + 0.5) as hugeint) as handle,
        case channel when 'chat' then 60000 else 20000 end as within_ms
    from once;
    create view counted as select n, partner_id, occurred_at, queue, channel, x.name, x.value from (
        select *, unnest([
            {name: 'arrivals', value: cast(type = 'contact.queued' as hugeint)},
            {name: 'answered', value: cast(type = 'contact.answered' as hugeint)},
            {name: 'answered_within', value: cast(type = 'contact.answered' and wait <= within_ms as hugeint)},
            {name: 'answered_wait_ms', value: case type when 'contact.answered' then wait end},
            {name: 'answered_wait_s2', value: case type when 'contact.answered' then wait * wait // 1000000 end},
            {name: 'abandoned', value: cast(type = 'contact.abandoned' as hugeint)},
            {name: 'abandoned_within', value: cast(type = 'contact.abandoned' and wait <= within_ms as hugeint)},
            {name: 'abandoned_short', value: cast(type = 'contact.abandoned' and wait <= 5000 as hugeint)},
            {name: 'abandoned_wait_ms', value: case type when 'contact.abandoned' then wait end},
            {name: 'abandoned_wait_s2', value: case type when 'contact.abandoned' then wait * wait // 1000000 end},
            {name: 'handled', value: cast(type = 'contact.completed' as hugeint)},
            {name: 'talk_ms', value: cast(floor(talk_seconds * 1000 + 0.5) as hugeint)},
            {name: 'hold_ms', value: hold},
            {name: 'wrap_ms', value: cast(floor(wrap_seconds * 1000 + 0.5) as hugeint)},
            {name: 'handle_s2', value: case type when 'contact.completed' then handle * handle // 1000000 end},
            {name: 'hold_s2', value: hold * hold // 1000000},
            {name: 'held', value: cast(hold_seconds > 0 as hugeint)},
            {name: 'transferred', value: cast(transferred as hugeint)},
            {name: 'resolved', value: cast(resolved as hugeint)},
            {name: 'resolved_answers', value: cast(resolved is not null as hugeint)},
            {name: 'csat_' || cast(score as integer), value: cast(type = 'survey.response' as hugeint)}
        ]) as x from told
    ) where x.value > 0 and x.name is not null;
    create table wanted as
        select f.id, c.name, sum(c.value) as value from figures f join counted c
        on c.n < f.upto and c.partner_id = f.partner and c.occurred_at >= f.start_ms and c.occurred_at < f.end_ms
        and (f.scope = 'all' or f.scope = 'queue=' || c.queue or f.scope = 'channel=' || c.channel)
        group by all;
"""


def contacts(draw: Random, partner: str, hours: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """What a partner sends, by when it arrives: each event up to 30 hours late, one in fifty twice."""
    at_ms, number = START_MS, 0
    while at_ms < START_MS + hours * HOUR:
        at_ms += int(draw.expovariate(1 / 40_000))
        number += 1
        queue, channel = draw.choice(PLACES)
        place: dict[str, Any] = {"partner": partner, "queue": queue, "channel": channel, "contact_id": f"c{number}"}
        wait, talk, hold = round(draw.expovariate(1 / 15), 3), round(draw.uniform(5, 500), 2), draw.choice((0, 0, 7.25))
        exited_ms = at_ms + int(1_000 * wait)
        story = [event("contact.queued", at_ms, f"q{number}", **place)]
        if draw.random() < 0.1:
            story.append(event("contact.abandoned", exited_ms, f"b{number}", wait_seconds=wait, **place))
        else:
            done_ms = exited_ms + int(1_000 * (talk + hold))
            told: dict[str, Any] = {
                "talk_seconds": talk,
                "hold_seconds": hold,
                "transferred": draw.random() < 0.1,
                "resolved": draw.choice((True, False, None)),
            }
            story.append(event("contact.answered", exited_ms, f"a{number}", wait_seconds=wait, **place))
            story.append(event("contact.completed", done_ms, f"d{number}", **told, **place))
            if draw.random() < 0.3:
                story.append(event("survey.response", done_ms + MINUTE, f"s{number}", score=draw.randint(1, 5), **place))
        for each in story:
            arrives_ms = each["occurred_at"] + draw.choice(LATE_MS)
            yield arrives_ms, each
            if draw.random() < 0.02:
                yield arrives_ms + draw.randrange(10 * MINUTE), each


def stream(draw: Random, hours: int) -> list[tuple[int, dict[str, Any]]]:
    """All that arrives in these hours, in that order."""
    each = (sorted(contacts(draw, f"p{number}", hours), key=lambda one: one[0]) for number in range(PARTNERS))
    return [one for one in merge(*each, key=lambda one: one[0]) if one[0] < START_MS + hours * HOUR]


def lived(arrivals: list[tuple[int, dict[str, Any]]], draw: Random) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The figures at some moments, each with how many had arrived: of an engine that reads runs of any length and is rebuilt."""
    rig, chat = Rig(), {"chat": {"service_level": {"threshold_seconds": 60}}}
    parts = [partner_part(f"p{number}", channels=chat, timezone="Asia/Kathmandu") for number in range(PARTNERS)]
    rig.policy(shared_part(), *parts, at_ms=START_MS)
    sent = 0
    while sent < len(arrivals):
        upto = min(len(arrivals), sent + draw.randrange(1, 1_500))
        for at_ms, body in arrivals[sent:upto]:
            rig.send(body, at_ms=at_ms, topic=TOPICS.surveys if body["type"].startswith("survey") else TOPICS.interactions)
        sent = upto
        rig.to(arrivals[upto - 1][0])
        if draw.random() < 0.2:
            rig.crash()
        if draw.random() < 0.4:
            # Everything is published again after five minutes; until then a figure may stand for less than what had arrived.
            yield upto, list(rig.figures(rig.to(arrivals[upto - 1][0] + 6 * MINUTE)).values())
    assert rig.letters() == rig.letters(TOPICS.late) == []
    yield sent, list(rig.compacted(TOPICS.rollups_1d).values())


@pytest.mark.parametrize("hours", [38, pytest.param(400, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_figures_of_a_large_stream_are_what_a_database_says(hours: int, tmp_path: Path) -> None:
    draw = Random(hours)
    arrivals = stream(draw, hours)
    spoken = ("wait_seconds", "talk_seconds", "hold_seconds", "wrap_seconds", "score", "transferred", "resolved", "queue", "channel")
    events = [dict.fromkeys(spoken) | body | {"n": n} for n, (_, body) in enumerate(arrivals)]
    figures, measured, windows = list[dict[str, Any]](), list[dict[str, Any]](), set[str]()
    for upto, bodies in lived(arrivals, draw):
        for body in bodies:
            windows.add(body.get("window", "day"))
            place = {"partner": body["partner"], "scope": body["scope"], "start_ms": body["from"], "end_ms": body["to"]}
            # What waits too long expires: nobody says so in an event.
            counted = naive.counts(body).items()
            measured += [{"id": len(figures), "name": name, "value": value} for name, value in counted if name != "expired"]
            figures.append({"id": len(figures), "upto": upto} | place)
    assert windows >= {"5m", "15m", "30m", "1h", "4h", "24h", "7d", "30d", "today", "month", "day"}
    with duckdb.connect() as database:
        for name, listed in {"events": events, "figures": figures, "measured": measured}.items():
            path = tmp_path / f"{name}.jsonl"
            path.write_bytes(b"\n".join(map(orjson.dumps, listed)))
            database.execute(f"create table {name} as select * from read_json('{path}', format='newline_delimited')")
        database.execute(_COUNTED)
        wrong = (
            "select * from wanted w full join measured m on w.id = m.id and w.name = m.name where w.value is distinct from m.value limit 5"
        )
        assert database.execute(wrong).fetchall() == []
        compared = database.execute("select count(*), count(distinct id) from wanted").fetchone()
    assert compared is not None
    assert compared > (30 * hours, 3 * hours)
