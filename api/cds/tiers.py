"""How loud a finding is: the table of api/cds/tiers.yaml, or a facility's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf

from api.settings import SettingsError
from checker.model import Finding, Kind, Level
from knowledge.terms import Severity

CRITICAL, WARNING, INFO, GATHER, NONE = "critical", "warning", "info", "gather", "none"
LOUDNESS = (CRITICAL, WARNING, INFO, GATHER, NONE)


class _Words(fields.Field[list[str]]):
    """One word of a closed list, or several."""

    def __init__(self, words: Any = None) -> None:
        super().__init__()
        self.words = [str(word) for word in words] if words else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        given = value if isinstance(value, list) else [value]
        if not given or not all(isinstance(item, str) and (self.words is None or item in self.words) for item in given):
            raise ValidationError(f"write one of: {', '.join(self.words)}" if self.words else "write text")
        return given


class _RuleSchema(Schema):
    class Meta:
        unknown = RAISE

    kind = _Words(Kind)
    level = _Words(Level)
    severity = _Words(Severity)
    code = _Words()
    show = fields.String(required=True, validate=OneOf(LOUDNESS))


class _NotUnderstoodSchema(Schema):
    class Meta:
        unknown = RAISE

    new = fields.String(load_default=WARNING, validate=OneOf((CRITICAL, WARNING, INFO)))
    active = fields.String(load_default=INFO, validate=OneOf((CRITICAL, WARNING, INFO)))


class _TiersSchema(Schema):
    class Meta:
        unknown = RAISE

    not_understood = fields.Nested(_NotUnderstoodSchema, load_default={"new": WARNING, "active": INFO})
    partial_list = fields.String(load_default=INFO, validate=OneOf((CRITICAL, WARNING, INFO)))
    rules = fields.List(fields.Nested(_RuleSchema), required=True, validate=Length(1))


@dataclass(slots=True)
class Tiers:
    """The table in force. What it does not name can never be silenced: not understood is always told."""

    rules: list[dict[str, Any]]
    new_not_understood: str
    active_not_understood: str
    partial_list: str

    def of(self, finding: Finding) -> str:
        """How loud a finding is."""
        for rule in self.rules:
            if _fits(rule, finding):
                return str(rule["show"])
        return GATHER

    @classmethod
    def read(cls, path: Path | None = None) -> Tiers:
        """The table of a file; without one, that of Linewise. Raises SettingsError with every mistake."""
        text = path.read_text(encoding="utf-8") if path else (files("api.cds") / "tiers.yaml").read_text(encoding="utf-8")
        try:
            data: Mapping[str, Any] = _TiersSchema().load(yaml.safe_load(text) or {})
        except yaml.YAMLError as error:
            raise SettingsError(f"{path} is not YAML: {error}") from error
        except ValidationError as error:
            raise SettingsError(f"{path} cannot be used: {error.messages}. Write it like api/cds/tiers.yaml.") from error
        held = data["not_understood"]
        return cls(data["rules"], held["new"], held["active"], data["partial_list"])


def _fits(rule: Mapping[str, Any], finding: Finding) -> bool:
    return (
        ("kind" not in rule or finding.kind in rule["kind"])
        and ("level" not in rule or finding.level in rule["level"])
        and ("severity" not in rule or finding.severity in rule["severity"])
        and ("code" not in rule or any(fnmatchcase(finding.code, code) for code in rule["code"]))
    )
