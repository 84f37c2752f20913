"""A facility's own files, loaded on top of the knowledge and always visible in the answer as local policy.

A folder with `overlay.yaml` (its name) and any of: `policies.yaml` (decisions on pairs), `standards.yaml`
(standard concentrations), `names.yaml` (formulary names and local codes), `rules.yaml` (extra product rules),
`charts/*.yaml` (a licensed reference chart that was imported and stays on this machine).

An overlay may make an answer stricter freely; less strict only with a named reason and approver.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema

from knowledge import files
from knowledge.errors import KnowledgeError, Problem
from knowledge.fields import Conc, Number, Strict, Text, Texts, Word
from knowledge.link import POLICY_SOURCE
from knowledge.model import Alias, Cited, Drug, Overlay, Policy, Records, Row, Rule, Side, Source, Standard
from knowledge.rule_values import NAMED, unknown_words, wrong
from knowledge.shapes import flat
from knowledge.terms import PREMIX, UNDILUTED, Basis, Effect, Finding, Kind, Method, Mode, Result, Review, SourceKind

_STATUSES = ("incompatible", "variable", "compatible")
_FILES = ("overlay", "policies", "standards", "names", "rules")
_CLOSED = ("route", "neonatal-contraindication")  # rules whose unknown words would count for less, or for nothing


class OverlaySchema(Strict):
    """overlay.yaml."""

    name = Text(required=True)
    contact = Text()
    date = Text()


class PolicySchema(Strict):
    """One decision on a pair."""

    pair = Texts(required=True)
    mode = Word(Mode, load_default=Mode.Y_SITE)
    status = Word(_STATUSES, required=True)
    reason = Text(required=True)
    approver = Text(load_default="")
    date = Text(load_default="")

    @validates_schema
    def check_approval(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Two drugs; and whoever softens an answer signs for it."""
        if len(data["pair"]) != 2:
            raise ValidationError("a policy speaks of two drugs | write both", "pair")
        if data["status"] != "incompatible" and not data["approver"]:
            raise ValidationError(
                f'a policy that may make a pair "{data["status"]}" needs an approver | add approver: name and role', "approver"
            )


class StandardSchema(Strict):
    """A standard concentration."""

    drug = Text(required=True)
    conc = Conc(required=True)
    vehicle = Text(load_default="")
    note = Text(load_default="")


class NameSchema(Strict):
    """A formulary name, or a local code, of a drug."""

    drug = Text(required=True)
    name = Text(load_default="")
    code = Text(load_default="")

    @validates_schema
    def check_either(self, data: dict[str, Any], **kwargs: Any) -> None:
        if bool(data["name"]) == bool(data["code"]):
            raise ValidationError("give a name or a code | one of the two", "name")


class LocalRuleSchema(Strict):
    """An extra product rule."""

    drug = Text(required=True)
    rule = Text(required=True)
    value = Texts(required=True)
    unit = Text(load_default="")
    effect = Word(Effect, required=True)
    reason = Text(required=True)


class ChartSchema(Strict):
    """The head of an imported chart."""

    name = Text(required=True)
    licence = Text(required=True)
    imported = Text()


class ChartRowSchema(Strict):
    """One statement of an imported chart."""

    drug = Text(required=True)
    with_ = Text(required=True, data_key="with")
    mode = Word(Mode, load_default=Mode.Y_SITE)
    result = Word(Result, required=True)
    conc = Conc(load_default=None)
    with_conc = Conc(load_default=None)
    vehicle = Texts(load_default=())
    with_vehicle = Texts(load_default=())
    hours = Number(load_default=None)
    note = Text(load_default="")


def apply(records: Records, folder: Path) -> Records:
    """The records with a facility's overlay on top.

    Raises KnowledgeError with every problem: an unknown drug, a softening without approver, a file that is not an overlay's.
    """
    return _Reader(records, folder).read()


