"""The simulated world: events in the order of their delivery. Pure, and the same for the same seed."""

import heapq
import itertools
import math
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import orjson

from models.windows import DAY_MS, HOUR_MS, MINUTE_MS
from streams.delivery import Delivery, Source
from streams.simulate.config import Partner, Simulated
from streams.simulate.script import Script, Trouble

__all__ = ["World", "events"]

_BUSIEST_MS: Final = 14 * HOUR_MS
"""The busiest hour of a day, UTC."""
_TOP_BOXES: Final = {"csat": (4, 5), "nps": (9, 10), "ces": (5, 7)}
_LOWEST: Final = {"csat": 1, "nps": 0, "ces": 1}


def events(config: Simulated, seed: int, from_ms: int, to_ms: int, script: Script | None = None) -> Iterator[Delivery]:
    """What is delivered in [from_ms, to_ms) of a world that begins empty, in order."""
    return World(config, seed, from_ms, script or Script()).until(to_ms)


class _Desk:
    """One partner at work. It draws from its own randomness, so trouble at one partner changes nothing at another."""

    def __init__(self, config: Simulated, partner: Partner, seed: int, from_ms: int) -> None:
        self.config = config
        self.partner = partner
        self.random = Random(f"{seed}/{partner.id}")
        self.name = f"{partner.id}-{from_ms // 1000:x}"
        self.contacts = 0
        self.made = 0
        self.out: list[tuple[int, Source, bytes]] = []
        """What the last contact brought about: (delivered at, source, value)."""

    def gap_ms(self, at_ms: int) -> int:
        """From one contact to the next, by the hour of the day."""
        busy = (1 + math.cos((at_ms - _BUSIEST_MS) % DAY_MS / DAY_MS * math.tau)) / 2
        rate = self.config.rate_per_minute * (1 + (self.config.peak_factor - 1) * busy)
        return max(1, round(MINUTE_MS / rate * self.random.uniform(0.5, 1.5)))

    def contact(self, at_ms: int, trouble: Trouble) -> None:
        """Everything that comes of the contact that arrives at `at_ms`."""
        config, random = self.config, self.random
        self.contacts += 1
        line = random.choices(self.partner.lines, [line.share for line in self.partner.lines])[0]
        about = {"contact_id": f"{self.name}-{self.contacts}", "queue": line.queue, "channel": line.channel}
        self._event(at_ms, "contact.queued", about)
        wait_ms = round(random.expovariate(1 / (config.wait_seconds * line.wait_factor * trouble.wait_factor)) * 1000)
        fate = random.random() - config.unclosed
        if 0 <= fate < config.left:
            self._event(at_ms + wait_ms, "contact.left", about | {"outcome": "callback"})
        elif config.left <= fate < config.left + config.abandoned * trouble.abandon_factor:
            patience_ms = round(random.expovariate(1 / 30) * 1000)
            self._event(at_ms + patience_ms, "contact.abandoned", about | {"wait_seconds": patience_ms / 1000})
        elif fate >= 0:
            self._answered(at_ms + wait_ms, wait_ms, about, trouble)
        if random.random() < config.poisoned:
            self.out.append((at_ms, random.choice(("interactions", "surveys")), self._poison(at_ms)))

    def _answered(self, at_ms: int, wait_ms: int, about: dict[str, Any], trouble: Trouble) -> None:
        random = self.random
        talk, wrap = random.lognormvariate(math.log(self.config.talk_seconds), 0.5), random.uniform(5, 40)
        held = random.random() < 0.2  # noqa: PLR2004 - one call in five is put on hold
        hold = random.uniform(10, 90) if held else 0.0
        self._event(at_ms, "contact.answered", about | {"wait_seconds": wait_ms / 1000})
        done_ms = at_ms + round((talk + hold + wrap) * 1000)
        flags = {name: random.random() < share for name, share in (("transferred", 0.06), ("escalated", 0.02))}
        flags["resolved"] = random.random() < self.config.satisfied * trouble.satisfied_factor
        spent = {"talk_seconds": round(talk, 3), "hold_seconds": round(hold, 3), "holds": int(held), "wrap_seconds": round(wrap, 3)}
        self._event(done_ms, "contact.completed", about | spent | flags)
        self._survey(done_ms, about, self.config.satisfied * trouble.satisfied_factor)

    def _survey(self, asked_ms: int, about: dict[str, Any], satisfied: float) -> None:
        config, random = self.config, self.random
        kind = random.choices(("csat", "nps", "ces"), (0.8, 0.1, 0.1))[0]
        self._event(asked_ms, "survey.invited", about | {"survey": kind}, "surveys")
        if random.random() >= config.surveyed:
            return
        lowest_top, highest = _TOP_BOXES[kind]
        score = random.randint(lowest_top, highest) if random.random() < satisfied else random.randint(_LOWEST[kind], lowest_top - 1)
        answered_ms = asked_ms + round(random.uniform(5, 300) * 1000)
        late_ms = round(random.uniform(0.25, 6) * HOUR_MS) if random.random() < config.survey_delayed else 0
        self._event(answered_ms, "survey.response", about | {"survey": kind, "score": score, "scale_max": highest}, "surveys", late_ms)

    def _event(self, at_ms: int, kind: str, fields: dict[str, Any], source: Source = "interactions", late_ms: int = 0) -> None:
        """An event that occurs at `at_ms`: delivered at once, or late, or twice."""
        config, random = self.config, self.random
        self.made += 1
        common = {"event_id": f"{self.name}-e{self.made}", "type": kind, "partner_id": self.partner.id, "occurred_at": at_ms}
        value = orjson.dumps(common | fields)
        if random.random() < config.disordered:
            late_ms += round(random.expovariate(1 / 40) * 1000) + 2000
        self.out.append((at_ms + late_ms, source, value))
        if random.random() < config.duplicated:
            self.out.append((at_ms + late_ms + random.randint(0, MINUTE_MS), source, value))

    def _poison(self, at_ms: int) -> bytes:
        """A record that must end among the dead letters."""
        self.made += 1
        event = {"event_id": f"{self.name}-e{self.made}", "type": "contact.abandoned", "partner_id": self.partner.id, "occurred_at": at_ms}
        wrong: list[bytes] = [
            b'{"event_id": "cut off',
            b"\xff\xfe not text",
            orjson.dumps({**event, "wait_seconds": "soon"}),
            orjson.dumps({**event, "wait_seconds": -3}),
            orjson.dumps({**event, "type": "contact.teleported"}),
            orjson.dumps({**event, "wait_seconds": 3, "occurred_at": at_ms // 1000}),
        ]
        if self.config.future:
            wrong.append(orjson.dumps({**event, "wait_seconds": 3, "occurred_at": at_ms + DAY_MS}))
        return self.random.choice(wrong)


class World:
    """All partners, from `from_ms` on; what it delivers is asked for stretch by stretch."""

    def __init__(self, config: Simulated, seed: int, from_ms: int, script: Script) -> None:
        self._script = script
        self._numbers = itertools.count()
        self._agenda: list[tuple[int, int, _Desk, tuple[Source, bytes] | None]] = []
        """(when, a number that keeps the order, whose, what is delivered or None for the next contact)."""
        for partner in config.partners:
            desk = _Desk(config, partner, seed, from_ms)
            self._plan(from_ms + desk.gap_ms(from_ms), desk, None)

    def _plan(self, at_ms: int, desk: _Desk, what: tuple[Source, bytes] | None) -> None:
        heapq.heappush(self._agenda, (at_ms, next(self._numbers), desk, what))

    def until(self, to_ms: int | None) -> Iterator[Delivery]:
        """What is delivered before `to_ms` (None: for ever) and was not yet, in order; the script is asked as each contact arrives."""
        while self._agenda and (to_ms is None or self._agenda[0][0] < to_ms):
            at_ms, _, desk, what = heapq.heappop(self._agenda)
            if what is not None:
                yield Delivery(at_ms, what[0], desk.partner.id, what[1])
                continue
            desk.contact(at_ms, self._script.trouble(desk.partner.id, at_ms))
            for delivered_ms, source, value in desk.out:
                self._plan(delivered_ms, desk, (source, value))
            desk.out.clear()
            self._plan(at_ms + desk.gap_ms(at_ms), desk, None)
