"""The shapes of the pages about a drug, a pair, a source and the knowledge base, for the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from api.schemas import CiteSchema, FindingSchema, IdentitySchema, LineSchema, ManagementSchema, RowSchema, ViaSchema
from knowledge.terms import Effect, Kind, Mode, Route, Severity, SourceKind


def _text(description: str = "", **more: object) -> fields.String:
    return fields.String(metadata={"description": description} if description else {}, **more)  # type: ignore[arg-type]


def _word(words: Iterable[object], description: str = "", **more: object) -> fields.String:
    allowed = OneOf([str(word) for word in words])
    return _text(description, validate=allowed, **more)


class BriefSchema(Schema):
    """A drug in a list."""

    id = _text("file name of knowledge/drugs/", required=True)
    name = _text(required=True)
    tall_man = _text("mixed-case lettering against a look-alike name", required=True, allow_none=True)
    kind = _word(Kind, required=True)
    infused = fields.Boolean(required=True)


class HitSchema(BriefSchema):
    """A drug that fits the text."""

    matched = _text("the name, brand or code that fitted", required=True)
    matched_by = _text("name, brand, salt, biosimilar, abbreviation, code ...", required=True)


class HitsSchema(Schema):
    """The answer to GET /v1/drugs, best first."""

    q = _text(required=True)
    drugs = fields.List(fields.Nested(HitSchema), required=True)
    knowledge = fields.Nested(IdentitySchema, required=True)


class RuleSchema(Schema):
    """One demand that one source makes of one product."""

    drug = _text(required=True)
    rule = _text("kind of rule", required=True)
    value = fields.List(fields.String(), required=True)
    unit = _text()
    effect = _word(Effect, required=True)
    text = _text("the rule as a sentence", required=True)
    note = _text()
    source = fields.Nested(CiteSchema, required=True)


class StatementSchema(Schema):
    """One interaction as its source states it."""

    id = _text(required=True)
    between = fields.List(fields.String(), required=True, metadata={"description": "drug ids, class:<id> or group:<id>"})
    names = fields.List(fields.String(), required=True)
    object = _text("the drug whose effect changes")
    precipitant = _text("the drug that changes it")
    severity = _word(Severity, required=True)
    said = _text("the source's own level")
    mechanism = _text(required=True)
    effect = _text()
    management = fields.List(fields.Nested(ManagementSchema), required=True)
    route = _word(Route, required=True)
    condition = _text("the level holds only then")
    first = _text("the drug to give first, where order matters")
    note = _text()
    sources = fields.List(fields.Nested(CiteSchema), required=True)


class StatedSchema(StatementSchema):
    """One interaction as it speaks of two drugs."""

    via = fields.List(fields.Nested(ViaSchema), required=True)


class ContentSchema(Schema):
    """One component of a fluid, or of a drug's own vehicle."""

    component = _text(required=True)
    amount = _text("as printed; left out when the source gives none")
    unit = _text()
    role = _text(required=True)
    trace = fields.Boolean(required=True, metadata={"description": "too little to count as a source of the component"})
    source = fields.Nested(CiteSchema, required=True)


class AciditySchema(Schema):
    """pH and acid-base character of a product."""

    low = fields.Float(required=True, allow_none=True)
    high = fields.Float(required=True, allow_none=True)
    of = _text("what was measured")
    character = _text()
    salt = _text()
    pka = _text()
    osmolarity_mosm_per_l = _text("as printed")
    source = fields.Nested(CiteSchema, required=True)


class OfContentSchema(ContentSchema):
    """Content of a drug."""

    drug = _text(required=True)


class OfAciditySchema(AciditySchema):
    """Acidity of a drug."""

    drug = _text(required=True)


class TallManSchema(Schema):
    """Lettering against a look-alike."""

    text = _text(required=True)
    confused_with = fields.List(fields.String(), required=True)
    source = _text(required=True)


class AliasSchema(Schema):
    """Another name."""

    name = _text(required=True)
    kind = _text("brand, synonym, salt, biosimilar, abbreviation ...", required=True)
    source = _text(required=True)


class ComponentSchema(Schema):
    """One part of a fixed combination."""

    name = _text(required=True)
    drug = _text()
    rxnorm = _text()
    unii = _text()


class MembershipSchema(Schema):
    """A class to which the drug belongs."""

    id = _text(required=True)
    name = _text(required=True)
    systemic = fields.Boolean(required=True)
    source = fields.Nested(CiteSchema, required=True)


class ResultsSchema(Schema):
    """How many rows, and how many of each result."""

    rows = fields.Integer(required=True)
    results = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class PartnerSchema(Schema):
    """A drug with which this one was tested."""

    drug = _text(required=True)
    name = _text(required=True)
    modes = fields.Dict(
        keys=fields.String(), values=fields.Nested(ResultsSchema), required=True, metadata={"description": "by mode: rows and results"}
    )
    pair = _text("address of all evidence", required=True)


class InteractingSchema(Schema):
    """Drugs with which an interaction is stated, counted by the worst severity of each."""

    partners = fields.Integer(required=True)
    by_worst_severity = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class KnownSchema(Schema):
    """With whom more is known."""

    partners = fields.List(fields.Nested(PartnerSchema), required=True)
    interactions = fields.Nested(InteractingSchema, required=True)


