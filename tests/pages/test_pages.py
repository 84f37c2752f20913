"""Every page: served whole, from here only, without script or style of its own, with all that was typed escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.pages.plan import EXAMPLE
from knowledge import Knowledge

FLAGSHIP = "d1=vancomycin&c1=5+mg/mL&v1=NS&d2=piperacillin-tazobactam&c2=40+mg/mL&v2=NS&d3=norepinephrine"
PAGES = [
    "/",
    f"/?{FLAGSHIP}",
    f"/print?{FLAGSHIP}",
    "/?d1=MS&d2=xyzzymab&d3=heparin",
    "/?d1=vancomycin&c1=5+mg",
    "/drugs",
    "/drugs?q=vanc",
    "/drugs?letter=a",
    "/drug/vancomycin",
    "/drug/sodium-chloride-0.9",
    "/drug/chlorpromazine",
    "/drug/vancomycin?show=incompatible&sort=name&q=c",
    "/pair/piperacillin-tazobactam/vancomycin",
    "/source/kufel-2017-hosp-pharm",
    "/source/ansm-2020-10?page=3",
    "/explore",
    "/explore/around/vancomycin",
    "/explore/around/chlorpromazine",
    "/explore/coverage",
    "/explore/conflicts",
    "/explore/changes",
    "/feedback",
    "/plan",
    f"/plan?{EXAMPLE}",
    "/plan?d1=MS&c1=5+mg&ln1=hand&lk1=peripheral&lf1=nosuch&go=1",
    "/drug/nosuchdrug",
    "/source/nosuchsource",
    "/nope",
]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><h1>x",
    "{{7*7}}",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\x00b",
    "%3Cscript%3E",
]
WEIGHT = 100_000  # bytes of a page with its style and script


class Reader(HTMLParser):
    """What a page loads and leads to, script or style of its own, its tags, and its ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.inline: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = tag
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.inline.append(f"{name}={value}")
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "action"):
                (self.leads if tag in ("a", "form") else self.loads).append(value or "")

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_stays_within_the_policy(real_client: FlaskClient, path: str) -> None:
    response = real_client.get(path)
    found = Reader(response.text)

    assert response.status_code in (200, 404, 422)
    assert "text/html" == response.mimetype
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in response.headers
    assert [] == found.inline
    assert len(found.ids) == len(set(found.ids)), "an id stands twice"
    assert 1 == found.tags.count("main") and 1 == found.tags.count("h1")
    for address in (*found.loads, *found.leads):
        assert address.startswith(("/", "#")) and not address.startswith("//"), address
    assert 200 == real_client.get(found.loads[0]).status_code


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light(real_client: FlaskClient, path: str) -> None:
    """Uncompressed, with style and script."""
    page = real_client.get(path)

    assert len(page.data) + sum(len(real_client.get(address).data) for address in set(Reader(page.text).loads)) < WEIGHT


