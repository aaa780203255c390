"""The jobs' tests stand on the same parts as those of runs."""

from tests.support.runs.house import house
from tests.support.runs.stream import stream

__all__ = ["house", "stream"]
