"""Names by the million: each spelling is resolved once and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from checker.ask import MOST_DRUGS, AskError, order, resolve
from checker.batch.errors import Refusal, of_ask
from checker.model import NotUnderstood, Order
from checker.names import Match, Names
from knowledge import Knowledge
from knowledge.normalise import LONGEST_NAME

_TEXTS = {"drug": LONGEST_NAME, "vehicle": LONGEST_NAME, "conc": 60, "formulation": 60, "line": 60}  # longest of each
REMEMBERED = 100_000  # spellings kept at most
MISSING, IRREGULAR = -1, -2  # instead of a state: not understood; not a name at all


class BatchNames(Names):
    """Names that remember every spelling. suggesting: look for names that are near; dear, and of no use where only verdicts are told."""

    def __init__(self, knowledge: Knowledge, suggesting: bool) -> None:
        super().__init__(knowledge)
        self.suggesting = suggesting
        self._resolved: dict[str, Match | NotUnderstood] = {}

    def resolve(self, text: str, at: str) -> Match | NotUnderstood:
        """As Names.resolve."""
        found = self._resolved.get(text)
        if found is None:
            found = super().resolve(text, "")
            if len(self._resolved) >= REMEMBERED:
                self._resolved.clear()
            self._resolved[text] = found
        return replace(found, at=at) if isinstance(found, NotUnderstood) else found

    def suggest(self, text: str) -> tuple[str, ...]:
        """As Names.suggest, or nothing."""
        return super().suggest(text) if self.suggesting else ()


class States(dict[Any, int]):
    """Spelling -> state of the matrix, MISSING or IRREGULAR. system: spellings are codes of this system, None = names."""

    def __init__(self, names: Names, index: Mapping[str, int], system: str | None = None) -> None:
        super().__init__()
        self.names, self.index, self.system = names, index, system
        self._reasons: dict[Any, str] = {}

    def reason(self, text: Any) -> str:
        """Why a spelling is missing, as a key of Tally.names."""
        if text not in self._reasons:
            self.pop(text, None)
            self.__missing__(text)  # the memory was emptied in between
        return self._reasons[text]

    def __missing__(self, text: Any) -> int:
        if self.system is None and not (isinstance(text, str) and text.strip() and len(text) <= LONGEST_NAME):
            return IRREGULAR
        if len(self) >= REMEMBERED:
            self.clear()
            self._reasons.clear()
        found = self.names.resolve(text, "") if self.system is None else self.names.resolve_code(self.system, str(text), "")
        if isinstance(found, NotUnderstood):
            self[text] = MISSING
            self._reasons[text] = f"{found.reason}\t{found.asked}"
            return MISSING
        self[text] = self.index[found.drug]
        return self[text]


def read_order(question: Any, names: Names) -> Order | Refusal:
    """A question as an Order, or why it cannot be read. Plain shapes, which most have, need no schema."""
    try:
        data = _plain(question)
        return resolve(data, names) if data is not None else order(question, names)
    except AskError as error:
        return of_ask(error)


def _plain(question: Any) -> dict[str, Any] | None:
    """What the schemas make of a question, when it is a list of drugs with nothing but texts; None = let them see to it."""
    if not isinstance(question, dict) or len(question) != 1:
        return None
    drugs = question.get("drugs")
    if not isinstance(drugs, list) or not 0 < len(drugs) <= MOST_DRUGS:
        return None
    items: list[dict[str, str]] = []
    for given in drugs:
        item = {"drug": given} if isinstance(given, str) else given
        if type(item) is not dict or "drug" not in item:
            return None
        for key, text in item.items():
            if not isinstance(text, str) or not 0 < len(text) <= _TEXTS.get(key, 0) or (key == "drug" and not text.strip()):
                return None
        items.append(item)
    return {"drugs": items}
