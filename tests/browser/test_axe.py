"""axe-core finds nothing on any page, light and dark, with everything that folds opened."""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from api.pages.plan import EXAMPLE

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
FLAGSHIP = "d1=vancomycin&c1=5+mg/mL&v1=NS&d2=piperacillin-tazobactam&c2=40+mg/mL&v2=NS&d3=norepinephrine&d4=lactated-ringers&d5=amiodarone"
THIRTEEN = (  # so many that the grid is a compact one
    "norepinephrine",
    "epinephrine",
    "vasopressin",
    "dopamine",
    "dobutamine",
    "amiodarone",
    "esmolol",
    "heparin",
    "furosemide",
    "propofol",
    "midazolam",
    "fentanyl",
    "morphine",
)
PAGES = [
    "/",
    f"/?{FLAGSHIP}",
    f"/print?{FLAGSHIP}",
    "/?d1=MS&d2=norepinephrin&d3=heparin&m1=warfarin&age=12&x3=wibble",
    "/?d1=vancomycin&c1=5+mg&d2=heparin&v2=water",
    "/?" + "&".join(f"d{number}={drug}" for number, drug in enumerate(THIRTEEN, start=1)),
    "/drugs",
    "/drugs?q=MS",
    "/drugs?q=zzzzz",
    "/drug/amiodarone",
    "/drug/lactated-ringers",
    "/pair/piperacillin-tazobactam/vancomycin",
    "/source/kufel-2017-hosp-pharm",
    "/source/ansm-2020-10",
    "/explore",
    "/explore/around/vancomycin",
    "/explore/coverage",
    "/explore/conflicts?q=van",
    "/explore/changes",
    "/feedback",
    "/drug/nosuchdrug",
    "/plan",
    f"/plan?{EXAMPLE}",
    "/plan?d1=phenytoin&d2=caspofungin&d3=MS&c3=5+mg&ln1=hand&lk1=peripheral&lf1=nosuch&go=1",
    "/plan?d1=phenytoin&d2=caspofungin&d3=fentanyl&ln1=hand&lk1=peripheral&ln2=port&lb2=dialysis&go=1",
]


@pytest.mark.parametrize("part", [0, 1])
def test_axe_finds_nothing(browser: Browser, address: str, part: int) -> None:
    """Everything in light colours; in dark ones what depends on colour, for nothing else of the page differs."""
    context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 900}, color_scheme="light")
    page = context.new_page()
    found = []
    for path in PAGES[part::2]:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        page.evaluate(AXE)
        for scheme, rules in (("light", {}), ("dark", {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}})):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its two words
            result = page.evaluate("(options) => axe.run(document, options)", {"resultTypes": ["violations"]} | rules)
            found += [
                f"{path} ({scheme}): {item['id']} ({item['impact']}): {node['html'][:160]} | {node['failureSummary'][:200]}"
                for item in result["violations"]
                for node in item["nodes"][:3]
            ]
    context.close()

    assert [] == found, "\n".join(found[:30])
