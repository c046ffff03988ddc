import { render, screen } from "@testing-library/react";
import RenderedMarkdown from "@/components/markdown-rendered";

function show(text: string): HTMLElement {
  return render(<RenderedMarkdown text={text} />).container;
}

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
