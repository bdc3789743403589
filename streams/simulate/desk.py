"""One simulated partner at work: contacts come, somebody takes them or not, and things come of them."""

import math
from random import Random
from typing import Any, Final

import orjson

from models.windows import DAY_MS, HOUR_MS, MINUTE_MS
from streams.delivery import Source
from streams.simulate.config import Line, Partner, Simulated
from streams.simulate.customers import Customers
from streams.simulate.office import Office
from streams.simulate.outbox import Outbox
from streams.simulate.script import Trouble
from streams.simulate.staff import Staff

__all__ = ["Desk"]

_TOP_BOXES: Final = {"csat": (4, 5), "nps": (9, 10), "ces": (5, 7)}
_LOWEST: Final = {"csat": 1, "nps": 0, "ces": 1}


class Desk:
    """It draws from its own randomness, so trouble at one partner changes nothing at another."""

    def __init__(self, config: Simulated, partner: Partner, seed: int, from_ms: int) -> None:
        self.config = config
        self.partner = partner
        self.random = Random(f"{seed}/{partner.id}")
        self.name = f"{partner.id}-{from_ms // 1000:x}"
        self.contacts = 0
        self._customers = Customers(Random(f"{seed}/{partner.id}/customers"), config.returning)
        self._outbox = Outbox(config, partner.id, self.random, f"{self.name}-e")
        people = Outbox(config, partner.id, Random(f"{seed}/{partner.id}/staff"), f"{self.name}-s")
        self._staff = Staff(people, from_ms)
        back = Outbox(config, partner.id, Random(f"{seed}/{partner.id}/office"), f"{self.name}-o")
        self._office = Office(back, partner, from_ms)
        self._outboxes = self._outbox, people, back

    def gap_ms(self, at_ms: int) -> int:
        """From one contact to the next, by the hour of the day."""
        return max(1, round(MINUTE_MS / self.config.contacts_per_minute(at_ms) * self.random.uniform(0.5, 1.5)))

    def take(self) -> list[tuple[int, Source, bytes]]:
        """What the contacts since the last call brought about: (delivered at, source, value)."""
        return [each for outbox in self._outboxes for each in outbox.take()]

    def contact(self, at_ms: int, trouble: Trouble) -> None:
        """Everything that comes of the contact that arrives at `at_ms`."""
        config, random, tell = self.config, self.random, self._outbox.event
        self.contacts += 1
        self._office.plan(at_ms)
        line = random.choices(self.partner.lines, [line.share for line in self.partner.lines])[0]
        about = {"contact_id": f"{self.name}-{self.contacts}", "queue": line.queue, "channel": line.channel}
        tell(at_ms, "contact.queued", about)
        wait_ms = round(random.expovariate(1 / (config.wait_seconds * line.wait_factor * trouble.wait_factor)) * 1000)
        fate = random.random() - config.unclosed
        if 0 <= fate < config.left:
            tell(at_ms + wait_ms, "contact.left", about | {"outcome": "callback"})
        elif config.left <= fate < config.left + config.abandoned * trouble.abandon_factor:
            patience_ms = round(random.expovariate(1 / 30) * 1000)
            tell(at_ms + patience_ms, "contact.abandoned", about | {"wait_seconds": patience_ms / 1000})
        elif fate >= 0:
            self._answered(at_ms, wait_ms, line, about, config.satisfied * trouble.satisfied_factor)
        if random.random() < config.poisoned:
            self._outbox.waiting.append((at_ms, random.choice(("interactions", "surveys")), self._poison(at_ms)))

    def _answered(self, came_ms: int, wait_ms: int, line: Line, about: dict[str, Any], satisfied: float) -> None:
        random, at_ms = self.random, came_ms + wait_ms
        talk, wrap = random.lognormvariate(math.log(self.config.talk_seconds), 0.5), random.uniform(5, 40)
        held = random.random() < 0.2  # noqa: PLR2004 - one call in five is put on hold
        hold = random.uniform(10, 90) if held else 0.0
        done_ms = at_ms + round((talk + hold + wrap) * 1000)
        about |= {"agent_id": self._staff.serve(came_ms, (at_ms, at_ms + round((talk + hold) * 1000), done_ms), line)}
        self._outbox.event(at_ms, "contact.answered", about | {"wait_seconds": wait_ms / 1000})
        flags = {name: random.random() < share for name, share in (("transferred", 0.06), ("escalated", 0.02))}
        flags["resolved"] = random.random() < satisfied
        spent = {"talk_seconds": round(talk, 3), "hold_seconds": round(hold, 3), "holds": int(held), "wrap_seconds": round(wrap, 3)}
        customer = self._customers.who(came_ms)
        if not flags["resolved"]:
            self._customers.not_helped(customer, done_ms)
        self._outbox.event(done_ms, "contact.completed", about | spent | flags | {"customer_key": customer})
        self._survey(done_ms, about, satisfied)
        self._office.follow_up(done_ms, about, satisfied)

    def _survey(self, asked_ms: int, about: dict[str, Any], satisfied: float) -> None:
        config, random = self.config, self.random
        kind = random.choices(("csat", "nps", "ces"), (0.8, 0.1, 0.1))[0]
        self._outbox.event(asked_ms, "survey.invited", about | {"survey": kind}, "surveys")
        if random.random() >= config.surveyed:
            return
        lowest_top, highest = _TOP_BOXES[kind]
        score = random.randint(lowest_top, highest) if random.random() < satisfied else random.randint(_LOWEST[kind], lowest_top - 1)
        answered_ms = asked_ms + round(random.uniform(5, 300) * 1000)
        late_ms = round(random.uniform(0.25, 6) * HOUR_MS) if random.random() < config.survey_delayed else 0
        answer = {"survey": kind, "score": score, "scale_max": highest}
        self._outbox.event(answered_ms, "survey.response", about | answer, "surveys", late_ms)

    def _poison(self, at_ms: int) -> bytes:
        """A record that must end among the dead letters."""
        event = self._outbox.common(at_ms, "contact.abandoned")
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
