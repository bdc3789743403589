"""What is to be sent, in which order, and how far the topic is done with. Pure: time is an argument.

Of one incident and receiver everything goes in the order of the topic, one at a time: a lane. Lanes wait for nothing of each
other, but no receiver takes up all that is sent at once. The offset that may be committed is that of the lowest unfinished intent,
so that a crash loses none; with it stands what beyond it is finished, so that few come twice.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from models.notifications import Notification, NotifyReason
from streams.notifier.progress import Progress

__all__ = ["Intent", "Lane", "Lanes", "lane_of"]

Lane = tuple[str, str, str]
"""Incident, and the type and id of its receiver: whoever of several people a pager is told for, it knows one incident."""

Place = tuple[int, int]
"""Partition and offset."""


def lane_of(notification: Notification) -> Lane:
    """Within which it is ordered."""
    return notification.incident, notification.receiver.type, notification.receiver.id


@dataclass(slots=True, eq=False)
class Intent:
    """A notification on its way; `place` is None for one of our own, which no offset waits for."""

    notification: Notification
    place: Place | None
    due_ms: int
    tries: int = 0
    """Rounds that failed."""
    tried_ms: int | None = None
    """When the first of them began."""

    @property
    def lasting(self) -> bool:
        """Whether it is tried until its time is over, and marked so that no other notifier sends it too."""
        return self.place is not None or self.notification.reason is NotifyReason.HANDOVER


class Lanes:
    """Everything unfinished.

    Args:
        in_flight_max: sent at once.
        receiver_max: of those to one receiver.
    """

    def __init__(self, in_flight_max: int, receiver_max: int) -> None:
        self._in_flight_max = in_flight_max
        self._receiver_max = receiver_max
        self._lanes: dict[Lane, deque[Intent]] = {}
        self._turns: list[tuple[int, int, Lane]] = []
        """When the head of a lane is due: a heap, in which a turn that is out of date is passed over."""
        self._numbers = count()
        self._in_flight: set[Intent] = set()
        self._of_receiver: Counter[str] = Counter()
        self._unfinished: dict[int, dict[int, Intent]] = {}
        """By partition, offsets in their order."""
        self._next: dict[int, int] = {}
        """By partition, the offset after the last that was seen."""
        self._before: dict[int, Progress] = {}
        """By partition, what its former notifier was done with."""
        self._open: set[int] = set()
        """Partitions of which something may be begun."""

    def __len__(self) -> int:
        """How many are unfinished, our own aside."""
        return sum(map(len, self._unfinished.values()))

    def add(self, notification: Notification, place: Place | None, now_ms: int) -> Intent | None:
        """Take what stands at `place`; None if it was taken before, or a former notifier was done with it."""
        if place is not None and (not self.passed(place) or self._done_before(place)):
            return None
        intent = Intent(notification, place, now_ms)
        if place is not None:
            self._unfinished.setdefault(place[0], {})[place[1]] = intent
        lane = lane_of(notification)
        queue = self._lanes.setdefault(lane, deque())
        queue.append(intent)
        if len(queue) == 1:
            self._turn(lane, now_ms)
        return intent

    def passed(self, place: Place) -> bool:
        """Go beyond a record of the topic; False if that was so already."""
        partition, offset = place
        if offset < self._next.get(partition, 0):
            return False
        self._next[partition] = offset + 1
        return True

    def go_on(self, partition: int, progress: Progress) -> None:
        """Begin with a partition; this is how far another was done with it, of which something may have been read already."""
        self._before[partition] = progress
        for offset, intent in [*self._unfinished.get(partition, {}).items()]:
            if self._done_before((partition, offset)):
                self.finish(intent)
        self._open.add(partition)
        for lane, queue in self._lanes.items():
            if queue[0].place is not None and queue[0].place[0] == partition:
                self._turn(lane, queue[0].due_ms)

    def _done_before(self, place: Place) -> bool:
        partition, offset = place
        before = self._before.get(partition)
        if before is None:
            return False
        if offset < before.offset or offset >= before.seen:
            # Past its end nothing is known; before its beginning it is another topic of that name.
            del self._before[partition]
            return False
        return offset not in before.unfinished

    def idle(self, notification: Notification) -> bool:
        """Whether nothing of its lane waits or is being sent."""
        return lane_of(notification) not in self._lanes

    def take(self, now_ms: int) -> list[Intent]:
        """What is to be sent now; each must be finished, parked or tried again."""
        taken, aside = [], []
        while self._turns and self._turns[0][0] <= now_ms and len(self._in_flight) < self._in_flight_max:
            due_ms, _, lane = heappop(self._turns)
            queue = self._lanes.get(lane)
            if not queue or queue[0].due_ms != due_ms or queue[0] in self._in_flight or self.leaving(queue[0]):
                continue
            if self._of_receiver[lane[2]] >= self._receiver_max:
                aside.append((due_ms, lane))
                continue
            self._in_flight.add(queue[0])
            self._of_receiver[lane[2]] += 1
            taken.append(queue[0])
        for due_ms, lane in aside:
            self._turn(lane, due_ms)
        return taken

    def next_due_ms(self) -> int | None:
        """When something is due at the earliest; None: nothing waits."""
        return self._turns[0][0] if self._turns else None

    def retry(self, intent: Intent, due_ms: int) -> None:
        """It is to be tried again; its lane waits for it."""
        self._land(intent)
        if self._head(intent):
            intent.due_ms = due_ms
            self._turn(lane_of(intent.notification), due_ms)

    def park(self, intent: Intent) -> None:
        """It left its lane, but is not finished: it waits for a digest."""
        self._land(intent)
        self._leave_lane(intent)

    def finish(self, intent: Intent) -> None:
        """It is done with."""
        self.park(intent)
        if intent.place is not None:
            partition, offset = intent.place
            self._unfinished.get(partition, {}).pop(offset, None)

    def holds(self, intent: Intent) -> bool:
        """Whether it is ours still."""
        return intent.place is None or self._unfinished.get(intent.place[0], {}).get(intent.place[1]) is intent

    def progress(self) -> dict[int, Progress]:
        """By partition, the offset up to which everything is finished, and what beyond it is."""
        return {partition: self._progress(partition, end) for partition, end in self._next.items()}

    def _progress(self, partition: int, end: int) -> Progress:
        unfinished = self._unfinished.get(partition, {})
        before = self._before.get(partition)
        if before is not None and end < before.seen:
            # What the former one was done with further on is not forgotten by going on from here.
            left = frozenset(each for each in before.unfinished if each >= end)
            return Progress(next(iter(unfinished), end), before.seen, frozenset(unfinished) | left)
        return Progress(next(iter(unfinished), end), end, frozenset(unfinished))

    def hold(self, partitions: Collection[int]) -> None:
        """Begin nothing more of these partitions, which are about to be another's."""
        self._open.difference_update(partitions)

    def leaving(self, intent: Intent) -> bool:
        """Whether its partition is about to be another's, or is, or was not begun with."""
        return not self.holds(intent) or (intent.place is not None and intent.place[0] not in self._open)

    def forget(self, partitions: Collection[int]) -> None:
        """They are another's now, or ours anew."""
        for partition in partitions:
            self._open.discard(partition)
            self._before.pop(partition, None)
            self._next.pop(partition, None)
            for intent in [*self._unfinished.pop(partition, {}).values()]:
                self.park(intent)

    def of(self, partitions: Collection[int]) -> bool:
        """Whether something of these partitions is being sent."""
        return any(intent.place is not None and intent.place[0] in partitions for intent in self._in_flight)

    def oldest_ms(self) -> int | None:
        """When the oldest that is unfinished was committed; None: there is none."""
        held = (intent for intents in self._unfinished.values() for intent in intents.values())
        return min((intent.notification.processed_at for intent in held), default=None)

    def failing(self) -> Intent | None:
        """The oldest that was tried in vain and waits; what gives way where there is too much."""
        waiting = (intent for intent in self._waiting() if intent.tries)
        return min(waiting, key=lambda intent: intent.notification.processed_at, default=None)

    def _waiting(self) -> Iterator[Intent]:
        return (queue[0] for queue in self._lanes.values() if queue[0] not in self._in_flight and queue[0].place is not None)

    def _turn(self, lane: Lane, due_ms: int) -> None:
        heappush(self._turns, (due_ms, next(self._numbers), lane))

    def _head(self, intent: Intent) -> bool:
        queue = self._lanes.get(lane_of(intent.notification))
        return bool(queue) and queue is not None and queue[0] is intent

    def _land(self, intent: Intent) -> None:
        if intent in self._in_flight:
            self._in_flight.discard(intent)
            receiver = intent.notification.receiver.id
            self._of_receiver[receiver] -= 1
            if not self._of_receiver[receiver]:
                del self._of_receiver[receiver]

    def _leave_lane(self, intent: Intent) -> None:
        lane = lane_of(intent.notification)
        queue = self._lanes.get(lane)
        if queue is None or intent not in queue:
            return
        was_head = queue[0] is intent
        queue.remove(intent)
        if not queue:
            del self._lanes[lane]
        elif was_head:
            self._turn(lane, queue[0].due_ms)
