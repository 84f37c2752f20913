"""Errors at the doors of EHRs: OperationOutcome, as FHIR and CDS Hooks want them."""

from __future__ import annotations

from typing import Any

MEDIA_TYPE = "application/fhir+json"
Json = dict[str, Any]
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    412: "required",
    413: "too-long",
    415: "not-supported",
    500: "exception",
    503: "transient",
}


def outcome(status: int, detail: str, errors: list[Json], instance: str | None) -> Json:
    """An OperationOutcome of an error: one issue for the whole, and one for each mistake with its mend."""
    code = _CODES.get(status, "exception" if status >= 500 else "invalid")
    issues: list[Json] = [{"severity": "error", "code": code, "diagnostics": detail}]
    for error in errors:
        at, path = error["at"], " " not in error["at"]
        said = ": ".join(filter(None, ["" if path else at, error["reason"], error["mend"]]))
        issue: Json = {"severity": "error", "code": code, "diagnostics": said}
        if at and path:
            issue["expression"] = [at]
        issues.append(issue)
    told: Json = {"resourceType": "OperationOutcome", "issue": issues}
    if instance:
        told["extension"] = [{"url": "urn:linewise:request", "valueUri": instance}]
    return told
