"""The services that discovery lists. The keys of prefetch are stable.

order-select and order-sign share one id: an EHR then drops the cards of the first when those of the second come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_ACTIVE = "MedicationRequest?patient={{context.patientId}}&status=active,on-hold"
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "activeMedications": _ACTIVE,
    "administrations": "MedicationAdministration?patient={{context.patientId}}&status=in-progress",
    "statements": "MedicationStatement?patient={{context.patientId}}&status=active",
}
_USAGE = (
    "Needs the patient's active medication orders (prefetch key activeMedications). "
    "Decision support for professionals; checks intravenous compatibility, preparation and interactions."
)


@dataclass(frozen=True, slots=True)
class Service:
    """One id, and the hooks under which it is listed. quiet: hooks that it answers without listing them."""

    id: str
    hooks: tuple[str, ...]
    title: str
    description: str
    quiet: tuple[str, ...] = ()

    def entries(self) -> list[Json]:
        """The entries of discovery."""
        return [
            {
                "hook": hook,
                "id": self.id,
                "title": self.title,
                "description": self.description,
                "prefetch": PREFETCH,
                "usageRequirements": _USAGE,
            }
            for hook in self.hooks
        ]


SERVICES = {
    service.id: service
    for service in (
        Service(
            "iv-compatibility",
            ("order-select", "order-sign"),
            "IV compatibility of new orders",
            "May the new infusions share a line with each other and with what already runs, and should this patient get them together? Every card names its sources.",
            quiet=("medication-prescribe",),
        ),
        Service(
            "iv-compatibility-verify",
            ("medication-verify",),
            "IV compatibility at verification",
            "For the pharmacist: the order being verified, against what already runs.",
        ),
        Service(
            "iv-line-overview",
            ("patient-view",),
            "IV lines of this patient",
            "Which running infusions need a line of their own, and which orders could not be understood. One information card, or none.",
        ),
    )
}
