"""A release of the knowledge: a folder of files, or an archive whose checksum stands beside it.

`knowledge-2026.11.1.tar.gz` is opened only when `knowledge-2026.11.1.tar.gz.sha256` names its SHA-256. A folder with a file
SHA256SUMS is held to it. What is inside an archive is read as knowledge files and nothing else: no links, no devices, no
names that lead out, no more than MOST_BYTES.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from platformdirs import user_cache_path

from knowledge import KnowledgeError, Problem, files

MOST_BYTES = 512 * 1024 * 1024
MOST_FILES = 50_000
SUMS = "SHA256SUMS"


def folder(path: Path | None) -> Path | None:
    """The folder of knowledge files that a release holds; an archive is unpacked once into the cache. Raises KnowledgeError."""
    if path is None:
        return None
    if path.is_dir():
        _hold(path)
        return path
    if not path.is_file():
        raise _refuse(path, "it is not there", "write the path of a folder, or of an archive .tar.gz or .zip")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if not hmac.compare_digest(found, _stated(path)):
        raise _refuse(path, "its SHA-256 is not the one in the file beside it", "fetch both again; one of them is damaged or was changed")
    cache = Path(os.environ["LINEWISE_CACHE"]) if os.environ.get("LINEWISE_CACHE") else user_cache_path("linewise", appauthor=False)
    target = cache / "releases" / found
    if (target / "complete").is_file() and not _differs(target / "knowledge", target / "complete"):
        return target / "knowledge"
    return _unpack(path, content, target)


def pack(source: Path, archive: Path) -> str:
    """Make a release: an archive of the knowledge files below `source`, and its checksum beside it. Returns the checksum."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name, content in sorted(files.read_all(source).items()):
            info = tarfile.TarInfo(f"knowledge/{name}")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    packed = gzip.compress(raw.getvalue(), mtime=0)  # the same files give the same archive
    found = hashlib.sha256(packed).hexdigest()
    archive.write_bytes(packed)
    _beside(archive).write_text(f"{found}  {archive.name}\n", encoding="utf-8")
    return found


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _stated(path: Path) -> str:
    try:
        words = _beside(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise _refuse(
            path,
            f"{_beside(path).name} cannot be read",
            "put it beside the archive: `sha256sum ARCHIVE > ARCHIVE.sha256`, where you trust the archive",
        ) from error
    stated = words[0].lower() if words else ""
    if len(stated) != 64 or set(stated) - set("0123456789abcdef") or (len(words) > 1 and words[1].lstrip("*") != path.name):
        raise _refuse(
            path, f"{_beside(path).name} is not the SHA-256 of this file", "write one line: the 64 digits, two spaces, the archive's name"
        )
    return stated


def _unpack(path: Path, content: bytes, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(prefix=".unpack-", dir=target.parent))
    try:
        sums = []
        for name, data in _members(path, content):
            file = working / "knowledge" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}")
        if not sums:
            raise _refuse(path, "it holds no knowledge files", "pack the folder that holds drugs/ and studies/")
        (working / "complete").write_text("\n".join(sums) + "\n", encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)  # cut short, or changed since
        try:
            working.rename(target)
        except OSError:
            if not (target / "complete").is_file():  # another worker was first
                raise
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise _refuse(path, f"it cannot be unpacked ({type(error).__name__})", "fetch it again") from error
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return target / "knowledge"


def _members(path: Path, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The knowledge files of an archive by name, without the one folder they may all lie in."""
    total, seen = 0, set()
    for number, (name, size, read) in enumerate(_zipped(content) if path.name.endswith(".zip") else _tarred(content)):
        total += size
        parts = PurePosixPath(name).parts
        if number > MOST_FILES or total > MOST_BYTES or size < 0:
            raise _refuse(path, f"it holds more than {MOST_FILES} files or {MOST_BYTES} bytes", "pack the knowledge files only")
        if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or ":" in name:
            raise _refuse(path, "a name in it leads out of the archive", "pack it again from the folder of knowledge files")
        plain = _plain(parts)
        if plain is None:
            continue
        if plain in seen:
            raise _refuse(path, f"{plain} is in it twice", "pack it again from the folder of knowledge files")
        seen.add(plain)
        yield plain, read.read(size + 1)[:size]


def _plain(parts: tuple[str, ...]) -> str | None:
    """The name of a knowledge file; None for anything else."""
    for given in (parts, parts[1:]):
        if len(given) == 1 and given[0].removesuffix(".yaml") in files.SINGLE and given[0].endswith(".yaml"):
            return given[0]
        if len(given) == 2 and given[0] in files.FOLDERS and given[1].endswith(".yaml"):
            return "/".join(given)
    return None


def _tarred(content: bytes) -> Iterator[tuple[str, int, io.BufferedIOBase]]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as opened:
        for member in opened:
            if member.isdir():
                continue
            data = opened.extractfile(member) if member.isreg() else None
            if data is None:
                raise tarfile.TarError("a link or a device")
            yield member.name, member.size, data  # type: ignore[misc]  # an ExFileObject is one


def _zipped(content: bytes) -> Iterator[tuple[str, int, io.BufferedIOBase]]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        for info in opened.infolist():
            if not info.is_dir():
                with opened.open(info) as data:
                    yield info.filename, info.file_size, data  # type: ignore[misc]  # a ZipExtFile is one


def _hold(path: Path) -> None:
    """Hold a folder to its SHA256SUMS, where it has one."""
    sums = path / SUMS
    if not sums.is_file():
        return
    wrong = _differs(path, sums)
    if wrong:
        raise _refuse(
            path,
            f"{wrong} is not as {SUMS} says",
            "restore the release as it was published, or make SHA256SUMS anew where you trust the folder",
        )


def _differs(root: Path, sums: Path) -> str:
    """The first file that is not as the list says, not on it, or missing; "" when all is well."""
    try:
        stated = dict(_lines(sums.read_text(encoding="utf-8").splitlines()))
    except (ValueError, OSError):
        return sums.name
    there = files.read_all(root)
    for name in sorted({*there, *(name for name in stated if _plain(PurePosixPath(name).parts) == name)}):
        if name not in there or stated.get(name) != hashlib.sha256(there[name]).hexdigest():
            return name
    return ""


def _lines(text: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in filter(None, text):
        digest, name = line.split(maxsplit=1)
        yield name.lstrip("*").removeprefix("./"), digest.lower()


def _refuse(path: Path, reason: str, mend: str) -> KnowledgeError:
    return KnowledgeError([Problem(file=path.name, line=0, code="release-refused", at="", reason=reason, mend=mend)])
