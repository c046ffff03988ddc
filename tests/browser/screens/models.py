"""The models on board and on offer."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen, see_heading


@screen
def models(page: Page, words: Words) -> None:
    visit(page, "/box/models")
    see_heading(page, words, "models.catalogue")


@screen
def models_downloading(page: Page, words: Words) -> None:
    visit(page, "/box/models", "downloading")
    expect(page.get_by_role("progressbar").first).to_be_visible()


@screen
def models_elsewhere(page: Page, words: Words) -> None:
    visit(page, "/box/models", "second-model")
    page.get_by_text(words("models.elsewhere.add")).click()
    expect(page.get_by_role("button", name=words("models.elsewhere.addNow"))).to_be_visible()


@screen
def models_remove(page: Page, words: Words) -> None:
    visit(page, "/box/models", "second-model")
    page.get_by_role("button", name=words("models.remove")).click()
    expect(page.get_by_role("button", name=words("models.removeNow"))).to_be_visible()


@screen
def models_for_documents(page: Page, words: Words) -> None:
    visit(page, "/box/models#documents")
    group = page.get_by_role("heading", name=words("models.documents"))
    expect(group).to_be_in_viewport()
