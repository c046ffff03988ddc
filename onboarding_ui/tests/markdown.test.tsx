import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import RenderedMarkdown from "@/components/markdown-rendered";

const CITATIONS = [{ number: 1, label: "Passage 1 in House rules.pdf" }];

function show(text: string, onCite = vi.fn()): HTMLElement {
  return render(<RenderedMarkdown text={text} citations={CITATIONS} onCite={onCite} />).container;
}

test("the number of a source opens it", async () => {
  const onCite = vi.fn();
  show("The bins are emptied on **Tuesday [1]**.", onCite);
  const number = screen.getByRole("link", { name: "Passage 1 in House rules.pdf" });
  expect(number).toHaveTextContent("[1]");
  await userEvent.click(number);
  expect(onCite).toHaveBeenCalledExactlyOnceWith(1);
});

test.each(["On Tuesday [2].", "On Tuesday [0].", "On Tuesday [117].", "On Tuesday [a]."])(
  "a number without a source is plain text: %s",
  (text) => {
    const shown = show(text);
    expect(shown).toHaveTextContent(text);
    expect(shown.querySelector("button, a")).toBeNull();
  },
);

test.each(["`list[1]`", "```python\nlist[1]\n```", "$a[1]$", "[[1]](https://example.test)"])(
  "a number in code, a formula or a link is none of a source: %s",
  (text) => {
    show(text);
    expect(screen.queryByRole("link", { name: /^Passage/ })).toBeNull();
  },
);

test("two numbers side by side are two sources' or text, each by itself", () => {
  const shown = show("As was said [1][2].");
  expect(screen.getAllByRole("link")).toHaveLength(1);
  expect(shown).toHaveTextContent("As was said [1][2].");
});

test("an address that looks like a source's, of which there is none, leads nowhere", () => {
  const shown = show("[here](#source-7)");
  expect(shown.querySelector("button, a")).toBeNull();
});

test.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[x](javascript:alert(1))",
  "<iframe src='https://evil.test'></iframe>",
  "<style>body{display:none}</style>",
])("markup in an answer never becomes a live element: %s", (text) => {
  const shown = show(text);
  expect(shown.querySelector("script, iframe, style, [onerror]")).toBeNull();
  expect(shown.innerHTML).not.toContain("javascript:");
});

test("a picture from outside is only named", () => {
  const shown = show("![a cat](https://evil.test/cat.png?secret=1)");
  expect(shown.querySelector("img")).toBeNull();
  expect(shown).toHaveTextContent("a cat: https://evil.test/cat.png?secret=1");
});

test("links open apart and tell nothing of where they were", () => {
  show("[site](https://example.test)");
  const link = screen.getByRole("link", { name: "site" });
  expect(link).toHaveAttribute("rel", "noopener noreferrer");
});

test("code has its language and can be copied", () => {
  show("```python\nprint('hello')\n```");
  expect(screen.getByText("python")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Copy the code" })).toBeInTheDocument();
});

test("tables scroll inside themselves", () => {
  expect(
    show("| a | b |\n|---|---|\n| 1 | 2 |").querySelector(".table-scroll table"),
  ).not.toBeNull();
});

test("a formula becomes MathML without any style attribute", async () => {
  const shown = show("$$a^2$$");
  await vi.waitFor(() => expect(shown.querySelector("math")).not.toBeNull());
  expect(shown.querySelector("[style]")).toBeNull();
});
