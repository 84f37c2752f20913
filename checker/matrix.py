"""Every pair of drugs, judged without conditions: one byte a pair.

The engine fills the matrix: a byte is what `Checker.check` says of an order of these two, asked when the pair is first
needed. Nothing is guessed beforehand, so that a rule which the engine learns tomorrow is in the matrix tomorrow.
What was asked is kept on disk, under the digests of the knowledge, of an overlay and of the code that judges.

States: with n drugs in the order of their ids, state s < n is drug s infused ("iv", no conditions);
state n + s is drug s as a medicine that is not infused ("oral").
"""

from __future__ import annotations

import hashlib
import os
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path

import checker
import knowledge.link
from checker.check import Checker
from checker.model import Infusion, InteractionHit, Medication, Order, Status, Verdict
from knowledge import Knowledge
from knowledge.terms import Mode, Severity

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

# One byte: level << 6 | severity << 3 | status. Its minimum over the pairs of a set has the worst level on top.
LEVELS = tuple(Verdict)  # 0 stop ... 3 clear (of a pair: nothing worse than a note)
STATUSES = (*Status, None)  # 0 incompatible, 1 variable, 2 no-data, 3 compatible, 4 they do not share a line
NO_LINE, SAME = 4, 5  # SAME: one drug twice on one line, which a question may not ask
SEVERITIES = ("", *Severity)  # of the worst interaction; 0 none, 1 contraindicated ... 4 minor
UNASKED = 255
SHARED, APART = 0, 1  # planes of the matrix: the two may share a line, or do not

_VERDICTS = {verdict: rank for rank, verdict in enumerate(Verdict)}
_STATUS = {status: rank for rank, status in enumerate(STATUSES)}
_SEVERITY = {severity: rank for rank, severity in enumerate(SEVERITIES)}
KEEP_FROM = 2_000  # pairs newly asked that are worth a write


