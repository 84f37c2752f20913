"""Order sets in bulk: files and streams in, one result row for every row in, on one machine or a cluster."""

from checker.batch.errors import LOGGER, BatchError, Refusal, WrongKnowledge
from checker.batch.run import Batch, Done, run, summary_path
from checker.batch.stream import Cut, Limits, Streamer, answers, lines
from checker.batch.tally import Tally

__all__ = [
    "LOGGER",
    "Batch",
    "BatchError",
    "Cut",
    "Done",
    "Limits",
    "Refusal",
    "Streamer",
    "Tally",
    "WrongKnowledge",
    "answers",
    "lines",
    "run",
    "summary_path",
]
