"""The kinds of field that knowledge files are made of: text that is read into words, numbers, concentrations and lists.

A message carries its mend after " | ": "what is wrong | how to mend it".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping as MappingABC
from enum import StrEnum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load
from marshmallow.validate import Regexp

from knowledge.model import Cited
from knowledge.units import Concentration, ConcentrationError

_ID = r"[a-z0-9][a-z0-9.-]*"
ID = Regexp(
    rf"^{_ID}$", error='"{input}" is not an id | use lower-case letters, digits, hyphens and dots: the file name of knowledge/drugs/'
)
REFERENCE = Regexp(rf"^((class|group):)?{_ID}$", error='"{input}" is not a reference | write a drug id, class:<id> or group:<id>')


class Text(fields.Field[str]):
    """A line of text; a list or mapping in its place is refused."""

    default_error_messages = {
        "required": "this field is missing | add it: every record needs it",
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
            raise ValidationError(
                f'{error.reason} | write a concentration ("5 mg/mL", "5-10 mg/mL", "up to 4 mg/mL"), or put an amount or ratio in `added`'
            ) from error


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


class Interval(fields.Field[tuple[float, float]]):
    """Two shares between 0 and 1, low first."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            raise ValidationError("an interval has two numbers | write [low, high]")
        low, high = [Number()._deserialize(item, attr, data) for item in value]
        if not low <= high <= 1:
            raise ValidationError("an interval runs from low to high within 0 to 1 | write [low, high]")
        return (low, high)
