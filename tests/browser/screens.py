"""Every screen of the web application, and how a person comes to it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit

CLAIM_CODE = "K7QM4XWP"
LANTERNS = "three quiet lanterns in a harbour"

Steps = Callable[[Page, Words], None]


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen by name; `reach` leads to it from a new page."""

    name: str
    reach: Steps


SCREENS: list[Screen] = []


def screen(reach: Steps) -> Steps:
    """Enter `reach` in SCREENS under its own name."""
    SCREENS.append(Screen(reach.__name__.replace("_", "-"), reach))
    return reach


def _next(page: Page, words: Words) -> None:
    page.get_by_role("button", name=words("next"), exact=True).click()


def _heading(page: Page, words: Words, key: str) -> None:
    expect(page.get_by_role("heading", name=words(key))).to_be_visible()


@screen
def wizard_1_language(page: Page, words: Words) -> None:
    visit(page, "/", "unclaimed")
    _heading(page, words, "wizard.language.title")


def _claim(page: Page, words: Words, *plays: str) -> None:
    visit(page, "/", *(plays or ("unclaimed",)))
    names = {"Hello": "English", "Hallo": "Deutsch"}
    page.get_by_role("button", name=names[words("wizard.language.title")]).click()
    _heading(page, words, "wizard.claim.title")


@screen
def wizard_2_claim(page: Page, words: Words) -> None:
    _claim(page, words)
    page.get_by_label(words("wizard.claim.label")).fill("K7QM4")


@screen
def wizard_2_claim_refused(page: Page, words: Words) -> None:
    _claim(page, words)
    page.get_by_label(words("wizard.claim.label")).fill("AAAAAAAA")
    _next(page, words)
    expect(page.get_by_role("alert").first).to_be_visible()


def _owner(page: Page, words: Words, *plays: str) -> None:
    _claim(page, words, *plays)
    page.get_by_label(words("wizard.claim.label")).fill(CLAIM_CODE)
    _next(page, words)
    page.get_by_label(words("person.name")).fill("Ana")


@screen
def wizard_3_owner(page: Page, words: Words) -> None:
    _owner(page, words)
    page.get_by_label(words("password.label"), exact=True).fill("three quiet")


@screen
def wizard_3_owner_refused(page: Page, words: Words) -> None:
    _owner(page, words)
    page.get_by_label(words("password.label"), exact=True).fill("ana")
    _next(page, words)
    expect(page.get_by_role("alert").first).to_be_visible()


def _recovery(page: Page, words: Words, *plays: str) -> None:
    _owner(page, words, *plays)
    page.get_by_label(words("password.label"), exact=True).fill(LANTERNS)
    _next(page, words)
    expect(page.get_by_role("checkbox")).to_be_visible()


@screen
def wizard_3_recovery_code(page: Page, words: Words) -> None:
    _recovery(page, words)


def _box(page: Page, words: Words, *plays: str) -> None:
    _recovery(page, words, *plays)
    page.get_by_role("checkbox").check()
    _next(page, words)
    _heading(page, words, "wizard.box.title")


@screen
def wizard_4_box(page: Page, words: Words) -> None:
    _box(page, words)


def _model(page: Page, words: Words, *plays: str) -> None:
    _box(page, words, *plays)
    _next(page, words)
    expect(page.get_by_role("radio").first).to_be_visible()


@screen
def wizard_5_model(page: Page, words: Words) -> None:
    _model(page, words)


def _privacy(page: Page, words: Words, *plays: str) -> None:
    _model(page, words, *plays)
    _next(page, words)
    _heading(page, words, "wizard.privacy.title")


@screen
def wizard_6_privacy(page: Page, words: Words) -> None:
    _privacy(page, words)


def _ready(page: Page, words: Words, *plays: str) -> None:
    _privacy(page, words, *plays)
    _next(page, words)
    _heading(page, words, "wizard.ready.title")


@screen
def wizard_7_ready(page: Page, words: Words) -> None:
    _ready(page, words)


