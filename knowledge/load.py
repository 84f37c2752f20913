"""Files -> validated records -> linked knowledge, with a compiled cache.

`load()` is what everyone calls. Invalid knowledge stops it with a KnowledgeError that lists every
problem with its file, line, field, reason and mend. The cache is keyed by the digest of the files and
of the code that reads them; a stale, damaged or unreadable cache is rebuilt, never trusted.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
from marshmallow import Schema, ValidationError
from platformdirs import user_cache_path

from knowledge import files
from knowledge.errors import KnowledgeError, Problem
from knowledge.link import Knowledge, link
from knowledge.model import Drug, Records, Side, Source
from knowledge.shapes import flat

HERE = Path(__file__).parent
_OWN_SOURCE = "leave it out: a row belongs to the source of its file"


def load(root: Path | str | None = None, *, overlay: Path | str | None = None, cache: bool = True) -> Knowledge:
    """Load the knowledge below `root` (default: the files that ship with this package).

    overlay: a facility's own files on top (knowledge/overlay.py).
    cache: keep the validated records under LINEWISE_CACHE, or the user's cache folder.
    Raises KnowledgeError with every problem found.
    """
    collecting = gc.isenabled()
    gc.disable()  # some hundred thousand records and no garbage among them: the collector would only walk them again and again
    try:
        return _load(Path(root) if root is not None else HERE, Path(overlay) if overlay is not None else None, cache)
    finally:
        if collecting:
            gc.enable()


def _load(root: Path, overlay: Path | None, cache: bool) -> Knowledge:
    contents = files.read_all(root)
    digest = files.digest(contents)
    records = _from_cache(digest) if cache else None
    if records is None:
        records = validate(contents)
        if cache:
            _to_cache(digest, records)
    if overlay is not None:
        from knowledge.overlay import apply

        records = apply(records, overlay)
    return link(records, digest)


def validate(contents: dict[str, bytes]) -> Records:
    """Turn the files' bytes into Records. Raises KnowledgeError with every problem found."""
    reading = examine(contents)
    if reading.problems or reading.records is None:
        raise KnowledgeError(reading.problems)
    return reading.records


def examine(contents: dict[str, bytes]) -> Reading:
    """Read all files and raise nothing: the records that could be read, and every problem."""
    return _Reader(contents).read()


@dataclass(kw_only=True)
class Reading:
    """What the files gave: records where they could be read, problems where not, and where each record stands.

    parsed: file -> its plain values. places: key of a record -> file and its mapping there; keys are drug ids, source ids
    of study files, `<source>#<row>`, `<interactions file>#<number>` and `<file>:<id>` for the files that are lists.
    """

    records: Records | None = None
    problems: tuple[Problem, ...] = ()
    parsed: dict[str, Any] = field(default_factory=dict)
    places: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def place(self, key: str, at: str = "", name: str = "") -> tuple[str, int]:
        """File and line of the record `key`; of its field `at`, or of the field that holds `name`, where that is known."""
        file, data = self.places.get(key, (key, None))
        line = getattr(data, "line", 0)
        if name and "#" in key and isinstance(data, files.Mapping):  # sides are sorted, so the field is found by its value
            at = next((where for where, value in data.items() if value == name or (isinstance(value, list) and name in value)), at)
        for step in filter(None, at.split("/")):
            if isinstance(data, files.Mapping):
                line = data.lines.get(step, line)
                data = data.get(step)
            elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
                data = data[int(step)]
                line = getattr(data, "line", line)
            else:
                break
        return file, line