class DrugSchema(BriefSchema):
    """All that is known of one drug, fluid or nutrition."""

    tall_man_entries = fields.List(fields.Nested(TallManSchema), required=True)
    usan = _text(required=True, allow_none=True)
    group = _text(required=True)
    vehicle_code = _text("NS, D5W ...", required=True, allow_none=True)
    ingredient = _text("shared by formulations of one active ingredient", required=True, allow_none=True)
    parent = _text("the common name that this product is one of", required=True, allow_none=True)
    codes = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata={"description": "by system: rxnorm, unii, snomed, wikidata"},
    )
    codes_seen_in = _text(required=True, allow_none=True)
    aliases = fields.List(fields.Nested(AliasSchema), required=True)
    components = fields.List(fields.Nested(ComponentSchema), required=True)
    classes = fields.List(fields.Nested(MembershipSchema), required=True)
    composition = fields.List(fields.Nested(ContentSchema), required=True)
    ph = fields.List(fields.Nested(AciditySchema), required=True)
    rules = fields.List(fields.Nested(RuleSchema), required=True)
    known = fields.Nested(KnownSchema, required=True)
    knowledge = fields.Nested(IdentitySchema, required=True)


class LinesSchema(Schema):
    """The judgement in each mode, without conditions."""

    y_site = fields.Nested(LineSchema, required=True, data_key=str(Mode.Y_SITE))
    admixture = fields.Nested(LineSchema, required=True)
    syringe = fields.Nested(LineSchema, required=True)


class LineFindingsSchema(Schema):
    """The judgement in words, by mode."""

    y_site = fields.List(fields.Nested(FindingSchema), required=True, data_key=str(Mode.Y_SITE))
    admixture = fields.List(fields.Nested(FindingSchema), required=True)
    syringe = fields.List(fields.Nested(FindingSchema), required=True)


class PairPageSchema(Schema):
    """All that is known of two drugs."""

    pair = fields.List(fields.String(), required=True, metadata={"description": "canonical ids, sorted"})
    drugs = fields.List(fields.Nested(BriefSchema), required=True)
    line = fields.Nested(LinesSchema, required=True)
    findings = fields.Nested(LineFindingsSchema, required=True)
    rules = fields.List(fields.Nested(RuleSchema), required=True, metadata={"description": "product rules of one that name the other"})
    interactions = fields.List(fields.Nested(StatedSchema), required=True, metadata={"description": "on any route and under any condition"})
    knowledge = fields.Nested(IdentitySchema, required=True)


class OfClassSchema(Schema):
    """That a drug belongs to a class."""

    drug = _text(required=True)
    cls = _text(required=True, data_key="class")


class RestsSchema(Schema):
    """Every fact that rests on a source."""

    rows = fields.List(fields.Nested(RowSchema), required=True)
    rules = fields.List(fields.Nested(RuleSchema), required=True)
    interactions = fields.List(fields.Nested(StatementSchema), required=True)
    composition = fields.List(fields.Nested(OfContentSchema), required=True)
    ph = fields.List(fields.Nested(OfAciditySchema), required=True)
    memberships = fields.List(fields.Nested(OfClassSchema), required=True)


class SourcePageSchema(Schema):
    """One source, and what rests on it."""

    id = _text(required=True)
    kind = _word(SourceKind, required=True)
    cite = _text("the source in one line", required=True)
    title = _text()
    author = _text()
    year = _text()
    publisher = _text()
    pmid = _text()
    pmcid = _text()
    doi = _text()
    locator = _text()
    licence = _text()
    withdrawn = _text("why and when; its facts then no longer count", required=True, allow_none=True)
    rests_on_it = fields.Nested(RestsSchema, required=True)
    knowledge = fields.Nested(IdentitySchema, required=True)


class CountsSchema(Schema):
    """How much the knowledge holds."""

    kinds = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    infused = fields.Integer(required=True)
    classes = fields.Integer(required=True)
    sources = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    withdrawn_sources = fields.Integer(required=True)
    rows = fields.Nested(ResultsSchema, required=True)
    rows_by_mode = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    rows_read_as = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    pairs_with_evidence = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    rules = fields.Integer(required=True)
    interaction_statements = fields.Integer(required=True)
    interacting_pairs = fields.Integer(required=True)


class KnowledgeSchema(IdentitySchema):
    """Which knowledge answers here, and how much it holds."""

    date = _text(required=True)
    counts = fields.Nested(CountsSchema, required=True)


class ReasonCountSchema(Schema):
    """How often one reason was given."""

    system = fields.String(required=True)
    code = fields.String(required=True)
    display = fields.String(required=True)
    count = fields.Integer(required=True)


class AboutSchema(Schema):
    """What became of the cards about one drug or pair."""

    drugs = fields.List(fields.String(), required=True)
    overridden = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    reasons = fields.List(fields.Nested(ReasonCountSchema), required=True)


class FeedbackSummarySchema(Schema):
    """What is overridden most."""

    outcomes = fields.Integer(required=True)
    overridden = fields.Integer(required=True)
    about = fields.List(fields.Nested(AboutSchema), required=True)
    not_shown = fields.Integer(
        required=True, metadata={"description": "drugs and pairs that `about` leaves out, for they are overridden less"}
    )
    reasons = fields.List(fields.Nested(ReasonCountSchema), required=True)
    knowledge = fields.Nested(IdentitySchema, required=True)
