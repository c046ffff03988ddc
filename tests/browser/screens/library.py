"""Documents, assistants and memories."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen


@screen
def library(page: Page, words: Words) -> None:
    visit(page, "/library")
    expect(page.get_by_text("Insurance.pdf")).to_be_visible()


@screen
def library_empty(page: Page, words: Words) -> None:
    visit(page, "/library", "empty")
    expect(page.get_by_text(words("library.none"))).to_be_visible()


@screen
def library_remove(page: Page, words: Words) -> None:
    library(page, words)
    page.get_by_role("button", name=words("library.remove"), exact=True).first.click()
    confirm = words("library.removeNow", name="House rules.pdf")
    expect(page.get_by_role("button", name=confirm)).to_be_visible()


@screen
def library_document(page: Page, words: Words) -> None:
    visit(page, "/library/documents/file-1?passage=2&page=2")
    expect(page.get_by_text("Miller Heating")).to_be_visible()


@screen
def library_assistants(page: Page, words: Words) -> None:
    visit(page, "/library/assistants")
    edit = page.get_by_role("button", name=words("library.assistant.edit"), exact=True)
    expect(edit.first).to_be_visible()


@screen
def library_assistant_edited(page: Page, words: Words) -> None:
    library_assistants(page, words)
    page.get_by_role("button", name=words("library.assistant.edit"), exact=True).first.click()
    expect(page.get_by_label(words("library.assistant.instructions"))).to_be_visible()
    expect(page.get_by_role("group", name=words("library.assistant.avatar"))).to_be_visible()


@screen
def library_assistant_tried(page: Page, words: Words) -> None:
    library_assistant_edited(page, words)
    expect(page.get_by_role("heading", name=words("library.assistant.trial.title"))).to_be_visible()
    page.get_by_role("textbox", name=words("chat.message")).fill("Where is the bin?")
    page.keyboard.press("Enter")
    talk = page.get_by_role("list", name=words("library.assistant.trial.talk"))
    expect(talk.get_by_text("House rules.pdf")).to_be_visible()


@screen
def library_memories(page: Page, words: Words) -> None:
    visit(page, "/library/memories")
    expect(page.get_by_text(words("library.memory.proposed"))).to_be_visible()


@screen
def library_folder(page: Page, words: Words) -> None:
    visit(page, "/library?folder=Taxes")
    expect(page.get_by_text("Tax return.pdf")).to_be_visible()
    expect(page.get_by_role("button", name=words("library.folders.rename"))).to_be_visible()


@screen
def library_folder_new(page: Page, words: Words) -> None:
    visit(page, "/library?folder=Garden")
    expect(page.get_by_text(words("library.folders.empty"))).to_be_visible()
    page.get_by_role("button", name=words("library.folders.new")).click()
    expect(page.get_by_label(words("library.folders.name"))).to_be_focused()


@screen
def library_folder_deleted(page: Page, words: Words) -> None:
    library_folder(page, words)
    page.get_by_role("button", name=words("library.folders.delete")).click()
    expect(page.get_by_role("button", name=words("library.folders.remove"))).to_be_visible()


@screen
def library_documents_moved(page: Page, words: Words) -> None:
    library(page, words)
    page.get_by_role("checkbox").first.check()
    expect(page.get_by_role("button", name=words("library.folders.moveNow"))).to_be_visible()
