import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import boxDe from "./box.de.json";
import de from "./de/app.json";
import deEngine from "./de/engine.json";
import deLibrary from "./de/library.json";
import en from "./en/app.json";
import enEngine from "./en/engine.json";
import enLibrary from "./en/library.json";

export const LANGUAGES = [
  { code: "en", name: "English", greeting: "Hello" },
  { code: "de", name: "Deutsch", greeting: "Hallo" },
] as const;

export type LanguageCode = (typeof LANGUAGES)[number]["code"];

/** The first of the browser's languages that we speak. */
export function preferred(): LanguageCode {
  const spoken = LANGUAGES.map(({ code }) => code);
  const wanted = navigator.languages.map((language) => language.slice(0, 2));
  return wanted.flatMap((one) => spoken.filter((code) => code === one))[0] ?? "en";
}

export function startTranslations(): void {
  void i18next.use(initReactI18next).init({
    resources: {
      en: { translation: { ...en, engine: enEngine, library: enLibrary } },
      de: { translation: { ...de, engine: deEngine, library: deLibrary }, box: boxDe },
    },
    lng: preferred(),
    fallbackLng: "en",
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
}

export function speak(language: LanguageCode): void {
  if (i18next.language === language) return;
  void i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
