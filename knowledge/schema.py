"""What each kind of knowledge file may hold: marshmallow schemas that turn text into records.

A message carries its mend after " | ": "what is wrong | how to mend it".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping as MappingABC
from enum import StrEnum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Regexp

from knowledge.model import (
    AcidBase, Acidity, Alias, Ambiguous, Basis, Cited, ClassMembership, Component, Content, Drug, DrugClass, Effect, Finding,
    Group, Interaction, Kind, Method, Mode, Result, Review, Route, Row, Rule, SeenAs, Severity, Side, Source, SourceKind,
    Substance, TallMan, When,
)
from knowledge.units import Concentration, ConcentrationError

_ID = r"[a-z0-9][a-z0-9.-]*"
ID = Regexp(rf"^{_ID}$", error='"{input}" is not an id | use lower-case letters, digits, hyphens and dots: the file name of knowledge/drugs/')
REFERENCE = Regexp(rf"^((class|group):)?{_ID}$", error='"{input}" is not a reference | write a drug id, class:<id> or group:<id>')
CHARACTERS = ("acid", "base", "neutral", "zwitterion", "quaternary")
ALIAS_KINDS = ("brand", "synonym", "salt", "biosimilar", "abbreviation", "usan", "misspelling", "inn")
ROLES = (
    "electrolyte", "nutrient", "lipid", "emulsifier", "tonicity", "buffer", "ph-adjust", "stabilizer", "preservative",
    "antioxidant", "anticoagulant", "colloid", "active", "vehicle", "surfactant", "solubiliser", "excipient",
    "component-present", "absent", "property",
)


class Text(fields.Field[str]):
    """A line of text; a list or mapping in its place is refused."""

    default_error_messages = {
        "required": 'this field is missing | add it: every record needs it',
        "list": "one value is expected here, not a list or mapping | write a single value",
        "empty": "the field is empty | write a value or leave the field out",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("list")
        if not value.strip():
            raise self.make_error("empty")
        return value.strip()


class Word(Text):
    """One code of a closed vocabulary."""

    def __init__(self, allowed: type[StrEnum] | tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed
        self.codes = [str(code) for code in allowed]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.codes:
            near = difflib.get_close_matches(text, self.codes, 1)
            mend = f'write "{near[0]}" if that was meant; ' if near else ""
            raise ValidationError(f'"{text}" is not a known word | {mend}the words are: {", ".join(self.codes)}')
        return self.allowed(text) if isinstance(self.allowed, type) else text


class YesNo(Text):
    """`yes` or `no`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in ("yes", "no"):
            raise ValidationError(f'"{text}" is neither yes nor no | write yes or no')
        return text == "yes"


class Number(Text):
    """A plain, finite, non-negative number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
            raise ValidationError(f'"{text}" is not a number | write digits with a point, without unit')
        return float(text)


class Conc(Text):
    """A concentration that `Concentration.parse` reads."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return Concentration.parse(text)
        except ConcentrationError as error:
            raise ValidationError(f"{error.reason} | write a concentration (\"5 mg/mL\", \"5-10 mg/mL\", \"up to 4 mg/mL\"), or put an amount or ratio in `added`") from error


