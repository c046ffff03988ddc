"""The wizard, step by step."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import ADDRESS, Words, visit
from tests.browser.screens.screen import press_next, screen, see_heading

CLAIM_CODE = "K7QM4XWP"
LANTERNS = "three quiet lanterns in a harbour"


@screen
def wizard_1_language(page: Page, words: Words) -> None:
    visit(page, "/", "unclaimed")
    see_heading(page, words, "wizard.language.title")


def _claim(page: Page, words: Words, *plays: str) -> None:
    visit(page, "/", *(plays or ("unclaimed",)))
    _go_on_to_claim(page, words)


def _go_on_to_claim(page: Page, words: Words) -> None:
    names = {"Hello": "English", "Hallo": "Deutsch"}
    page.get_by_role("button", name=names[words("wizard.language.title")]).click()
    see_heading(page, words, "wizard.claim.title")


@screen
def wizard_2_claim(page: Page, words: Words) -> None:
    _claim(page, words)
    page.get_by_label(words("wizard.claim.label")).fill("K7QM4")


@screen
def wizard_2_claim_scanned(page: Page, words: Words) -> None:
    page.goto(f"{ADDRESS}/?play=quick&play=unclaimed#code={CLAIM_CODE}&key=0a1b2c")
    _go_on_to_claim(page, words)
    expect(page.get_by_role("textbox", name=words("wizard.claim.label"))).to_have_value(CLAIM_CODE)
    expect(page.get_by_text(words("wizard.claim.brought"))).to_be_visible()
    assert "#" not in page.evaluate("location.href")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@screen
def wizard_2_claim_refused(page: Page, words: Words) -> None:
    _claim(page, words)
    page.get_by_label(words("wizard.claim.label")).fill("AAAAAAAA")
    press_next(page, words)
    expect(page.get_by_role("alert").first).to_be_visible()


def _owner(page: Page, words: Words, *plays: str) -> None:
    _claim(page, words, *plays)
    page.get_by_label(words("wizard.claim.label")).fill(CLAIM_CODE)
    press_next(page, words)
    page.get_by_label(words("person.name")).fill("Ana")


@screen
def wizard_3_owner(page: Page, words: Words) -> None:
    _owner(page, words)
    page.get_by_label(words("password.label"), exact=True).fill("three quiet")


@screen
def wizard_3_owner_refused(page: Page, words: Words) -> None:
    _owner(page, words)
    page.get_by_label(words("password.label"), exact=True).fill("ana")
    press_next(page, words)
    expect(page.get_by_role("alert").first).to_be_visible()


def _recovery(page: Page, words: Words, *plays: str) -> None:
    _owner(page, words, *plays)
    page.get_by_label(words("password.label"), exact=True).fill(LANTERNS)
    press_next(page, words)
    expect(page.get_by_role("checkbox")).to_be_visible()


@screen
def wizard_3_recovery_code(page: Page, words: Words) -> None:
    _recovery(page, words)


def _box(page: Page, words: Words, *plays: str) -> None:
    _recovery(page, words, *plays)
    page.get_by_role("checkbox").check()
    press_next(page, words)
    see_heading(page, words, "wizard.box.title")


@screen
def wizard_4_box(page: Page, words: Words) -> None:
    _box(page, words)


def _model(page: Page, words: Words, *plays: str) -> None:
    _box(page, words, *plays)
    press_next(page, words)
    expect(page.get_by_role("radio").first).to_be_visible()


@screen
def wizard_5_model(page: Page, words: Words) -> None:
    _model(page, words)


def _privacy(page: Page, words: Words, *plays: str) -> None:
    _model(page, words, *plays)
    press_next(page, words)
    see_heading(page, words, "wizard.privacy.title")


@screen
def wizard_6_privacy(page: Page, words: Words) -> None:
    _privacy(page, words)


def _ready(page: Page, words: Words, *plays: str) -> None:
    _privacy(page, words, *plays)
    press_next(page, words)
    see_heading(page, words, "wizard.ready.title")


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
    see_heading(page, words, "wizard.lost.title")