def test_ten_drugs_are_light_and_forty_travel_light(real_client: FlaskClient, real: Knowledge) -> None:
    drugs = sorted(drug.id for drug in real.drugs.values() if drug.infused and drug.rules)
    ten, forty = (
        "/?" + "&".join(f"d{number}={drug}" for number, drug in enumerate(drugs[:: len(drugs) // count][:count], start=1))
        for count in (10, 40)
    )

    assert len(real_client.get(ten).data) < WEIGHT
    assert len(real_client.get(forty, headers={"Accept-Encoding": "gzip"}).data) < WEIGHT / 2


def test_every_link_of_the_flagship_answer_leads_somewhere(real_client: FlaskClient) -> None:
    page = Reader(real_client.get(f"/?{FLAGSHIP}").text)
    for address in sorted(set(page.leads)):
        if address.startswith("#"):
            assert address[1:] in page.ids, address
        else:
            assert real_client.get(address).status_code in (200, 303), address


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_shown_and_never_run(real_client: FlaskClient, text: str) -> None:
    queries = (
        {"d1": "vancomycin", "d2": text},
        {"d1": "vancomycin"} | dict.fromkeys(("c1", "v1", "r1", "l1", "f1", "x1"), text),
        {"d1": "vancomycin"} | dict.fromkeys(("m1", "age", "mode"), text),
        {text: text, "d1": "heparin"},
    )
    paths = [f"{page}?{urlencode(query)}" for query in queries for page in ("/", "/print")]
    paths += [
        f"{page}?{urlencode(dict.fromkeys(('q', 'show', 'sort', 'page', 'letter'), text))}"
        for page in ("/drugs", "/explore/conflicts", "/drug/vancomycin")
    ]
    for path in paths:
        response = real_client.get(path)
        found = Reader(response.text)
        assert response.status_code in (200, 422), path
        assert [] == found.inline and found.tags.count("script") == 1 and "img" not in found.tags, path
        assert all(address.startswith(("/", "#")) for address in (*found.loads, *found.leads)), path


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_addresses_get_a_page(real_client: FlaskClient, text: str) -> None:
    for path in ("/drug/", "/source/", "/explore/around/", "/pair/heparin/"):
        response = real_client.get(f"{path}{urlencode({'': text})[1:]}")
        assert response.status_code in (303, 404) and [] == Reader(response.text).inline


def test_the_page_says_what_the_api_says(real_client: FlaskClient) -> None:
    vancomycin, piperacillin = (
        {"drug": "vancomycin", "conc": "5 mg/mL", "vehicle": "NS"},
        {"drug": "piperacillin-tazobactam", "conc": "40 mg/mL", "vehicle": "NS"},
    )
    told = real_client.post("/v1/check", json={"drugs": [vancomycin, piperacillin, "norepinephrine"]}).get_json()
    page = real_client.get(f"/?{FLAGSHIP}").text

    assert f'id="verdict"><b aria-hidden="true">{dict(stop="×", caution="!", unknown="?", clear="✓")[told["verdict"]]}' in page
    for source in {source["id"] for finding in told["findings"] for source in finding["sources"]}:
        assert f"/source/{source}" in page


def test_a_form_is_answered_with_its_permanent_link(real_client: FlaskClient) -> None:
    sent = real_client.post(
        "/", data={"d1": "vancomycin", "c1": "", "list": "levophed", "paste": "heparin 100 units/mL D5W\nMS", "mode": "y-site", "age": ""}
    )

    assert (303, "/?d1=vancomycin&d2=levophed&d3=heparin&c3=100+units/mL&v3=D5W&d4=MS") == (sent.status_code, sent.headers["Location"])
    assert 200 == real_client.get(sent.headers["Location"]).status_code


def test_the_same_link_gives_the_same_page(real_client: FlaskClient) -> None:
    assert real_client.get(f"/?{FLAGSHIP}").data == real_client.get(f"/?{FLAGSHIP}").data


def test_every_answer_shows_version_date_and_that_a_professional_verifies(real_client: FlaskClient, real: Knowledge) -> None:
    for path in (f"/?{FLAGSHIP}", f"/print?{FLAGSHIP}"):
        text = real_client.get(path).text
        assert real.version in text and real.date in text and real.digest[:12] in text
        assert re.search(r"verif(y|ied)", text)


def test_non_answers_are_told_apart(real_client: FlaskClient) -> None:
    text = real_client.get("/?d1=vancomycin&c1=5+mg/mL&v1=NS&d2=amiodarone&v2=D5W&d3=norepinephrine&d4=xyzzymab&d5=MS").text

    for words in ("no data", "not as asked", "not checked", "xyzzymab", "ambiguous", "Not understood, so not checked"):
        assert words in text, words


def test_a_machine_still_gets_the_index(real_app: Flask) -> None:
    assert "doors" in real_app.test_client().get("/").get_json()


def test_a_lost_person_gets_a_page_and_a_lost_machine_a_problem(real_client: FlaskClient) -> None:
    assert "text/html" == real_client.get("/nope").mimetype
    assert "application/problem+json" == real_client.get("/v1/nope").mimetype
    assert "application/problem+json" == real_client.get("/nope", headers={"Accept": "application/json"}).mimetype


def test_every_drug_pair_and_source_of_the_world_has_its_page(client: FlaskClient, world: Knowledge) -> None:
    paths = (
        [f"/drug/{drug}" for drug in world.drugs]
        + [f"/explore/around/{drug}" for drug in world.drugs]
        + [f"/source/{source}" for source in world.sources]
    )
    paths += [f"/pair/{a}/{b}" for a, b in world.evidence] + [
        "/",
        "/drugs",
        "/explore",
        "/explore/coverage",
        "/explore/conflicts",
        "/explore/changes",
    ]
    paths += [f"/?d1={a}&d2={b}" for a, b in world.evidence] + [
        "/?" + "&".join(f"d{number}={drug}" for number, drug in enumerate(world.drugs, start=1))
    ]
    for path in paths:
        assert 200 == client.get(path).status_code, path


def test_names_lead_to_the_page_of_their_drug(real_client: FlaskClient) -> None:
    assert "/drug/norepinephrine" == real_client.get("/drug/Levophed").headers["Location"]
    assert "/pair/piperacillin-tazobactam/vancomycin" == real_client.get("/pair/vancomycin/zosyn").headers["Location"]
    assert "Nothing was chosen for you" in real_client.get("/drug/MS").text


def test_a_formulation_that_is_not_known_is_told_where_it_stands_and_the_known_ones_are_offered(real_client: FlaskClient) -> None:
    page = real_client.get("/?d1=piperacillin-tazobactam&f1=banana&d2=vancomycin").get_data(as_text=True)

    assert "&#34;banana&#34; is not understood" in page or '"banana" is not understood' in page
    assert 'id="p-f1"' in page
    assert ">edta-free<" in page
    assert 'id="p-f1"' not in real_client.get("/?d1=piperacillin-tazobactam&f1=EDTA&d2=vancomycin").get_data(as_text=True)


def test_too_many_drugs_are_said_to_be_too_many(real_client: FlaskClient, real: Knowledge) -> None:
    drugs = [drug.id for drug in real.drugs.values()][:61]
    response = real_client.post("/", data={"paste": "\n".join(drugs)}, follow_redirects=True)

    assert 422 == response.status_code and "at most 60" in response.text


def test_assets_change_their_address_with_their_content_and_may_be_kept(real_client: FlaskClient) -> None:
    for address in set(Reader(real_client.get("/").text).loads):
        response = real_client.get(address)
        assert "immutable" in response.headers["Cache-Control"]
        assert "immutable" not in real_client.get(address.partition("?")[0]).headers["Cache-Control"]
        assert not re.search(
            r"(?:https?:)?//[a-z]", re.sub(r"http://www\.w3\.org/2000/svg|^//.*$| // .*$", "", response.text, flags=re.MULTILINE)
        )


# --- how long it runs, one drug alone, the sheet ---


def test_how_long_it_runs_is_part_of_the_check(real_client: FlaskClient) -> None:
    sent = real_client.post("/", data={"list": "vancomycin 5 mg/mL NS over 15 min"})
    told = real_client.get(sent.headers["Location"]).text

    assert "h1=15+min" in sent.headers["Location"]
    assert "15 min is shorter than the least infusion time" in told
    assert "Not part of this check" not in told
    assert 'name="h1"' in told and 'value="15 min"' in told


@pytest.mark.parametrize("hours", ["1", "1 h", "60 min", "60 minutes"])
def test_hours_may_be_typed_in_hours_or_minutes(real_client: FlaskClient, hours: str) -> None:
    told = real_client.get("/", query_string={"d1": "vancomycin", "c1": "5 mg/mL", "v1": "NS", "h1": hours}).text

    assert "shorter than the least infusion time" not in told and "No answer yet" not in told


@pytest.mark.parametrize(("hours", "says"), [("a while", "is no number of hours"), ("0", "greater than 0")])
def test_hours_that_cannot_be_read_are_named_at_their_field(real_client: FlaskClient, hours: str, says: str) -> None:
    response = real_client.get("/", query_string={"d1": "vancomycin", "h1": hours})

    assert 422 == response.status_code
    assert 'href="#h1"' in response.text and "vancomycin, hours it runs" in response.text and says in response.text


def test_a_duration_that_cannot_be_read_is_not_clear(real_client: FlaskClient) -> None:
    sent = real_client.post("/", data={"list": "vancomycin 5 mg/mL NS over half an hour"})

    assert "Not understood: “over half an hour”" in real_client.get(sent.headers["Location"]).text


def test_one_drug_alone_claims_nothing_of_pairs(real_client: FlaskClient) -> None:
    for page in ("/", "/print"):
        told = real_client.get(f"{page}?d1=vancomycin&c1=5+mg/mL&v1=NS").text

        assert "Every pair" not in told and "One drug: there is no pair to check." in told


def test_the_sheet_explains_every_stop(real_client: FlaskClient) -> None:
    """However many there are: a stop that is not explained on paper is no help at the bedside."""
    drugs = "norepinephrine propofol midazolam furosemide heparin pantoprazole amiodarone vancomycin ceftriaxone calcium-gluconate"
    drugs += " aciclovir phenytoin diazepam sodium-bicarbonate dobutamine amphotericin-b-conventional cisatracurium insulin-regular"
    query = urlencode({f"d{number}": drug for number, drug in enumerate(drugs.split(), start=1)})
    sheet, answer = real_client.get(f"/print?{query}").text, real_client.get(f"/?{query}").text
    stops = re.search(r"(\d+) to stop for", answer)

    assert stops is not None and int(stops[1]) > 16
    assert int(stops[1]) == len(re.findall(r"<li><b>×", sheet))