class _Reader:
    """Reads all files, gathering problems on the way so that one run shows them all."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        # marshmallow and the schemas are only needed when the cache does not answer
        from knowledge import schema, schema_lists

        self.schema, self.lists = schema, schema_lists
        self.contents = contents
        self.problems: dict[Problem, None] = {}
        self.reading = Reading()

    def read(self) -> Reading:
        schema, lists = self.schema, self.lists
        drugs = tuple(self._drugs())
        rows, study_sources = self._studies()
        interactions = tuple(self._interactions())
        release = self._one("release", lists.ReleaseSchema())
        classes = tuple(self._list("classes", lists.ClassSchema()))
        groups = tuple(self._list("groups", lists.GroupSchema()))
        substances = tuple(self._list("substances", lists.SubstanceSchema()))
        sources = (*study_sources, *self._list("sources", schema.SourceSchema()))
        ambiguous = tuple(self._list("ambiguous", lists.AmbiguousSchema()))
        vocabulary = self._vocabulary()
        acid_base = self._one("acid-base", lists.AcidBaseSchema()) if "acid-base.yaml" in self.contents else None
        wanted = tuple(self._list("wanted", lists.WantedSchema())) if "wanted.yaml" in self.contents else ()
        self._twice(sources)
        records = Records(
            version=release["version"] if release else "",
            date=release["date"] if release else "",
            drugs=drugs,
            classes=classes,
            groups=groups,
            substances=substances,
            sources=sources,
            rows=rows,
            interactions=interactions,
            ambiguous=ambiguous,
            vocabulary=vocabulary,
            acid_base=acid_base,
            wanted=wanted,
        )
        self._check(records)
        self.reading.records = _with_fluids(records)
        self.reading.problems = tuple(sorted(self.problems))
        return self.reading

    # --- files of one kind each ---

    def _drugs(self) -> Iterator[Any]:
        drug_schema = self.schema.DrugSchema()
        for name, data in self._folder("drugs"):
            identity = Path(name).stem
            if not isinstance(data, files.Mapping):
                self._tell(name, 1, "schema", "", "the file is not a mapping", "start with name:, kind: ...")
                continue
            if "id" in data:
                self._tell(name, data.lines["id"], "schema", "id", "this field is unknown", "leave it out: the file name is the id")
                continue
            self.reading.places[identity] = (name, data)
            given = files.Mapping(data, id=identity)
            given.line, given.lines = data.line, data.lines
            drug = self._load(drug_schema, name, given)
            if drug is not None:
                yield drug

    def _studies(self) -> tuple[tuple[Any, ...], list[Source]]:
        frame, row_schema = self.schema.StudySchema(), self.schema.RowSchema()
        rows: list[Any] = []
        sources: list[Source] = []
        for name, data in self._folder("studies"):
            study = self._load(frame, name, data)
            if study is None:
                continue
            source = study["source"]
            if source.id != Path(name).stem:
                reason = f'the source is "{source.id}" but the file is "{Path(name).stem}"'
                self._tell(name, data["source"].line, "file-name", "source/id", reason, "give both the same name")
            sources.append(source)
            self.reading.places[source.id] = (name, data)
            given = {"source": source.id, "read": str(study["read"]["what"])}
            if "review" in study["read"]:
                given["review"] = str(study["read"]["review"])
            common = data.get("common") or files.Mapping()
            for forbidden in {"id", "source"} & set(common):
                self._tell(name, common.lines[forbidden], "schema", f"common/{forbidden}", "this field is unknown", _OWN_SOURCE)
            for number, row in enumerate(study["rows"], start=1):
                merged = files.Mapping({**given, **common, **row, "id": f"{source.id}#{number}"})
                merged.line, merged.lines = row.line, {**common.lines, **row.lines}
                for forbidden in {"id", "source"} & set(row):
                    self._tell(name, row.line, "schema", f"rows/{number - 1}/{forbidden}", "this field is unknown", _OWN_SOURCE)
                loaded = self._load(row_schema, name, merged, f"rows/{number - 1}", frozenset(set(common) - set(row)))
                if loaded is not None:
                    self.reading.places[loaded.id] = (name, merged)
                    rows.append(loaded)
        return tuple(rows), sources

    def _interactions(self) -> Iterator[Any]:
        frame, statement_schema = self.schema.InteractionsSchema(), self.schema.StatementSchema()
        for name, data in self._folder("interactions"):
            group = self._load(frame, name, data)
            if group is None:
                continue
            if group["mechanism"] != Path(name).stem:
                reason = f'the mechanism is "{group["mechanism"]}" but the file is "{Path(name).stem}"'
                self._tell(name, data.line, "file-name", "mechanism", reason, "give both the same name")
            for number, item in enumerate(group["statements"], start=1):
                loaded = self._load(statement_schema, name, item, f"statements/{number - 1}")
                if loaded is not None:
                    identity = f"{Path(name).stem}#{number}"
                    self.reading.places[identity] = (name, item)
                    yield self.schema.statement(loaded, identity, group["mechanism"])

    def _list(self, name: str, schema: Schema) -> Iterator[Any]:
        """The records of a single file that is a list."""
        data = self._parse(f"{name}.yaml")
        if data is not None and not isinstance(data, list):
            self._tell(f"{name}.yaml", 1, "schema", "", "the file is not a list", "start each record with a hyphen")
            return
        for number, item in enumerate(data or []):
            loaded = self._load(schema, f"{name}.yaml", item, str(number))
            if loaded is not None:
                key = str(getattr(loaded, "id", None) or getattr(loaded, "token", number))
                if f"{name}:{key}" in self.reading.places and name != "sources":  # sources are looked at together with the studies
                    mend = "keep one of the two; the second would silently replace the first"
                    self._tell(f"{name}.yaml", item.line, "id-twice", str(number), f'"{key}" stands twice', mend)
                self.reading.places[f"{name}:{key}"] = (f"{name}.yaml", item)
                yield loaded

    def _one(self, name: str, schema: Schema) -> Any:
        data = self._parse(f"{name}.yaml")
        return None if data is None else self._load(schema, f"{name}.yaml", data)

    def _vocabulary(self) -> dict[str, dict[str, str]]:
        data = self._parse("vocabulary.yaml")
        if data is None:
            return {}
        for name, words in data.items() if isinstance(data, dict) else [("", None)]:
            if not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values()):
                self._tell(
                    "vocabulary.yaml",
                    getattr(data, "lines", {}).get(name, 1),
                    "schema",
                    name,
                    "a code list maps codes to words",
                    "write code: words",
                )
                return {}
        return {name: dict(words) for name, words in data.items()}

    # --- helpers ---

    def _folder(self, folder: str) -> Iterator[tuple[str, Any]]:
        for name in sorted(self.contents):
            if name.startswith(f"{folder}/") and (data := self._parse(name)) is not None:
                yield name, data

    def _parse(self, name: str) -> Any:
        if name not in self.contents:
            self._tell(name, 0, "missing-file", "", "the file is not there", "restore it")
            return None
        try:
            self.reading.parsed[name] = files.parse(name, self.contents[name])
            return self.reading.parsed[name]
        except KnowledgeError as error:
            self.problems |= dict.fromkeys(error.problems)
            return None

    def _load(self, schema: Schema, name: str, data: Any, prefix: str = "", common: frozenset[str] = frozenset()) -> Any:
        """One record. `common`: fields that `data` took over from the part of the file that speaks for all rows."""
        try:
            return schema.load(data)
        except ValidationError as error:
            line = getattr(data, "line", 1)
            for at, place, message in flat(error.messages, data, line):
                reason, _, mend = message.partition(" | ")
                start = "common" if at.split("/")[0] in common else prefix
                self._tell(name, place, "schema", "/".join(filter(None, [start, at])), reason, mend or "see docs/knowledge.md")
            return None

    def _tell(self, file: str, line: int, code: str, at: str, reason: str, mend: str) -> None:
        self.problems[Problem(file=file, line=line, code=code, at=at, reason=reason, mend=mend)] = None

    def _twice(self, sources: tuple[Source, ...]) -> None:
        seen: set[str] = set()
        for source in sources:
            if source.id in seen:
                file, line = self.reading.place(f"sources:{source.id}")
                mend = "keep one; a source with a study file does not stand in sources.yaml as well"
                self._tell(file, line, "source-twice", source.id, f'the source "{source.id}" stands twice', mend)
            seen.add(source.id)

    def _check(self, records: Records) -> None:
        """Every reference must resolve; what stands in a file that is broken already is not reported a second time."""
        from knowledge.references import dangling

        broken = {problem.file for problem in self.problems}
        for found in dangling(records):
            if broken.isdisjoint(self._homes(found.code, found.name)):
                file, line = self.reading.place(found.key, found.at, found.name)
                self._tell(file, line, found.code, found.at, found.reason, found.mend)

    def _homes(self, code: str, name: str) -> set[str]:
        """The files in which a name that is missing may stand."""
        if code == "vehicle-unknown":
            mark = f"vehicle_code: {name}".encode()
            return {
                f"drugs/{name}.yaml",
                *(file for file, content in self.contents.items() if file.startswith("drugs/") and mark in content),
            }
        homes = {
            "drug-unknown": {f"drugs/{name}.yaml"},
            "source-unknown": {f"studies/{name}.yaml", "sources.yaml"},
            "class-unknown": {"classes.yaml"},
            "group-unknown": {"groups.yaml"},
            "component-unknown": {"substances.yaml"},
            "word-unknown": {"vocabulary.yaml"},
        }
        return homes.get(code, set())


def _with_fluids(records: Records) -> Records:
    """Vehicle codes (NS, D5W) of rows and rules replaced by the ids of their fluids: one name for one thing."""
    fluids = {drug.vehicle_code: drug.id for drug in records.drugs if drug.vehicle_code}

    def side(given: Side) -> Side:
        return replace(given, vehicles=tuple(fluids.get(code, code) for code in given.vehicles)) if given.vehicles else given

    def drug(given: Drug) -> Drug:
        rules = tuple(replace(rule, values=tuple(fluids.get(code, code) for code in rule.values)) for rule in given.rules)
        return replace(given, rules=rules) if rules else given

    rows = tuple(replace(row, a=side(row.a), b=side(row.b)) for row in records.rows)
    return replace(records, rows=rows, drugs=tuple(drug(given) for given in records.drugs))


# --- the compiled cache ---

_FORMAT = hashlib.sha256(
    b"".join(
        (HERE / name).read_bytes()
        for name in (
            "files.py",
            "terms.py",
            "model.py",
            "units.py",
            "fields.py",
            "schema.py",
            "schema_lists.py",
            "load.py",
            "references.py",
            "rule_values.py",
        )
    )
).hexdigest()


def _cache_path(digest: str) -> Path:
    folder = os.environ.get("LINEWISE_CACHE")
    base = Path(folder) if folder else user_cache_path("linewise")
    return base / f"knowledge-{digest[:16]}-{_FORMAT[:8]}.msgpack"


def _from_cache(digest: str) -> Records | None:
    """The cached records, or None when there are none that can be trusted."""
    try:
        content = _cache_path(digest).read_bytes()
        head, payload = content[:64], content[64:]
        if head != _seal(digest, payload):
            return None
        return msgspec.msgpack.decode(payload, type=Records)
    except (OSError, msgspec.DecodeError):
        return None


def _to_cache(digest: str, records: Records) -> None:
    """Write the cache atomically; a folder that cannot be written is no error."""
    path = _cache_path(digest)
    payload = msgspec.msgpack.encode(records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(_seal(digest, payload) + payload)
        part.replace(path)
        for old in sorted(path.parent.glob("knowledge-*.msgpack"), key=lambda file: file.stat().st_mtime)[:-4]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _seal(digest: str, payload: bytes) -> bytes:
    """64 bytes that change with the knowledge, the code that reads it, or the payload."""
    return hashlib.sha256(f"{digest}{_FORMAT}".encode() + payload).hexdigest().encode()
