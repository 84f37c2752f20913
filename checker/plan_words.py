"""What a plan says to a person: why here, why alone, why these may share, what has to be decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

from checker import product_words, wording
from checker.model import Finding, Level, Status, Verdict
from checker.plan_judge import Judged
from checker.plan_model import DAY, Bond, Core, Goal, Needed, PairBond, Placement, Plan, PlanQuestion, PlanStatus, Shared
from knowledge import Knowledge

GOALS = {
    "vital-left-out": "infusions left out that must not be interrupted",
    "running-left-out": "infusions left out that run already",
    "left-out": "infusions left out",
    "vital-moves": "running infusions that must not be interrupted and change their lumen",
    "pairs-to-decide": "pairs that run together without proof that they may",
    "warned-pairs": "of these, pairs with evidence or chemistry against them",
    "unstated-pairs": "pairs that run together on a report that states no conditions",
    "advice-not-followed": "infusions in a peripheral vein whose label advises a central or large one",
    "moves": "running infusions that change their lumen",
    "lumens": "lumens in use",
    "dose-delay": "minutes by which doses start after their earliest time, in all",
    "not-preferred": "infusions that are not on a lumen preferred for them",
}
_ALL = {PlanStatus.OPTIMAL: "Optimal", PlanStatus.BEST_FOUND: "Best found"}
_NOT_ALL = {PlanStatus.NO_PLAN: "No plan for all", PlanStatus.NOT_DECIDED: "Not decided"}


class Words:
    """Speaks of one question."""

    def __init__(self, judged: Judged, knowledge: Knowledge) -> None:
        self.judged, self.knowledge, self.question = judged, knowledge, judged.question

    def wish(self, number: int) -> str:
        """An infusion by the name of its drug, with the concentration where it runs twice."""
        infusion = self.judged.infusions[number]
        name = wording.name(self.knowledge, infusion.drug)
        twice = sum(other.drug == infusion.drug for other in self.judged.infusions) > 1
        return f"{name} {infusion.conditions.conc.text if infusion.conditions.conc else infusion.at}" if twice else name

    def names(self, wishes: Iterable[int]) -> str:
        return listed([self.wish(number) for number in wishes])

    def lumen(self, number: int) -> str:
        return self.question.lumens[number].name

    # --- two on one lumen ---

    def pair(self, bond: PairBond, how: str) -> str:
        """Two that use one lumen."""
        if bond.finding is None:
            if bond.b is not None and bond.together is Bond.ASK:
                return f"{self.wish(bond.a)} and {self.wish(bond.b)} are one drug in two preparations. The checker does not judge a drug against itself."
            return f"{self.wish(bond.a)}: the same on both sides."
        if how == "in-turn":
            return f"{self.partners(bond)}: one after the other" + (
                "." if bond.together is Bond.SAFE else f", with a flush between. {bond.finding.text}"
            )
        return bond.finding.text

    def partners(self, bond: PairBond) -> str:
        """Both names of a pair."""
        if bond.b is not None:
            return f"{self.wish(bond.a)} + {self.wish(bond.b)}"
        fluid = self.question.lumens[bond.lumen].fluid if bond.lumen is not None else None
        return f"{self.wish(bond.a)} + {wording.name(self.knowledge, fluid.drug) if fluid else 'fluid'}"

    def speaks_against(self, wish: int, there: Sequence[int]) -> tuple[str, ...]:
        """What speaks against `wish` where others are, like with like: "no data with A and B"."""
        reasons: dict[tuple[str, str], list[str]] = {}
        for other in there:
            reason = self._reason(wish, other) if other != wish else None
            if reason is not None:
                reasons.setdefault(reason, []).append(self.wish(other))
        return tuple(f"{before} {listed(names)}{after}" for (before, after), names in reasons.items())

    def _reason(self, wish: int, other: int) -> tuple[str, str] | None:
        """The words before and after the name of `other`; None = nothing speaks against it."""
        bond = self.judged.bonds[min(wish, other), max(wish, other)]
        intermittent = self.question.wishes[wish].schedule is not None and self.question.wishes[other].schedule is not None
        turns = ", so only in turn with a flush between" if intermittent and bond.in_turn == "flush" else ""
        if bond.together is Bond.NEVER:
            if bond.in_turn == "never" and not self.bolus_only(bond):
                return "a label asks for a line of its own, away from", ""
            return "incompatible with", turns
        if bond.in_turn == "never" and other in self.judged.quiet:
            return "its flush would pass through", ", which must not be interrupted"
        if bond.in_turn == "never":
            return "it must not be interrupted, and a flush belongs to", ""
        if bond.together is Bond.ASK:
            return f"{self.unknown(bond)} with", turns
        return None

    def bolus_only(self, bond: PairBond) -> bool:
        """Whether it is only a bolus or a flush that keeps two from one lumen, and no label."""
        return bond.judged is None or not bond.judged.rules

    def unknown(self, bond: PairBond) -> str:
        """Why a pair has to be asked about, in a word."""
        if bond.judged is None:
            return "not judged"
        words = {
            Status.VARIABLE: "not safely compatible",
            Status.NO_DATA: "no data",
            Status.COMPATIBLE: "compatible only by a report without conditions",
        }
        return words.get(bond.judged.status, "incompatible")

    # --- where each is ---

    def elsewhere(self, wish: int, lumen: int, there: Sequence[int]) -> tuple[str, ...]:
        """What speaks against a lumen for one infusion; empty = it would do as well."""
        bar = self.judged.bars.get((wish, lumen))
        if bar is not None and bar.code != "fluid":
            return (bar.text.rstrip("."),)
        told = [] if bar is not None else list(self.speaks_against(wish, there))
        met = self.judged.fluids.get((wish, lumen))
        fluid = self.question.lumens[lumen].fluid
        if met is not None and fluid is not None and met.together is not Bond.SAFE:
            told.append(f"{self.unknown(met)} with {wording.name(self.knowledge, fluid.drug)}, which runs there")
        if (wish, lumen) in self.judged.advice:
            told.append("the label advises a central or large vein")
        return tuple(told)

    def placement(self, placement: Placement, where: dict[int, int]) -> str:
        """One infusion: where, when, and why not elsewhere."""
        name = self.wish(placement.wish)
        if placement.lumen is None:
            return f"{name} has no place on these lumens. {self._reasons(placement)} It needs another access, or a decision."
        here = self.lumen(placement.lumen)
        text = f"{name} on {here}"
        if placement.moved_from is not None:
            text += f", moved from {self.lumen(placement.moved_from)}"
        elif self.question.wishes[placement.wish].now is not None:
            text += ", where it runs already"
        if placement.wish in self.judged.quiet and not self.question.wishes[placement.wish].must_not_interrupt:
            text += " (its label forbids a flush while it runs)"
        if placement.doses:
            text += f", at {listed([clock(self.question, dose.start) for dose in placement.doses])}"
        if (placement.wish, placement.lumen) in self.judged.advice:
            text += f" (against advice: {product_words.demand(self.knowledge, self.judged.advice[placement.wish, placement.lumen]).rstrip('.')})"
        company = [wish for wish, lumen in where.items() if lumen == placement.lumen and wish != placement.wish]
        if not company:
            return f"{text}. It runs alone there. {self._reasons(placement)}" if placement.elsewhere else f"{text}. It is the only lumen."
        return f"{text}."

    def _reasons(self, placement: Placement) -> str:
        """What speaks against each other lumen, in sentences."""
        told = [f"Against lumen {self.lumen(lumen)}: {', '.join(against)}." for lumen, against in placement.elsewhere if against]
        free = [self.lumen(lumen) for lumen, against in placement.elsewhere if not against]
        return " ".join([*told, *([f"Nothing speaks against lumen {' or '.join(free)} by itself."] if free else [])])

    def lumen_text(self, lumen: int, there: Sequence[int], shared: Sequence[Shared]) -> str:
        """One lumen in a sentence or two."""
        asked = self.question.lumens[lumen]
        if not there:
            return f"{asked.name}: {'blocked' if asked.blocked == 'blocked' else f'blocked: {asked.blocked}' if asked.blocked else 'free'}."
        if len(there) == 1 and not asked.fluid:
            return f"{asked.name}: {self.wish(there[0])} alone."
        here = [item for item in shared if item.lumen == lumen]
        together = [item for item in here if item.how == "together" and not item.ask]
        turns = [item for item in here if item.how == "in-turn" and item.bond.together is not Bond.SAFE]
        asks = [item for item in here if item.ask]
        text = f"{asked.name}: {self.names(there)}"
        if asked.fluid:
            text += f", with {wording.name(self.knowledge, asked.fluid.drug)} running through"
        parts = []
        if together:
            parts.append(f"{count(len(together), 'pair')} known to be compatible")
        if turns:
            parts.append(f"{count(len(turns), 'pair')} in turn, with a flush between")
        if asks:
            parts.append(f"to decide: {', '.join(f'{self.partners(item.bond)} ({self.unknown(item.bond)})' for item in asks)}")
        told = "; ".join(parts)
        return f"{text}. {told[:1].upper()}{told[1:]}." if told else f"{text}."

    # --- the whole ---

    def summary(
        self,
        status: PlanStatus,
        goals: Sequence[Goal],
        needed: Needed | None,
        core: Core | None,
        left_out: Sequence[int],
        shared: Sequence[Shared],
        now: Sequence[Finding],
    ) -> tuple[str, ...]:
        """What a person reads first. now: of the state before the plan, what must not go on."""
        usable = sum(not lumen.blocked for lumen in self.question.lumens)
        told = []
        if status is PlanStatus.OPTIMAL:
            told.append("All have a place, and by the order of the goals no plan is better: this is proven.")
        elif status is PlanStatus.BEST_FOUND:
            open_goal = next((goal for goal in goals if not goal.proven), None)
            gap = f" First unproven: {GOALS[open_goal.name]}, {open_goal.value} here, at least {open_goal.bound}." if open_goal else ""
            told.append(f"All have a place. The time ended before it was proven that no plan is better.{gap}")
        elif status is PlanStatus.NO_PLAN:
            told.append(
                f"There is no plan for all of these on {count(usable, 'usable lumen')}: this is proven. Left out: {self.names(left_out)}."
            )
        else:
            told.append(f"The time ended before a plan for all was found or excluded. Left out here: {self.names(left_out)}.")
        told += [finding.text for finding in now]
        if core is not None:
            told.append(core.text)
        if needed is not None:
            told.append(self._needed(needed, usable))
        asks = [item for item in shared if item.ask]
        if asks:
            pairs = ", ".join(self.partners(item.bond) for item in asks)
            told.append(f"{count(len(asks), 'pair')} would run together without proof that they may. A pharmacist has to decide: {pairs}.")
        shifting = [
            wish
            for wish in self.question.wishes
            if wish.schedule and wish.schedule.every and DAY % wish.schedule.every and wish.schedule.every != DAY
        ]
        if shifting:
            names = listed([wording.name(self.knowledge, wish.infusion.drug) for wish in shifting])
            told.append(f"{names}: the interval does not divide the day, so the times hold for this day only. Plan again for the next.")
        return tuple(told)

    def _needed(self, needed: Needed, usable: int) -> str:
        least = "" if needed.proven else " (not proven to be the fewest)"
        policy = f" under the policy {self.question.policy}"
        if needed.extra:
            return f"{count(needed.extra, 'more central lumen')} would do for all{policy}, beside the {usable} there {'is' if usable == 1 else 'are'}{least}."
        return f"Fewest lumens on which all can run{policy}: {needed.lumens}{least}."

    def core(self, wishes: Sequence[int], smallest: bool, clique: bool) -> str:
        """A set that does not fit."""
        usable = [number for number, lumen in enumerate(self.question.lumens) if not lumen.blocked]
        which = "The smallest set that does not fit" if smallest else "A set that does not fit (perhaps not the smallest)"
        if len(wishes) == 1:
            bars = [f"{self.lumen(lumen)}: {bar.text.rstrip('.')}" for (wish, lumen), bar in self.judged.bars.items() if wish == wishes[0]]
            return f"{which}: {self.wish(wishes[0])} alone. {'; '.join(bars)}."
        against = [f"{self.wish(a)} + {self.wish(b)} ({why})" for a, b in combinations(wishes, 2) if (why := self._why_apart(a, b))]
        if clique:
            return f"{which}: {self.names(wishes)}. No two of them can use one lumen under this policy, and {count(len(usable), 'lumen')} can be used: {'; '.join(against)}."
        return f"{which}: {self.names(wishes)}. To keep apart: {'; '.join(against) or 'none; it is their lumens that do not suffice'}."

    def _why_apart(self, a: int, b: int) -> str | None:
        """Why two cannot simply use one lumen, in a few words."""
        bond = self.judged.bonds[a, b]
        if bond.together is Bond.NEVER:
            return "a line of its own by label" if bond.in_turn == "never" and not self.bolus_only(bond) else "incompatible"
        if bond.in_turn == "never":
            return "a flush would pass through what must not be interrupted"
        return self.unknown(bond) if bond.together is Bond.ASK else None


def headline(plan: Plan) -> str:
    """A plan in a few words. Only one with nothing to stop for, to decide or to mind is called by its status alone."""
    if plan.left_out:
        return _NOT_ALL[plan.status]
    levels = Counter(finding.level for finding in plan.told.findings)
    told = [f"{levels[Level.STOP]} to stop for"] if levels[Level.STOP] else []
    told += [f"{count(len(plan.to_decide), 'pair')} to decide"] if plan.to_decide else []
    if not told and levels[Level.CAUTION]:
        told = [count(levels[Level.CAUTION], "caution")]
    elif not told and plan.told.verdict is not Verdict.CLEAR:
        told = ["a question without an answer"]
    return f"Planned, with {listed(told)}" if told else _ALL[plan.status]


def clock(question: PlanQuestion, minute: int) -> str:
    """A time of the plan as a clock shows it."""
    minute = (minute + question.day_starts) % DAY
    return f"{minute // 60:02d}:{minute % 60:02d}"


def listed(words: Sequence[str]) -> str:
    """Words with commas and a final "and"."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def count(number: int, word: str) -> str:
    """A number and its noun."""
    return f"{number} {word}{'' if number == 1 else 's'}"
