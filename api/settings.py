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
ARCHIVES = (".tar.gz", ".tgz", ".zip")


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


def _release(text: str) -> Path:
    path = Path(text)
    if not path.is_dir() and not (path.is_file() and path.name.endswith(ARCHIVES)):
        raise ValueError("write the path of a folder that exists, or of an archive .tar.gz or .zip")
    return path


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("write the path of a file that exists")
    return path


def _address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or any(mark in text for mark in ' ?#"<>'):
        raise ValueError("write an address like https://linewise.example, without ? and #")
    return text.rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(item.strip() for item in text.split(",") if item.strip())
    if not all(item == "*" or (item.startswith(("https://", "http://")) and item.count("/") == 2) for item in origins):
        raise ValueError("write origins like https://ehr.example, parted by commas, or *")
    return origins


def _word(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"write one of: {', '.join(words)}")
        return text

    return read


SETTINGS = (
    Setting("bind", "127.0.0.1:8080", "address and port to listen on", str),
    Setting("allow_open", False, "yes: allow listening beyond this machine, although the service asks nobody who they are", _yes_no),
    Setting(
        "keys",
        "auto",
        "who must show an API key: auto (everybody, when other machines can reach the service), or always",
        _word("auto", "always"),
    ),
    Setting(
        "rate_per_minute",
        None,
        "requests a minute of one key, or of one address without a key; 0: no limit; 1200 unless only this machine can ask",
        _whole(0, 1_000_000),
    ),
    Setting(
        "rate_store",
        None,
        "where all workers and replicas count together, e.g. redis://host:6379; each worker counts its own unless told",
        str,
    ),
    Setting("proxies", 0, "proxies in front whose X-Forwarded-For, -Proto and -Host are believed", _whole(0, 5)),
    Setting(
        "knowledge",
        None,
        "release to use in place of the knowledge that ships: a folder of knowledge files, or an archive with its .sha256 beside it",
        _release,
    ),
    Setting(
        "overlay", None, "folder with a facility's own policies, standards, names, rules and charts, put on top of the knowledge", _folder
    ),
    Setting("cache", None, "folder for the compiled knowledge; the user's cache folder unless told", str),
    Setting("most_drugs", 60, "most drugs, and most medications, in one question", _whole(2, 1000)),
    Setting("most_bytes", 256 * 1024, "largest request body in bytes", _whole(1024, 64 * 1024 * 1024)),
    Setting("most_depth", 32, "deepest nesting of JSON in a request", _whole(8, 200)),
    Setting("plan_seconds", 20, "longest time that planning one request may take", _whole(1, 300)),
    Setting("batch_rows", 1_000_000, "most order sets in one batch request", _whole(1, 1_000_000_000)),
    Setting(
        "batch_bytes",
        1024 * 1024 * 1024,
        "largest body of a batch request in bytes; it is read as it is answered, and never held",
        _whole(1024, 1 << 50),
    ),
    Setting("batch_seconds", 900, "longest time that one batch request may take", _whole(1, 86_400)),
    Setting(
        "public_url",
        None,
        "address under which EHRs reach this service, e.g. https://linewise.example: the audience of their tokens, and the base of links",
        _address,
    ),
    Setting(
        "clients",
        None,
        "file of the EHRs that may call /cds-services and /fhir, with their keys (docs/ehr.md); required for other machines to call them",
        _file,
    ),
    Setting(
        "cors_origins", (), "origins from which browsers may call /cds-services and /fhir, parted by commas; none unless told", _origins
    ),
    Setting("codes", None, "folder of clinical drug tables that `python -m knowledge rxnorm-build` made, over those that ship", _folder),
    Setting("tiers", None, "file that says which findings become critical, warning or info cards, in place of api/cds/tiers.yaml", _file),
    Setting(
        "database",
        None,
        "SQLAlchemy URL where keys, feedback and the audit trail are kept; a SQLite file in the user's state folder unless told (docs/operations.md)",
        str,
    ),
    Setting("keep_comments", True, "no: of the free text that clinicians give as feedback, keep only that there was some", _yes_no),
    Setting("most_ehr_bytes", 4 * 1024 * 1024, "largest request body in bytes at /cds-services and /fhir", _whole(1024, 64 * 1024 * 1024)),
    Setting(
        "audit",
        "off",
        "audit trail of answers: off, on (answers go on while it cannot be kept), or mandatory (no answer without it)",
        _word("off", "on", "mandatory"),
    ),
    Setting("audit_days", 0, "days that `python -m api audit prune` keeps rows of the audit trail; 0: for ever", _whole(0, 36_500)),
    Setting(
        "audit_secret",
        None,
        "file of at least 32 bytes that keys the hashes of the audit trail, so that who can write the database cannot forge it",
        _file,
    ),
    Setting("log", "requests", "what is logged: requests (a line for each), errors, or nothing", _word("requests", "errors", "nothing")),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force. Fields are the names of SETTINGS."""

    bind: str
    allow_open: bool
    keys: str
    rate_per_minute: int | None
    rate_store: str | None
    proxies: int
    knowledge: Path | None
    overlay: Path | None
    cache: str | None
    most_drugs: int
    most_bytes: int
    most_depth: int
    plan_seconds: int
    batch_rows: int
    batch_bytes: int
    batch_seconds: int
    public_url: str | None
    clients: Path | None
    cors_origins: tuple[str, ...]
    codes: Path | None
    tiers: Path | None
    database: str | None
    keep_comments: bool
    most_ehr_bytes: int
    audit: str
    audit_days: int
    audit_secret: Path | None
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


def refuse_open(addresses: Iterable[str], allow_open: bool, keys: bool = False) -> None:
    """Stop a service that would answer other machines without asking who they are, unless that is allowed.

    keys: whether keys are in force and somebody holds one.

    addresses: hosts, with or without a port, or paths of Unix sockets. Raises SettingsError.
    """
    for address in addresses:
        if not allow_open and not keys and not is_local(address):
            raise SettingsError(
                f"Listening on {address} would let other machines ask, and nobody holds an API key yet. Make one with "
                "`python -m api keys create NAME --scope check`. Or set LINEWISE_BIND=127.0.0.1:8080, or LINEWISE_ALLOW_OPEN=yes "
                "if the network in front of it takes care of who may ask."
            )


def is_local(address: str) -> bool:
    """Whether an address (host, host:port, or a Unix socket) can be reached from this machine only."""
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
