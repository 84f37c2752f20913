"""The check page as it is used: with the keyboard, with a mouse, without script, on small and large screens, on paper."""

from __future__ import annotations

import re
import statistics

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from api.pages.plan import EXAMPLE
from knowledge import Knowledge

FLAGSHIP = "d1=vancomycin&c1=5+mg/mL&v1=NS&d2=piperacillin-tazobactam&c2=40+mg/mL&v2=NS&d3=norepinephrine"
TEN = "&".join(
    f"d{number}={drug}"
    for number, drug in enumerate(
        (
            "norepinephrine",
            "vasopressin",
            "furosemide",
            "pantoprazole",
            "midazolam",
            "fentanyl",
            "vancomycin",
            "piperacillin-tazobactam",
            "amiodarone",
            "lactated-ringers",
        ),
        start=1,
    )
)
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "wide": (1920, 1080)}
PAGES = (
    "/",
    f"/?{TEN}",
    f"/print?{FLAGSHIP}",
    "/drug/vancomycin",
    "/pair/piperacillin-tazobactam/vancomycin",
    "/source/kufel-2017-hosp-pharm",
    "/explore",
    "/explore/around/vancomycin",
    "/explore/coverage",
    "/explore/conflicts",
    "/feedback",
    f"/plan?{EXAMPLE}",
)
PERCEIVED = 300  # ms from the last key to the answer
WAIT_FOR_ANSWER = """(text) => new Promise((resolve) => {
    const began = performance.now();
    const answered = () => document.querySelector(".grid tbody th")?.textContent.includes(text);
    new MutationObserver((_, watch) => { if (answered()) { watch.disconnect(); resolve(performance.now() - began); } })
        .observe(document.body, { subtree: true, childList: true });
    const field = document.getElementById("c1");
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
})"""


def forty(real: Knowledge) -> list[str]:
    """Forty infused drugs and fluids with most evidence."""
    count: dict[str, int] = {}
    for pair in real.evidence:
        for drug in pair:
            count[drug] = count.get(drug, 0) + 1
    return sorted((drug for drug in count if real.drugs[drug].infused), key=lambda drug: (-count[drug], drug))[:40]


def test_the_flagship_check_from_typing_to_sources_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label("Add a drug or fluid")).to_be_focused()
    keys = page.keyboard

    keys.type("vanco")
    expect(page.get_by_role("option").first).to_contain_text("vancomycin")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.get_by_label("Add a drug or fluid")).to_be_focused()
    keys.type("pip-tazo 40 mg/mL NS")
    keys.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    keys.type("levophed")
    keys.press("Enter")
    expect(page.locator(".grid tbody tr")).to_have_count(3)
    expect(page.locator(".chip").nth(2)).to_contain_text("norepinephrine")

    keys.press("Tab")  # the button
    for _ in range(20):
        keys.press("Tab")
        if page.evaluate("document.activeElement.id") == "c1":
            break
    keys.type("5 mg/mL")
    keys.press("Tab")
    keys.type("NS")
    expect(page).to_have_url(re.compile("c1=5\\+mg/mL&v1=NS"))
    expect(page.locator(".grid tbody th").first).to_contain_text("5 mg/mL · NS")

    for _ in range(60):  # onward to the cell of the pair
        keys.press("Tab")
        if page.evaluate("document.activeElement.closest('.grid td') !== null"):
            break
    keys.press("Enter")
    card = page.locator(".card:target")
    expect(card).to_contain_text("piperacillin-tazobactam + vancomycin")
    for _ in range(20):
        keys.press("Tab")
        if page.evaluate("document.activeElement.tagName === 'SUMMARY' && document.activeElement.closest('.card') !== null"):
            break
    keys.press("Enter")
    opened = page.locator(".card details[open]")
    expect(opened.locator("th").first).to_have_text("Result")
    expect(opened.locator("tbody")).to_contain_text("mg/mL")
    for _ in range(10):
        keys.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('cite')"):
            break
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/source/"))
    expect(page.get_by_role("heading", level=1)).not_to_be_empty()
    expect(page.locator("main")).to_contain_text("How it was read")


