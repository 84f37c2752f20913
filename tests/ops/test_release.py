"""Releases of the knowledge: what is opened, and what is refused."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from api import release
from knowledge import Knowledge, KnowledgeError, files, load

WORLD = Path(__file__).parents[1] / "world" / "knowledge"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWISE_CACHE", str(tmp_path / "cache"))


def stated(path: Path) -> Path:
    path.with_name(f"{path.name}.sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return path


def tarred(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            made.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return stated(path)


def test_an_archive_gives_the_same_knowledge_as_its_folder(world: Knowledge, tmp_path: Path) -> None:
    archive = tmp_path / "world.tar.gz"
    first = release.pack(WORLD, archive)
    assert first == release.pack(WORLD, archive), "the same files give the same archive"
    zipped = tmp_path / "world.zip"
    with zipfile.ZipFile(zipped, "w") as made:
        for name, content in files.read_all(WORLD).items():
            made.writestr(name, content)
    stated(zipped)

    for path in (archive, archive, zipped):
        assert world.digest == load(release.folder(path), cache=False).digest


def test_what_was_unpacked_and_changed_since_is_unpacked_anew(world: Knowledge, tmp_path: Path) -> None:
    archive = tmp_path / "world.tar.gz"
    release.pack(WORLD, archive)
    folder = release.folder(archive)
    assert folder is not None
    (folder / "release.yaml").write_text("version: 9\ndate: 2030-01-01\n")

    assert world.digest == load(release.folder(archive), cache=False).digest


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_cut, "its SHA-256 is not"),
        (lambda path: path.with_name(f"{path.name}.sha256").unlink(), "cannot be read"),
        (lambda path: path.with_name(f"{path.name}.sha256").write_text("abc"), "is not the SHA-256 of this file"),
        (lambda path: path.with_name(f"{path.name}.sha256").write_text("0" * 64 + "  world.tar.gz"), "its SHA-256 is not"),
        (lambda path: path.with_name(f"{path.name}.sha256").write_text("0" * 64 + "  other.tar.gz"), "is not the SHA-256 of this file"),
        (lambda path: (_cut(path), stated(path)), "cannot be unpacked"),
        (lambda path: (path.write_bytes(b"no archive"), stated(path)), "cannot be unpacked"),
    ],
)
def test_an_archive_that_is_not_as_it_was_published_is_refused(tmp_path: Path, harm: Callable[[Path], object], words: str) -> None:
    archive = tmp_path / "world.tar.gz"
    release.pack(WORLD, archive)
    harm(archive)

    with pytest.raises(KnowledgeError) as caught:
        release.folder(archive)

    assert words in str(caught.value) and str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["../drugs/x.yaml", "/drugs/x.yaml", "drugs/../../x.yaml", "drugs\\..\\x.yaml", "C:/drugs/x.yaml", "knowledge/../../release.yaml"],
)
def test_hostile_names_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    archive = tarred(tmp_path / "bad.tar.gz", (tarfile.TarInfo(name), b"name: x\n"))

    with pytest.raises(KnowledgeError, match="leads out|no knowledge files"):
        release.folder(archive)

    assert not [path for path in tmp_path.rglob("*.yaml")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("drugs/x.yaml")
    info.type, info.linkname = kind, "/etc/passwd"

    with pytest.raises(KnowledgeError, match="cannot be unpacked"):
        release.folder(tarred(tmp_path / "bad.tar.gz", (info, b"")))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "MOST_BYTES", 1_000_000)
    archive = tarred(tmp_path / "bomb.tar.gz", *[(tarfile.TarInfo(f"drugs/{number}.yaml"), b"\0" * 400_000) for number in range(4)])
    assert archive.stat().st_size < 10_000

    with pytest.raises(KnowledgeError, match="it holds more than"):
        release.folder(archive)


def test_a_file_twice_and_other_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="is in it twice"):
        release.folder(tarred(tmp_path / "twice.tar.gz", *[(tarfile.TarInfo("drugs/x.yaml"), b"name: x\n")] * 2))
    with pytest.raises(KnowledgeError, match="no knowledge files"):
        release.folder(tarred(tmp_path / "other.tar.gz", (tarfile.TarInfo("README.md"), b"x"), (tarfile.TarInfo("drugs/x.sh"), b"x")))


def test_a_folder_is_held_to_its_sums(tmp_path: Path) -> None:
    archive = tmp_path / "world.tar.gz"
    release.pack(WORLD, archive)
    folder = release.folder(archive)
    assert folder is not None
    sums = folder / release.SUMS
    sums.write_text((folder.parent / "complete").read_text())
    assert folder == release.folder(folder)
    assert stat.S_ISREG(sums.stat().st_mode)

    (folder / "drugs" / "added.yaml").write_text("name: added\n")

    with pytest.raises(KnowledgeError, match="drugs/added.yaml is not as SHA256SUMS says"):
        release.folder(folder)
