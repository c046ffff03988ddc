import i18next from "i18next";
import { rounded, size } from "@/components/numbers";

const WORDS_PER_TOKEN = 0.75;

/** The figures that people are shown, in this order. */
export const FIGURES = [
  "temperature_celsius",
  "cpu_percent",
  "memory_available_bytes",
  "disk_free_bytes",
  "tokens_per_second",
  "power_watts",
] as const;

export type Figure = (typeof FIGURES)[number];

function withUnit(value: number, unit: string): string {
  const form = { style: "unit", unit, maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(i18next.language, form).format(value);
}

/** A figure as a person says it. */
export function told(figure: Figure, value: number): string {
  switch (figure) {
    case "temperature_celsius":
      return withUnit(value, "celsius");
    case "cpu_percent":
      return withUnit(value, "percent");
    case "memory_available_bytes":
    case "disk_free_bytes":
      return size(value);
    case "tokens_per_second":
      return rounded(value * WORDS_PER_TOKEN);
    case "power_watts":
      return `${rounded(value)} W`;
  }
}
