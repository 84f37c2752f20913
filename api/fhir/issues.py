"""Findings as DetectedIssues, R4 and R5: strict, for others validate what we send."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from api.fhir.orders import Given
from api.fhir.peek import text
from api.fhir.question import Asked
from api.fhir.topics import Topic, topics
from checker import cite_line, wording
from checker.model import Finding, Infusion, Kind, Level, Medication, NotUnderstood, Report
from knowledge import Knowledge

VERSIONS = ("R4", "R5")
MOST_EVIDENCE = 20
MOST_LEFT_OUT = 50  # orders told one by one
_SEVERITY = {Level.STOP: "high", Level.CAUTION: "moderate", Level.UNKNOWN: "low"}
_SYSTEM = "urn:linewise:finding"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CODES = {Kind.INTERACTION: ("DRG", "Drug Interaction Alert"), Kind.DUPLICATION: ("DUPTHPY", "Duplicate Therapy Alert")}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:linewise:detected-issue")
_APART = "Give through separate lines, or one after the other with a flush between."
Json = dict[str, Any]


def bundle(
    knowledge: Knowledge, asked: Asked, report: Report, version: str, patient: str | None, passed_over: Sequence[tuple[str, str]] = ()
) -> Json:
    """All that was found, and all that was not understood, as a Bundle of DetectedIssues.

    passed_over: orders that were sent and left out, and why. With such, or when nothing was asked, an OperationOutcome tells it.
    """
    issues = [_issue(knowledge, topic, asked, version, patient) for topic in topics(report) if topic.level is not Level.NOTE]
    issues += [_unread(item, asked, version, patient) for item in report.not_understood]
    entries = [
        _entry({"resourceType": "DetectedIssue"} | issue, f"{report.digest}|{version}|{number}|{issue}")
        for number, issue in enumerate(issues)
    ]
    if passed_over or not any(given.new for given in asked.read.values()):
        outcome = _outcome(asked, passed_over)
        entries.append(_entry(outcome, f"{report.digest}|{version}|{outcome}"))
    found: Json = {"resourceType": "Bundle", "type": "collection"}
    return found | {"entry": entries} if entries else found


def _entry(resource: Json, seed: str) -> Json:
    identity = str(uuid.uuid5(_NAMESPACE, seed))
    return {"fullUrl": f"urn:uuid:{identity}", "resource": {"resourceType": resource["resourceType"], "id": identity} | resource}


def _outcome(asked: Asked, passed_over: Sequence[tuple[str, str]]) -> Json:
    """What was read and what was left out: nothing found among nothing asked is not "nothing found"."""
    new = sum(given.new for given in asked.read.values())
    told = [f"Orders asked about: {new}; running beside them: {len(asked.read) - new}; left out: {len(passed_over)}."]
    told += [f"Left out: {reference} ({why})" for reference, why in passed_over[:MOST_LEFT_OUT]]
    if len(passed_over) > MOST_LEFT_OUT:
        told.append(f"Left out: {len(passed_over) - MOST_LEFT_OUT} more")
    if not new:
        told.append("Nothing was checked: no order was asked about.")
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "information", "code": "informational", "diagnostics": said} for said in told],
    }


def _issue(knowledge: Knowledge, topic: Topic, asked: Asked, version: str, patient: str | None) -> Json:
    told = [finding for finding in topic.findings if finding.level is not Level.NOTE] or list(topic.findings)
    names = ", ".join(wording.name(knowledge, drug) for drug in topic.drugs)
    issue = _start(version, patient) | {"code": _code(told[0], names), "severity": _SEVERITY[topic.level]}
    implicated = _implicated(topic, asked)
    if implicated:
        issue["implicated"] = implicated
    evidence = _evidence(knowledge, told)
    if evidence:
        issue["evidence"] = evidence
    issue["detail"] = " ".join(dict.fromkeys(finding.text for finding in told))
    mitigation = _mitigation(knowledge, told)
    if mitigation:
        issue["mitigation"] = mitigation
    return issue


def _start(version: str, patient: str | None) -> Json:
    issue: Json = {"status": "final"}
    if patient:
        issue["patient" if version == "R4" else "subject"] = {"reference": patient}
    return issue


def _code(finding: Finding, names: str) -> Json:
    coding = [{"system": _SYSTEM, "code": f"{finding.kind}/{finding.code}"}]
    known = _CODES.get(finding.kind)
    if known:
        coding.insert(0, {"system": _ACT, "code": known[0], "display": known[1]})
    return {"coding": coding, "text": f"{finding.kind}: {names}"}


def _implicated(topic: Topic, asked: Asked) -> list[Json]:
    ats = [at for pair in topic.pairs for at in pair.at]
    if not ats:
        medicines: list[Infusion | Medication] = [*asked.order.infusions, *asked.order.medications]
        ats = [
            medicine.at
            for medicine in medicines
            if medicine.drug in topic.drugs and (asked.order.focus is None or medicine.at in asked.order.focus)
        ]
    return references([asked.given[at] for at in dict.fromkeys(ats) if at in asked.given])


def references(orders: Iterable[Given]) -> list[Json]:
    """References to orders, by id where they came with one, and always with the name they came with."""
    found: dict[str, Json] = {}
    for given in orders:
        reference: Json = {"display": given.label}
        if text(given.resource.get("id")) or given.at.startswith(("urn:", "http://", "https://")):
            reference["reference"] = given.at
        found.setdefault(given.at, reference)
    return list(found.values())


def _evidence(knowledge: Knowledge, told: Sequence[Finding]) -> list[Json]:
    """One piece of evidence for each source: who says so, and where in it."""
    cited = list({(cite.source, cite.at): cite for finding in told for cite in finding.sources}.values())
    evidence = []
    for cite in cited[:MOST_EVIDENCE]:
        source = knowledge.sources[cite.source]
        numbers = "; ".join(filter(None, [f"PMID {source.pmid}" if source.pmid else "", f"doi:{source.doi}" if source.doi else ""]))
        where = ", ".join(filter(None, [cite.at, f"{cite.read} read" if cite.read else "", numbers]))
        shown = cite_line(source)
        evidence.append(
            {
                "code": [{"coding": [{"system": "urn:linewise:source", "code": source.id}], "text": f"{source.kind}"}],
                "detail": [{"display": f"{shown} ({where})" if where else shown}],
            }
        )
    return evidence


def _mitigation(knowledge: Knowledge, told: Sequence[Finding]) -> list[Json]:
    actions = [wording.word(knowledge, "manage", code) for finding in told for code in finding.management]
    if any(finding.kind in (Kind.LINE, Kind.COMPOSITION) for finding in told):
        actions.insert(0, _APART)
    return [{"action": {"text": action}} for action in dict.fromkeys(actions)]


def _unread(item: NotUnderstood, asked: Asked, version: str, patient: str | None) -> Json:
    """What was not understood: without severity, for nothing is known of it."""
    issue = _start(version, patient)
    issue["code"] = {"coding": [{"system": _SYSTEM, "code": f"name/{item.reason}"}], "text": "not understood, not checked"}
    given = asked.read.get(item.at)
    if given is not None:
        issue["implicated"] = references([given])
    issue["detail"] = wording.not_understood(item).text
    return issue
