"""The whole way by keyboard alone: through the wizard, to an answer, and to another page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.mock_box import Look, Words, open_context, visit
from tests.browser.screens.wizard import CLAIM_CODE, LANTERNS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

WORDS = Words("en")
LONGEST_WAY = 40
"""Tabs after which something counts as out of reach."""

FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const label = element.labels?.[0]?.textContent ?? "";
  const text = element.tagName === "SELECT" ? "" : element.textContent;
  return {
    name: `${element.getAttribute("aria-label") ?? ""} ${label} ${text}`.trim(),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
    framed: element.closest("form, label, fieldset") !== null,
    nothing: element === document.body,
  };
}"""


@pytest.fixture
def page(browser: Browser, mock_box: str) -> Iterator[Page]:
    context = open_context(browser, mock_box, Look("desktop", "light", "en"))
    yield context.new_page()
    context.close()


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until `name` has the focus; whatever is passed shows that it has it."""
    for _ in range(LONGEST_WAY):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["nothing"]:
            continue  # past the last one, on the way to the browser's own buttons
        assert focused["ring"] or focused["framed"], f"{focused['name']} shows no focus"
        if re.search(name, focused["name"]):
            return
    pytest.fail(f"{name} is out of the keyboard's reach")


def _question(page: Page, key: str) -> None:
    expect(page.get_by_role("heading", name=WORDS(key))).to_be_focused()


def test_wizard_and_first_answer_need_no_mouse(page: Page) -> None:
    visit(page, "/", "unclaimed")
    expect(page.get_by_role("heading", name=WORDS("wizard.language.title"))).to_be_visible()
    _tab_to(page, "English")
    page.keyboard.press("Enter")
    _question(page, "wizard.claim.title")
    _tab_to(page, WORDS("wizard.claim.label"))
    page.keyboard.type(CLAIM_CODE)
    page.keyboard.press("Enter")
    _question(page, "wizard.owner.title")
    _tab_to(page, WORDS("person.name"))
    page.keyboard.type("Ana")
    _tab_to(page, WORDS("password.label"))
    page.keyboard.type(LANTERNS)
    page.keyboard.press("Enter")
    _question(page, "recovery.newTitle")
    _tab_to(page, WORDS("recovery.kept"))
    page.keyboard.press("Space")
    _tab_to(page, f"^{WORDS('next')}$")
    page.keyboard.press("Enter")
    _question(page, "wizard.box.title")
    _tab_to(page, f"^{WORDS('next')}$")
    page.keyboard.press("Enter")
    _question(page, "wizard.model.title")
    _tab_to(page, "Qwen 3, 4 B")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("Demonstration"))).to_be_checked()
    _tab_to(page, f"^{WORDS('next')}$")
    page.keyboard.press("Enter")
    _question(page, "wizard.privacy.title")
    _tab_to(page, f"^{WORDS('next')}$")
    page.keyboard.press("Enter")
    _question(page, "wizard.ready.title")
    _tab_to(page, WORDS("wizard.ready.finish"))
    page.keyboard.press("Enter")
    _question(page, "wizard.done.title")
    _tab_to(page, WORDS("wizard.done.hello"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    _ask(page)


def _ask(page: Page) -> None:
    _tab_to(page, WORDS("chat.message"))
    page.keyboard.type("What do you keep?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("And where?")
    page.keyboard.press("Enter")
    question = page.get_by_role("listitem").filter(has_text="And where?").first
    expect(question).to_contain_text("What do you keep?\nAnd where?")
    expect(page.locator(".prose").last).to_contain_text("on this box")
    expect(page.get_by_role("button", name=WORDS("chat.good"))).to_be_attached()


def test_palette_is_walked_by_arrows_and_left_by_escape(page: Page) -> None:
    visit(page, "/chat")
    expect(page.get_by_role("textbox", name=WORDS("chat.message"))).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name=WORDS("palette.title"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    places = page.get_by_role("listbox", name=WORDS("palette.title"))
    expect(places.get_by_role("option", selected=True)).to_have_text(WORDS("areas.box"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=WORDS("box.found"))).to_be_visible()


def test_menu_of_a_conversation_is_opened_walked_and_closed(page: Page) -> None:
    visit(page, "/chat")
    opener = page.get_by_role(
        "button", name=WORDS("chat.actions", title="A loaf for a slow morning")
    )
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name=WORDS("chat.rename"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name=WORDS("chat.rename"))).to_be_focused()
    page.keyboard.type("Bread")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Bread")).to_be_visible()
