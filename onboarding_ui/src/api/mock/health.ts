import type { AlleracApi } from "../allerac-api";
import { ApiError } from "../problem";
import type { Alerts, Health, HealthSeries, Issue } from "../types";
import { now, type Scenario } from "./scenario";

type HealthApi = Pick<
  AlleracApi,
  | "getBoxHealth"
  | "getHealthHistory"
  | "listPastIssues"
  | "getSupportReport"
  | "fixIssue"
  | "getAlerts"
  | "changeAlerts"
  | "testAlert"
>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const POINTS = 120;
const SPANS = { hour: 60 * MINUTE_MS, day: DAY_MS, month: 30 * DAY_MS };

const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString();

const HOT: Issue = {
  id: "issue-hot",
  code: "hot",
  subject: "",
  severity: "warning",
  words: {
    en: {
      title: "The box is hot.",
      meaning: "Its processor has 91 degrees. Allerac works more slowly until it has cooled down.",
      advice: "Give it air: keep its openings free, away from sun and heaters.",
    },
    de: {
      title: "Die Box ist heiß.",
      meaning: "Ihr Prozessor hat 91 Grad. Allerac arbeitet langsamer, bis er abgekühlt ist.",
      advice: "Gib ihr Luft: Halte die Öffnungen frei, fern von Sonne und Heizung.",
    },
  },
  evidence: { celsius: 91 },
  page: null,
  fix: null,
  first_seen_at: ago(12 * MINUTE_MS),
  last_seen_at: ago(0),
  ended_at: null,
};

const FULL: Issue = {
  ...HOT,
  id: "issue-full",
  code: "disk_nearly_full",
  severity: "critical",
  words: {
    en: {
      title: "The disk is nearly full.",
      meaning:
        "1 GB of 256 GB are free. Allerac downloads and indexes nothing until there is room; signing in, deleting and exporting work.",
      advice: "Remove models, documents or conversations that you do not need.",
    },
    de: {
      title: "Die Platte ist fast voll.",
      meaning:
        "1 GB von 256 GB sind frei. Allerac lädt und indiziert nichts, bis wieder Platz ist; Anmelden, Löschen und Exportieren gehen.",
      advice: "Entferne Modelle, Dokumente oder Gespräche, die du nicht brauchst.",
    },
  },
  page: "/box/models",
  fix: { label: { en: "Remove unfinished downloads", de: "Unfertige Downloads entfernen" } },
};

const PAST: Issue = {
  ...HOT,
  id: "issue-past",
  code: "link_flapping",
  words: {
    en: {
      title: "The network cable has a loose contact.",
      meaning: "enp1s0 was lost and found 4 times in ten minutes.",
      advice: "Push both plugs in until they click, or try another cable.",
    },
    de: {
      title: "Das Netzwerkkabel hat einen Wackelkontakt.",
      meaning: "enp1s0 war in zehn Minuten 4-mal weg und wieder da.",
      advice: "Drücke beide Stecker hinein, bis sie klicken, oder probiere ein anderes Kabel.",
    },
  },
  first_seen_at: ago(3 * DAY_MS),
  last_seen_at: ago(3 * DAY_MS - 20 * MINUTE_MS),
  ended_at: ago(3 * DAY_MS - 20 * MINUTE_MS),
};

const SLOWER: Health["reactions"][number] = {
  code: "fewer_threads",
  words: {
    en: "Allerac works more slowly until the box has cooled down; documents wait.",
    de: "Allerac arbeitet langsamer, bis die Box abgekühlt ist; Dokumente warten.",
  },
  since: ago(11 * MINUTE_MS),
};

/** What a chart of `period` shows beside its lines. */
function eventsOf(issues: Issue[], period: HealthSeries["period"]): HealthSeries["events"] {
  const since = ago(SPANS[period]);
  const told = [...issues, PAST].map(
    ({ code, severity, words, first_seen_at, ended_at }): HealthSeries["events"][number] => ({
      kind: "issue",
      code,
      severity,
      words: Object.fromEntries(
        Object.entries(words).map(([language, { title }]) => [language, title]),
      ),
      begin: first_seen_at,
      end: ended_at,
    }),
  );
  if (issues.includes(HOT)) {
    const { code, words, since: begin } = SLOWER;
    told.unshift({ kind: "reaction", code, severity: null, words, begin, end: null });
  }
  return told.filter(({ end }) => end === null || end >= since);
}