def test_an_ambiguous_name_asks_and_is_chosen(page: Page) -> None:
    page.goto("/?d1=heparin")
    page.get_by_label("Add a drug or fluid").fill("MS")
    page.keyboard.press("Enter")
    expect(page.locator(".chip.ambiguous")).to_contain_text("Which one?")
    expect(page.locator("#lost")).to_contain_text("ambiguous")
    expect(page.locator(".grid")).to_contain_text("not checked")

    page.get_by_role("link", name="magnesium sulfate").click()

    expect(page.locator(".chip.ambiguous")).to_have_count(0)
    expect(page).to_have_url(re.compile("d2=magnesium-sulfate"))
    expect(page.locator(".grid")).not_to_contain_text("not checked")


def test_an_unresolved_name_is_shown_and_never_clear(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Add a drug or fluid").fill("amiodarone D5W, norepinephrin")
    page.keyboard.press("Enter")
    expect(page.locator(".chip.unknown")).to_contain_text("Did you mean")
    expect(page.locator("#verdict")).not_to_contain_text("Clear")
    expect(page.locator("#spoken")).to_contain_text("1 not understood")

    page.locator(".chip.unknown").get_by_role("link", name="norepinephrine", exact=True).click()

    expect(page.locator("#lost")).to_have_count(0)
    expect(page.locator(".grid td.ok").first).to_contain_text("compatible")


def test_a_permanent_link_reproduces_the_question(page: Page, browser: Browser, address: str) -> None:
    page.goto("/")
    page.locator("#paste").fill("vanc 5 mg/mL NS, pip-tazo 40 mg/mL NS, levophed line white")
    page.get_by_role("button", name="Read the list").click()
    expect(page.locator(".grid tbody tr")).to_have_count(3)
    shown = page.locator("#answer").inner_text()
    other = browser.new_context()
    again = other.new_page()

    again.goto(page.url)

    assert shown == again.locator("#answer").inner_text()
    assert [] == other.cookies()
    other.close()


def test_the_answer_follows_what_is_typed_in_time(page: Page) -> None:
    """Measured in the page, from the last key to the new answer; the best of some, for this machine may be busy."""
    page.goto(f"/?{FLAGSHIP}")
    taken = []
    for text in ("4 mg/mL", "6 mg/mL", "7 mg/mL", "8 mg/mL", "5 mg/mL"):
        field = page.locator("#c1")
        field.fill("")
        expect(page.locator(".grid tbody th").first).not_to_contain_text("mg/mL")
        taken.append(page.evaluate(WAIT_FOR_ANSWER, text))
    assert min(taken) < PERCEIVED, statistics.median(taken)


def test_while_typing_focus_and_text_stay(page: Page) -> None:
    page.goto("/?d1=vancomycin&d2=heparin")
    page.locator("#c1").press_sequentially("5 mg/mL", delay=60)
    page.keyboard.press("Tab")
    page.keyboard.type("NS", delay=60)

    expect(page).to_have_url(re.compile("c1=5\\+mg/mL&v1=NS"))
    expect(page.locator("#v1")).to_be_focused()
    assert ("5 mg/mL", "NS") == (page.locator("#c1").input_value(), page.locator("#v1").input_value())


def test_what_cannot_be_read_takes_the_old_answer_away(page: Page) -> None:
    page.goto(f"/?{FLAGSHIP}")
    page.locator("#c1").fill("5 mg")

    expect(page.locator("#answer")).to_contain_text("No answer yet")
    expect(page.locator("#c1")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".verdict")).to_have_count(0)


def test_when_the_server_is_gone_no_old_answer_is_left(page: Page) -> None:
    page.goto(f"/?{FLAGSHIP}")
    page.route("**/*", lambda route: route.abort())
    page.locator("#c1").fill("6 mg/mL")

    expect(page.locator("#answer")).to_contain_text("could not be reached")
    expect(page.locator(".verdict")).to_have_count(0)


