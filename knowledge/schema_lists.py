"""What the files that are one list may hold: classes, groups, substances, refused names, wanted studies; and the two small ones."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import Range, Regexp

from knowledge.fields import ID, Interval, Number, Strict, Text, Texts, Word, YesNo
from knowledge.model import AcidBase, Ambiguous, DrugClass, Group, Substance, Wanted


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
    charge = Number(load_default=None, validate=Range(1, 3, error="an ion carries a charge of 1 to 3 | write it without its sign"))


class AmbiguousSchema(Strict):
    record = Ambiguous
    token = Text(required=True)
    candidates = Texts(load_default=())
    others = Texts(load_default=())
    why = Text(required=True)
    source = Text(required=True)


class WantedSchema(Strict):
    """An entry of wanted.yaml."""

    record = Wanted
    cite = Text(required=True)
    drugs = Texts(load_default=())
    doi = Text()
    pmid = Text()
    pmcid = Text()
    url = Text()
    open = YesNo()
    pairs_expected = Text()
    why = Text()


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