@screen
def wizard_8_done(page: Page, words: Words) -> None:
    _ready(page, words)
    page.get_by_role("button", name=words("wizard.ready.finish")).click()
    expect(page.get_by_role("img", name=words("wizard.done.qr"))).to_be_visible()


@screen
def wizard_8_somebody_was_quicker(page: Page, words: Words) -> None:
    _ready(page, words, "lost-claim")
    page.get_by_role("button", name=words("wizard.ready.finish")).click()
    _heading(page, words, "wizard.lost.title")


@screen
def sign_in_refused(page: Page, words: Words) -> None:
    visit(page, "/", "signed-out")
    page.get_by_label(words("person.name")).fill("Ana")
    page.get_by_label(words("password.label")).fill("wrong")
    page.get_by_role("button", name=words("signIn.go")).click()
    expect(page.get_by_role("alert")).to_be_visible()


@screen
def recover(page: Page, words: Words) -> None:
    visit(page, "/recover", "signed-out")
    _heading(page, words, "recovery.title")


@screen
def join(page: Page, words: Words) -> None:
    visit(page, "/join/good", "signed-out")
    expect(page.get_by_role("button", name=words("join.go"))).to_be_visible()


@screen
def join_with_a_used_link(page: Page, words: Words) -> None:
    visit(page, "/join/used", "signed-out")
    _heading(page, words, "join.noneTitle")


@screen
def chat_empty(page: Page, words: Words) -> None:
    visit(page, "/chat")
    expect(page.get_by_role("textbox", name=words("chat.message"))).to_be_visible()


def _ask(page: Page, words: Words, text: str) -> None:
    chat_empty(page, words)
    message = page.get_by_role("textbox", name=words("chat.message"))
    message.fill(text)
    message.press("Enter")


@screen
def chat_in_line(page: Page, words: Words) -> None:
    _ask(page, words, "Please wait in line.")
    waiting = page.get_by_role("status").filter(has_text=re.compile(r"2.*20"))
    expect(waiting).to_be_visible()


@screen
def chat_reading(page: Page, words: Words) -> None:
    _ask(page, words, "Please read for long.")
    expect(page.get_by_text(re.compile("64 %"))).to_be_visible()


@screen
def chat_answer(page: Page, words: Words) -> None:
    _ask(page, words, "What do you keep, and where?")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_role("button", name=words("chat.good"))).to_be_attached()


@screen
def chat_answer_with_details(page: Page, words: Words) -> None:
    chat_answer(page, words)
    page.get_by_role("button", name=words("chat.again")).focus()
    page.get_by_role("button", name=words("chat.good")).click()
    page.get_by_role("button", name=words("chat.details")).click()
    expect(page.get_by_text(words("chat.detail.speed"))).to_be_visible()


@screen
def chat_branches(page: Page, words: Words) -> None:
    chat_answer(page, words)
    page.get_by_role("button", name=words("chat.again")).click()
    expect(page.get_by_text("2/2")).to_be_visible()


@screen
def chat_edit(page: Page, words: Words) -> None:
    chat_answer(page, words)
    page.get_by_role("button", name=words("chat.edit")).click()
    expect(page.get_by_role("textbox", name=words("chat.edit"))).to_be_focused()


@screen
def chat_answer_broken_off(page: Page, words: Words) -> None:
    _ask(page, words, "Please break.")
    expect(page.get_by_role("button", name=words("chat.again")).first).to_be_visible()


@screen
def chat_conversation_gone(page: Page, words: Words) -> None:
    visit(page, "/chat/no-such-conversation")
    expect(page.get_by_role("alert")).to_be_visible()


def _list(page: Page, words: Words, *plays: str) -> None:
    visit(page, "/chat/list", *plays)
    expect(page.get_by_role("searchbox")).to_be_visible()


@screen
def list_of_conversations(page: Page, words: Words) -> None:
    _list(page, words)
    expect(page.get_by_role("link", name="A loaf for a slow morning")).to_be_visible()


@screen
def list_empty(page: Page, words: Words) -> None:
    _list(page, words, "empty")
    expect(page.get_by_text(words("chat.noneYet"))).to_be_visible()


