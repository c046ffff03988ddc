import i18next from "i18next";

/** Bytes as a person says them: 940 MB, 4.7 GB (decimal, as shops do). */
export function size(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "gigabyte"] : [bytes / 1e6, "megabyte"];
  return new Intl.NumberFormat(i18next.language, {
    style: "unit",
    unit,
    maximumFractionDigits: unit === "gigabyte" ? 1 : value < 10 ? 1 : 0,
  }).format(value);
}

/** A time as a person says it: 40 s, 3 min, 2 h. */
export function duration(seconds: number): string {
  const [value, unit] =
    seconds < 90
      ? [seconds, "second"]
      : seconds < 5_400
        ? [seconds / 60, "minute"]
        : [seconds / 3_600, "hour"];
  return new Intl.NumberFormat(i18next.language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(Math.max(1, value));
}

export function rounded(value: number): string {
  const digits = value < 10 ? 1 : 0;
  return new Intl.NumberFormat(i18next.language, { maximumFractionDigits: digits }).format(value);
}

/** A moment as a person says it: day and minute, without seconds. */
export function moment(iso: string): string {
  const form = { dateStyle: "medium", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat(i18next.language, form).format(new Date(iso));
}

export function timeOfDay(iso: string): string {
  return new Intl.DateTimeFormat(i18next.language, { timeStyle: "short" }).format(new Date(iso));
}
