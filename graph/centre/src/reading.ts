// How the page writes numbers, days and money: in the reader's language, by the programme's time zone and currency.
import { en, type Facts, type Words } from "./words/en";
import { zh } from "./words/zh";

const LANGUAGES = { en: { words: en, tag: "en-GB", html: "en", locale: "EN" }, zh: { words: zh, tag: "zh-CN", html: "zh-Hans", locale: "ZH" } } as const;
export type Language = keyof typeof LANGUAGES;

/** The language of the address; without one, that of the browser. */
export function languageOf(address: URL, browser: string): Language {
  const asked = address.searchParams.get("lang");
  if (asked === "en" || asked === "zh") return asked;
  return browser.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** The same page in the other language. */
export function inLanguage(address: URL, language: Language): string {
  const other = new URL(address);
  other.searchParams.set("lang", language);
  return other.href;
}

export type Reading = ReturnType<typeof reading>;

/** Everything that is written for a reader of that language. */
export function reading(language: Language, programme?: { timezone: string; currency: string; tiers: { code: string; name: string }[]; channels: { channel: string; name: string }[] }) {
  const { timezone: zone = "UTC", currency = "", tiers = [], channels = [] } = programme ?? {};
  const { words, tag, html, locale } = LANGUAGES[language];
  const numbers = new Intl.NumberFormat(tag, { maximumFractionDigits: 2 });
  const percents = new Intl.NumberFormat(tag, { style: "percent", maximumSignificantDigits: 3 });
  const days = new Intl.DateTimeFormat(tag, { timeZone: zone, dateStyle: "medium" });
  const times = new Intl.DateTimeFormat(tag, { timeZone: zone, dateStyle: "medium", timeStyle: "short" });
  const months = new Intl.DateTimeFormat(tag, { timeZone: "UTC", year: "numeric", month: "long" });
  const weekdays = new Intl.DateTimeFormat(tag, { timeZone: "UTC", weekday: language === "zh" ? "narrow" : "short" });
  const pieces = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  const money = currency ? new Intl.NumberFormat(tag, { style: "currency", currency, currencyDisplay: "narrowSymbol" }) : numbers;
  const atNoon = (day: string) => new Date(`${day}T12:00:00Z`);
  const calendarDays = new Intl.DateTimeFormat(tag, { timeZone: "UTC", dateStyle: "medium" });

  const number = (value: number | string | undefined) => numbers.format(Number(value ?? 0));
  // What a day of the calendar or an instant is called; an instant's day is the programme's.
  const day = (value: string | null | undefined) =>
    !value ? "" : value.length === 10 ? calendarDays.format(atNoon(value)) : days.format(new Date(value));
  const time = (instant: string | null | undefined) => (instant ? times.format(new Date(instant)) : "");
  const unit = (name: string) => words.units[name] ?? name;
  const amount = (value: number, of: string) => words.amount(number(value), unit(of).toLowerCase());

  return {
    language,
    words: words as Words,
    html,
    locale: locale as "EN" | "ZH",
    number,
    percent: (ratio: number) => percents.format(ratio),
    money: (value: number | string) => money.format(Number(value)),
    /** How many digits the currency has after the point. */
    digits: money.resolvedOptions().maximumFractionDigits ?? 2,
    day,
    time,
    month: (day: string) => months.format(atNoon(day)),
    weekday: (day: string) => weekdays.format(atNoon(day)),
    /** The day on which an instant lies, as the graph writes days. */
    dayOf: (instant: string) => pieces.format(new Date(instant)),
    unit,
    /** What a channel is called: the graph knows. */
    channel: (name: string) => channels.find(({ channel }) => channel === name)?.name ?? name,
    amount,
    /** +5 points, −100 points. */
    change: (value: number, of: string) => (value > 0 ? "+" : "") + amount(value, of).replace("-", "−"),
    list: (parts: string[]) => parts.join(language === "zh" ? "、" : ", "),
    /** What a refusal is called here; undefined when its code is none that the page knows. */
    refused: (refusal: { code: string; tiers?: string }) => {
      const called = refusal.tiers?.split(", ").map((code) => tiers.find((tier) => tier.code === code)?.name ?? code);
      const facts: Facts = { ...refusal, tiers: called?.join(language === "zh" ? "、" : ", "), number, day, time };
      return words.refused[refusal.code]?.(facts);
    },
  };
}
