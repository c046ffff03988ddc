// Fails when a language lacks a key of English, has one too many, or names other placeholders.
import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../src/i18n/", import.meta.url);
const reference = "en";

function flatten(tree, prefix = "") {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[prefix + key, value]] : flatten(value, `${prefix}${key}.`),
  );
}

function load(language) {
  const folder = new URL(`${language}/`, root);
  return new Map(
    readdirSync(folder).flatMap((file) =>
      flatten(JSON.parse(readFileSync(new URL(file, folder), "utf8")), `${file.slice(0, -5)}:`),
    ),
  );
}

const placeholders = (text) =>
  [...text.matchAll(/{{\s*(\w+)/g)]
    .map((match) => match[1])
    .sort()
    .join();

const languages = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const expected = load(reference);
const faults = languages.flatMap((language) => {
  const found = load(language);
  const missing = [...expected.keys()].filter((key) => !found.get(key));
  const foreign = [...found.keys()].filter((key) => !expected.has(key));
  const different = [...expected].filter(
    ([key, text]) => found.has(key) && placeholders(found.get(key)) !== placeholders(text),
  );
  return [
    ...missing.map((key) => `${language}: ${key} is missing`),
    ...foreign.map((key) => `${language}: ${key} is not in ${reference}`),
    ...different.map(([key]) => `${language}: ${key} has other placeholders than ${reference}`),
  ];
});

if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`translations: ${expected.size} keys in ${languages.join(", ")}`);
