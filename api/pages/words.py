"""How the pages show a status, a verdict, a source and a tested condition: colour, symbol and word, always together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from checker import cite_line, wording
from checker.model import Judgement, Level, Reason, Relation, Status, Verdict
from knowledge import Knowledge
from knowledge.model import Cited, Row, Side, Source
from knowledge.terms import Finding, Method, Mode, Result, SourceKind


@dataclass(frozen=True, slots=True)
class Mark:
    """A status as it is seen. cls: of the style sheet. short: for narrow cells. answer: False = this is no answer."""

    cls: str
    symbol: str
    word: str
    short: str
    means: str
    answer: bool = True


INCOMPATIBLE = Mark("bad", "×", "incompatible", "incomp.", "found incompatible, or kept apart by a label")
VARIABLE = Mark("warn", "!", "caution", "caution", "results differ, or a related test failed")
UNCONFIRMED = Mark("warn", "✓?", "unconfirmed", "unconf.", "reported compatible, but the source does not state your conditions")
COMPATIBLE = Mark("ok", "✓", "compatible", "compat.", "found compatible under the conditions shown")
NOT_STUDIED = Mark("none", "?", "no data", "no data", "nobody tested this pair, as far as is known: not an answer", answer=False)
NOT_AS_ASKED = Mark("none far", "≠", "not as asked", "not so", "tested, but not under your conditions: not an answer", answer=False)
NOT_CHECKED = Mark("none lost", "∅", "not checked", "not read", "a name was not understood: not an answer", answer=False)
SEPARATE = Mark("sep", "∥", "separate", "apart", "on different lines, so they do not meet")
LEGEND = (INCOMPATIBLE, VARIABLE, UNCONFIRMED, COMPATIBLE, NOT_AS_ASKED, NOT_STUDIED, NOT_CHECKED, SEPARATE)

RESULTS = {
    Result.INCOMPATIBLE: INCOMPATIBLE,
    Result.COMPATIBLE: COMPATIBLE,
    Result.VARIABLE: Mark("warn", "!", "varies", "var", "compatible only under some conditions"),
}
LEVELS = {
    Level.STOP: Mark("bad", "×", "stop", "stop", "do not run it so"),
    Level.CAUTION: Mark("warn", "!", "caution", "caution", "read before you run it"),
    Level.UNKNOWN: Mark("none", "?", "unknown", "unknown", "not an answer", answer=False),
    Level.NOTE: Mark("note", "·", "note", "note", "to know and to meet"),
}
VERDICTS = {
    Verdict.STOP: Mark("bad", "×", "Stop", "stop", "Do not run it as it stands."),
    Verdict.CAUTION: Mark("warn", "!", "Caution", "caution", "Read the findings before you run it."),
    Verdict.UNKNOWN: Mark(
        "none", "?", "Unknown", "unknown", "Something was never tested, or not understood. Unknown is not compatible.", answer=False
    ),
    Verdict.CLEAR: Mark(
        "ok", "✓", "Clear", "clear", "Every pair was found compatible under the conditions shown. Make sure that they are yours."
    ),
}
ONE_ALONE = "One drug: there is no pair to check. What it asks of its own line follows."
MODES = {Mode.Y_SITE: "Y-site", Mode.ADMIXTURE: "Admixture", Mode.SYRINGE: "Syringe"}
MODE_WORDS = {Mode.Y_SITE: "at the Y-site", Mode.ADMIXTURE: "in one container", Mode.SYRINGE: "in one syringe"}
_METHODS = {Method.OTHER: "method not stated"}
RELATIONS = {
    Relation.COVERS: "tested under your conditions",
    Relation.SILENT: "does not state all that you asked",
    Relation.EXCLUDES: "tested under other conditions",
}
KINDS = {
    SourceKind.JOURNAL: "study",
    SourceKind.LABEL: "label",
    SourceKind.GUIDELINE: "guideline",
    SourceKind.REVIEW: "review",
    SourceKind.DATASET: "dataset",
    SourceKind.POLICY: "local policy",
    SourceKind.CHART: "local chart",
}
READ = {"full-text": "full text read", "abstract": "abstract read", "label": "label read", "": "reading not recorded"}


_YEAR = re.compile(r"(?:19|20)\d\d")


def mark(judged: Judgement | None) -> Mark:
    """How a judged pair is shown; None = the two do not share a line."""
    if judged is None:
        return SEPARATE
    if judged.status is Status.COMPATIBLE:
        return COMPATIBLE if judged.stated else UNCONFIRMED
    if judged.status is Status.NO_DATA:
        return NOT_AS_ASKED if judged.reason is Reason.OUTSIDE_TESTED else NOT_STUDIED
    return INCOMPATIBLE if judged.status is Status.INCOMPATIBLE else VARIABLE


@lru_cache(maxsize=8192)
def short_cite(source: Source) -> str:
    """A source in a few words: "Kufel 2017", or the beginning of its title."""
    year = found[0] if (found := _YEAR.search(source.year)) else ""
    if source.author:
        return (
            f"{source.author.split(',')[0].split(' and ')[0].rsplit(' ', 1)[0] if ' ' in source.author else source.author} {year}".strip()
        )
    title = source.title.split(" - ")[0].split(":")[0] or source.publisher or source.id
    title = title if len(title) <= 46 else title[:45].rsplit(" ", 1)[0].rstrip(" ,(") + " …"
    return f"{title} {year}" if year and year not in title else title


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source where it is cited."""

    id: str
    short: str
    cite: str
    at: str
    read: str
    kind: str
    twice: bool


