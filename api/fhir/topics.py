"""What there is to say of a report, one topic a card: a pair, a drug that must run alone, a drug by itself."""

from __future__ import annotations

from dataclasses import dataclass

from checker.model import Finding, Kind, Level, PairResult, Reason, Report

PAIR, ALONE, DRUG = "pair", "alone", "drug"
_LINE = frozenset({Kind.LINE, Kind.COMPOSITION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Findings that belong together, worst first. drugs: both of a pair; of `alone` the drug first, then all it must not meet."""

    kind: str
    drugs: tuple[str, ...]
    findings: tuple[Finding, ...]
    pairs: tuple[PairResult, ...] = ()

    @property
    def level(self) -> Level:
        """That of its worst finding."""
        return self.findings[0].level

    @property
    def key(self) -> str:
        """The same topic has the same key in every report."""
        return f"{self.kind}:{self.drugs[0] if self.kind == ALONE else '+'.join(self.drugs)}"


def topics(report: Report) -> list[Topic]:
    """The topics of a report, in the order of their worst findings. Names that were not understood are told elsewhere."""
    pairs: dict[tuple[str, ...], list[PairResult]] = {}
    for pair in report.pairs:
        pairs.setdefault(tuple(sorted(pair.pair)), []).append(pair)
    grouped: dict[tuple[str, tuple[str, ...]], list[Finding]] = {}
    for finding in report.findings:
        if finding.kind is Kind.NAME or finding.code == "mixture-not-proven":
            continue
        grouped.setdefault(_where(finding, pairs.get(finding.drugs, [])), []).append(finding)
    return [_topic(kind, drugs, found, pairs) for (kind, drugs), found in grouped.items()]


def _where(finding: Finding, pairs: list[PairResult]) -> tuple[str, tuple[str, ...]]:
    if len(finding.drugs) < 2:
        return DRUG, finding.drugs
    if finding.kind in _LINE and finding.code.endswith(f"/{Reason.EXCLUDED_BY_RULE}"):
        for pair in pairs:
            for hit in pair.line.rules if pair.line is not None else ():
                if hit.rule.rule == "dedicated-line" and hit.via is None:
                    return ALONE, (hit.rule.drug,)
    return PAIR, finding.drugs


def _topic(kind: str, drugs: tuple[str, ...], found: list[Finding], pairs: dict[tuple[str, ...], list[PairResult]]) -> Topic:
    if kind == ALONE:
        others = tuple(dict.fromkeys(drug for finding in found for drug in finding.drugs if drug != drugs[0]))
        return Topic(
            kind=kind,
            drugs=drugs + others,
            findings=tuple(found),
            pairs=tuple(pair for finding in found for pair in pairs.get(finding.drugs, ())),
        )
    return Topic(kind=kind, drugs=drugs, findings=tuple(found), pairs=tuple(pairs.get(drugs, ())) if kind == PAIR else ())
