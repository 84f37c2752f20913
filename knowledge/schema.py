"""What each kind of knowledge file may hold: marshmallow schemas that turn text into records."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Regexp

from knowledge.fields import ID, REFERENCE, Codes, Conc, Number, Rows, Strict, Text, Texts, Word, YesNo
from knowledge.model import (
    Acidity,
    Alias,
    Cited,
    ClassMembership,
    Component,
    Content,
    Drug,
    Interaction,
    Row,
    Rule,
    Side,
    Source,
    TallMan,
    When,
)
from knowledge.terms import Basis, Effect, Finding, Kind, Method, Mode, Result, Review, Route, SeenAs, Severity, SourceKind

CHARACTERS = ("acid", "base", "neutral", "zwitterion", "quaternary")
ALIAS_KINDS = ("brand", "synonym", "salt", "biosimilar", "abbreviation", "usan", "misspelling", "inn")
ROLES = (
    "electrolyte",
    "nutrient",
    "lipid",
    "emulsifier",
    "tonicity",
    "buffer",
    "ph-adjust",
    "stabilizer",
    "preservative",
    "antioxidant",
    "anticoagulant",
    "colloid",
    "active",
    "vehicle",
    "surfactant",
    "solubiliser",
    "excipient",
    "component-present",
    "absent",
    "property",
)


class CitedSchema(Strict):
    """Fields of everything that carries its own source."""

    source = Text(required=True)
    at = Text()
    read = Word(SeenAs)
    review = Word(Review)


class SourceSchema(Strict):
    record = Source
    id = Text(required=True, validate=ID)
    kind = Word(SourceKind, required=True)
    title = Text()
    author = Text()
    year = Text()
    publisher = Text()
    pmid = Text(validate=Regexp(r"^\d{1,9}$", error='"{input}" is not a PMID | digits only'))
    pmcid = Text(validate=Regexp(r"^PMC\d+$", error='"{input}" is not a PMCID | "PMC" and digits'))
    doi = Text(validate=Regexp(r"^10\.\d{4,9}/\S+$", error='"{input}" is not a DOI | start with 10.'))
    locator = Text()
    licence = Text()
    withdrawn = Text()


class AliasSchema(Strict):
    record = Alias
    name = Text(required=True)
    kind = Word(ALIAS_KINDS, required=True)
    source = Text(required=True)


class TallManSchema(Strict):
    record = TallMan
    text = Text(required=True)
    confused_with = Texts(required=True)
    source = Text(required=True)


class ComponentSchema(Strict):
    record = Component
    name = Text(required=True)
    drug = Text(validate=ID)
    rxnorm = Text(
        validate=Regexp(
            rf"^{Codes.SHAPES['rxnorm']}$", error='"{input}" does not look like a rxnorm code | check it against the terminology'
        )
    )
    unii = Text(
        validate=Regexp(rf"^{Codes.SHAPES['unii']}$", error='"{input}" does not look like a unii code | check it against the terminology')
    )


class ContentSchema(CitedSchema):
    record = Content
    component = Text(required=True, validate=ID)
    role = Word(ROLES, required=True)
    amount = Text()
    unit = Text()
    trace = YesNo()


class AciditySchema(CitedSchema):
    record = Acidity
    low = Number(load_default=None)
    high = Number(load_default=None)
    of = Text(load_default="")
    character = Word(CHARACTERS, load_default="")
    salt = Text(load_default="")
    pka = Text(load_default="")
    osmolarity = Text(load_default="")

    @validates_schema
    def check_range(self, data: dict[str, Any], **kwargs: Any) -> None:
        low, high = data.get("low"), data.get("high")
        if (low is None) != (high is None) or (low is not None and high is not None and not 0 <= low <= high <= 14):
            raise ValidationError("a pH runs from low to high within 0 to 14 | give both, low first; equal for a single value", "low")


class RuleSchema(CitedSchema):
    rule = Text(required=True)
    value = Texts(required=True)
    unit = Text(load_default="")
    effect = Word(Effect, required=True)
    note = Text(load_default="")


class MembershipField(fields.Field[ClassMembership]):
    """A class id, or {class: id, source: ..., systemic: no}."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return ClassMembership(cls=value, source="")
        if not isinstance(value, MappingABC) or "class" not in value or set(value) - {"class", "source", "systemic"}:
            raise ValidationError("a class is an id or {class: id, source: ..., systemic: no} | write one of the two")
        cls, source = (str(Text().deserialize(value[key])) if key in value else "" for key in ("class", "source"))
        return ClassMembership(cls=cls, source=source, systemic=bool(YesNo().deserialize(value.get("systemic", "yes"))))