def source(knowledge: Knowledge, cited: Cited) -> SourceView:
    """A citation for the page."""
    return cite(knowledge, cited.source, cited.at, str(cited.read or ""), str(cited.review))


def cite(knowledge: Knowledge, identity: str, at: str, read: str, review: str) -> SourceView:
    """The same from its parts."""
    found = knowledge.sources[identity]
    return SourceView(found.id, short_cite(found), cite_line(found), at, READ.get(read, read), KINDS[found.kind], review == "second-read")


@dataclass(frozen=True, slots=True)
class RowView:
    """One tested condition for a table of evidence."""

    result: Mark
    mode: str
    a: str
    b: str
    hours: str
    how: str
    saw: str
    note: str
    relation: str
    settled: bool
    via: str
    source: SourceView


def row(knowledge: Knowledge, tested: Row, relation: str = "", settled: bool = False, via: str = "", first: str = "") -> RowView:
    """A tested condition for the page. first: the drug whose side comes first."""
    one, two = (tested.b, tested.a) if first == tested.b.drug else (tested.a, tested.b)
    methods = ", ".join(_METHODS.get(method, wording.word(knowledge, "method", method)) for method in tested.method)
    saw = (
        ""
        if tested.finding in (Finding.NONE, Finding.OTHER) and tested.result is Result.COMPATIBLE
        else wording.word(knowledge, "finding", tested.finding)
    )
    return RowView(
        RESULTS[tested.result],
        MODES[tested.mode],
        side(knowledge, one),
        side(knowledge, two),
        lasting(tested.hours),
        f"{wording.word(knowledge, 'basis', tested.basis)}: {methods}" if methods else wording.word(knowledge, "basis", tested.basis),
        saw,
        tested.note,
        relation,
        settled,
        via,
        source(knowledge, tested.cited),
    )


def lasting(hours: float | None) -> str:
    """How long a test ran."""
    if hours is None:
        return ""
    return "at once" if hours == 0 else f"{hours * 60:.0f} min" if hours < 1 else f"{hours:g} h"


def route(knowledge: Knowledge, code: str) -> str:
    """By which route an interaction holds; nothing for any."""
    return "" if code == "any" else wording.word(knowledge, "route", code)


def side(knowledge: Knowledge, state: Side) -> str:
    """The state in which one drug of a pair was tested, without its name: "5 mg/mL in NS"."""
    parts = [state.formulation, state.conc.text if state.conc else "", f"[{state.added}]" if state.added else ""]
    if state.vehicles:
        joined = " or ".join(wording.vehicle(knowledge, item) for item in state.vehicles)
        parts.append(joined if joined in ("premix", "undiluted") else f"in {joined}")
    return " ".join(filter(None, parts)) or "not stated"


def names_of(knowledge: Knowledge, drugs: tuple[str, ...]) -> str:
    """Some drugs by their names."""
    return " + ".join(wording.name(knowledge, drug) for drug in drugs)
