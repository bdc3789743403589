"""A simulator of outsourced customer service: partners with queues and channels, ordinary days, scripted trouble."""

from streams.simulate.config import Line, Partner, Simulated, partners
from streams.simulate.run import Stretch, simulate
from streams.simulate.script import Incident, IncidentKind, Script
from streams.simulate.world import World, events

__all__ = ["Incident", "IncidentKind", "Line", "Partner", "Script", "Simulated", "Stretch", "World", "events", "partners", "simulate"]
