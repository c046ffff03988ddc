"""A conversation."""

import re

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen
from tests.pictures import png


@screen
def chat_empty(page: Page, words: Words) -> None:
    visit(page, "/chat")
    expect(page.get_by_role("textbox", name=words("chat.message"))).to_be_visible()


@screen
def chat_with_an_assistant(page: Page, words: Words) -> None:
    visit(page, "/library/assistants")
    chat = words("library.assistant.chatWith", name="Household helper")
    page.get_by_role("link", name=chat).click()
    expect(page.get_by_role("button", name="Who repairs the boiler?")).to_be_visible()
    expect(page.get_by_text("Knows the house.")).to_be_visible()


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
def chat_citation(page: Page, words: Words) -> None:
    chat_answer(page, words)
    cited = words("library.cited", number=1, name="House rules.pdf")
    page.get_by_role("link", name=cited).click()
    expect(page.get_by_role("dialog")).to_contain_text("4711")


@screen
def chat_memory_offered(page: Page, words: Words) -> None:
    _ask(page, words, "My doctor is called Weber.")
    offer = page.get_by_role("group", name=words("library.memory.proposed"))
    expect(offer.get_by_role("button", name=words("library.memory.no"))).to_be_visible()


@screen
def chat_documents_chosen(page: Page, words: Words) -> None:
    chat_answer(page, words)
    documents = page.get_by_role("combobox", name=words("library.documents"))
    documents.select_option(words("library.looks.in", name="Taxes"))
    expect(documents).to_have_value("in Taxes")


def _choose_pictures(page: Page, words: Words) -> None:
    chat_empty(page, words)
    pictures = [
        FilePayload(name=f"{n}.png", mimeType="image/png", buffer=png(40 * n, 30)) for n in (1, 2)
    ]
    page.locator("input[type=file]").set_input_files(pictures)
    expect(page.get_by_text(words("chat.pictures.unseen"))).to_be_visible()


@screen
def chat_pictures_chosen(page: Page, words: Words) -> None:
    _choose_pictures(page, words)
    expect(page.get_by_role("img", name=words("chat.pictures.alt", number=2))).to_be_visible()


@screen
def chat_pictures_sent(page: Page, words: Words) -> None:
    _choose_pictures(page, words)
    message = page.get_by_role("textbox", name=words("chat.message"))
    message.fill("Our garden, and the neighbour's.")
    message.press("Enter")
    second = page.get_by_role("button", name=words("chat.pictures.open", number=2))
    expect(second).to_be_visible()
    expect(page.get_by_role("button", name=words("chat.good"))).to_be_attached()


@screen
def chat_picture_large(page: Page, words: Words) -> None:
    chat_pictures_sent(page, words)
    page.get_by_role("button", name=words("chat.pictures.open", number=2)).click()
    expect(page.get_by_role("dialog")).to_be_visible()


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


@screen
def palette(page: Page, words: Words) -> None:
    chat_empty(page, words)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
