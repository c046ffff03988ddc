import i18next from "i18next";

const NUMBER = /\d+(?:\.\d+)?/g;

/** What the box says, in the language of the page; as it came where that language has no words for it. */
export function boxWords(text: string): string {
  const numbers: string[] = text.match(NUMBER) ?? [];
  const values = Object.fromEntries(numbers.map((number, place) => [`n${place}`, number]));
  const names = Object.keys(values).values();
  const key = text.replace(NUMBER, () => `{{${names.next().value ?? ""}}}`);
  const asWritten = { ns: "box", keySeparator: false, nsSeparator: false } as const;
  return i18next.t(key, { ...asWritten, defaultValue: key, ...values });
}
