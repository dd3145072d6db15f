// What is looked at stands in the address, so that it can be shared: period, parts, comparison, section, language, by
// what predictions are listed, the list that is open, and how often all is asked anew. Nothing of it is checked here: a period that is none is the graph's to refuse, in its words.
import { isDay } from "./periods.ts";
import type { Language } from "./words.ts";

export const SECTIONS = ["overview", "members", "cohorts", "points", "orders", "guests", "tiers", "service", "channels", "value", "predictions"] as const;
export type Section = (typeof SECTIONS)[number];
export const PARTS = ["DAY", "WEEK", "MONTH", "QUARTER"] as const;
export type By = (typeof PARTS)[number] | "WHOLE";

export const RANKS = ["gone", "value", "lost"] as const;
export type Rank = (typeof RANKS)[number];

/** Every how many minutes the figures are asked anew; 0 is not by the clock. */
export const EVERY = [0, 1, 5, 15, 60] as const;

export const MEASURES = ["retention", "orders", "revenue", "earned", "redeemed"] as const;
export type Measure = (typeof MEASURES)[number];

export interface View {
  since: string;
  until: string;
  by: By;
  compare: boolean;
  /** Several sections are shown one below the other. */
  show: Section[];
  lang: Language;
  /** By what predictions are listed. */
  rank: Rank;
  /** What list is open: `tier:gold`, `joined:2026-01-01:2026-01-31`, `tickets:2026-01-01:2026-01-31`. */
  list: string;
  every: number;
  /** What is shown of cohorts. */
  measure: Measure;
}

/** What the address says; of the period nothing where it is silent. */
export function read(search: string): Partial<View> & Pick<View, "show" | "compare" | "lang" | "rank" | "list" | "every" | "measure"> {
  const given = new URLSearchParams(search);
  const by = given.get("by")?.toUpperCase();
  const show = (given.get("show") ?? "").split(",");
  const found = show.includes("all") ? [...SECTIONS] : SECTIONS.filter((section) => show.includes(section));
  const lang = given.get("lang") ?? navigator.language;
  return {
    ...(given.has("since") && { since: given.get("since") ?? "" }),
    ...(given.has("until") && { until: given.get("until") ?? "" }),
    ...(by === "WHOLE" || PARTS.some((part) => part === by) ? { by: by as By } : {}),
    compare: given.get("compare") !== "no",
    show: found.length ? found : ["overview"],
    lang: lang.toLowerCase().startsWith("zh") ? "zh" : "en",
    rank: RANKS.find((rank) => rank === given.get("rank")) ?? "gone",
    list: isList(given.get("list") ?? "") ? (given.get("list") ?? "") : "",
    measure: MEASURES.find((measure) => measure === given.get("measure")) ?? "retention",
    every: EVERY.find((minutes) => String(minutes) === given.get("every")) ?? 0,
  };
}

function isList(list: string): boolean {
  const [kind, first = "", last = ""] = list.split(":");
  return kind === "tier" ? first !== "" : (kind === "joined" || kind === "tickets") && isDay(first) && isDay(last);
}

export function written(view: View): string {
  const all = view.show.length === SECTIONS.length;
  const given = new URLSearchParams({
    since: view.since,
    until: view.until,
    by: view.by.toLowerCase(),
    compare: view.compare ? "yes" : "no",
    show: all ? "all" : view.show.join(","),
    lang: view.lang,
    ...(view.show.includes("predictions") && { rank: view.rank }),
    ...(view.show.includes("cohorts") && view.measure !== "retention" && { measure: view.measure }),
    ...(view.list && { list: view.list }),
    ...(view.every && { every: String(view.every) }),
  });
  // Commas and colons are as good as their codes, and easier to read.
  return `?${given.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}
