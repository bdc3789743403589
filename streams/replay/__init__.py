"""Replaying logs: files of what happened, mapped to events, written in the order of stream time, and the days they close."""

from streams.replay.log_file import LogFile, read_rows
from streams.replay.order import dated, in_order
from streams.replay.report import Day, Report, make_report
from streams.replay.run import replay
from streams.replay.shift import Shift, Timing
from streams.replay.tally import Tally

__all__ = ["Day", "LogFile", "Report", "Shift", "Tally", "Timing", "dated", "in_order", "make_report", "read_rows", "replay"]
