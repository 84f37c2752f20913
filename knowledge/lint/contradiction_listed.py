"""One source does not say yes and no to the same question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.model import Row, Side
from knowledge.terms import Result

code = "contradiction-listed"
level = Level.ERROR
scope = Scope.RECORDS
description = "Rows of one source with the same condition have no opposite results, unless accepted-conflicts.yaml says why."


def check(subject: Subject) -> Iterator[Found]:
    """Pairs of rows of one source, alike in everything that was tested, one compatible and one incompatible."""
    alike: dict[object, list[Row]] = defaultdict(list)
    for row in subject.records.rows:
        alike[row.cited.source, row.mode, row.basis, _condition(row.a), _condition(row.b)].append(row)
    for rows in alike.values():
        for_it = [row for row in rows if row.result is Result.COMPATIBLE]
        for row in rows:
            against = next((other for other in for_it if _opposed(row, other)), None)
            if against is None:
                continue
            file, line = subject.place(row.id)
            pair = " + ".join(row.pair)
            reason = f"{pair} is incompatible here and compatible on line {subject.place(against.id)[1]}, under the same conditions"
            mend = "add what differs (concentration, vehicle, hours, formulation), or accept it in accepted-conflicts.yaml"
            yield Found(file, line, "result", reason, mend, about=f"{row.cited.source}: {pair}, {row.mode}")


def _condition(side: Side) -> object:
    conc = side.conc
    return side.drug, conc and (conc.low, conc.high, conc.family), frozenset(side.vehicles), side.formulation, side.added


def _opposed(row: Row, other: Row) -> bool:
    """Whether `row` failed within the time for which `other` held. A later failure contradicts nothing."""
    if row.result is not Result.INCOMPATIBLE:
        return False
    return row.hours is None or other.hours is None or row.hours <= other.hours