class DrugSchema(Strict):
    """A file of knowledge/drugs/. `id` is added from the file name; rules get their drug."""

    record = Drug
    id = Text(required=True, validate=ID)
    name = Text(required=True)
    usan = Text()
    kind = Word(Kind, required=True)
    infused = YesNo(required=True)
    group = Text(required=True)
    vehicle_code = Text()
    ingredient = Text()
    parent = Text(validate=ID)
    codes = Codes(load_default=dict)
    codes_seen_in = Text()
    aliases = fields.List(fields.Nested(AliasSchema), load_default=list)
    tall_man = fields.List(fields.Nested(TallManSchema), load_default=list)
    components = fields.List(fields.Nested(ComponentSchema), load_default=list)
    classes = fields.List(MembershipField(), load_default=list)
    composition = fields.List(fields.Nested(ContentSchema), load_default=list)
    ph = fields.List(fields.Nested(AciditySchema), load_default=list)
    rules = fields.List(fields.Nested(RuleSchema), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """Make the drug, giving each rule its drug."""
        data["acidity"] = data.pop("ph")
        data["rules"] = [
            Rule(
                drug=data["id"],
                rule=item["rule"],
                values=item["value"],
                unit=item["unit"],
                effect=item["effect"],
                note=item["note"],
                cited=Cited(**{key: item[key] for key in ("source", "at", "read", "review") if key in item}),
            )
            for item in data["rules"]
        ]
        for name in ("aliases", "tall_man", "components", "classes", "composition", "acidity", "rules"):
            data[name] = tuple(data[name])
        return Drug(**data)


class RowSchema(Strict):
    """One row of a study file, `common` already merged in."""

    drug = Text(required=True, validate=REFERENCE)
    conc = Conc()
    vehicle = Texts(Text(), load_default=())
    formulation = Text(load_default="")
    added = Text(load_default="")
    with_ = Text(required=True, data_key="with", validate=REFERENCE)
    with_conc = Conc()
    with_vehicle = Texts(Text(), load_default=())
    with_formulation = Text(load_default="")
    with_added = Text(load_default="")
    mode = Word(Mode, required=True)
    result = Word(Result, required=True)
    basis = Word(Basis, required=True)
    method = Texts(Word(Method), load_default=())
    hours = Number(load_default=None)
    finding = Word(Finding, required=True)
    at = Text(required=True)
    read = Word(SeenAs, required=True)
    review = Word(Review)
    note = Text(load_default="")
    source = Text(required=True)
    id = Text(required=True)

    @validates_schema
    def check_sense(self, data: dict[str, Any], **kwargs: Any) -> None:
        """A compatible row shows no failure; a drug is not tested against itself."""
        if data["result"] is Result.COMPATIBLE and data["finding"] not in (Finding.NONE, Finding.OTHER):
            raise ValidationError(f'a compatible row cannot have the finding "{data["finding"]}" | correct result or finding', "finding")
        if data["result"] is Result.INCOMPATIBLE and data["finding"] is Finding.NONE:
            raise ValidationError(
                'an incompatible row needs a finding | write what was seen, or "other" when the source does not say', "finding"
            )
        if data["drug"] == data["with_"] and data.get("formulation") == data.get("with_formulation"):
            raise ValidationError("both sides are the same drug | correct drug or with", "with")

    @post_load
    def build(self, data: dict[str, Any], **kwargs: Any) -> Row:
        """Make the row with its sides sorted."""
        sides = (
            Side(drug=data["drug"], conc=data.get("conc"), vehicles=data["vehicle"], formulation=data["formulation"], added=data["added"]),
            Side(
                drug=data["with_"],
                conc=data.get("with_conc"),
                vehicles=data["with_vehicle"],
                formulation=data["with_formulation"],
                added=data["with_added"],
            ),
        )
        a, b = sorted(sides, key=lambda side: side.drug)
        cited = Cited(source=data["source"], at=data["at"], read=data["read"], review=data.get("review", Review.TRANSCRIBED))
        return Row(
            id=data["id"],
            a=a,
            b=b,
            mode=data["mode"],
            result=data["result"],
            basis=data["basis"],
            method=data["method"],
            hours=data["hours"],
            finding=data["finding"],
            note=data["note"],
            cited=cited,
        )


class ReadSchema(Strict):
    what = Word(SeenAs, required=True)
    review = Word(Review)
    by = Text()
    on = Text()


class StudySchema(Strict):
    """The frame of a study file; its rows are read one by one with RowSchema."""

    source = fields.Nested(SourceSchema, required=True)
    read = fields.Nested(ReadSchema, required=True)
    common = fields.Dict(keys=Text(), load_default=dict)
    rows = Rows(required=True)
    note = Text()


class WhenField(fields.Field[When]):
    """`decided_by`: what the order must say for the condition to hold."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        known = {"min_age_days", "max_age_days", "routes"}
        if not isinstance(value, MappingABC) or not value or set(value) - known:
            raise ValidationError("decided_by is a mapping | use min_age_days, max_age_days or routes: {drug: iv}")
        ages: dict[str, int] = {}
        for key in ("min_age_days", "max_age_days"):
            if key in value:
                if not str(value[key]).isdigit():
                    raise ValidationError(f'"{value[key]}" is not a number of days | digits only')
                ages[key] = int(value[key])
        routes = value.get("routes", {})
        if not isinstance(routes, MappingABC) or set(routes.values()) - {"iv", "non-iv"}:
            raise ValidationError("routes is a mapping of drug to iv or non-iv | write routes: {diltiazem: iv}")
        return When(routes=tuple(sorted(routes.items())), **ages)


class StatementSchema(CitedSchema):
    pair = Texts(Text(validate=REFERENCE), repeat=True)
    object = Text(validate=REFERENCE)
    precipitant = Text(validate=REFERENCE)
    severity = Word(Severity, required=True)
    said = Text(load_default="")
    effect = Text(load_default="")
    manage = Texts(load_default=())
    route = Word(Route, required=True)
    when = Text(load_default="")
    decided_by = WhenField(load_default=None)
    first = Text(load_default="", validate=ID)
    note = Text(load_default="")

    @validates_schema
    def check_pair(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Either a pair, or an object with its precipitant."""
        roles = ("object" in data) + ("precipitant" in data)
        if ("pair" in data) == bool(roles) or roles == 1:
            raise ValidationError("give pair, or object and precipitant | two drugs or classes are needed", "pair")
        if "pair" in data and len(data["pair"]) != 2:
            raise ValidationError("a pair has two members | write both; the same class twice stands for two different members", "pair")
        if data.get("decided_by") and not data["when"]:
            raise ValidationError("decided_by needs the condition in words | add when:", "when")


def statement(data: dict[str, Any], number: str, mechanism: str) -> Interaction:
    """An Interaction from a loaded StatementSchema."""
    if "pair" in data:
        a, b = sorted(data["pair"])
    else:
        a, b = sorted((data["object"], data["precipitant"]))
    cited = Cited(source=data["source"], at=data.get("at", ""), read=data.get("read"), review=data.get("review", Review.TRANSCRIBED))
    return Interaction(
        id=number,
        a=a,
        b=b,
        object=data.get("object", ""),
        precipitant=data.get("precipitant", ""),
        severity=data["severity"],
        said=data["said"],
        mechanism=mechanism,
        effect=data["effect"],
        manage=data["manage"],
        route=data["route"],
        condition=data["when"],
        when=data["decided_by"],
        first=data["first"],
        note=data["note"],
        cited=cited,
    )


class InteractionsSchema(Strict):
    mechanism = Text(required=True)
    statements = Rows(required=True)
