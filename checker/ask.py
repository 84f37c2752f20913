"""From what was asked to an Order: shape by marshmallow, names and units by the base.

What is malformed raises AskError with every problem (at, reason, mend). What is well formed but not
understood (an unknown name, an ambiguous abbreviation) is part of the Order and of its answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from checker.model import UNSTATED, Conditions, Infusion, Medication, NotUnderstood, Order
from checker.names import Match, Names
from knowledge.normalise import LONGEST_NAME
from knowledge.terms import Mode
from knowledge.units import ACCEPTED, Concentration, ConcentrationError

MOST_DRUGS = 60
ROUTES = ("iv", "oral", "sc", "im", "inhaled", "intrathecal", "other")


@dataclass(frozen=True, slots=True)
class AskProblem:
    """One mistake in a question: where ("drugs/1/conc"), what, and how to mend it."""

    at: str
    reason: str
    mend: str


class AskError(ValueError):
    """A question that cannot be read. Holds every problem found."""

    def __init__(self, problems: Sequence[AskProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.at}: {problem.reason} ({problem.mend})" for problem in problems))


def readable(text: str) -> None:
    """A text with half a character (a lone surrogate) cannot be shown again, so it is refused."""
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValidationError("the text holds half a character | send it as UTF-8")


class CodeSchema(Schema):
    """A coded drug."""

    class Meta:
        unknown = RAISE

    system = fields.String(
        required=True,
        validate=[Length(1, LONGEST_NAME), readable],
        metadata={"description": "rxnorm, unii, snomed or wikidata, or the system's URI", "example": "rxnorm"},
    )
    code = fields.String(required=True, validate=[Length(1, LONGEST_NAME), readable], metadata={"example": "11124"})


class Named(fields.Field[Any]):
    """A drug by name or by code."""

    default_error_messages = {
        "shape": 'a name or a code is expected | write "vancomycin" or {{"system": "rxnorm", "code": "11124"}}',
        "required": "the drug is missing | add drug:",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            if not value.strip():
                raise ValidationError("the name is empty | write a drug's name or leave the entry out")
            if len(value) > LONGEST_NAME:
                raise ValidationError(f"the name has more than {LONGEST_NAME} characters | write one drug's name")
            readable(value)
            return value
        if isinstance(value, Mapping):
            return _CODE.load(value)
        raise self.make_error("shape")


class InfusionSchema(Schema):
    """One infusion."""

    class Meta:
        unknown = RAISE

    drug = Named(required=True, metadata={"description": "a name, brand or abbreviation, or a code", "example": "vancomycin"})
    conc = fields.String(metadata={"description": ACCEPTED, "example": "5 mg/mL"}, validate=[Length(1, 60), readable])
    vehicle = fields.String(
        metadata={"description": "the fluid it runs in: NS, D5W, LR ..., a fluid's name, premix or undiluted", "example": "NS"},
        validate=[Length(1, LONGEST_NAME), readable],
    )
    formulation = fields.String(
        metadata={"description": "where evidence tells products apart, e.g. edta or edta-free", "example": "edta"},
        validate=[Length(1, 60), readable],
    )
    line = fields.String(
        metadata={"description": "lumen by name; left out = shared with all", "example": "white"}, validate=[Length(1, 60), readable]
    )
    start = fields.String(
        metadata={"description": "ISO 8601, all of a question in local time or all with their zone", "example": "2026-01-05T08:00"},
        validate=[Length(1, 40), readable],
    )
    hours = fields.Float(metadata={"description": "duration in hours", "example": 0.5}, validate=Range(0, 10_000, min_inclusive=False))
    rate_ml_per_h = fields.Float(metadata={"description": "rate in mL/h", "example": 100}, validate=Range(0, 100_000, min_inclusive=False))
    route = fields.String(metadata={"description": "iv unless told; epidural is other"}, validate=OneOf(ROUTES))


class MedicationSchema(Schema):
    """A medicine that is not infused."""

    class Meta:
        unknown = RAISE

    drug = Named(required=True)
    route = fields.String(validate=OneOf(ROUTES))


class PatientSchema(Schema):
    """What of a patient may change an answer; nothing identifying."""

    class Meta:
        unknown = RAISE

    age_days = fields.Integer(strict=True, validate=Range(0, 50_000), metadata={"example": 12})


class Item(fields.Field[dict[str, Any]]):
    """A drug's name, a code, or an object with its conditions."""

    def __init__(self, schema: Schema, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = schema
        self.named = Named()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return {"drug": self.named.deserialize(value)}
        if isinstance(value, Mapping) and "drug" in value:
            return self.schema.load(value)
        if isinstance(value, Mapping) and not {"system", "code"} & set(value):
            raise ValidationError({"drug": ["the drug is missing | add drug:"]})
        return {"drug": self.named.deserialize(value)}


class QuestionSchema(Schema):
    """The body of POST /v1/check."""

    class Meta:
        unknown = RAISE

    mode = fields.String(validate=OneOf([str(mode) for mode in Mode]), metadata={"description": "where they meet; y-site unless told"})
    drugs = fields.List(Item(InfusionSchema()), required=True, validate=Length(1), metadata={"description": "what is to run"})
    medications = fields.List(Item(MedicationSchema()), metadata={"description": "medicines that are not infused, for interactions"})
    patient = fields.Nested(PatientSchema)
    explain = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": "show row by row what settled each verdict"})


_CODE = CodeSchema()
_QUESTION = QuestionSchema()
_MENDS = {
    "Not a valid string.": "write text in quotes",
    "Not a valid list.": "write a list: [...]",
    "Not a valid number.": "write a number without quotes and unit",
    "Not a valid integer.": "write a whole number",
    "Not a valid boolean.": "write true or false",
    "Unknown field.": "remove it or correct its name",
    "Missing data for required field.": "add it",
    "Field may not be null.": "leave the field out instead",
    "Invalid input type.": "write an object: {...}",
    "Shorter than minimum length 1.": "give at least one",
}


def order(question: Any, names: Names, *, most_drugs: int = MOST_DRUGS) -> Order:
    """Read a question (the body of POST /v1/check, already parsed from JSON) into an Order.

    Raises AskError for a wrong shape, unknown fields, nonsense units, too many or repeated drugs.
    """
    if not isinstance(question, Mapping):
        raise AskError([AskProblem("", "the question is not an object", 'write {"drugs": [...]}')])
    for part in ("drugs", "medications"):
        given = question.get(part)
        if isinstance(given, Sequence) and not isinstance(given, str) and len(given) > most_drugs:
            raise AskError([AskProblem(part, f"{len(given)} entries; at most {most_drugs} can be asked at once", "split the question")])
    try:
        data: dict[str, Any] = _QUESTION.load(question)
    except ValidationError as error:
        raise AskError(list(flatten(error.messages))) from error
    return resolve(data, names)


def resolve(data: Mapping[str, Any], names: Names) -> Order:
    """An Order from a question whose shape has been made sure of, as the schemas leave it.

    Raises AskError for nonsense units, times, and repeated drugs.
    """
    reader = _Reader(names)
    infusions = tuple(found for number, item in enumerate(data["drugs"]) if (found := reader.infusion(item, f"drugs/{number}")))
    medications = tuple(
        taken for number, item in enumerate(data.get("medications", ())) if (taken := reader.medication(item, f"medications/{number}"))
    )
    reader.refuse_repeats(infusions, medications)
    if reader.problems:
        raise AskError(reader.problems)
    return Order(
        infusions=infusions,
        medications=medications,
        mode=Mode(data.get("mode", Mode.Y_SITE)),
        age_days=data.get("patient", {}).get("age_days"),
        not_understood=tuple(reader.not_understood),
    )


class _Reader:
    """Resolves the parts of one question."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.not_understood: list[NotUnderstood] = []
        self.problems: list[AskProblem] = []
        self.first_start: tuple[str, bool] | None = None  # where the first start stands, and whether it tells its zone

    def infusion(self, item: dict[str, Any], at: str) -> Infusion | None:
        match, asked = self._resolve(item["drug"], at)
        conditions = UNSTATED
        if len(item) > 1:
            conditions = Conditions(
                conc=self._conc(item.get("conc"), at),
                vehicle=self._vehicle(item.get("vehicle"), at),
                formulation=self._formulation(match, item.get("formulation"), at),
            )
        start = self._start(item, at)
        if match is None:
            return None
        return Infusion(
            drug=match.drug,
            at=at,
            asked=asked,
            matched_by=match.matched_by,
            conditions=conditions,
            line=item.get("line"),
            start=start,
            hours=item.get("hours"),
            rate_ml_per_h=item.get("rate_ml_per_h"),
            route=item.get("route", "iv"),
        )

    def medication(self, item: dict[str, Any], at: str) -> Medication | None:
        match, asked = self._resolve(item["drug"], at)
        return (
            Medication(drug=match.drug, at=at, asked=asked, matched_by=match.matched_by, route=item.get("route", "oral")) if match else None
        )

    def refuse_repeats(self, infusions: Sequence[Infusion], medications: Sequence[Medication]) -> None:
        """The same drug twice on the same line at the same time is a slip, not a question."""
        seen: dict[tuple[object, ...], str] = {}
        given: list[Infusion | Medication] = [*infusions, *medications]
        for item in given:
            key: tuple[object, ...] = (
                (item.drug, item.line, item.start, item.route) if isinstance(item, Infusion) else (item.drug, "medications")
            )
            if key in seen:
                self.problems.append(
                    AskProblem(
                        item.at,
                        f'"{item.asked}" is {item.drug}, which {seen[key]} asks already',
                        "leave one out, or give them different lines or starts",
                    )
                )
            seen.setdefault(key, item.at)

    def _resolve(self, drug: str | dict[str, str], at: str) -> tuple[Match | None, str]:
        if isinstance(drug, str):
            found, asked = self.names.resolve(drug, at), drug
        else:
            found, asked = self.names.resolve_code(drug["system"], drug["code"], at), f"{drug['system']} {drug['code']}"
        if isinstance(found, NotUnderstood):
            self.not_understood.append(found)
            return None, asked
        return found, asked

    def _conc(self, text: str | None, at: str) -> Concentration | None:
        if text is None:
            return None
        try:
            return Concentration.parse(text)
        except ConcentrationError as error:
            self.problems.append(
                AskProblem(
                    f"{at}/conc", error.reason, f"{ACCEPTED}; or leave conc out: the answer then lists the concentrations that were tested"
                )
            )
            return None

    def _vehicle(self, text: str | None, at: str) -> str | None:
        if text is None:
            return None
        found = self.names.resolve_vehicle(text, f"{at}/vehicle")
        if isinstance(found, NotUnderstood):
            self.not_understood.append(found)
            return None
        return found

    def _formulation(self, match: Match | None, text: str | None, at: str) -> str | None:
        if text is None or match is None:  # of a drug that is not understood, nothing is asked
            return None
        found = self.names.resolve_formulation(match.drug, text, f"{at}/formulation")
        if isinstance(found, NotUnderstood):
            self.not_understood.append(found)
            return None
        return found

    def _start(self, item: Mapping[str, Any], at: str) -> datetime | None:
        """The start, as told or, where it tells its zone, in UTC. All of one question must do the same."""
        text, hours = item.get("start"), item.get("hours")
        if text is None:
            return None
        try:
            start = datetime.fromisoformat(text)
            self._hold_zones_together(text, start.tzinfo is not None, f"{at}/start")
            start = start.astimezone(UTC).replace(tzinfo=None) if start.tzinfo else start
        except (ValueError, OverflowError):
            self.problems.append(AskProblem(f"{at}/start", f'"{text}" is not a time', 'write "2026-01-05T08:00"'))
            return None
        if hours is not None and start > datetime.max - timedelta(hours=hours):
            self.problems.append(
                AskProblem(f"{at}/hours", f'{hours:g} h from "{text}" end after the year 9999', "correct the start or the hours")
            )
            return None
        return start

    def _hold_zones_together(self, text: str, zoned: bool, at: str) -> None:
        """Local times and times with a zone cannot be set side by side: nothing tells the zone of the local ones."""
        first, first_zoned = self.first_start = self.first_start or (at, zoned)
        if zoned is not first_zoned:
            reason = f'"{text}" has {"a zone" if zoned else "no zone"}, and {first} has {"one" if first_zoned else "none"}'
            self.problems.append(AskProblem(at, reason, "write all starts in local time without a zone, or each with its zone"))


def flatten(messages: Any, at: str = "") -> list[AskProblem]:
    """Marshmallow's nested messages as a flat list."""
    if isinstance(messages, dict):
        return [
            problem for key, told in messages.items() for problem in flatten(told, at if key == "_schema" else f"{at}/{key}".lstrip("/"))
        ]
    problems = []
    for message in messages:
        reason, _, mend = str(message).partition(" | ")
        problems.append(AskProblem(at, reason, mend or _MENDS.get(reason, "see /docs for the shape of a question")))
    return problems


_SPOKEN = re.compile(r"\s*@\s*")
_CONC = r"(?P<conc>[<>]?\s*[\d.,]+(?:\s*-\s*[\d.,]+)?\s*(?:%|[a-zA-Zµμ]+\s*/\s*\d*\.?\d*\s*[a-zA-Z]+))"
_CONC_FIRST = re.compile(rf"{_CONC}(?:\s*/\s*|(?<!%)\s+|$)(?P<fluid>.*)")  # "0.9% NaCl" is a fluid, not a strength in one
_CONC_LAST = re.compile(rf"(?P<fluid>.*?)\s*/\s*{_CONC}")


def spoken(text: str) -> dict[str, Any] | str:
    """A drug as typed on the command line: "vancomycin", or with conditions "vancomycin@5mg/mL/NS@white".

    After the first "@": concentration and vehicle, in either order, separated by a slash; after a second "@": the line.
    """
    drug, *more = _SPOKEN.split(text.strip(), maxsplit=2)
    if not more:
        return drug
    item: dict[str, Any] = {"drug": drug}
    told = _CONC_FIRST.fullmatch(more[0]) or _CONC_LAST.fullmatch(more[0])
    conc, fluid = (told["conc"], told["fluid"]) if told else ("", more[0])
    if conc:
        item["conc"] = conc.strip()
    if fluid.strip(" /"):
        item["vehicle"] = fluid.strip(" /")
    if len(more) > 1 and more[1].strip():
        item["line"] = more[1].strip()
    return item
