"""The shapes of the HTTP contract, for its documentation and for reading query parameters.

Questions are read by checker.ask, whose schemas the document shows. Answers are bytes from the renderer; they are
never dumped through these schemas, and the tests hold the two together.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from checker.model import Kind as FindingKind
from checker.model import Level, Reason, Relation, Status, Verdict
from knowledge.terms import Basis, Effect, Finding, Method, Mode, Result, Review, Route, SeenAs, Severity, SourceKind


def _text(description: str = "", example: Any = None, **more: Any) -> fields.String:
    metadata = {"description": description} if description else {}
    if example is not None:
        metadata["example"] = example
    return fields.String(metadata=metadata, **more)


def _word(words: Any, description: str = "", **more: Any) -> fields.String:
    return fields.String(
        validate=OneOf([str(word) for word in words]), metadata={"description": description} if description else {}, **more
    )


def _texts(description: str = "") -> fields.List[str]:
    return fields.List(fields.String(), required=True, metadata={"description": description} if description else {})


# --- query parameters ---


class Whole(fields.Integer):
    """A whole number written in digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10):
            raise ValidationError("this is not a whole number | write digits")
        return int(value)


class Filled(fields.String):
    """A text that is more than spaces."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.strip():
            raise ValidationError("the text is empty | write the beginning of a name, brand or code")
        return text


class BatchQuery(Schema):
    """POST /v1/batch"""

    class Meta:
        unknown = RAISE

    level = fields.String(
        load_default="verdict",
        validate=OneOf(("verdict", "findings", "full"), error="there is no such level | write verdict, findings or full"),
        metadata={"description": "one row a set, one row a finding, or the whole report"},
    )


class DrugsQuery(Schema):
    """GET /v1/drugs"""

    class Meta:
        unknown = RAISE

    q = Filled(
        required=True,
        validate=Length(1, 200, error="this text is too long | write the beginning of a name, brand or code"),
        error_messages={"required": "this parameter is missing | write ?q= and the beginning of a name, brand or code"},
        metadata={"description": "beginning or part of a name, brand, abbreviation or code", "example": "vanco"},
    )
    limit = Whole(
        load_default=12,
        validate=Range(1, 50, error="the limit is out of range | write 1 to 50"),
        metadata={"description": "most drugs in the answer"},
    )


class NoQuery(Schema):
    """An address without query parameters."""

    class Meta:
        unknown = RAISE


# --- parts of answers ---


class IdentitySchema(Schema):
    """Which knowledge answered. The same question to the same knowledge gives the same answer."""

    version = _text("year.month.number", "2026.11.1", required=True)
    digest = _text("sha256 over the knowledge files", required=True)
    overlay = _text("a facility's own decisions on top, if any", required=True, allow_none=True)


class CiteSchema(Schema):
    """Where a claim stands, and how much of the source was read."""

    id = _text("id of the source: GET /v1/sources/{id}", required=True)
    cite = _text("the source in one line", required=True)
    kind = _word(SourceKind, required=True)
    at = _text("where in the source: section, table, abstract", required=True)
    read = _word(SeenAs, "what of it was read; null: not recorded", required=True, allow_none=True)
    review = _word(Review, "how often the record was held against the source", required=True)
    year = _text()
    pmid = _text()
    doi = _text()


class SideSchema(Schema):
    """One drug of a tested pair, in the state in which it was tested."""

    drug = _text("a drug id, or group:<id> for a statement about a whole group", required=True)
    conc = _text("as the source gives it; null: not stated", required=True, allow_none=True)
    vehicles = _texts("any of these; empty: not stated")
    formulation = _text()
    added = _text("an amount or ratio that is no concentration")


class DerivedSchema(Schema):
    """How a fact about something else reaches this drug."""

    kind = _text("composition | carrier | common-name | class | component | ingredient", required=True)
    through = _text(required=True)
    member = _text(required=True)
    text = _text()
    sources = fields.List(fields.Nested(CiteSchema))


class RowSchema(Schema):
    """One tested condition from one source."""

    id = _text("source id, #, number of the row", required=True)
    a = fields.Nested(SideSchema, required=True)
    b = fields.Nested(SideSchema, required=True)
    mode = _word(Mode, required=True)
    result = _word(Result, required=True)
    finding = _word(Finding, "the form in which an incompatibility showed itself", required=True)
    basis = _word(Basis, required=True)
    method = fields.List(_word(Method), required=True)
    hours = fields.Float(required=True, allow_none=True, metadata={"description": "how long it was watched; null: not stated"})
    source = fields.Nested(CiteSchema, required=True)
    note = _text()
    derived_from = fields.Nested(DerivedSchema)
    relation = _word(Relation, "with explain: how the row stands to the conditions asked")
    settled = fields.Boolean(metadata={"description": "with explain: whether this row settled the status"})
    why = _text("with explain: the relation in words")


class RuleHitSchema(Schema):
    """A product rule that speaks against the pair."""

    drug = _text(required=True)
    rule = _text(required=True)
    value = _text(required=True)
    against = _text(required=True)
    effect = _word(Effect, required=True)
    text = _text(required=True)
    source = fields.Nested(CiteSchema, required=True)
    derived_from = fields.Nested(DerivedSchema)


class LineSchema(Schema):
    """What the evidence says of one pair on one line."""

    status = _word(Status, "worst first: incompatible, variable, no-data, compatible", required=True)
    reason = _word(Reason, "why; the non-answers are told apart, and none of them is compatible", required=True)
    mode = _word(Mode, required=True)
    holds_for = fields.List(
        fields.Raw(), metadata={"description": 'for compatible only: the tested conditions, or "conditions not stated"'}
    )
    evidence = fields.List(fields.Nested(RowSchema), required=True)
    nearest = fields.List(
        fields.Nested(RowSchema), metadata={"description": "tests under other conditions than those asked: shown, never proof"}
    )
    derived = fields.List(fields.Nested(RowSchema), metadata={"description": "incompatible tests of what one of them contains"})
    context = fields.List(fields.Nested(RowSchema), metadata={"description": "tests in other modes"})
    rules = fields.List(fields.Nested(RuleHitSchema))


class ManagementSchema(Schema):
    """What to do, as a stable code and a sentence."""

    code = _text(required=True)
    text = _text(required=True)


class ViaSchema(Schema):
    """The class, group or component through which an interaction reaches a drug."""

    kind = _text(required=True)
    through = _text(required=True)
    member = _text(required=True)
    text = _text()


class InteractionSchema(Schema):
    """An interaction between two of the order."""

    severity = _word(Severity, required=True)
    mechanism = _text(required=True)
    effect = _text(required=True, allow_none=True)
    management = fields.List(fields.Nested(ManagementSchema), required=True)
    route = _word(Route, required=True)
    holds = fields.String(
        required=True,
        validate=OneOf(["yes", "undecided"]),
        metadata={"description": "undecided: the order does not say whether the condition is met"},
    )
    condition = _text("the interaction holds only then")
    object = _text("the drug whose effect changes")
    precipitant = _text("the drug that changes it")
    via = fields.List(fields.Nested(ViaSchema))
    sources = fields.List(fields.Nested(CiteSchema), required=True)


class AskedSchema(Schema):
    """How one entry of the question was understood."""

    at = _text("where it stands in the question", "drugs/0", required=True)
    asked = _text("as it was sent", required=True)
    drug = _text("id of the drug", required=True)
    name = _text("with tall-man lettering", required=True)
    matched_by = _text("name, brand, salt, biosimilar, abbreviation, code ...", "name", required=True)


class NotUnderstoodSchema(Schema):
    """Something asked that was not understood. With one of these, no report is clear."""

    at = _text("where it stands in the question", "drugs/1", required=True)
    asked = _text(required=True)
    reason = _text("unresolved-name | ambiguous-name | unresolved-code | ambiguous-code | unresolved-vehicle ...", required=True)
    candidates = _texts("near or possible meanings, never chosen for you")
    why = _text()


class PairSchema(Schema):
    """All that is said of two of the order."""

    pair = _texts("two drug ids, sorted")
    at = _texts("where they stand in the question")
    line = fields.Nested(
        LineSchema, required=True, allow_none=True, metadata={"description": "null: they do not share a line at the same time"}
    )
    interactions = fields.List(fields.Nested(InteractionSchema), required=True)


class FindingSchema(Schema):
    """One thing a person should read. `code` is stable, `text` may be reworded."""

    level = _word(Level, "notes do not touch the verdict", required=True)
    kind = _word(FindingKind, required=True)
    code = _text(required=True)
    drugs = _texts()
    text = _text(required=True)
    severity = _word(Severity, "of an interaction")
    management = fields.List(fields.Nested(ManagementSchema))
    sources = fields.List(fields.Nested(CiteSchema), required=True)


class ReportSchema(Schema):
    """The answer to POST /v1/check."""

    verdict = _word(Verdict, "worst finding first; clear only if everything asked was understood and tested", required=True)
    mode = _word(Mode, required=True)
    drugs = fields.List(fields.Nested(AskedSchema), required=True)
    not_understood = fields.List(fields.Nested(NotUnderstoodSchema), required=True)
    pairs = fields.List(fields.Nested(PairSchema), required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True, metadata={"description": "worst first"})
    knowledge = fields.Nested(IdentitySchema, required=True)


class MistakeSchema(Schema):
    """One mistake in a request."""

    at = _text('where: "drugs/1/conc", a parameter, or a line and column', required=True)
    reason = _text(required=True)
    mend = _text("how to correct it", required=True)


class ProblemSchema(Schema):
    """An error, as RFC 9457 has it."""

    type = _text("address that says what this kind of problem means", "/problems/bad-question", required=True)
    title = _text(required=True)
    status = fields.Integer(required=True)
    detail = _text(required=True)
    instance = _text("holds the request id", required=True, allow_none=True)
    errors = fields.List(fields.Nested(MistakeSchema), required=True)
    errors_left_out = fields.Integer()
    candidates = fields.List(fields.String(), metadata={"description": "for an unknown drug: near or possible names"})