def test_a_pasted_column_does_not_run_together(page: Page) -> None:
    page.goto("/")
    page.evaluate("""() => {
        const field = document.getElementById("add-drug"), data = new DataTransfer();
        data.setData("text", "vancomycin\\nheparin");
        field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }""")
    page.keyboard.press("Enter")

    expect(page.locator(".chip")).to_have_count(2)


def test_without_script_it_is_a_form(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("#paste").fill("vanc 5 mg/mL NS, pip-tazo")
    page.get_by_role("button", name="Read the list").click()
    expect(page.locator(".chip")).to_have_count(2)
    page.get_by_label("Add a drug or fluid").fill("levophed")
    page.get_by_role("button", name="Add").first.click()
    expect(page.locator(".grid tbody tr")).to_have_count(3)
    page.locator("#c2").fill("40 mg/mL")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page).to_have_url(re.compile("c2=40\\+mg/mL"))
    page.locator(".card summary").first.click()
    expect(page.locator(".card details[open] table").first).to_be_visible()
    page.get_by_role("button", name="Remove norepinephrine").click()
    expect(page.locator(".chip")).to_have_count(2)
    page.goto("/drug/vancomycin")
    page.locator("#show").select_option("incompatible")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("show=incompatible"))
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_its_screen(browser: Browser, address: str, size: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(base_url=address, viewport={"width": width, "height": height})
    page = context.new_page()
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (size, path)
    page.goto(f"/?{FLAGSHIP}")
    expect(page.locator("#verdict")).to_be_visible()
    if size == "phone":
        assert page.locator("#verdict").bounding_box()["y"] < 2 * height  # type: ignore[index]  # it is visible
    context.close()


def test_forty_drugs(page: Page, real: Knowledge) -> None:
    page.goto("/")
    page.locator("#paste").fill("\n".join(forty(real)))
    page.get_by_role("button", name="Read the list").click()

    expect(page.locator(".chip")).to_have_count(40)
    expect(page.locator(".grid tbody tr")).to_have_count(40)
    assert 40 * 41 / 2 == page.locator(".grid tbody td").count()
    expect(page.locator("#verdict")).to_contain_text("Stop")
    page.locator(".chip summary").nth(39).click()
    page.locator("#c40").fill("1 mg/mL")
    expect(page).to_have_url(re.compile("c40=1\\+mg/mL"))


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_ten_drugs_print_on_one_sheet(page: Page, paper: str) -> None:
    page.goto(f"/print?{TEN}")

    assert 1 == len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format=paper)))


def test_the_sheet_is_dark_ink_on_white_even_on_a_dark_screen(browser: Browser, address: str, real: Knowledge) -> None:
    context = browser.new_context(base_url=address, color_scheme="dark")
    page = context.new_page()
    for path in (f"/print?{FLAGSHIP}", f"/?{FLAGSHIP}"):
        page.goto(path)
        page.emulate_media(media="print")
        ink, paper = page.evaluate(
            "(() => { const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]; })()"
        )
        assert ("rgb(0, 0, 0)", "rgb(255, 255, 255)") == (ink, paper)
        expect(page.locator(".grid")).to_be_visible()
    expect(page.locator(".ask")).to_be_hidden()
    page.goto(f"/print?{FLAGSHIP}")
    text = page.locator("body").inner_text()
    for words in (
        real.version,
        real.date,
        "must verify",
        "Each product asks",
        "Flush",
        "incompatible" if "incompatible" in text else "compatible",
    ):
        assert words in text
    context.close()


