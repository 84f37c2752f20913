"""The engine: an order in, a report out. Pure over the knowledge it is given; knows nothing of HTTP."""

from checker.ask import MOST_DRUGS, AskError, AskProblem, order, spoken
from checker.check import Checker
from checker.names import Names
from checker.once import repeated_field
from checker.report import Renderer, cite_line

__all__ = ["MOST_DRUGS", "AskError", "AskProblem", "Checker", "Names", "Renderer", "cite_line", "order", "repeated_field", "spoken"]
