"""The demo: everything on this machine, from nothing to an alert that fires and resolves."""

from streams.demo.demo import run_demo

__all__ = ["run_demo"]