def test_the_table_of_a_drug_is_filtered_and_sorted_in_place(page: Page) -> None:
    page.goto("/drug/vancomycin")
    page.locator("#q").fill("cef")
    expect(page.locator(".known tbody tr").first).to_contain_text("cef")
    expect(page).to_have_url(re.compile("q=cef"))
    page.get_by_role("link", name="With", exact=True).click()
    expect(page.locator("th[aria-sort] a")).to_contain_text("With")
    names = [name.casefold() for name in page.locator(".known tbody th").all_inner_texts()]

    assert names == sorted(names) and all("cef" in name for name in names)


def test_the_matrix_leads_to_the_pair(page: Page) -> None:
    page.goto("/explore/coverage")
    page.locator(".matrix tbody td.bad").first.click()

    expect(page).to_have_url(re.compile("/pair/"))


def test_the_link_is_copied(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/?{FLAGSHIP}")
    page.get_by_role("link", name="Permanent link").click()
    expect(page.locator("[data-copy]")).to_have_text("Copied")

    assert FLAGSHIP in page.evaluate("navigator.clipboard.readText()")


def test_a_plan_from_typing_to_the_picture_with_the_keyboard(page: Page) -> None:
    page.goto("/plan")
    expect(page.get_by_label("Add infusions")).to_be_focused()
    for text in ("norepinephrine 16 mcg/mL D5W", "midazolam 1 mg/mL NS", "vanc 5 mg/mL NS over 1 h q12h"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.locator(".chip", has_text=text.split()[0].replace("vanc", "vancomycin"))).to_have_count(1)
    page.get_by_role("button", name="three central lumens").press("Enter")
    expect(page.locator(".chip.tube")).to_have_count(3)
    page.get_by_label("Not to be interrupted: norepinephrine").press("Space")
    page.get_by_role("button", name="Plan", exact=True).press("Enter")

    expect(page.locator("#verdict")).to_contain_text(re.compile("Optimal|Planned, with"))
    expect(page.get_by_role("img", name=re.compile("3 of 3 infusions on [123] lumens"))).to_be_visible()
    expect(page.locator(".run.keep").first).to_be_visible()


def test_a_plan_is_made_without_script(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/plan")
    page.get_by_label("Add infusions").fill("norepinephrine; caspofungin over 1 h q24h; fentanyl")
    page.get_by_label("Add lumens").fill("brown, white")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Plan", exact=True).click()

    expect(page.locator(".chart")).to_be_visible()
    expect(page.locator("#h-lumens")).to_be_visible()
    context.close()


def test_a_plan_prints_with_its_picture_and_without_its_form(page: Page) -> None:
    page.goto(f"/plan?{EXAMPLE}")
    page.emulate_media(media="print")

    expect(page.locator(".chart")).to_be_visible()
    expect(page.locator("form#ask")).to_be_hidden()
    expect(page.locator(".signed")).to_be_visible()


def test_the_form_of_a_lumen_hides_and_cuts_nothing(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/plan?ln1=proximal&ln2=medial&lb2=dialysis")
    chip = page.locator(".chip.tube").first
    cross = chip.locator(".drop").bounding_box()
    labels = [label.bounding_box() for label in chip.locator("label").all()]

    assert cross is not None
    for box in labels:
        assert box is not None
        assert box["x"] + box["width"] <= cross["x"] or box["y"] >= cross["y"] + cross["height"]
    assert page.locator("#ln1").evaluate("field => field.scrollWidth <= field.clientWidth")


def test_no_name_breaks_inside_a_word_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    page.goto("/?d1=norepinephrine&d2=methylprednisolone&d3=vancomycin")

    for name in ("norepinephrine", "methylprednisolone", "vancomycin"):
        height = page.locator(".grid tbody th a", has_text=name).evaluate("link => link.getClientRects().length")
        assert 1 == height, name


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_fourteen_drugs_print_on_one_sheet(page: Page, paper: str) -> None:
    more = "&".join(
        f"d{number}={drug}" for number, drug in enumerate(("potassium-chloride", "ceftriaxone", "propofol", "heparin"), start=11)
    )
    page.goto(f"/print?{TEN}&{more}")

    assert 1 == len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format=paper)))
