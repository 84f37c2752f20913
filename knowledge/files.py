"""Read the YAML files as text, with line numbers, refusing duplicate keys.

YAML gives text and the schema gives types: `1:1` stays "1:1", `NO` stays "NO", `00641` keeps its zeros.
The file is read event by event, so that anchors, tags and endless nesting are refused before anything is built.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import KnowledgeError, Problem

Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C parser where the wheel has it

FOLDERS = ("drugs", "studies", "interactions")
SINGLE = (
    "classes",
    "groups",
    "substances",
    "sources",
    "ambiguous",
    "vocabulary",
    "release",
    "grid",
    "second-read",
    "wanted",
    "acid-base",
    "accepted-conflicts",
    "accepted-gaps",
)
DEEPEST = 12  # levels of nesting; the formats need six


class Mapping(dict[str, Any]):
    """A YAML mapping that knows the line on which it starts, and the line of each key."""

    line: int = 0
    lines: dict[str, int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = {}


def paths(root: Path) -> list[Path]:
    """Every knowledge file below `root`, in a fixed order."""
    found = [path for folder in FOLDERS for path in (root / folder).glob("*.yaml")]
    found += [path for name in SINGLE if (path := root / f"{name}.yaml").is_file()]
    return sorted(found)


def read_all(root: Path) -> dict[str, bytes]:
    """The bytes of every knowledge file, by path below `root`."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths(root)}


def digest(contents: dict[str, bytes]) -> str:
    """SHA-256 over names and bytes of all files: the identity of this knowledge."""
    total = hashlib.sha256()
    for name in sorted(contents):
        total.update(name.encode() + b"\0" + hashlib.sha256(contents[name]).digest())
    return total.hexdigest()


def parse(name: str, content: bytes) -> Any:
    """Parse one file into Mapping, list and str.

    Raises KnowledgeError when the file is not UTF-8, not YAML, truncated in the middle of a structure, nested
    without end, or holds a duplicate key, an anchor, an alias, a tag or more than one document.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refuse(name, line, "not-utf-8", f"byte {error.start} is not UTF-8", "save the file as UTF-8") from error
    try:
        loader = Loader(text)
    except yaml.YAMLError as error:
        raise _not_yaml(name, error) from error
    try:
        return _Builder(name, loader).document()
    except yaml.YAMLError as error:
        raise _not_yaml(name, error) from error
    finally:
        loader.dispose()


class _Builder:
    """Builds the values of one file from the parser's events."""

    def __init__(self, name: str, loader: Any) -> None:
        self.name = name
        self.next: Any = loader.get_event

    def document(self) -> Any:
        self.next()  # the start of the stream
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            raise _refuse(self.name, 0, "empty-file", "the file holds nothing", "restore its content or delete the file")
        first = self.next()
        value = self._value(first, 0)
        if value == "":
            raise _refuse(self.name, _line(first), "empty-file", "the file holds nothing", "restore its content or delete the file")
        self.next()  # the end of the document
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refuse(
                self.name, _line(event), "not-yaml", "a second document begins here", "one file holds one document: remove the line ---"
            )
        return value

    def _value(self, event: Any, depth: int) -> Any:
        self._plain(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return event.value
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := self.next(), yaml.SequenceEndEvent):
                items.append(self._value(item, depth + 1))
            return items
        mapping = Mapping()
        mapping.line = _line(event)
        while not isinstance(key := self.next(), yaml.MappingEndEvent):
            self._plain(key, depth)
            if not isinstance(key, yaml.ScalarEvent):
                raise _refuse(self.name, _line(key), "bad-key", "a key is not plain text", "use a single word as key")
            if key.value in mapping:
                reason = f'"{key.value}" stands twice in one mapping'
                raise _refuse(
                    self.name, _line(key), "duplicate-key", reason, "keep one of the two; the second would silently replace the first"
                )
            mapping.lines[key.value] = _line(key)
            mapping[key.value] = self._value(self.next(), depth + 1)
        return mapping

    def _plain(self, event: Any, depth: int) -> None:
        """Refuse what makes a file say more, or other, than what is written."""
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refuse(
                self.name, _line(event), "anchor", f'"{event.anchor}" is a YAML anchor or alias', "write the value out where it is meant"
            )
        if event.tag is not None:
            raise _refuse(self.name, _line(event), "tag", f'"{event.tag}" is a YAML tag', "leave the tag out: every value is text")
        if depth > DEEPEST:
            raise _refuse(self.name, _line(event), "too-deep", f"more than {DEEPEST} levels of nesting", "check brackets and indentation")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _not_yaml(name: str, error: yaml.YAMLError) -> KnowledgeError:
    mark = getattr(error, "problem_mark", None)
    reason = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    mend = "check brackets, quotes and indentation on this line; the file may be cut short"
    return _refuse(name, mark.line + 1 if mark else 0, "not-yaml", reason, mend)


def _refuse(name: str, line: int, code: str, reason: str, mend: str) -> KnowledgeError:
    return KnowledgeError([Problem(file=name, line=line, code=code, at="", reason=reason, mend=mend)])
