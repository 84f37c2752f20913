"""What an operator can set: one table, read from LINEWISE_* in the environment.

Whatever cannot be read stops the start with a message that says how to mend it; nothing falls back silently.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "LINEWISE_"


class SettingsError(ValueError):
    """A setting that cannot be used. Says which, why, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table. read: turns the text of the environment into the value."""

    name: str
    default: Any
    help: str
    read: Callable[[str], Any]


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(text)

    return read


def _yes_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("write yes or no")
    return text == "yes"


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ValueError("write the path of a folder that exists")
    return path


def _word(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"write one of: {', '.join(words)}")
        return text

    return read


SETTINGS = (
    Setting("bind", "127.0.0.1:8080", "address and port to listen on", str),
    Setting("allow_open", False, "yes: allow listening beyond this machine, although the service asks nobody who they are", _yes_no),
    Setting("knowledge", None, "folder of knowledge files to use in place of those that ship with Linewise", _folder),
    Setting("overlay", None, "folder with a facility's own policies, standards, names, rules and charts, put on top of the knowledge", _folder),
    Setting("cache", None, "folder for the compiled knowledge; the user's cache folder unless told", str),
    Setting("most_drugs", 60, "most drugs, and most medications, in one question", _whole(2, 1000)),
    Setting("most_bytes", 256 * 1024, "largest request body in bytes", _whole(1024, 64 * 1024 * 1024)),
    Setting("log", "requests", "what is logged: requests (a line for each), errors, or nothing", _word("requests", "errors", "nothing")),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force. Fields are the names of SETTINGS."""

    bind: str
    allow_open: bool
    knowledge: Path | None
    overlay: Path | None
    cache: str | None
    most_drugs: int
    most_bytes: int
    log: str


def read(environment: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None) -> Settings:
    """The settings from the environment, overridden by what is `given` in code.

    Raises SettingsError for a value that cannot be used, or a name that is a near miss of a setting: a misspelt
    safeguard must not be ignored. Other LINEWISE_* names may belong to the platform and are left alone.
    """
    environment = os.environ if environment is None else environment
    values = {setting.name: setting.default for setting in SETTINGS}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in _BY_NAME:
            near = difflib.get_close_matches(name, _BY_NAME, 1, cutoff=0.75)
            if near:
                raise SettingsError(f"{variable} is not a setting. Write {PREFIX}{near[0].upper()} if that was meant.")
            continue
        try:
            values[name] = _BY_NAME[name].read(text.strip())
        except ValueError as error:
            raise SettingsError(f'{variable}="{text}" cannot be used: {error}. ({_BY_NAME[name].help})') from error
    for name, value in (given or {}).items():
        if name not in _BY_NAME:
            raise SettingsError(f'"{name}" is not a setting. The settings are: {", ".join(_BY_NAME)}.')
        if name == "cache":
            raise SettingsError("The cache folder is read by knowledge.load: set LINEWISE_CACHE in the environment.")
        values[name] = value
    return Settings(**values)


def refuse_open(addresses: Iterable[str], allow_open: bool) -> None:
    """Stop a service that would answer other machines unless that is allowed: it asks nobody who they are.

    addresses: hosts, with or without a port, or paths of Unix sockets. Raises SettingsError.
    """
    for address in addresses:
        if not allow_open and not _is_local(address):
            raise SettingsError(
                f"Listening on {address} would let other machines ask, and the service does not yet ask who they are. "
                "Set LINEWISE_ALLOW_OPEN=yes if the network in front of it takes care of that, or LINEWISE_BIND=127.0.0.1:8080."
            )


def _is_local(address: str) -> bool:
    if address.startswith(("unix:", "/", "fd://")):
        return True
    host = address.rsplit(":", 1)[0] if address.count(":") == 1 or "]:" in address else address
    host = host.strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
