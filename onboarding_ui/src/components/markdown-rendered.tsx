import { type ComponentProps, useMemo } from "react";
import ReactMarkdown from "react-markdown";
import rehypeSanitize, { defaultSchema } from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { citedBy, rehypeCitations } from "./citations";
import { CodeBlock } from "./code-block";
import { Formula } from "./formula";

const SCHEMA = {
  ...defaultSchema,
  tagNames: (defaultSchema.tagNames ?? []).filter((name) => name !== "input"),
  attributes: {
    ...defaultSchema.attributes,
    code: [["className", /^language-[\w-]+$/, "math-inline", "math-display"]],
  },
} as typeof defaultSchema;

function Code({ className = "", children }: ComponentProps<"code">) {
  const text = typeof children === "string" ? children : "";
  if (className.includes("math-inline")) return <Formula tex={text} display={false} />;
  if (className.includes("math-display")) return <Formula tex={text} display />;
  const language = /language-([\w-]+)/.exec(className)?.[1];
  if (language !== undefined || text.includes("\n")) {
    return <CodeBlock text={text.replace(/\n$/, "")} language={language ?? ""} />;
  }
  return <code>{children}</code>;
}

/** Nothing in an answer loads from outside: pictures become their description and address. */
function Picture({ src, alt }: ComponentProps<"img">) {
  const isOwn = typeof src === "string" && src.startsWith("/") && !src.startsWith("//");
  return isOwn ? (
    <img src={src} alt={alt ?? ""} />
  ) : (
    <span>{[alt, src].filter(Boolean).join(": ")}</span>
  );
}

function Outside({ href, children }: ComponentProps<"a">) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

function Table({ children }: ComponentProps<"table">) {
  return (
    // A table that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-scroll" role="group" tabIndex={0}>
      <table>{children}</table>
    </div>
  );
}

export interface Citation {
  number: number;
  /** What the number opens, in words. */
  label: string;
}

/** A number that opens the source it stands for. */
function citing(citations: Citation[], onCite: (number: number) => void) {
  return function Reference({ href, children }: ComponentProps<"a">) {
    const cited = citedBy(href);
    if (cited === null) {
      return <Outside {...(href === undefined ? {} : { href })}>{children}</Outside>;
    }
    const citation = citations.find(({ number }) => number === cited);
    if (citation === undefined) return <>{children}</>;
    return (
      <a
        href={href}
        aria-label={citation.label}
        onClick={(event) => {
          event.preventDefault();
          onCite(cited);
        }}
        className="font-semibold"
      >
        {children}
      </a>
    );
  };
}

interface Props {
  text: string;
  citations: Citation[];
  onCite: (number: number) => void;
}

export default function RenderedMarkdown({ text, citations, onCite }: Props) {
  const link = useMemo(() => citing(citations, onCite), [citations, onCite]);
  const known = useMemo(() => new Set(citations.map(({ number }) => number)), [citations]);
  return (
    <div className="prose">
      <ReactMarkdown
        remarkPlugins={[remarkGfm, remarkMath]}
        rehypePlugins={[
          [rehypeCitations, { known }],
          [rehypeSanitize, SCHEMA],
        ]}
        components={{
          a: link,
          img: Picture,
          code: Code,
          pre: ({ children }) => <>{children}</>,
          table: Table,
        }}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
