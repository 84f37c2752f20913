"""One run of the solver, and what it may spend.

One worker, a fixed seed and a limit counted in the solver's own work make the same question end the same way on
every machine. The clock is a backstop for machines that are much too slow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

WORK_PER_SECOND = 0.7  # units of the solver's deterministic time given for a second asked
LEAST_WORK = 1e-3  # given to every run: the solver takes zero for no limit


class Undecided(Exception):
    """The budget ended before the question was answered."""


@dataclass(slots=True)
class Budget:
    """What may still be spent: seconds of the clock as a backstop, and units of the solver's work, which make the end the same on every machine."""

    seconds: float
    work: float
    whole: Budget | None = None
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, seconds: float) -> Budget:
        """A budget of so many seconds."""
        return cls(seconds=seconds, work=seconds * WORK_PER_SECOND)

    def share(self, part: float, clock: float | None = None) -> Budget:
        """A part of what is left; what it spends is spent here too. clock: the part of the seconds, where it is another."""
        return Budget(seconds=self.left() * (part if clock is None else clock), work=max(self.work, 0.0) * part, whole=self)

    def spend(self, work: float) -> None:
        """Take work off."""
        self.work -= work
        if self.whole is not None:
            self.whole.spend(work)

    def left(self) -> float:
        """Seconds left on the clock."""
        return max(self.seconds - (time.monotonic() - self.began), 0.0)

    def spent(self) -> bool:
        """Whether nothing useful is left."""
        return self.work <= 0 or self.left() <= 0


def run(model: cp_model.CpModel, budget: Budget, *, relax: bool = False) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
    """One run of the solver within a budget. relax: lean on the linear relaxation, which pays where bounds are made of sums over pairs."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.linearization_level = 2 if relax else 1
    solver.parameters.max_deterministic_time = max(budget.work, LEAST_WORK)
    solver.parameters.max_time_in_seconds = max(budget.left(), LEAST_WORK)
    status = solver.solve(model)
    budget.spend(solver.response_proto.deterministic_time)
    return solver, status
