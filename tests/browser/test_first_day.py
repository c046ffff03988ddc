"""A person's first day: claim the box in the wizard, chat, come back, ask someone in."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.audit import violations
from tests.running_box import RunningBox, running_box

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOTS = os.environ.get("ALLERAC_SCREENSHOTS")
PASSAGE = "The wifi password is blue-otter-42. The boiler model is Viessmann 200."


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    with running_box(tmp_path_factory.mktemp("box")) as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Browser, box: RunningBox) -> Iterator[Page]:
    context = browser.new_context(
        locale="en-GB", viewport={"width": 390, "height": 844}, reduced_motion="reduce"
    )
    page = context.new_page()
    problems: list[str] = []
    outside: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda r: outside.append(r.url) if not _is_own(r.url, box.url) else None)
    page.goto(box.url)
    yield page
    context.close()
    refused = [text for text in problems if "status of 4" not in text]
    assert refused == []
    assert outside == []


def _is_own(url: str, own: str) -> bool:
    return url.startswith((own, "data:", "blob:"))


def _look(page: Page, name: str) -> None:
    """Check a screen by axe, at the present size; keep its picture when asked to."""
    page.wait_for_load_state("networkidle")
    broken = violations(page)
    if SHOTS:
        folder = Path(SHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")
    assert broken == [], f"{name}: {broken}"


def _turns(page: Page) -> Locator:
    """Questions and answers as they stand on the page."""
    return page.get_by_role("list", name="Messages").locator("> li")


def test_wizard_leads_from_language_to_the_first_owner(page: Page, box: RunningBox) -> None:
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()
    _look(page, "wizard-1-language")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Prove that it is yours")).to_be_visible()
    _look(page, "wizard-2-claim")
    page.get_by_label("Code on the label").fill("AAAAAAAA")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("not the code")
    expect(page.get_by_text(re.compile(r"\d tries left"))).to_be_visible()
    page.get_by_label("Code on the label").fill(box.claim_code or "")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Your name").fill("Ana")
    page.get_by_label("Password", exact=True).fill("three quiet lanterns")
    _look(page, "wizard-3-owner")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Your recovery code")).to_be_visible()
    _look(page, "wizard-3-recovery")
    code = page.get_by_label("Recovery code", exact=True).inner_text()
    assert re.fullmatch(r"(?:[A-Z2-9]{4}-){4}[A-Z2-9]{4}", code)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name of the box").fill("Ana's Kitchen")
    expect(page.get_by_text("anas-kitchen.local")).to_be_visible()
    _look(page, "wizard-4-box")
    page.reload()
    expect(page.get_by_role("heading", name="Give it a name")).to_be_visible()
    page.get_by_label("Name of the box").fill("Ana's Kitchen")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Recommended")).to_be_visible()
    _look(page, "wizard-5-model")
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)
    page.get_by_role("radio", name=re.compile("Demonstration")).check()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Quiet hours and privacy")).to_be_visible()
    _look(page, "wizard-6-privacy")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("anas-kitchen.local")).to_be_visible()
    page.get_by_role("button", name="Make it mine").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    expect(page.get_by_text(box.url)).to_be_visible()
    _look(page, "wizard-7-done")
    page.get_by_role("button", name="Say hello").click()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()


def test_answer_has_the_words_of_the_pasted_passage(page: Page) -> None:
    expect(page.get_by_text("small demonstration model")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Get "))).to_have_attribute(
        "href", "/box/models"
    )
    _look(page, "chat-empty")
    message = page.get_by_role("textbox", name="Message")
    message.fill(f"{PASSAGE}\n\nWhat is the wifi password?")
    message.press("Enter")
    expect(page.get_by_role("button", name="Good answer")).to_be_attached(timeout=20_000)
    expect(_turns(page)).to_have_count(2)
    question, answer = _turns(page).all()
    expect(question).to_contain_text(PASSAGE)
    words = answer.locator(".prose").inner_text()
    assert "blue-otter-42" in words, words
    assert "Viessmann" not in words, f"it repeats the passage: {words}"
    expect(message).to_have_value("")
    _look(page, "chat-answer")


def test_reload_shows_the_whole_conversation_again(page: Page) -> None:
    before = page.get_by_role("list", name="Messages").inner_text()
    page.reload()
    expect(_turns(page)).to_have_count(2)
    expect(page.locator(".prose").last).to_contain_text("blue-otter-42")
    assert page.get_by_role("list", name="Messages").inner_text() == before


def test_asking_again_makes_a_branch_beside_the_answer(page: Page) -> None:
    page.locator(".prose").last.hover()
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("2/2")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Good answer")).to_be_attached(timeout=20_000)
    expect(_turns(page)).to_have_count(2)
    page.get_by_role("button", name="The one before").click()
    expect(page.get_by_text("1/2")).to_be_visible()
    expect(page.locator(".prose").last).to_contain_text("blue-otter-42")


def test_back_leads_to_the_list_with_the_conversation_in_it(page: Page, box: RunningBox) -> None:
    page.goto(f"{box.url}/chat/list")
    expect(page.get_by_role("heading", name="Conversations", level=1)).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Chat").click()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    page.go_back()
    row = page.get_by_role("complementary").get_by_role("link").nth(1)
    row.click()
    expect(page.locator(".prose").last).to_contain_text("blue-otter-42")
    page.go_back()
    expect(page.get_by_role("heading", name="Conversations", level=1)).to_be_visible()


def test_new_chat_greets_back_and_gives_the_composer_back(page: Page, box: RunningBox) -> None:
    page.goto(f"{box.url}/chat")
    message = page.get_by_role("textbox", name="Message")
    message.fill("Hello")
    message.press("Enter")
    expect(page.get_by_role("button", name="Good answer")).to_be_attached(timeout=20_000)
    expect(_turns(page)).to_have_count(2)
    expect(page.locator(".prose").last).to_contain_text("Hello")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(message).to_be_editable()


def test_search_finds_and_delete_can_be_undone(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("searchbox", name="Search").fill("boiler")
    expect(page.locator("mark").first).to_have_text(re.compile("boiler", re.IGNORECASE))
    _look(page, "chat-search")
    found = page.get_by_role("complementary").get_by_role("link").nth(1)
    expect(found).to_contain_text(re.compile("boiler", re.IGNORECASE))
    page.get_by_role("searchbox", name="Search").fill("")
    actions = page.get_by_role("button", name=re.compile("^Actions for"))
    expect(actions).to_have_count(2)
    actions.first.click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_text("The conversation is deleted.")).to_be_visible()
    expect(actions).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(actions).to_have_count(2)


def test_palette_opens_by_keyboard_and_goes_where_it_is_told(page: Page, box: RunningBox) -> None:
    page.goto(f"{box.url}/chat")
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Go to").fill("Models")
    expect(page.get_by_role("option", selected=True)).to_have_text("Models")
    _look(page, "palette")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["box", "box/models", "people", "chat", "chat/list"])
def test_page_is_clean_for_axe_in_light_and_dark(
    page: Page, box: RunningBox, path: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{box.url}/{path}")
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    _look(page, f"{path.replace('/', '-')}-{scheme}")


def test_narrow_screen_does_not_scroll_sideways(page: Page, box: RunningBox) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("chat", "chat/list", "box", "box/models", "people"):
        page.goto(f"{box.url}/{path}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320, f"{path} is {width} px wide"
        _look(page, f"{path.replace('/', '-')}-320")


def test_invited_person_joins_and_sees_nothing_of_the_owner(
    page: Page, box: RunningBox, browser: Browser
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{box.url}/people")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_text(re.compile(r"/join/")).inner_text()
    context = browser.new_context(locale="de-DE", reduced_motion="reduce")
    other = context.new_page()
    other.goto(link.strip())
    other.get_by_label("Dein Name").fill("Ben")
    other.get_by_label("Passwort", exact=True).fill("vier leise laternen")
    other.get_by_role("button", name="Mitmachen").click()
    other.get_by_role("checkbox").check()
    other.get_by_role("button", name="Weiter").click()
    expect(other.get_by_role("heading", name="Ben")).to_be_visible()
    expect(other.get_by_text("Hier werden deine Gespräche stehen.")).to_be_visible()
    assert other.get_by_role("button", name=re.compile("^Aktionen")).count() == 0
    context.close()


def test_wizard_is_gone_and_sign_in_takes_its_place(box: RunningBox, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.goto(box.url)
    page.get_by_label("Your name").fill("Ana")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    expect(page.get_by_label("Your name")).to_have_value("Ana")
    _look(page, "sign-in")
    page.get_by_label("Password").fill("three quiet lanterns")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    context.close()
