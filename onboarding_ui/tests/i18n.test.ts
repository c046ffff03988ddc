import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import i18next from "i18next";

type Tree = { [key: string]: string | Tree };

function keysOf(tree: Tree, prefix = ""): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [prefix + key] : keysOf(value, `${prefix}${key}.`),
  );
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

/** All texts of a language: `app.json`, and beside it a file for each page under that page's name. */
function textsOf(language: string): Tree {
  const folder = join(import.meta.dirname, "../src/i18n", language);
  const read = (name: string): Tree => JSON.parse(readFileSync(join(folder, name), "utf8")) as Tree;
  const pages = readdirSync(folder).filter((name) => name !== "app.json");
  const named = pages.map((name) => [name.replace(".json", ""), read(name)] as const);
  return { ...read("app.json"), ...Object.fromEntries(named) };
}

const PLURAL = /_(zero|one|two|few|many|other)$/;
const languages: Record<string, Tree> = { en: textsOf("en"), de: textsOf("de") };
const code = sources(join(import.meta.dirname, "../src")).join("\n");
const quoted = new Set([...code.matchAll(/"([\w.]+)"/g)].map(([, text]) => text));
/** Keys that are put together, as `wizard.${step}.title`, each as what it matches. */
const composed = [...code.matchAll(/`([a-z]\w*\.[^`\n]*)`/g)]
  .map(([, text = ""]) => text)
  .filter((text) => text.includes("${"))
  .map((text) => new RegExp(`^${text.replace(/\./g, "\\.").replace(/\$\{[^}]*\}/g, "\\w+")}$`));

const isUsed = (key: string): boolean => {
  const name = key.replace(PLURAL, "");
  return quoted.has(name) || composed.some((pattern) => pattern.test(name));
};

test.each(Object.keys(languages))("every text of %s is shown somewhere", (language) => {
  expect(keysOf(languages[language] ?? {}).filter((key) => !isUsed(key))).toEqual([]);
});

test.each(Object.keys(languages))("every text that is asked for exists in %s", (language) => {
  const present = new Set(keysOf(languages[language] ?? {}).map((key) => key.replace(PLURAL, "")));
  const asked = [...code.matchAll(/\bt\(\s*"([\w.]+)"/g)].map(([, key = ""]) => key);
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.filter((key) => !present.has(key))).toEqual([]);
});

test.each(Object.keys(languages))("%s has every plural form that it needs", (language) => {
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const keys = new Set(keysOf(languages[language] ?? {}));
  const plurals = new Set(
    [...keys].filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, "")),
  );
  expect(plurals.size).toBeGreaterThan(0);
  const missing = [...plurals].flatMap((name) =>
    forms.map((form) => `${name}_${form}`).filter((key) => !keys.has(key)),
  );
  expect(missing).toEqual([]);
});

test("one is said as one, in both languages", () => {
  const left = (language: string, count: number): string =>
    i18next.getFixedT(language)("wizard.claim.left", { count });
  expect(left("en", 1)).toBe("1 try left in this minute.");
  expect(left("en", 4)).toBe("4 tries left in this minute.");
  expect(left("de", 1)).toBe("Noch 1 Versuch in dieser Minute.");
  expect(left("de", 4)).toBe("Noch 4 Versuche in dieser Minute.");
});