class _Reader:
    def __init__(self, records: Records, folder: Path) -> None:
        self.records = records
        self.folder = folder
        self.problems: list[Problem] = []
        self.drugs = {drug.id: drug for drug in records.drugs}
        self.fluids = {drug.vehicle_code: drug.id for drug in records.drugs if drug.vehicle_code}
        self.kinds = set(records.vocabulary.get("rule", {}))
        words = {word for name in ("value", "line-rule") for word in records.vocabulary.get(name, {})}
        self.vehicles = {drug.id for drug in records.drugs if drug.kind is not Kind.DRUG} | self.fluids.keys() | {PREMIX, UNDILUTED}
        self.values = self.drugs.keys() | self.fluids.keys() | {PREMIX, UNDILUTED} | words
        self.named = {f"group:{group.id}" for group in records.groups} | {f"class:{cls.id}" for cls in records.classes}

    def read(self) -> Records:
        if not (self.folder / "overlay.yaml").is_file():
            raise KnowledgeError(
                [
                    self._problem(
                        "overlay.yaml",
                        0,
                        "missing-file",
                        "",
                        f"{self.folder.name} holds no overlay.yaml",
                        "write overlay.yaml with name: your facility",
                    )
                ]
            )
        contents = self._contents()
        head = self._load(OverlaySchema(), "overlay.yaml", self._parse("overlay.yaml", contents)) or {"name": ""}
        policies = tuple(
            Policy(
                pair=tuple(sorted(item["pair"])),
                mode=item["mode"],
                status=item["status"],
                reason=item["reason"],
                approver=item["approver"],
                date=item["date"],
            )
            for item in self._list("policies", PolicySchema(), contents, ("pair",), lambda item: (*sorted(item["pair"]), item["mode"]))
        )
        standards = tuple(
            Standard(drug=item["drug"], conc=item["conc"], vehicle=self.fluids.get(item["vehicle"], item["vehicle"]), note=item["note"])
            for item in self._list("standards", StandardSchema(), contents, ("drug",), lambda item: item["drug"])
        )
        drugs = dict(self.drugs)
        for item in self._list("names", NameSchema(), contents, ("drug",)):
            drugs[item["drug"]] = _named(drugs[item["drug"]], item)
        for item in self._list("rules", LocalRuleSchema(), contents, ("drug",)):
            drugs[item["drug"]] = replace(drugs[item["drug"]], rules=(*drugs[item["drug"]].rules, _rule(item, self.fluids)))
        rows, sources = self._charts(contents)
        sources.append(Source(id=POLICY_SOURCE, kind=SourceKind.POLICY, title=f"Local policy of {head['name']}"))
        if self.problems:
            raise KnowledgeError(self.problems)
        return replace(
            self.records,
            drugs=tuple(drugs.values()),
            rows=self.records.rows + tuple(rows),
            sources=self.records.sources + tuple(sources),
            overlay=Overlay(name=head["name"], digest=files.digest(contents), policies=policies, standards=standards),
        )

    def _contents(self) -> dict[str, bytes]:
        """The files of the overlay, by path. One that looks like a file of an overlay and is none is a problem; hidden ones are left alone."""
        contents: dict[str, bytes] = {}
        for path in sorted(self.folder.rglob("*")):
            inside = path.relative_to(self.folder)
            name = inside.as_posix()
            if not path.is_file() or any(part.startswith(".") for part in inside.parts):
                continue
            in_charts = inside.parts[0] == "charts"
            if path.suffix == ".yaml" and (in_charts or name in {f"{stem}.yaml" for stem in _FILES}):
                contents[name] = path.read_bytes()
            elif mend := _mend(inside, in_charts):
                self.problems.append(
                    self._problem(name, 0, "unknown-file", "", "this is not a file of an overlay, and would not be read", mend)
                )
        return contents

    def _charts(self, contents: dict[str, bytes]) -> tuple[list[Row], list[Source]]:
        rows: list[Row] = []
        sources: list[Source] = []
        for name in sorted(contents):
            data = self._parse(name, contents) if name.startswith("charts/") else None
            if not isinstance(data, files.Mapping):
                continue
            given = data.pop("rows", [])
            head = self._load(ChartSchema(), name, data)
            if head is None:
                continue
            source = Source(
                id=f"chart-{Path(name).stem}",
                kind=SourceKind.CHART,
                title=head["name"],
                licence=head["licence"],
                year=head.get("imported", ""),
            )
            sources.append(source)
            for number, item in enumerate(given, start=1):
                loaded = self._known(ChartRowSchema(), name, item, f"rows/{number - 1}", ("drug", "with_"))
                if loaded is not None:
                    rows.append(_chart_row(loaded, source.id, number, self.fluids))
        return rows, sources

    def _list(
        self,
        name: str,
        schema: Schema,
        contents: dict[str, bytes],
        drugs_in: tuple[str, ...],
        about: Callable[[Any], Hashable] | None = None,
    ) -> Iterator[Any]:
        """The records of a file. about: what a record decides, where only one may decide it."""
        file = f"{name}.yaml"
        data = self._parse(file, contents) if file in contents else []
        if not isinstance(data, list):
            self.problems.append(self._problem(file, 1, "schema", "", "the file is not a list", "start each record with a hyphen"))
            return
        lines: dict[Hashable, int] = {}
        for number, item in enumerate(data):
            loaded = self._known(schema, file, item, str(number), drugs_in)
            if loaded is None:
                continue
            line = getattr(item, "line", 1)
            first = line if about is None else lines.setdefault(about(loaded), line)
            if first != line:
                named = " + ".join(sorted(value for field in drugs_in for value in _texts(loaded[field])))
                mend = f"keep one of the two lines, {first} or {line}"
                self.problems.append(self._problem(file, line, "repeated", str(number), f"line {first} decides on {named} already", mend))
                continue
            yield loaded

    def _known(self, schema: Schema, file: str, item: Any, at: str, drugs_in: tuple[str, ...]) -> Any:
        """A loaded record, when it loads and all its drugs are in the base."""
        loaded = self._load(schema, file, item, at)
        if loaded is None:
            return None
        named = [name for field in drugs_in for name in _texts(loaded[field])]
        for name in named:
            if name not in self.drugs:
                self.problems.append(
                    self._problem(
                        file, getattr(item, "line", 1), "reference", at, f'the drug "{name}" is unknown', "write an id of knowledge/drugs/"
                    )
                )
                return None
        wrong_parts = list(self._wrong_parts(loaded))
        for reason, mend in wrong_parts:
            self.problems.append(self._problem(file, getattr(item, "line", 1), "reference", at, reason, mend))
        return None if wrong_parts else loaded

    def _wrong_parts(self, loaded: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Fluids, rules and values of rules that nobody would weigh."""
        for field in ("vehicle", "with_vehicle"):
            for fluid in filter(None, _texts(loaded.get(field, ()))):
                if fluid not in self.vehicles:
                    yield (
                        f'{field}: "{fluid}" is not a known fluid',
                        "write a vehicle code (NS, D5W, LR), a fluid's id, premix or undiluted",
                    )
        if "rule" not in loaded:
            return
        if loaded["rule"] not in self.kinds:
            yield f'the rule "{loaded["rule"]}" is unknown', f"the rules are: {', '.join(sorted(self.kinds))}"
            return
        for reason, mend in self._wrong_values(_rule(loaded, self.fluids)):
            yield f"{loaded['rule']}: {reason}", mend

    def _wrong_values(self, rule: Rule) -> Iterator[tuple[str, str]]:
        yield from wrong(rule, self.values)
        yield from unknown_words(tuple(value for value in rule.values if value.startswith(NAMED)), self.named)
        if rule.rule in _CLOSED:
            published = {value for drug in self.records.drugs for known in drug.rules if known.rule == rule.rule for value in known.values}
            yield from unknown_words(rule.values, published)

    def _parse(self, name: str, contents: dict[str, bytes]) -> Any:
        try:
            return files.parse(name, contents[name])
        except KnowledgeError as error:
            self.problems += [replace(problem, file=f"overlay/{problem.file}") for problem in error.problems]
            return None

    def _load(self, schema: Schema, file: str, data: Any, prefix: str = "") -> Any:
        try:
            return schema.load(data)
        except ValidationError as error:
            for at, line, message in flat(error.messages, data, getattr(data, "line", 1)):
                reason, _, mend = message.partition(" | ")
                self.problems.append(
                    self._problem(file, line, "schema", "/".join(filter(None, [prefix, at])), reason, mend or "see docs/overlay.md")
                )
            return None

    @staticmethod
    def _problem(file: str, line: int, code: str, at: str, reason: str, mend: str) -> Problem:
        return Problem(file=f"overlay/{file}", line=line, code=code, at=at, reason=reason, mend=mend)


def _named(drug: Drug, item: dict[str, Any]) -> Drug:
    if item["name"]:
        return replace(drug, aliases=(*drug.aliases, Alias(name=item["name"], kind="formulary", source=POLICY_SOURCE)))
    return replace(drug, codes=drug.codes | {"local": (*drug.codes.get("local", ()), item["code"])})


def _texts(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _mend(inside: Path, in_charts: bool) -> str:
    """What to do about a file that is not read as it stands; "" = it does not look like one that should be."""
    if inside.suffix.casefold() in (".yaml", ".yml"):
        renamed = inside.with_name(inside.stem + ".yaml").as_posix() if in_charts else f"{inside.stem.casefold()}.yaml"
        if in_charts or inside.stem.casefold() in _FILES:
            return f"rename it to {renamed}"
        return f"the files are {', '.join(f'{stem}.yaml' for stem in _FILES)} and charts/*.yaml"
    if in_charts and inside.suffix.casefold() in (".csv", ".tsv", ".txt"):
        return "make a chart of it: python -m knowledge import-chart, and keep the original elsewhere"
    return ""


def _rule(item: dict[str, Any], fluids: dict[str, str]) -> Rule:
    return Rule(
        drug=item["drug"],
        rule=item["rule"],
        values=tuple(fluids.get(value, value) for value in item["value"]),
        unit=item["unit"],
        effect=item["effect"],
        note=item["reason"],
        cited=Cited(source=POLICY_SOURCE, at="rules.yaml"),
    )


def _chart_row(item: dict[str, Any], source: str, number: int, fluids: dict[str, str]) -> Row:
    sides = (
        Side(drug=item["drug"], conc=item["conc"], vehicles=tuple(fluids.get(code, code) for code in item["vehicle"])),
        Side(drug=item["with_"], conc=item["with_conc"], vehicles=tuple(fluids.get(code, code) for code in item["with_vehicle"])),
    )
    a, b = sorted(sides, key=lambda side: side.drug)
    return Row(
        id=f"{source}#{number}",
        a=a,
        b=b,
        mode=item["mode"],
        result=item["result"],
        basis=Basis.PHYSICAL,
        method=(Method.OTHER,),
        hours=item["hours"],
        finding=Finding.NONE if item["result"] is Result.COMPATIBLE else Finding.OTHER,
        note=item["note"],
        cited=Cited(source=source, at=f"row {number}", review=Review.TRANSCRIBED),
    )
