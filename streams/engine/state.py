"""The state of one partition number, shared by the parts of its engine, and the schedule of what falls due."""

from collections import Counter
from heapq import heappop, heappush
from typing import Final

from models.notices import ANNOTATION, OVERRIDE, SILENCE, AnnotationState, OverrideState, SilenceState
from models.policy import PartnerPolicy
from models.topics import partition_of
from models.windows import GRID_MS
from streams.engine.agents import Agents
from streams.engine.beside import beside_due_ms
from streams.engine.config import EngineConfig
from streams.engine.contacts import Contacts
from streams.engine.contributions import Contributions
from streams.engine.done import Commands
from streams.engine.forecasts import Plans
from streams.engine.frontier import Frontier
from streams.engine.history import History
from streams.engine.incidents import Incidents
from streams.engine.judge import due_ms
from streams.engine.notices import Notices
from streams.engine.output import Output
from streams.engine.panes import PaneStore
from streams.engine.partner import Partner
from streams.engine.policies import Policies
from streams.engine.seen import SeenIds
from streams.engine.sources import Sources
from streams.engine.tickets import Tickets

__all__ = ["State"]

_STRANGERS_MAX: Final = 10_000


class State:
    """Mutable; nothing in it knows of Kafka."""

    def __init__(self, partition: int, config: EngineConfig) -> None:
        self.partition = partition
        self.config = config
        self.partners: dict[str, Partner] = {}
        self.policies = Policies()
        self.contacts = Contacts(config.limits.open_contacts)
        self.tickets = Tickets(config.limits.tickets, config.limits.tickets_horizon_ms)
        self.contributions = Contributions(config.limits.records)
        self.plans = Plans(config.limits.forecasts)
        self.agents = Agents(config.limits.agents, config.limits.agents_horizon_ms)
        self.history = History(config.limits.visits)
        self.silences = Notices(SILENCE, SilenceState, config.limits.silences)
        self.annotations = Notices(ANNOTATION, AnnotationState, config.limits.annotations)
        self.overrides = Notices(OVERRIDE, OverrideState, config.limits.overrides)
        self.incidents = Incidents(config.limits.incidents)
        self.done = Commands(config.limits.commands)
        self.sources = Sources(config.topics.interactions, config.limits.sources)
        self.seen = SeenIds(config.limits.seen_horizon_ms, config.limits.seen_ids)
        self.frontier = Frontier(config.topics.subscribed, from_log=config.clock_from_log)
        self.applied: dict[str, int] = {}
        """By topic: the next offset to be read."""
        self.counters: Counter[str] = Counter()
        self.sequence = 0
        self.now_ms = 0
        """The wall clock as it was last told."""
        self.outputs: list[Output] = []
        """Dead letters, late records and outcomes of commands, for the next commit."""
        self.failed_ms: dict[str, int] = {}
        """By type of command, when a letter said last that our own code raised at one."""
        self._due: list[tuple[int, str]] = []
        self._strangers: set[str] = set()

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, made when it is first seen; None where it belongs to another partition or the limit is reached."""
        partner = self.partners.get(partner_id)
        if partner is not None or not self.at_home(partner_id):
            return partner
        policy = self.policies.of(partner_id)
        if not policy.configured and self._unconfigured() >= self.config.limits.unconfigured_partners:
            return None
        frontier = self.frontier.value_ms - policy.settle_ms
        closed_ms = frontier - frontier % GRID_MS if self.frontier.value_ms else 0
        partner = self.partners[partner_id] = self.make(partner_id, policy, PaneStore(partner_id, policy.timezone, closed_ms))
        partner.totals.rebuild()
        self.want(partner, closed_ms)
        return partner

    def make(self, partner_id: str, policy: PartnerPolicy, panes: PaneStore) -> Partner:
        """A partner with what is held of it elsewhere."""
        held = self.contacts.of(partner_id), self.tickets.of(partner_id), self.plans.of(partner_id), self.agents.of(partner_id)
        partner = Partner(partner_id, policy, panes, *held, self.history)
        partner.feed.sources = self.sources
        return partner

    def speaks(self, topic: str, source: str, at_ms: int) -> None:
        """A source says that it lives; partners of which nothing can be said while it did not are looked at again."""
        if self.sources.hear(topic, source, at_ms):
            grid_ms = at_ms + -at_ms % GRID_MS
            for partner in self.partners.values():
                if partner.feed.watched and partner.panes.closed_ms:
                    self.want(partner, max(grid_ms, partner.panes.closed_ms + GRID_MS))

    def _unconfigured(self) -> int:
        return sum(not partner.policy.configured for partner in self.partners.values())

    def at_home(self, partner_id: str) -> bool:
        """Whether the partner belongs to this partition number."""
        if partner_id in self.partners:
            return True
        if partner_id in self._strangers:
            return False
        if partition_of(partner_id, self.config.partitions, self.config.partitioner) == self.partition:
            return True
        if len(self._strangers) < _STRANGERS_MAX:
            self._strangers.add(partner_id)
        return False

    def want(self, partner: Partner, grid_ms: int) -> None:
        """Have the partner closed at the grid point `grid_ms`, if nothing is due before."""
        due = grid_ms + partner.policy.settle_ms
        if partner.due_ms is None or due < partner.due_ms:
            partner.due_ms = due
            heappush(self._due, (due, partner.id))

    def touch(self, partner: Partner, grid_ms: int) -> None:
        """As `want`, for a reason that the panes do not show after a restart."""
        if partner.touched_ms is None or grid_ms < partner.touched_ms:
            partner.touched_ms, partner.row_changed = grid_ms, True
        self.want(partner, grid_ms)

    def reschedule(self, partner: Partner) -> None:
        """Find the next grid point at which something becomes different, after the partner was closed."""
        closed = partner.panes.closed_ms
        changes = [partner.next_change_ms(), due_ms(partner), beside_due_ms(partner, self.silences) if partner.asides else None]
        if partner.id in self.incidents.open:
            changes.append(self.incidents.due_ms(partner.id))
        due = [each for each in changes if each is not None]
        partner.due_ms = None
        if due:
            self.want(partner, max(min(due), closed + GRID_MS))

    @property
    def next_due_ms(self) -> int:
        """The frontier at which something falls due; far away if nothing does."""
        return self._due[0][0] if self._due else 2**62

    def take_due(self) -> Partner | None:
        """The next partner that is due at the present frontier, in order of time; None if none is."""
        while self._due and self._due[0][0] <= self.frontier.value_ms:
            due, partner_id = heappop(self._due)
            partner = self.partners.get(partner_id)
            if partner is not None and partner.due_ms == due:
                return partner
        return None

    def grid_ms(self, settle_ms: int) -> int:
        """The last grid point that the frontier has passed by `settle_ms`."""
        at = self.frontier.value_ms - settle_ms
        return at - at % GRID_MS
