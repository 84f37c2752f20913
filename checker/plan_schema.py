"""The shape of a question to the planner: the body of POST /v1/plan."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

from checker.ask import InfusionSchema, Item, MedicationSchema, Named, PatientSchema
from checker.plan_model import Policy
from knowledge.normalise import LONGEST_NAME

MOST_LUMENS, MOST_WINDOWS = 12, 12
CENTRAL, PERIPHERAL = "central", "peripheral"
_CLOCK = Regexp(r"^([01]\d|2[0-3]):[0-5]\d(?![\s\S])", error='this is not a clock time | write "08:00"')
_LUMEN_NAME = Length(1, 60)


class WindowSchema(Schema):
    """Clock times between which a dose may start, both included."""

    class Meta:
        unknown = RAISE

    low = fields.String(required=True, data_key="from", validate=_CLOCK, metadata={"example": "06:00"})
    high = fields.String(required=True, data_key="to", validate=_CLOCK, metadata={"example": "08:00"})


class PlanInfusionSchema(InfusionSchema):
    """One infusion to be planned: continuous, unless hours, every_hours, windows or bolus is given."""

    class Meta(InfusionSchema.Meta):
        exclude = ("line", "start", "route")

    every_hours = fields.Float(
        validate=Range(0, 10_000, min_inclusive=False), metadata={"description": "hours from dose to dose", "example": 8}
    )
    windows = fields.List(
        fields.Nested(WindowSchema),
        validate=Length(1, MOST_WINDOWS),
        metadata={
            "description": "when a dose may start: one dose in each window; with every_hours one dose of the day starts in a window and the others follow"
        },
    )
    bolus = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": "given as a push, so a flush follows"})
    now = fields.String(validate=_LUMEN_NAME, metadata={"description": "the lumen through which it runs already", "example": "white"})
    prefer = fields.List(
        fields.String(validate=_LUMEN_NAME), validate=Length(1, MOST_LUMENS), metadata={"description": "lumens that are preferred for it"}
    )
    must_not_interrupt = fields.Boolean(
        truthy={True}, falsy={False}, metadata={"description": "no flush and no bolus may pass through its lumen"}
    )


class Blocked(fields.Field[str]):
    """True, or why, in words."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, bool):
            return "blocked" if value else ""
        if isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_NAME:
            return value.strip()
        raise ValidationError("this is neither true, false nor a reason | write true or why it cannot be used")


class LumenSchema(Schema):
    """One lumen."""

    class Meta:
        unknown = RAISE

    name = fields.String(required=True, validate=_LUMEN_NAME, metadata={"example": "white"})
    kind = fields.String(required=True, validate=OneOf([CENTRAL, PERIPHERAL]), metadata={"description": "central or peripheral vein"})
    in_use_by = fields.List(Named(), metadata={"description": "infusions of this question that run through it already"})
    blocked = Blocked(metadata={"description": "true or why it cannot be used, e.g. pressure monitoring"})
    fluid = fields.String(
        validate=Length(1, LONGEST_NAME), metadata={"description": "the fluid that runs through it all the time", "example": "NS"}
    )


class PlanSchema(Schema):
    """The body of POST /v1/plan."""

    class Meta:
        unknown = RAISE

    infusions = fields.List(
        fields.Nested(PlanInfusionSchema), required=True, validate=Length(1), metadata={"description": "what is to run"}
    )
    lumens = fields.List(fields.Nested(LumenSchema), required=True, metadata={"description": "the lumens there are"})
    policy = fields.String(
        validate=OneOf([str(policy) for policy in Policy]),
        metadata={"description": "ask (unless told): not-known pairs share only when unavoidable, and are listed; strict: never"},
    )
    flush_minutes = fields.Integer(
        strict=True, validate=Range(1, 120), metadata={"description": "time for a flush between two that must not meet; 10 unless told"}
    )
    day_starts = fields.String(
        validate=_CLOCK, metadata={"description": "clock time at which the 24 hours begin; 00:00 unless told", "example": "07:00"}
    )
    medications = fields.List(Item(MedicationSchema()), metadata={"description": "medicines that are not infused, for interactions"})
    patient = fields.Nested(PatientSchema)