class Matrix:
    """All pairs of one knowledge base in one mode.

    codes: uint8[2, 2n, 2n], symmetric in the last two; UNASKED where the engine has not been asked yet.
    own: uint8[2n], the level of each state alone, UNASKED as above.
    """

    def __init__(self, base: Knowledge, mode: Mode = Mode.Y_SITE, *, cache: bool = True) -> None:
        self.knowledge, self.mode, self.cache = base, mode, cache
        self.ids = tuple(sorted(base.drugs))
        self.index = {drug: state for state, drug in enumerate(self.ids)}
        self.asked = 0  # pairs asked of the engine since the matrix was made or kept
        self._fresh: list[tuple[int, int, int, int]] = []
        count = len(self.ids)
        self.own: Bytes = np.full(2 * count, _VERDICTS[Verdict.CLEAR], np.uint8)
        self.own[:count] = UNASKED
        kept = self._kept() if cache else None
        self.codes: Bytes = np.full((2, 2 * count, 2 * count), UNASKED, np.uint8) if kept is None else kept

    def given(self, state: int, at: str = "") -> Infusion | Medication:
        """A state as part of an order."""
        if state < len(self.ids):
            return Infusion(drug=self.ids[state], at=at, asked=self.ids[state])
        drug = self.ids[state - len(self.ids)]
        return Medication(drug=drug, at=at, asked=drug)

    def alone(self, states: Ints) -> Bytes:
        """The level of each of some states alone: uint8[k]."""
        missing = states[self.own[states] == UNASKED]
        if len(missing):
            engine = Checker(self.knowledge)
            for state in missing.tolist():
                drug = self.ids[state]
                order = Order(infusions=(Infusion(drug=drug, at="drugs/0", asked=drug),), mode=self.mode)
                self.own[state] = _VERDICTS[engine.check(order).verdict]
        found: Bytes = self.own[states]
        return found

    def part(self, states: Ints, planes: int = 2) -> Bytes:
        """The pairs among some states, all known: uint8[planes, k, k]. The engine is asked for what is missing."""
        found: Bytes = self.codes[:planes, states[:, None], states[None, :]]
        missing = np.argwhere(found == UNASKED)
        if len(missing):
            engine = Checker(self.knowledge)  # of its own, so that its memory goes with it
            for plane, a, b in missing.tolist():
                if a <= b:
                    code = self._ask(engine, plane, int(states[a]), int(states[b]))
                    found[plane, a, b] = found[plane, b, a] = code
        return found

    def _ask(self, engine: Checker, plane: int, a: int, b: int) -> int:
        """Have the engine judge one pair and write it down."""
        count = len(self.ids)
        one, two = self.given(a, "drugs/0"), self.given(b, "drugs/1")
        lines = ("1", "1") if plane == SHARED else ("1", "2")
        infusions = tuple(
            Infusion(drug=item.drug, at=item.at, asked=item.asked, line=line)
            for item, line in zip((one, two), lines, strict=True)
            if isinstance(item, Infusion)
        )
        medications = tuple(item for item in (one, two) if isinstance(item, Medication))
        report = engine.check(Order(infusions=infusions, medications=medications, mode=self.mode))
        pair = report.pairs[0]
        code = _VERDICTS[report.verdict] << 6 | severity(pair.interactions) << 3 | _STATUS[pair.line.status if pair.line else None]
        if plane == SHARED and a == b < count:
            code = code & ~7 | SAME
        for each in (plane,) if a < count and b < count else (SHARED, APART):
            self.codes[each, a, b] = self.codes[each, b, a] = code
            self._fresh.append((each, a, b, code))
        self.asked += 1
        return code

    # --- on disk ---

    def keep(self) -> None:
        """Keep what was asked for the next run, when it is worth it. A folder that cannot be written is no error."""
        if not self.cache or self.asked < KEEP_FROM:
            return
        path = self._path()
        payload = zlib.compress(self.codes.tobytes(), 1)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(hashlib.sha256(payload).digest() + payload)
            part.replace(path)
        except OSError:
            return
        self.asked = 0
        for old in sorted(path.parent.glob("matrix-*.bin"), key=lambda file: file.stat().st_mtime)[:-6]:
            old.unlink(missing_ok=True)

    def told(self) -> Ints:
        """What was asked since this was last called, for a matrix in another process: int64[k, 4] of plane, a, b, code."""
        fresh, self._fresh = self._fresh, []
        return np.array(fresh, np.int64).reshape(-1, 4)

    def learn(self, told: Ints) -> None:
        """Take over what another process has asked."""
        plane, a, b, code = told.T
        self.codes[plane, a, b] = self.codes[plane, b, a] = code.astype(np.uint8)
        self.asked += len(told)

    def _path(self) -> Path:
        folder = os.environ.get("LINEWISE_CACHE")
        overlay = self.knowledge.overlay.digest if self.knowledge.overlay else ""
        key = hashlib.sha256(f"{self.knowledge.digest}/{overlay}/{self.mode}/{_code()}".encode()).hexdigest()
        return (Path(folder) if folder else user_cache_path("linewise")) / f"matrix-{key[:24]}.bin"

    def _kept(self) -> Bytes | None:
        """The kept matrix, or None when there is none that can be trusted."""
        try:
            content = self._path().read_bytes()
            if content[:32] != hashlib.sha256(content[32:]).digest():
                return None
            codes = np.frombuffer(bytearray(zlib.decompress(content[32:])), np.uint8)
            return codes.reshape(2, 2 * len(self.ids), 2 * len(self.ids))
        except (OSError, ValueError, zlib.error):
            return None


def severity(hits: tuple[InteractionHit, ...]) -> int:
    """The worst severity among the interactions of a pair, as a rank of SEVERITIES."""
    return min((_SEVERITY[hit.stated.statement.severity] for hit in hits), default=0)


@lru_cache(maxsize=1)
def _code() -> str:
    """A digest of the code that judges: a kept matrix is of no use to another."""
    folders = (Path(checker.__file__).parent, Path(knowledge.link.__file__).parent)
    files = sorted(path for folder in folders for path in folder.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
