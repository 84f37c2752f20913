"""Every resource that came with a request, found by its reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.fhir.kinds import typed
from api.fhir.peek import Json, items, obj, text
from checker.model import NotUnderstood

MOST_RESOURCES = 5000  # looked at in one request; a reference to one beyond it leads nowhere, and is told
MOST_STRAYS = 10  # named one by one; beyond, they are counted
DEEPEST = 3  # Bundles within Bundles
LONGEST_SHOWN = 80


class Sent:
    """The resources of one request, by `Type/id` and by full URL. strays: what stands where a resource should, and is none."""

    def __init__(self) -> None:
        self._known: dict[str, Json] = {}
        self.count = 0
        self.strays: list[NotUnderstood] = []

    def add(self, value: Any, at: str = "") -> list[tuple[str, Json]]:
        """Take in a Bundle, or one resource; returns its resources, each with its own reference ("" without an id).

        at: where it stands in the request, to name what in it is no resource.
        """
        strays: list[NotUnderstood] = []
        found = [(_reference(url, resource), resource, url) for url, resource in _resources(value, at, strays)] if value is not None else []
        for reference, resource, url in found:
            self.count += 1
            if self.count > MOST_RESOURCES:
                strays.append(_stray(at, None, f"only the first {MOST_RESOURCES} resources were looked at"))
                break  # far beyond what is checked at once
            for key in (reference, url):
                if key:
                    self._known.setdefault(key, resource)
        self.strays += strays[:MOST_STRAYS]
        if len(strays) > MOST_STRAYS:
            self.strays.append(_stray(at, None, f"{len(strays) - MOST_STRAYS} more entries hold no resource"))
        return [(reference or url, resource) for reference, resource, url in found[:MOST_RESOURCES]]

    def follow(self, reference: Any, holder: Json, *outer: Json) -> Json | None:
        """The resource that a reference leads to: contained in the holder (or in one further out), or sent along."""
        target = text(obj(reference).get("reference"))
        if target.startswith("#"):
            for resource in (holder, *outer):
                for contained in items(resource.get("contained")):
                    if text(contained.get("id")) in (target[1:], target):
                        return contained
            return None
        if target in self._known:
            return self._known[target]
        parts = target.split("/_history/")[0].rstrip("/").split("/")
        return self._known.get("/".join(parts[-2:])) if len(parts) >= 2 else None


def _resources(value: Any, at: str, strays: list[NotUnderstood], deep: int = DEEPEST) -> Iterator[tuple[str, Json]]:
    """Full URL and resource of every entry; a bare resource, or a list of them, counts as well. What is neither goes to `strays`."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _resources(item, f"{at}[{number}]", strays, deep)
    elif not isinstance(value, dict):
        strays.append(_stray(at, value, "no resource stands there"))
    elif _is_bundle(value):
        if not deep:
            strays.append(_stray(at, value, "it is a Bundle within too many others"))
            return
        entries = value.get("entry", [])
        if not isinstance(entries, (list, dict)):
            strays.append(_stray(f"{at}.entry", entries, "it is no list of resources"))
            return
        for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
            yield from _entry(entry, f"{at}.entry[{number}]", strays, deep)
    else:
        resource = typed(value)
        if resource is None:
            strays.append(_stray(at, value, "it does not say what it is (resourceType)"))
        else:
            yield "", resource


def _entry(entry: Any, at: str, strays: list[NotUnderstood], deep: int) -> Iterator[tuple[str, Json]]:
    """The resource of an entry; one that stands there without its wrapping counts too."""
    holder = obj(entry)
    resource = holder if "resource" not in holder and typed(holder) is not None else holder.get("resource")
    if isinstance(resource, dict):
        url = text(holder.get("fullUrl"))
        for inner, found in _resources(resource, at, strays, deep - 1):
            yield inner or url, found
    else:
        strays.append(_stray(at, entry, "no resource stands there"))


def _is_bundle(holder: Json) -> bool:
    return holder.get("resourceType") == "Bundle" or ("entry" in holder and "resourceType" not in holder)


def _stray(at: str, value: Any, why: str) -> NotUnderstood:
    """Something that is no resource, by what it says of itself, or by its place."""
    place = at.lstrip(".") or "the request"
    shown = value if isinstance(value, str) else text(obj(value).get("fullUrl")) or text(obj(value).get("id"))
    asked = f"{place}: {text(shown)[:LONGEST_SHOWN]}" if text(shown) else place
    return NotUnderstood(at=place, asked=asked, reason="not-a-resource", why=why)


def _reference(url: str, resource: Json) -> str:
    kind, identity = text(resource.get("resourceType")), text(resource.get("id"))
    return f"{kind}/{identity}" if kind and identity else ""


def is_partial(bundle: Any) -> bool:
    """Whether a Bundle says that it is only a page of a longer list, or came with a warning."""
    if not isinstance(bundle, dict):
        return False
    holder = obj(bundle)
    entries = items(holder.get("entry"))
    if any(text(link.get("relation")) == "next" for link in items(holder.get("link"))):
        return True
    matched = sum(1 for entry in entries if text(obj(entry.get("search")).get("mode")) not in ("include", "outcome"))
    total = holder.get("total")
    if isinstance(total, int) and not isinstance(total, bool) and total > matched:
        return True
    return any(
        obj(entry.get("resource")).get("resourceType") == "OperationOutcome" and failed(entry.get("resource"), warnings=True)
        for entry in entries
    )


def failed(outcome: Any, *, warnings: bool = False) -> bool:
    """Whether an OperationOutcome tells of an error (or also of a warning). One without issues does."""
    issues = items(obj(outcome).get("issue"))
    bad = {"fatal", "error", "warning"} if warnings else {"fatal", "error"}
    return not issues or any(text(issue.get("severity")) in bad for issue in issues)
