"""A paper of the house: dropped in the library, asked about in a chat, its page one click away."""

import asyncio
import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests import documents, pictures
from tests.api.conftest import claim
from tests.running_box import RunningBox, running_box

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PATIENCE_MS = 60_000
PAGES = (
    "The house rules.\nThe bins are emptied every Tuesday morning before seven o'clock.\n"
    "Glass goes to the container behind the school, never into the bins of the house.",
    "The internet.\nThe wifi password is blue-otter-42.\n"
    "The router stands in the hall beside the door and is changed by the landlord alone.",
)
DROP = """(data) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "house.pdf"));
    const target = document.querySelector("section[aria-label='Add documents']");
    target.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    with running_box(tmp_path_factory.mktemp("box")) as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Browser, box: RunningBox) -> Iterator[Page]:
    async def owners_cookies() -> dict[str, str]:
        async with httpx.AsyncClient(base_url=box.url, timeout=60) as client:
            await claim(client, box.claim_code)
            return dict(client.cookies)

    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    with ThreadPoolExecutor(1) as thread:  # this one has Playwright's event loop
        cookies = thread.submit(lambda: asyncio.run(owners_cookies())).result()
    context.add_cookies([{"name": n, "value": v, "url": box.url} for n, v in cookies.items()])
    yield context.new_page()
    context.close()


def test_dropped_pdf_answers_a_question_and_shows_its_page(page: Page, box: RunningBox) -> None:
    page.goto(f"{box.url}/library")
    expect(page.get_by_text("Drop documents here")).to_be_visible(timeout=PATIENCE_MS)
    page.evaluate(DROP, base64.b64encode(documents.pdf(PAGES)).decode())
    row = page.get_by_role("listitem").filter(has_text="house.pdf")
    expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(row).to_contain_text("2 pages")

    page.get_by_role("link", name="Chat").first.click()
    page.get_by_role("textbox", name="Message").fill("What is the wifi password?")
    page.get_by_role("button", name="Send").click()
    messages = page.get_by_role("list", name="Messages")
    expect(messages).to_contain_text("blue-otter-42", timeout=PATIENCE_MS)

    source = page.get_by_role("button", name="Source 1: house.pdf")
    expect(source).to_contain_text("Page 2", timeout=PATIENCE_MS)
    source.click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("The wifi password is blue-otter-42.")
    picture = sheet.get_by_role("img", name="Page 2 of house.pdf")
    expect(picture).to_be_visible()
    page.wait_for_function(
        "(image) => image.complete && image.naturalWidth === 1000",
        arg=picture.element_handle(),
        timeout=PATIENCE_MS,
    )
    sheet.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="How it was found").click()
    expect(sheet).to_contain_text("By meaning and by words")
    expect(sheet).to_contain_text("Read")
    sheet.get_by_role("button", name="Close").click()

    source.click()
    sheet.get_by_role("link", name="Open the document").click()
    expect(page.get_by_role("heading", name="house.pdf")).to_be_visible()
    expect(page.locator("mark")).to_contain_text("blue-otter-42")


def test_picture_goes_with_a_message_and_opens_large(page: Page, box: RunningBox) -> None:
    page.goto(f"{box.url}/chat")
    message = page.get_by_role("textbox", name="Message")
    expect(message).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Add pictures").and_(page.locator("input")).set_input_files(
        {"name": "garden.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg()}
    )
    expect(page.get_by_text("The model cannot see pictures")).to_be_visible()
    message.fill("Hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Show picture 1 large").click(timeout=PATIENCE_MS)
    picture = page.get_by_role("dialog").get_by_role("img", name="Picture 1")
    page.wait_for_function(
        "(image) => image.complete && image.naturalWidth === 16 && image.naturalHeight === 8",
        arg=picture.element_handle(),
        timeout=PATIENCE_MS,
    )
