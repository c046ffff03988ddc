import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import de from "./de/app.json";
import en from "./en/app.json";

export const LANGUAGES = [
  { code: "en", name: "English", greeting: "Hello" },
  { code: "de", name: "Deutsch", greeting: "Hallo" },
] as const;

export type LanguageCode = (typeof LANGUAGES)[number]["code"];

function preferred(): LanguageCode {
  const wanted = navigator.languages.map((language) => language.slice(0, 2));
  const found = LANGUAGES.find(({ code }) => wanted.includes(code));
  return found?.code ?? "en";
}

export function startTranslations(): void {
  void i18next.use(initReactI18next).init({
    resources: { en: { translation: en }, de: { translation: de } },
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