class Texts(fields.Field[tuple[str, ...]]):
    """One value or a list of values, read as a tuple."""

    def __init__(self, inner: Text | None = None, *, repeat: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner or Text()
        self.repeat = repeat

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        if not values:
            raise ValidationError("the list is empty | write a value or leave the field out")
        if not self.repeat and len(set(map(str, values))) != len(values):
            raise ValidationError("a value stands twice in the list | keep one")
        return tuple(self.inner.deserialize(item, attr, data) for item in values)


class Rows(fields.Field[list[Any]]):
    """A list of mappings, passed on as they are: they are read one by one, so that each error names its line."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(item, MappingABC) for item in value):
            raise ValidationError("a list of mappings is expected here | write lines that start with a hyphen: - {...}")
        return value


class Codes(fields.Field[dict[str, tuple[str, ...]]]):
    """Codes by system; the shape of each system's code is checked."""

    SHAPES = {"rxnorm": r"\d{1,8}", "unii": r"[A-Z0-9]{10}", "snomed": r"\d{6,18}", "wikidata": r"Q\d+"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, MappingABC):
            raise ValidationError("codes are a mapping of system to list | write {rxnorm: [...], unii: [...]}")
        read = Texts()
        found: dict[str, tuple[str, ...]] = {}
        for system, codes in value.items():
            shape = self.SHAPES.get(system)
            if shape is None:
                raise ValidationError(f'"{system}" is not a code system | the systems are: {", ".join(self.SHAPES)}')
            found[system] = read.deserialize(codes) or ()
            for code in found[system]:
                if not re.fullmatch(shape, code):
                    raise ValidationError(f'"{code}" does not look like a {system} code | check it against the terminology')
        return found


class Strict(Schema):
    """Base of all schemas here: unknown fields are refused by name, and the record is built at the end."""

    class Meta:
        unknown = RAISE

    record: type | None = None

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Say which fields exist when one is unknown, and name the mend for a wrong shape."""
        messages = error.messages
        if not isinstance(messages, dict):
            return
        for field, told in messages.items():
            if told == ["Unknown field."]:
                near = difflib.get_close_matches(str(field), list(self.fields), 1)
                hint = f'write "{near[0]}" if that was meant; ' if near else ""
                messages[field] = [f"this field is unknown | {hint}fields here are: {', '.join(self.fields)}"]
            elif told == ["Invalid input type."]:
                messages[field] = ["a mapping is expected here | write {field: value, ...}"]
            elif told == ["Not a valid list."]:
                messages[field] = ["a list is expected here | write [...] or lines that start with a hyphen"]
            elif told == ["Missing data for required field."]:
                messages[field] = ["this field is missing | add it: every record of this kind needs it"]

    @post_load
    def build(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """Make the record."""
        if self.record is None:
            return data
        if "source" in self.fields and "at" in self.fields:
            data["cited"] = Cited(**{key: data.pop(key) for key in ("source", "at", "read", "review") if key in data})
        return self.record(**data)


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
    rxnorm = Text(validate=Regexp(rf"^{Codes.SHAPES['rxnorm']}$", error='"{input}" does not look like a rxnorm code | check it against the terminology'))
    unii = Text(validate=Regexp(rf"^{Codes.SHAPES['unii']}$", error='"{input}" does not look like a unii code | check it against the terminology'))


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
            Rule(drug=data["id"], rule=item["rule"], values=item["value"], unit=item["unit"], effect=item["effect"], note=item["note"],
                 cited=Cited(**{key: item[key] for key in ("source", "at", "read", "review") if key in item}))
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
            raise ValidationError('an incompatible row needs a finding | write what was seen, or "other" when the source does not say', "finding")
        if data["drug"] == data["with_"] and data.get("formulation") == data.get("with_formulation"):
            raise ValidationError("both sides are the same drug | correct drug or with", "with")

    @post_load
    def build(self, data: dict[str, Any], **kwargs: Any) -> Row:
        """Make the row with its sides sorted."""
        sides = (
            Side(drug=data["drug"], conc=data.get("conc"), vehicles=data["vehicle"], formulation=data["formulation"], added=data["added"]),
            Side(drug=data["with_"], conc=data.get("with_conc"), vehicles=data["with_vehicle"], formulation=data["with_formulation"], added=data["with_added"]),
        )
        a, b = sorted(sides, key=lambda side: side.drug)
        cited = Cited(source=data["source"], at=data["at"], read=data["read"], review=data.get("review", Review.TRANSCRIBED))
        return Row(id=data["id"], a=a, b=b, mode=data["mode"], result=data["result"], basis=data["basis"], method=data["method"],
                   hours=data["hours"], finding=data["finding"], note=data["note"], cited=cited)


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
        id=number, a=a, b=b, object=data.get("object", ""), precipitant=data.get("precipitant", ""), severity=data["severity"], said=data["said"],
        mechanism=mechanism, effect=data["effect"], manage=data["manage"], route=data["route"], condition=data["when"], when=data["decided_by"],
        first=data["first"], note=data["note"], cited=cited,
    )


class InteractionsSchema(Strict):
    mechanism = Text(required=True)
    statements = Rows(required=True)


class ClassSchema(Strict):
    record = DrugClass
    id = Text(required=True, validate=ID)
    name = Text(required=True)
    source = Text(required=True)
    duplication = YesNo()


class GroupSchema(Strict):
    record = Group
    id = Text(required=True, validate=ID)
    name = Text(required=True)
    contains = Texts(load_default=())
    all_of = YesNo()
    at_least_g_per_l = Number()
    members = Texts(load_default=())
    carriers = Texts(load_default=())
    why = Text()


class SubstanceSchema(Strict):
    record = Substance
    id = Text(required=True, validate=ID)
    kind = Word(("ion", "salt", "nutrient", "colloid", "sugar", "solvent", "surfactant", "other", "property"), required=True)
    yields = Texts(load_default=())


class AmbiguousSchema(Strict):
    record = Ambiguous
    token = Text(required=True)
    candidates = Texts(load_default=())
    others = Texts(load_default=())
    why = Text(required=True)
    source = Text(required=True)


class Interval(fields.Field[tuple[float, float]]):
    """Two shares between 0 and 1, low first."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            raise ValidationError("an interval has two numbers | write [low, high]")
        low, high = [Number()._deserialize(item, attr, data) for item in value]
        if not low <= high <= 1:
            raise ValidationError("an interval runs from low to high within 0 to 1 | write [low, high]")
        return (low, high)


class AcidBaseSchema(Strict):
    """acid-base.yaml; the figures are written by the command that measures them."""

    record = AcidBase
    rule = Text(required=True)
    least_gap = Number(required=True)
    predictive_value = Number(required=True)
    predictive_value_interval = Interval(required=True)
    sensitivity = Number(required=True)
    sensitivity_interval = Interval(required=True)
    pairs = fields.Integer(required=True)


class ReleaseSchema(Strict):
    version = Text(required=True, validate=Regexp(r"^\d{4}\.\d{1,2}\.\d+$", error='"{input}" is not a version | year.month.number'))
    date = Text(required=True, validate=Regexp(r"^\d{4}-\d{2}-\d{2}$", error='"{input}" is not a date | YYYY-MM-DD'))
