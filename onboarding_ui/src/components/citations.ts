import type { Element, ElementContent, Root, RootContent } from "hast";

const CITED = /\[(\d{1,2})\]/;
const PLACES = /(\[\d{1,2}\])/;
const VERBATIM = new Set(["a", "code", "pre"]);
const ADDRESS = /^#source-(\d{1,2})$/;

/** The number of the source that an address made here stands for. */
export function citedBy(href: string | undefined): number | null {
  const number = ADDRESS.exec(href ?? "")?.[1];
  return number === undefined ? null : Number(number);
}

function reference(number: string): Element {
  return {
    type: "element",
    tagName: "a",
    properties: { href: `#source-${number}` },
    children: [{ type: "text", value: `[${number}]` }],
  };
}

function parted(text: string, known: ReadonlySet<number>): ElementContent[] {
  return text
    .split(PLACES)
    .filter((part) => part !== "")
    .map((part) => {
      const number = CITED.exec(part)?.[1];
      const isKnown = number !== undefined && known.has(Number(number));
      return isKnown ? reference(number) : { type: "text", value: part };
    });
}

function within<Node extends RootContent>(nodes: Node[], known: ReadonlySet<number>): Node[] {
  return nodes.flatMap((node) => {
    if (node.type === "text") return parted(node.value, known) as Node[];
    if (node.type === "element" && !VERBATIM.has(node.tagName)) {
      node.children = within(node.children, known);
    }
    return [node];
  });
}

/** Makes `[2]` in the text, not in code, an address of that source; an unknown number stays text. */
export function rehypeCitations({ known }: { known: ReadonlySet<number> }) {
  return (tree: Root): void => {
    tree.children = within(tree.children, known);
  };
}
