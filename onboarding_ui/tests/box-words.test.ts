import { boxWords } from "@/i18n/box-words";
import { speak } from "@/i18n";

afterEach(() => speak("en"));

test("what the box says is said in the language of the page", () => {
  speak("de");
  expect(boxWords("Name and password do not match.")).toBe(
    "Name und Passwort passen nicht zusammen.",
  );
});

test("numbers keep their places", () => {
  speak("de");
  expect(boxWords("The model needs 2.5 GB; 1.1 GB are free.")).toBe(
    "Das Modell braucht 2.5 GB; 1.1 GB sind frei.",
  );
});

test.each(["A sentence of tomorrow: 3 of 4.5.", ""])(
  "unknown words stay as they are: %s",
  (text) => {
    speak("de");
    expect(boxWords(text)).toBe(text);
  },
);

test("in English the box's own words are the page's", () => {
  expect(boxWords("Wait 30 s. The code is on the label on the back of the box.")).toBe(
    "Wait 30 s. The code is on the label on the back of the box.",
  );
});