@screen
def list_search(page: Page, words: Words) -> None:
    _list(page, words)
    page.get_by_role("searchbox").fill("fridge")
    expect(page.locator("mark").first).to_be_visible()


@screen
def list_menu(page: Page, words: Words) -> None:
    list_of_conversations(page, words)
    page.get_by_role(
        "button", name=words("chat.actions", title="A loaf for a slow morning")
    ).click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


@screen
def list_deleted(page: Page, words: Words) -> None:
    list_menu(page, words)
    page.get_by_role("menuitem", name=words("chat.delete")).click()
    expect(page.get_by_text(words("chat.deleted"))).to_be_visible()


@screen
def palette(page: Page, words: Words) -> None:
    chat_empty(page, words)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()


@screen
def box(page: Page, words: Words) -> None:
    visit(page, "/box")
    _heading(page, words, "box.found")


@screen
def box_with_a_name_conflict(page: Page, words: Words) -> None:
    visit(page, "/box", "name-conflict")
    _heading(page, words, "box.found")


@screen
def models(page: Page, words: Words) -> None:
    visit(page, "/box/models")
    _heading(page, words, "models.catalogue")


@screen
def models_downloading(page: Page, words: Words) -> None:
    visit(page, "/box/models", "downloading")
    expect(page.get_by_role("progressbar").first).to_be_visible()


@screen
def models_remove(page: Page, words: Words) -> None:
    visit(page, "/box/models", "second-model")
    page.get_by_role("button", name=words("models.remove")).click()
    expect(page.get_by_role("button", name=words("models.removeNow"))).to_be_visible()


def _updates(page: Page, words: Words, state: str, headline: str) -> None:
    visit(page, "/box/updates", f"update-{state}")
    told = words(f"updates.state.{headline}", version="0.3.0")
    expect(page.get_by_text(told, exact=True)).to_be_visible()
    _heading(page, words, "updates.history")
    expect(page.get_by_text("0.1.0 → 0.2.0")).to_be_visible()


@screen
def updates(page: Page, words: Words) -> None:
    _updates(page, words, "none", "idle")


@screen
def updates_available(page: Page, words: Words) -> None:
    _updates(page, words, "available", "available")


@screen
def updates_downloading(page: Page, words: Words) -> None:
    _updates(page, words, "downloading", "downloading")


@screen
def updates_installed(page: Page, words: Words) -> None:
    _updates(page, words, "installed", "installed")


@screen
def updates_restarting(page: Page, words: Words) -> None:
    _updates(page, words, "rebooting", "rebooting")


@screen
def updates_proving(page: Page, words: Words) -> None:
    _updates(page, words, "proving", "proving")


@screen
def updates_done(page: Page, words: Words) -> None:
    _updates(page, words, "good", "good")


@screen
def updates_came_back(page: Page, words: Words) -> None:
    _updates(page, words, "rolled-back", "rolled_back")


@screen
def updates_go_back(page: Page, words: Words) -> None:
    updates(page, words)
    page.get_by_role("button", name=words("updates.goBack", version="0.1.0")).click()
    expect(page.get_by_role("button", name=words("updates.goBackNow"))).to_be_visible()


@screen
def people(page: Page, words: Words) -> None:
    visit(page, "/people")
    expect(page.get_by_text("Jonas")).to_be_visible()


@screen
def people_invited(page: Page, words: Words) -> None:
    people(page, words)
    page.get_by_role("button", name=words("people.makeLink")).click()
    expect(page.get_by_role("img", name=words("people.qr"))).to_be_visible()


@screen
def people_remove(page: Page, words: Words) -> None:
    people(page, words)
    page.get_by_role("button", name=words("people.remove")).click()
    confirm = words("people.removeNow", name="Jonas")
    expect(page.get_by_role("button", name=confirm)).to_be_disabled()


@screen
def people_key_made(page: Page, words: Words) -> None:
    people(page, words)
    page.get_by_label(words("keys.name")).fill("Home Assistant")
    page.get_by_role("button", name=words("keys.make")).click()
    expect(page.get_by_label(words("keys.key"), exact=True)).to_be_visible()
