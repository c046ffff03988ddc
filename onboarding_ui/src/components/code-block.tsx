import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { common, createLowlight } from "lowlight";
import { type ReactNode, useMemo } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { useTranslation } from "react-i18next";
import { CopyButton } from "./copy-button";

const highlighter = createLowlight(common);

export function CodeBlock({ text, language }: { text: string; language: string }) {
  const { t } = useTranslation();
  const coloured = useMemo((): ReactNode => {
    if (!highlighter.registered(language)) return text;
    return toJsxRuntime(highlighter.highlight(language, text), {
      Fragment,
      jsx,
      jsxs,
    }) as ReactNode;
  }, [text, language]);
  return (
    <figure className="overflow-hidden rounded-control border border-line bg-paper">
      <figcaption className="flex items-center justify-between border-b border-line ps-3 text-sm text-soft">
        {language === "" ? t("chat.code") : language}
        <CopyButton text={text} label={t("chat.copyCode")} />
      </figcaption>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <pre className="overflow-x-auto p-3" tabIndex={0}>
        <code>{coloured}</code>
      </pre>
    </figure>
  );
}
