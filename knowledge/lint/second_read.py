"""What was read a second time is a record that stands here, and says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from knowledge import files
from knowledge.errors import KnowledgeError
from knowledge.lint.subject import Found, Level, Scope, Subject
from knowledge.model import Records
from knowledge.terms import Review

code = "second-read"
level = Level.ERROR
scope = Scope.RECORDS
description = "Each line of second-read.yaml names a record that stands here; one that agrees is marked review: second-read."

_FILE = "second-read.yaml"
_FORMS = '"<drug>: <rule> (<source>)", "<drug>: ph (<source>)", "<drug>: contains <component> (<source>)", "<mechanism>: <a> + <b>", <study>#<number of the row>'


def check(subject: Subject) -> Iterator[Found]:
    """Lines on records that nobody finds, or that agree and are not marked."""
    if _FILE not in subject.contents:
        return
    try:
        lines = files.parse(_FILE, subject.contents[_FILE])
    except KnowledgeError as error:
        for problem in error.problems:
            yield Found(problem.file, problem.line, problem.at, problem.reason, problem.mend)
        return
    if not isinstance(lines, list):
        yield Found(_FILE, 1, "", "the file is not a list", "start each record with a hyphen")
        return
    known = _reviews(subject.records)
    for number, item in enumerate(lines):
        if not isinstance(item, files.Mapping) or "record" not in item:
            continue
        name, result = item["record"], item.get("result")
        if name in known:
            if result == "agrees" and Review.SECOND_READ not in known[name]:
                yield Found(_FILE, item.line, str(number), f'"{name}" agrees but is not marked', "add review: second-read to the record")
        elif result != "differs":  # what differed may have become another record, or none
            yield Found(_FILE, item.line, str(number), f'no record is "{name}"', f"write one of {_FORMS}")


def _reviews(records: Records) -> dict[str, set[Review]]:
    """Every record by the name that second-read.yaml gives it, and how often it was read. Several records may share one."""
    found: dict[str, set[Review]] = defaultdict(set)
    for row in records.rows:
        found[row.id].add(row.cited.review)
    for statement in records.interactions:
        for one, other in ((statement.a, statement.b), (statement.b, statement.a)):
            found[f"{statement.mechanism}: {one} + {other}"].add(statement.cited.review)
    for drug in records.drugs:
        for rule in drug.rules:
            found[f"{drug.id}: {rule.rule} ({rule.cited.source})"].add(rule.cited.review)
        for acidity in drug.acidity:
            found[f"{drug.id}: ph ({acidity.cited.source})"].add(acidity.cited.review)
        for content in drug.composition:
            found[f"{drug.id}: contains {content.component} ({content.cited.source})"].add(content.cited.review)
    return found
