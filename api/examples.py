"""Questions and addresses that work when tried. The documentation shows them; a test sends every one."""

from __future__ import annotations

from typing import Any

QUESTIONS: dict[str, dict[str, Any]] = {
    "two-drugs": {
        "summary": "May these two share a line?",
        "value": {"drugs": ["vancomycin", "pip/tazo"]},
    },
    "with-conditions": {
        "summary": "The same two, with concentrations and fluids",
        "value": {
            "drugs": [
                {"drug": "vancomycin", "conc": "5 mg/mL", "vehicle": "NS"},
                {"drug": "piperacillin-tazobactam", "conc": "40 mg/mL", "vehicle": "NS", "formulation": "edta"},
            ],
        },
    },
    "by-code": {
        "summary": "By RxNorm code, with a medicine that is not infused",
        "value": {
            "drugs": [{"system": "rxnorm", "code": "11124"}, {"drug": "amiodarone", "vehicle": "D5W"}],
            "medications": ["warfarin"],
        },
    },
    "neonate": {
        "summary": "A calcium-containing fluid and a neonate",
        "value": {"drugs": ["ceftriaxone", "lactated ringer's"], "patient": {"age_days": 12}},
    },
    "lumens-and-times": {
        "summary": "Two lumens, one after the other, with every row explained",
        "value": {
            "drugs": [
                {"drug": "paclitaxel", "line": "white", "start": "2026-01-05T08:00", "hours": 3},
                {"drug": "cisplatin", "line": "white", "start": "2026-01-05T11:30", "hours": 1},
                {"drug": "ondansetron", "line": "blue", "rate_ml_per_h": 100},
            ],
            "explain": True,
        },
    },
    "admixture": {
        "summary": "In one container",
        "value": {"mode": "admixture", "drugs": ["potassium chloride", {"drug": "D5W"}]},
    },
    "not-understood": {
        "summary": "A name that nobody knows is shown, and the verdict cannot be clear",
        "value": {"drugs": ["vancomycin", "xyzzymab"]},
    },
}
PLANS: dict[str, dict[str, Any]] = {
    "three-lumens": {
        "summary": "Two continuous infusions and an antibacterial in doses, over two lumens",
        "value": {
            "infusions": [
                {"drug": "norepinephrine", "must_not_interrupt": True},
                {"drug": "midazolam"},
                {"drug": "vancomycin", "conc": "5 mg/mL", "vehicle": "NS", "hours": 1, "every_hours": 12},
            ],
            "lumens": [{"name": "brown", "kind": "central"}, {"name": "white", "kind": "central"}],
        },
    },
}
SEARCH = "vanco"
DRUG = "vancomycin"
PAIR = ("vancomycin", "piperacillin-tazobactam")
SOURCE = "kufel-2017-hosp-pharm"
PROBLEM = "bad-question"
