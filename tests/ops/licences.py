"""The licences of all that is installed with Linewise, as a table. Exit status 1 when one does not go with Apache-2.0. `make licences` runs it."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
FREE = re.compile(
    r"(?i)\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python[- ]2\.0|Python Software Foundation|MPL|Mozilla Public|Unlicense|Public Domain|CC0|Zlib|HPND|MIT-CMU|Zope|ZPL|LGPL|Lesser General)\b"
)
NOT_FREE = re.compile(
    r"(?i)\b(AGPL|Affero|SSPL|BUSL|Commons Clause|proprietary|non-?commercial)\b|(?<!L)(?<!Lesser )\b(GPL|GNU General Public)"
)
# What metadata does not say, or says with more words than one; read in the package itself.
KNOWN = {"swagger-ui-bundle": "Apache-2.0", "psycopg-binary": "LGPL-3.0-only (with the PostgreSQL licence for libpq)"}


def names(path: Path) -> list[str]:
    """The packages of a requirements file."""
    return sorted(
        {match[1].lower() for line in path.read_text().splitlines() if (match := re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==", line))}
    )


def licence(name: str) -> str:
    """What a package says of its licence."""
    if name in KNOWN:
        return KNOWN[name]
    told = metadata.metadata(name)
    classifiers = [
        value.split("::")[-1].strip()
        for value in told.get_all("Classifier") or []
        if value.startswith("License ::") and value.count("::") > 1
    ]
    stated = told.get("License-Expression") or "; ".join(classifiers) or next(iter((told.get("License") or "").strip().splitlines()), "")
    return stated.strip()


def main() -> int:
    quiet = "--quiet" in sys.argv
    bad, lines = [], ["<!-- Made by tests/ops/licences.py. -->", "| package | version | licence |", "|---|---|---|"]
    for name in names(ROOT / "requirements.txt"):
        try:
            said = licence(name)
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # for another system
        if not FREE.search(said) or (NOT_FREE.search(said) and " OR " not in said):
            bad.append(f"{name}: {said or 'says nothing'}")
        lines.append(f"| {name} | {version} | {said[:120]} |")
    if not quiet:
        print("\n".join(lines))
    for line in bad:
        print(f"Not known to go with Apache-2.0: {line}", file=sys.stderr)
    if quiet and not bad:
        print(f"{len(lines) - 3} packages, all with licences that go with Apache-2.0")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
