// Days of the calendar as texts, YYYY-MM-DD, and the instants at which they begin in the programme's zone.
const DAY_MS = 86_400_000;

const at = (day: string) => new Date(`${day}T00:00:00Z`);
const text = (moment: Date) => moment.toISOString().slice(0, 10);

export const isDay = (day: string) => /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(at(day).getTime());

export const plusDays = (day: string, days: number) => text(new Date(at(day).getTime() + days * DAY_MS));

/** The first day of the month that lies so many months away. */
export function monthStart(day: string, months = 0): string {
  const moment = at(day);
  return text(new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + months, 1)));
}

export const isMonthStart = (day: string) => day.endsWith("-01");
export const isMonthEnd = (day: string) => isMonthStart(plusDays(day, 1));

/** The local day of an instant. */
export function localDay(instant: string, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));
}

/** The instant at which a local day begins. */
export function beginning(day: string, zone: string): string {
  const midnight = at(day).getTime();
  let guess = midnight;
  // Twice, as the offset at the first guess may be that of another side of a change of the clocks.
  for (let turn = 0; turn < 2; turn += 1) guess = midnight - offset(guess, zone);
  return new Date(guess).toISOString();
}

function offset(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(instant);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return local - Math.floor(instant / 1000) * 1000;
}