function wave(index: number, middle: number, swing: number): number {
  return middle + swing * Math.sin(index / 9) + (swing / 3) * Math.sin(index / 2.3);
}

function seriesOf(
  period: HealthSeries["period"],
  isHot: boolean,
  events: HealthSeries["events"],
): HealthSeries {
  const step = SPANS[period] / POINTS;
  const points = Array.from({ length: POINTS }, (_, index) => index);
  const heat = (index: number) => (isHot && index > POINTS * 0.8 ? 24 : 0);
  return {
    period,
    step_seconds: step / 1000,
    at: points.map((index) => ago(SPANS[period] - index * step)),
    figures: {
      temperature_celsius: points.map((index) => wave(index, 58, 8) + heat(index)),
      cpu_percent: points.map((index) => wave(index, 40, 30)),
      memory_available_bytes: points.map((index) => wave(index, 8e9, 1.5e9)),
      disk_free_bytes: points.map((index) => 160e9 - index * 2e7),
      tokens_per_second: points.map((index) => (index % 30 < 8 ? null : wave(index, 15, 1))),
      power_watts: points.map((index) => wave(index, 11, 4)),
    },
    events,
  };
}

export function createMockHealth({ health: play }: Scenario): HealthApi {
  let issues = play === "hot" ? [HOT] : play === "full" ? [FULL, HOT] : [];
  let alerts: Alerts = {
    least: "warning",
    quiet: { begin: 22, end: 7 },
    mail: null,
    webhook: null,
    ntfy: null,
    problems: {},
  };
  const isHot = play !== "well";
  const state = (): Health => ({
    at: now(),
    severity: issues[0]?.severity ?? null,
    figures: {
      temperature_celsius: isHot ? 91 : 58,
      cpu_percent: 34,
      memory_available_bytes: 8.2e9,
      disk_free_bytes: play === "full" ? 1e9 : 158e9,
      tokens_per_second: 15.2,
    },
    totals: { memory_bytes: 16.4e9, disk_bytes: 256e9 },
    issues,
    reactions: issues.includes(HOT) ? [SLOWER] : [],
  });
  return {
    getBoxHealth: () => Promise.resolve(state()),
    getHealthHistory: (period) =>
      Promise.resolve(seriesOf(period, isHot, eventsOf(issues, period))),
    listPastIssues: () => Promise.resolve({ items: [PAST] }),
    getSupportReport: () =>
      Promise.resolve({
        made_at: now(),
        sections: [
          { name: "versions", lines: ["allerac: 0.2.0", "python: 3.13.5"] },
          { name: "machine", lines: ["Intel N100, 4 cores, 16 GB"] },
          { name: "health", lines: ["celsius: 66", "disk_free_bytes: 157600000000"] },
          { name: "issues", lines: [] },
          { name: "configuration", lines: ["log_level: info"] },
          {
            name: "log",
            lines: [
              "allerac: engine_ready model=allerac-demo seconds=0.8",
              "allerac: signed in as [person] from 192.168.1.7, token=[secret]",
            ],
          },
        ],
      }),
    fixIssue: (id) => {
      issues = issues.filter((issue) => issue.id !== id);
      return Promise.resolve(state());
    },
    getAlerts: () => Promise.resolve(alerts),
    changeAlerts: ({ mail, webhook, ntfy, ...rest }) => {
      alerts = {
        ...rest,
        mail: mail
          ? {
              ...mail,
              has_password: Boolean(mail.password),
              recipients: mail.recipients.map(({ address, language = null }) => ({
                address,
                language,
              })),
            }
          : null,
        webhook: webhook
          ? { form: webhook.form, language: webhook.language ?? null, host: "hooks.example.com" }
          : null,
        ntfy: ntfy
          ? { ...ntfy, language: ntfy.language ?? null, has_token: Boolean(ntfy.token) }
          : null,
        problems: {},
      };
      return Promise.resolve(alerts);
    },
    testAlert: ({ channel }) =>
      alerts[channel]
        ? Promise.resolve()
        : Promise.reject(
            new ApiError(409, {
              code: "conflict",
              message: "This way is switched off.",
              hint: "Fill it in and save it first.",
            }),
          ),
  };
}
