"""What must hold in every world, whatever its facts."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from checker import Checker, Names, Renderer, order
from checker.model import Judgement, Kind, Level, Reason, Relation, Report, Status, Verdict
from checker.rules import DEMANDS
from knowledge import Knowledge
from knowledge.model import Records, Row
from knowledge.rule_values import ALONE
from knowledge.terms import Effect, Mode, Result, Route
from tests.checker.worlds import (
    BANS,
    CONCENTRATIONS,
    DRUGS,
    FORMULATION,
    NODES,
    RULE_VALUES,
    infusions,
    linked,
    questions,
    rows,
    rules,
    with_rule,
    worlds,
)

VERDICTS = list(Verdict)  # worst first
STATUSES = list(Status)


def ask(knowledge: Knowledge, question: dict[str, Any]) -> Report:
    return Checker(knowledge).check(order(question, Names(knowledge)))


def said(knowledge: Knowledge, question: dict[str, Any]) -> bytes:
    return Renderer(knowledge).json(ask(knowledge, question), explain=True)


def lines(report: Report) -> dict[tuple[str, str], Judgement]:
    """The judgements of a report, by pair. In these questions a drug is infused at most once."""
    return {pair.pair: pair.line for pair in report.pairs if pair.line is not None}


def not_better(after: Report, before: Report) -> None:
    """No pair and no verdict is better after than before."""
    assert VERDICTS.index(after.verdict) <= VERDICTS.index(before.verdict)
    now = lines(after)
    for pair, line in lines(before).items():
        assert STATUSES.index(now[pair].status) <= STATUSES.index(line.status), pair


@given(worlds(), questions(), st.randoms(use_true_random=False))
def test_pair_order_never_matters(records: Records, question: dict[str, Any], chance: random.Random) -> None:
    knowledge = linked(records)
    turned = {**question, "drugs": chance.sample(question["drugs"], len(question["drugs"])), "medications": question["medications"][::-1]}

    one, two = ask(knowledge, question), ask(knowledge, turned)

    assert one.verdict == two.verdict
    assert one.findings == two.findings
    assert lines(one) == lines(two)


@given(worlds(), questions(), st.randoms(use_true_random=False))
def test_file_and_row_order_never_matter(records: Records, question: dict[str, Any], chance: random.Random) -> None:
    """Records come in the order of files and rows; the answer is the same to the byte."""

    def mixed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(items, len(items)))

    shuffled = replace(
        records,
        drugs=mixed(records.drugs),
        rows=mixed(records.rows),
        interactions=mixed(records.interactions),
        sources=mixed(records.sources),
        classes=mixed(records.classes),
        groups=mixed(records.groups),
        substances=mixed(records.substances),
    )

    assert said(linked(records), question) == said(linked(shuffled), question)


@given(worlds(), questions(least=2))
def test_no_rows_is_no_data(records: Records, question: dict[str, Any]) -> None:
    """Law 1: compatible comes from a compatible row of that pair, or from a label that names the fluid as diluent."""
    for each in (records, replace(records, rows=())):
        knowledge = linked(each)
        for pair in ask(knowledge, question).pairs:
            if pair.line is not None and pair.line.status is Status.COMPATIBLE:
                if pair.line.reason is Reason.PERMITTED_DILUENT:
                    assert any(
                        rule.rule == "diluent-required" and set(rule.values) & set(pair.pair)
                        for drug in pair.pair
                        for rule in knowledge.drugs[drug].rules
                    )
                else:
                    assert any(item.row.result is Result.COMPATIBLE for item in knowledge.rows(*pair.pair, pair.line.mode))


@given(
    worlds(),
    questions(),
    st.sampled_from(("zzzmab", "AB", "alfamicim", "12345", "   x", "alfamicin bravomab")),
    st.sampled_from(("drugs", "medications")),
)
def test_an_unknown_name_is_never_clear(records: Records, question: dict[str, Any], name: str, part: str) -> None:
    """Law 2."""
    report = ask(linked(records), {**question, part: [*question[part], name]})

    assert report.verdict is not Verdict.CLEAR
    assert [item.asked for item in report.not_understood if item.reason != "unknown-formulation"] == [name]


@given(worlds(), questions(), st.sampled_from(("drugs", "medications")), st.data())
def test_one_more_drug_never_improves_the_verdict(records: Records, question: dict[str, Any], part: str, data: st.DataObject) -> None:
    """The one exception is meant: something run between two that must not meet takes the place of the flush."""
    knowledge = linked(records)
    asked = {item["drug"] for item in question[part]}
    more = data.draw(infusions(timed=False).filter(lambda item: item["drug"] not in asked))
    more = more if part == "drugs" else {"drug": more["drug"]}

    not_better(ask(knowledge, {**question, part: [*question[part], more]}), ask(knowledge, question))


@given(worlds(), questions(), st.sampled_from(Effect), st.data())
def test_one_more_ban_never_softens(records: Records, question: dict[str, Any], effect: Effect, data: st.DataObject) -> None:
    """However weak: advice against a fluid may not stand in the way of a list that leaves it out."""
    rule = data.draw(st.sampled_from((*DRUGS, FORMULATION)).flatmap(lambda drug: rules(drug, BANS, effect)))

    not_better(ask(linked(with_rule(records, rule)), question), ask(linked(records), question))


@given(worlds(), questions(least=2), rows(result=Result.INCOMPATIBLE))
def test_one_more_incompatible_row_never_softens(records: Records, question: dict[str, Any], row: Row) -> None:
    told = {(side.drug, side.formulation) for item in records.rows for side in (item.a, item.b)}
    assume(all((side.drug, side.formulation) in told for side in (row.a, row.b) if side.formulation))  # a new word is read anew

    not_better(ask(linked(replace(records, rows=(*records.rows, row))), question), ask(linked(records), question))


@given(worlds(), questions(least=2), st.data())
def test_other_units_same_answer(records: Records, question: dict[str, Any], data: st.DataObject) -> None:
    knowledge = linked(records)
    other = {
        **question,
        "drugs": [
            {**item, "conc": data.draw(st.sampled_from((item["conc"], *CONCENTRATIONS[item["conc"]])))} if "conc" in item else item
            for item in question["drugs"]
        ],
    }

    one, two = ask(knowledge, question), ask(knowledge, other)

    assert one.verdict == two.verdict
    assert [(item.level, item.kind, item.code, item.drugs) for item in one.findings] == [
        (item.level, item.kind, item.code, item.drugs) for item in two.findings
    ]
    assert [pair.line and (pair.line.status, pair.line.reason, pair.line.weighed) for pair in one.pairs] == [
        pair.line and (pair.line.status, pair.line.reason, pair.line.weighed) for pair in two.pairs
    ]


@given(worlds(), questions(least=2))
def test_mEq_and_mg_never_compare(records: Records, question: dict[str, Any]) -> None:  # noqa: N802 - mEq is its name
    """A row that measures a side in other units than the question never covers it."""
    report = ask(linked(records), question)

    asked = {item.drug: item.conditions.conc for item in report.infusions}
    for pair in report.pairs:
        for item in pair.line.weighed if pair.line else ():
            for side, drug in zip((item.row.a, item.row.b), pair.pair, strict=True):
                conc = asked.get(side.drug if side.drug in asked else drug)
                if (
                    item.via is None
                    and item.relation is Relation.COVERS
                    and conc is not None
                    and side.conc is not None
                    and pair.line
                    and pair.line.mode is item.row.mode
                    and not _own_fluid(report, pair.pair)
                ):
                    assert side.conc.family is conc.family


def _own_fluid(report: Report, pair: tuple[str, str]) -> bool:
    return any(item.conditions.vehicle in pair and item.drug in pair for item in report.infusions)


@given(worlds(), questions(), questions())
def test_the_same_question_gives_the_same_bytes(records: Records, question: dict[str, Any], before: dict[str, Any]) -> None:
    """Law 6: what was asked before leaves no trace."""
    knowledge = linked(records)
    names, checker, renderer = Names(knowledge), Checker(knowledge), Renderer(knowledge)
    renderer.json(checker.check(order(before, names)))

    warm = [renderer.json(checker.check(order(question, names)), explain=explain) for explain in (False, True, False)]

    assert warm[0] == warm[2] == Renderer(knowledge).json(ask(knowledge, question))
    assert warm[1] == said(linked(records), question)


@given(worlds(), questions(least=2))
def test_every_claim_carries_its_source(records: Records, question: dict[str, Any]) -> None:
    """Law 3. What has no source claims nothing of a drug: not studied, not understood, one drug twice."""
    for finding in ask(linked(records), question).findings:
        if finding.kind is not Kind.NAME and finding.code not in (
            "mixture-not-proven",
            "no-data/not-studied",
            "same-ingredient",
            "diluent-not-known",
            "flush-between",
        ):
            assert finding.sources, finding


@given(worlds(), questions(least=2))
def test_the_verdict_is_that_of_the_worst_finding(records: Records, question: dict[str, Any]) -> None:
    report = ask(linked(records), question)

    worst = min((list(Level).index(finding.level) for finding in report.findings), default=3)
    assert VERDICTS.index(report.verdict) == min(worst, 3)
    statuses = {pair.line.status for pair in report.pairs if pair.line}
    assert not (report.verdict is Verdict.CLEAR and statuses - {Status.COMPATIBLE})


# --- the generator itself ---


class Enough(Exception):
    """Everything wanted has been drawn."""


def test_worlds_reach_every_rule_kind() -> None:
    """A property says nothing of what is never drawn: every rule kind, status, reason, relation, route and way round."""
    wanted = (
        {f"rule {kind}" for kind in RULE_VALUES}
        | set(Status)
        | (set(Reason) - {Reason.LOCAL_POLICY})
        | set(Relation)
        | (set(Kind) - {Kind.NAME})
        | set(Level)
        | set(Verdict)
        | set(Mode)
    )
    wanted |= {f"route {route}" for route in Route} | {
        f"via {kind}" for kind in ("composition", "carrier", "common-name", "class", "component", "ingredient")
    }
    wanted |= {
        "finding not-iv",
        "finding flush-between",
        "finding order-of-administration",
        "finding max-rate",
        "finding min-infusion-time",
        "finding diluent-not-listed",
        "finding neonatal-contraindication",
    }
    seen: set[object] = set()

    @settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(worlds(), questions(least=2))
    def draw(records: Records, question: dict[str, Any]) -> None:
        seen.update(_met(linked(records), question))
        if wanted <= seen:
            raise Enough

    with contextlib.suppress(Enough):
        draw()

    assert not sorted(map(str, wanted - seen))


def _met(knowledge: Knowledge, question: dict[str, Any]) -> Iterator[object]:
    report = ask(knowledge, question)
    yield report.verdict
    yield report.mode
    for infusion in report.infusions:
        yield from (f"rule {rule.rule}" for rule in knowledge.drugs[infusion.drug].rules)
    for finding in report.findings:
        yield from (finding.level, finding.kind, f"finding {finding.code}")
    for pair in report.pairs:
        for hit in pair.interactions:
            yield f"route {hit.stated.statement.route}"
            yield from (f"via {via.kind}" for via in hit.stated.via)
        if pair.line:
            yield from (pair.line.status, pair.line.reason)
            for item in (*pair.line.weighed, *pair.line.kin):
                yield from (item.relation, f"via {item.via.kind}" if item.via else None)
            yield from (f"via {hit.via.kind}" for hit in pair.line.rules if hit.via)


def test_the_generator_knows_every_kind_that_the_engine_judges() -> None:
    """The rules that can change an answer are all drawn; the demands that are only shown are drawn as examples."""
    judged = {
        "route",
        "dedicated-line",
        "no-admixture",
        "diluent-required",
        "diluent-contraindicated",
        "max-concentration",
        "min-concentration",
        "min-infusion-time",
        "max-rate",
        "neonatal-contraindication",
        "flush-before-after",
    }
    assert judged <= set(RULE_VALUES)
    assert set(DEMANDS) & set(RULE_VALUES)
    assert {value for value, _ in RULE_VALUES["dedicated-line"]} & ALONE


@given(worlds(), st.sampled_from(NODES))
def test_every_made_up_name_resolves(records: Records, name: str) -> None:
    names = Names(linked(records))
    for spelling in (name, name.upper(), name.replace("-", " "), f"{name}ex"):
        assert getattr(names.resolve(spelling, "x"), "drug", None) == name
