"""The facts, as files that a pharmacist can read, and the loader that links them into a graph."""

from knowledge.errors import KnowledgeError, Problem
from knowledge.link import Knowledge
from knowledge.load import load

__all__ = ["Knowledge", "KnowledgeError", "Problem", "load"]
