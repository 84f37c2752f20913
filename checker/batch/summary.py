"""The end of a batch in numbers: what came out, what is asked most that cannot be answered, and whether the counts balance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from checker.batch.files import Source
from checker.batch.output import Repeats
from checker.batch.tally import ERROR, Tally, Worst
from checker.matrix import SEVERITIES, STATUSES
from checker.model import Status
from checker.names import Names
from checker.screen import summed, unpacked
from knowledge import Knowledge

TOP = 50
_PAIR = (1 << 40) - 1  # the part of a key that names the drugs
SPOKEN = 5
Json = dict[str, Any]


def summary(tally: Tally, names: Names, files: Sequence[Source], level: str, repeats: Repeats, long: bool) -> Json:
    """The summary as it is written beside the results. It holds nothing that differs between two runs of the same batch."""
    knowledge = names.knowledge
    overlay = knowledge.overlay
    balances, checksum = tally.checksum(long, level)
    met = _Met(tally, knowledge)
    return {
        "input": [file.path.name if file.path else "-" for file in files],
        "level": level,
        "knowledge": {
            "version": knowledge.version,
            "digest": f"sha256:{knowledge.digest}",
            "overlay": {"name": overlay.name, "digest": f"sha256:{overlay.digest}"} if overlay else None,
        },
        "checksum": checksum,
        "balances": balances,
        "lines": tally.lines,
        "blank": tally.blank,
        "rows": tally.rows,
        "sets": tally.sets,
        "written": tally.written,
        "verdicts": {verdict: tally.verdicts[verdict] for verdict in ("stop", "caution", "unknown", "clear")},
        "errors": {"sets": tally.verdicts[ERROR], "reasons": dict(sorted(tally.errors.items(), key=_most_first))},
        "judged_one_by_one": tally.by_engine,
        "repeated_ids": {
            "ids": repeats.ids,
            "sets": repeats.sets,
            "lines": [[_place(files, *place) for place in places] for places in repeats.lines],
        },
        "incompatible_pairs": met.of(Status.INCOMPATIBLE),
        "variable_pairs": met.of(Status.VARIABLE),
        "interactions": met.interactions(),
        "most_worth_finding": met.of(Status.NO_DATA),
        "not_understood": _names(tally, names),
        "not_understood_beyond": tally.names_beyond,
        "findings": [
            dict(zip(("level", "kind", "code"), key.split("\t"), strict=True)) | {"count": count}
            for key, count in sorted(tally.codes.items(), key=_most_first)[:TOP]
        ],
        "worst_sets": [_worst(item) for item in tally.worst],
    }


class _Met:
    """Pairs by how they were judged, most often first."""

    def __init__(self, tally: Tally, knowledge: Knowledge) -> None:
        self.ids = sorted(knowledge.drugs)
        pairs = tally.pairs()
        self.keys, self.counts = pairs.keys, pairs.counts

    def of(self, status: Status) -> Json:
        """The pairs of one status."""
        found = summed(self.keys & _PAIR, self.counts, (self.keys >> 40 & 7) == STATUSES.index(status))
        first = np.lexsort((found.keys, -found.counts))[:TOP]
        top = [
            {"pair": self._names(key), "sets": count}
            for key, count in zip(found.keys[first].tolist(), found.counts[first].tolist(), strict=True)
        ]
        return {"pairs": len(found.keys), "met": int(found.counts.sum()), "top": top}

    def interactions(self) -> Json:
        """The pairs that interact, worst first."""
        severity = self.keys >> 48 & 7
        found = summed(self.keys & (_PAIR | 7 << 48), self.counts, severity > 0)
        severity = found.keys >> 48
        met = np.bincount(severity, weights=found.counts, minlength=len(SEVERITIES)).astype(int).tolist()
        first = np.lexsort((found.keys, -found.counts, severity))[:TOP]
        top = [
            {"pair": self._names(key), "severity": str(SEVERITIES[key >> 48]), "sets": count}
            for key, count in zip(found.keys[first].tolist(), found.counts[first].tolist(), strict=True)
        ]
        return {
            "pairs": len(found.keys),
            "met": {str(name): count for name, count in zip(SEVERITIES[1:], met[1:], strict=True) if count},
            "top": top,
        }

    def _names(self, key: int) -> list[str]:
        _, _, a, b = unpacked(key)
        return [self.ids[a], self.ids[b]]


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _place(files: Sequence[Source], file: int, line: int) -> Json | int:
    return {"file": files[file].label, "line": line} if len(files) > 1 else line


def _worst(item: Worst) -> Json:
    told: Json = {"id": item.identity, "line": -item.line, "verdict": item.verdict}
    told |= {"incompatible": item.incompatible, "variable": item.variable, "no_data": item.no_data}
    return told | {"file": item.file} if item.file else told


def _names(tally: Tally, names: Names) -> list[Json]:
    """What was not understood, most often first, with what it might mean."""
    told = []
    for key, count in sorted(tally.names.items(), key=lambda item: (-item[1], item[0]))[:TOP]:
        reason, asked = key.split("\t", 1)
        candidates: Sequence[str] = ()
        if reason == "unresolved-name":
            candidates = names.suggest(asked)
        elif reason == "ambiguous-name":
            candidates = getattr(names.resolve(asked, ""), "candidates", ())
        told.append({"asked": asked, "reason": reason, "times": count, "candidates": list(candidates)})
    return told


def spoken(told: Json) -> list[str]:
    """The summary for a terminal, in lines."""
    sets = max(1, told["sets"])
    lines = [told["checksum"]]
    lines += [
        f"  {verdict:<8}{count:>12,}  {count / sets:>6.1%}"
        for verdict, count in (told["verdicts"] | {"error": told["errors"]["sets"]}).items()
    ]
    lines += [f"  errors: {count:,} {reason}" for reason, count in told["errors"]["reasons"].items()]
    repeated = told["repeated_ids"]
    if repeated["ids"]:
        where = ", ".join(str(place) if isinstance(place, int) else f"{place['file']} {place['line']}" for place in repeated["lines"][0])
        lines.append(
            f"  repeated ids: {repeated['ids']:,} in {repeated['sets']:,} sets, the first on lines {where}; the line tells their answers apart"
        )
    for title, key in (
        ("incompatible", "incompatible_pairs"),
        ("interactions", "interactions"),
        ("no data, most worth finding", "most_worth_finding"),
    ):
        lines += _few(
            title,
            [
                f"{' + '.join(item['pair'])}{', ' + item['severity'] if 'severity' in item else ''} ({item['sets']:,})"
                for item in told[key]["top"][:SPOKEN]
            ],
        )
    unclear = told["not_understood"][:SPOKEN]
    return lines + _few(
        "not understood",
        [f'"{item["asked"]}" ({item["times"]:,}{", perhaps " + item["candidates"][0] if item["candidates"] else ""})' for item in unclear],
    )


def _few(title: str, told: list[str]) -> list[str]:
    return [f"  {title}: {'; '.join(told)}"] if told else []
