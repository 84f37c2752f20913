"""Every resource that came with a request, found by its reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.fhir.peek import Json, items, obj, text

MOST_RESOURCES = 5000  # looked at in one request; a reference to one beyond it leads nowhere, and is told


class Sent:
    """The resources of one request, by `Type/id` and by full URL."""

    def __init__(self) -> None:
        self._known: dict[str, Json] = {}
        self.count = 0

    def add(self, value: Any) -> list[tuple[str, Json]]:
        """Take in a Bundle, or one resource; returns its resources, each with its own reference ("" without an id)."""
        found = [(_reference(url, resource), resource, url) for url, resource in _resources(value)]
        for reference, resource, url in found:
            self.count += 1
            if self.count > MOST_RESOURCES:
                break  # far beyond what is checked at once
            for key in (reference, url):
                if key:
                    self._known.setdefault(key, resource)
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


def _resources(value: Any) -> Iterator[tuple[str, Json]]:
    """Full URL and resource of every entry; a bare resource, or a list of them, counts as well."""
    for holder in items(value):
        if holder.get("resourceType") == "Bundle" or ("entry" in holder and "resourceType" not in holder):
            for entry in items(holder.get("entry")):
                resource = entry.get("resource")
                if isinstance(resource, dict):
                    yield text(entry.get("fullUrl")), resource
        elif isinstance(holder.get("resourceType"), str):
            yield "", holder


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
