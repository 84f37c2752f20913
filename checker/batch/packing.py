"""gzip and zstd by suffix: reading what can be read of a damaged file, writing frames that may be joined."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import zstandard

_READ = 1 << 16  # bytes of the file at a time
_GZIP = 16 + zlib.MAX_WBITS


class Stream:
    """Unpacked bytes of a file. damage: why it ends before its time; all that could be read before that has been given."""

    def __init__(self, raw: BinaryIO, packing: str) -> None:
        self.damage = ""
        self.taken = 0  # bytes of the file that have been read, about
        self._raw, self._plain = raw, not packing
        self._pieces = _UNPACK[packing](raw)
        self._held = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; fewer only at the end."""
        parts, length = [self._held], len(self._held)
        while length < size and not self._ended:
            try:
                piece = next(self._pieces)
            except StopIteration:
                self._ended = True
            except Damaged as error:
                self._ended, self.damage = True, str(error)
            else:
                parts.append(piece)
                length += len(piece)
        self.taken = self._raw.tell() if self._raw.seekable() else 0
        data = b"".join(parts)
        self._held = data[size:]
        return data[:size]

    def skip(self, size: int) -> None:
        """Pass over bytes that have been read in an earlier run."""
        if size > len(self._held) and self._plain and self._raw.seekable():
            self._raw.seek(size - len(self._held), 1)
            self._held = b""
            return
        while size > 0 and (data := self.read(min(size, 1 << 20))):
            size -= len(data)

    def pass_over_line(self) -> int:
        """Pass over the rest of a line; returns its length with the end of line."""
        length = 0
        while data := self.read(_READ):
            cut = data.find(b"\n") + 1
            if cut:
                self._held = data[cut:] + self._held
                return length + cut
            length += len(data)
        return length


class Damaged(Exception):
    """A packed file that cannot be read further."""


def pack(data: bytes, packing: str) -> bytes:
    """One frame; frames one after the other are one valid file, the same bytes on every run."""
    if packing == "gzip":
        return gzip.compress(data, 5, mtime=0)
    return zstandard.ZstdCompressor(level=3).compress(data) if packing == "zstd" else data


def _plain(raw: BinaryIO) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(raw, "read1", raw.read)
    while data := read(1 << 19):
        yield data


def _gzip(raw: BinaryIO) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    begun = False
    while data := raw.read(_READ):
        while data:
            begun = True
            before = unpacker.copy()
            try:
                piece = unpacker.decompress(data)
            except zlib.error as error:
                yield from _crumbs(before, data)
                raise Damaged(f"gzip: {error}") from error
            if piece:
                yield piece
            data = unpacker.unused_data if unpacker.eof else b""
            if unpacker.eof:
                unpacker, begun = zlib.decompressobj(_GZIP), False
                data = data.lstrip(b"\0")  # padding after a member is allowed
    if begun and not unpacker.eof:
        raise Damaged("gzip: the end is missing")


def _crumbs(unpacker: Any, data: bytes) -> Iterator[bytes]:
    """What can be unpacked before the damage, byte by byte."""
    crumbs = []
    try:
        for place in range(len(data)):
            crumbs.append(unpacker.decompress(data[place : place + 1]))
    except zlib.error:
        pass
    yield b"".join(crumbs)


def _zstd(raw: BinaryIO) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    begun = False
    while data := raw.read(_READ):
        while data:
            begun = True
            try:
                piece = unpacker.decompress(data)
            except zstandard.ZstdError as error:
                raise Damaged(f"zstd: {error}") from error
            if piece:
                yield piece
            data = unpacker.unused_data if unpacker.eof else b""
            if unpacker.eof:
                unpacker, begun = zstandard.ZstdDecompressor().decompressobj(), False
    if begun:
        raise Damaged("zstd: the end is missing")


_UNPACK: dict[str, Callable[[BinaryIO], Iterator[bytes]]] = {"": _plain, "gzip": _gzip, "zstd": _zstd}
