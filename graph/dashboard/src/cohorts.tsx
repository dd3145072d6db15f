// Members by the month in which they joined, and what they did in each month since: a map for the eye, beside it a table.
import { useState } from "preact/hooks";
import { MEASURES, type Measure, type View } from "./address.ts";
import { Card } from "./card.tsx";
import { CohortsDocument, type CohortsQuery } from "./generated.ts";
import { useAnswer } from "./graph.ts";
import { useWidth } from "./plot.tsx";
import type { Caller } from "./session.ts";
import { type Column, type Exact, Table } from "./tables.tsx";
import type { Key, Said, Unit } from "./words.ts";

type Cohort = NonNullable<CohortsQuery["cohorts"]>[number];
type Month = Cohort["months"][number];

const UNITS: Record<Measure, Unit> = { retention: "percent", orders: "count", revenue: "money", earned: "count", redeemed: "count" };
const NAMES: Record<Measure, Key> = {
  retention: "cohortRetention", orders: "cohortOrders", revenue: "cohortRevenue", earned: "cohortEarned", redeemed: "cohortRedeemed",
};
const VALUES: Record<Measure, (month: Month) => Exact> = {
  retention: ({ retention }) => retention.value,
  orders: ({ orders }) => orders,
  revenue: ({ revenue }) => revenue.amount,
  earned: ({ pointsEarned }) => pointsEarned,
  redeemed: ({ pointsRedeemed }) => pointsRedeemed,
};

const valueOf = (month: Month | undefined, measure: Measure): number | null => {
  const value = month && VALUES[measure](month);
  return value === null || value === undefined ? null : Number(value);
};

interface Props {
  said: Said;
  caller: Caller;
  view: View;
  setMeasure: (measure: Measure) => void;
}

export function Cohorts({ said, caller, view, setMeasure }: Props) {
  const { data, refused } = useAnswer(caller, CohortsDocument, { since: view.since, until: view.until });
  if (refused) return <p class="refused">{said.refusal(refused)}</p>;
  if (!data?.cohorts) return <p class="nothing">{said.say("waiting")}</p>;
  const { measure } = view;
  const unit = UNITS[measure];
  // Before anybody joined there is nobody to follow.
  const begun = data.cohorts.findIndex(({ members }) => members > 0);
  const cohorts = begun < 0 ? [] : data.cohorts.slice(begun);
  const longest = Math.max(0, ...cohorts.map(({ months }) => months.length));
  const name = said.say(NAMES[measure]);
  const columns: Column<Cohort>[] = [
    { key: "month", head: said.say("joinedIn"), kind: "day", exact: ({ month }) => month, shown: ({ month }) => said.month(month) },
    { key: "members", head: said.say("members"), kind: "number", exact: ({ members }) => members, shown: ({ members }) => said.count(members) },
    ...Array.from({ length: longest }, (_, after): Column<Cohort> => ({
      key: `after_${after}`, head: `+${after}`, kind: "number", exact: ({ months }) => months[after] && VALUES[measure](months[after]),
      shown: ({ months }) => (months[after] ? said.brief(valueOf(months[after], measure), unit) : ""),
    })),
  ];
  // A file has a row for each month of each cohort, with all that is known of it.
  const cells = cohorts.flatMap((cohort) => cohort.months.map((month) => ({ cohort, month })));
  const file: Column<(typeof cells)[number]>[] = [
    { key: "cohort", kind: "day", exact: ({ cohort }) => cohort.month },
    { key: "members", kind: "number", exact: ({ cohort }) => cohort.members },
    { key: "month", kind: "day", exact: ({ month }) => month.month },
    { key: "after", kind: "number", exact: ({ month }) => month.after },
    { key: "retention", kind: "number", exact: ({ month }) => month.retention.value },
    { key: "retained", kind: "number", exact: ({ month }) => month.retention.numerator },
    { key: "orders", kind: "number", exact: ({ month }) => month.orders },
    { key: "revenue", kind: "number", exact: ({ month }) => month.revenue.amount },
    { key: "currency", kind: "text", exact: ({ month }) => month.revenue.currency },
    { key: "points_earned", kind: "number", exact: ({ month }) => month.pointsEarned },
    { key: "points_redeemed", kind: "number", exact: ({ month }) => month.pointsRedeemed },
  ];
  return (
    <Card
      said={said}
      id="cohorts"
      name={name}
      about={{ is: said.say("cohortsIs"), formula: said.say(`${NAMES[measure]}Formula` as Key), source: "joined, tallies" }}
      file={{ name: `cohorts-${view.since}-${view.until}`, columns: file, rows: cells }}
      actions={
        <span class="drill" role="group" aria-label={said.say("measures")}>
          {MEASURES.map((each) => (
            <button key={each} type="button" class="small" aria-pressed={each === measure} onClick={() => setMeasure(each)}>
              {said.say(NAMES[each]).split(/[:：]/)[1]}
            </button>
          ))}
        </span>
      }
    >
      <HeatMap said={said} name={name} cohorts={cohorts} longest={longest} value={(month) => valueOf(month, measure)} unit={unit} />
      <Table said={said} name={name} columns={columns} rows={cohorts} />
    </Card>
  );
}

interface HeatMapProps {
  said: Said;
  name: string;
  cohorts: Cohort[];
  longest: number;
  value: (month: Month) => number | null;
  unit: Unit;
}

const LEFT = 66;
const TOP = 20;
const HEIGHT_MAX = 520;
/** As dark as letters can still be read on. */
const INK_MAX = 0.55;

function HeatMap({ said, name, cohorts, longest, value, unit }: HeatMapProps) {
  const [frame, width] = useWidth();
  const [pointed, point] = useState<{ cohort: Cohort; month: Month } | null>(null);
  const across = Math.max(0, width - LEFT) / Math.max(1, longest);
  const down = Math.min(30, Math.max(7, HEIGHT_MAX / Math.max(1, cohorts.length)));
  const most = Math.max(0, ...cohorts.flatMap(({ months }) => months.map((month) => value(month) ?? 0)));
  const shade = (month: Month) => (most > 0 ? (Math.max(0, value(month) ?? 0) / most) * INK_MAX : 0);
  const short = (month: Month) => {
    const number = value(month);
    if (number === null) return "";
    return unit === "percent" ? said.share(number) : said.short(number, unit);
  };
  const everyRow = Math.ceil(16 / down);
  const everyColumn = Math.ceil(36 / Math.max(1, across));
  const mean = (after: number) => {
    const known = cohorts.flatMap(({ months }) => (months[after] ? [value(months[after]) ?? 0] : []));
    return known.length ? known.reduce((sum, each) => sum + each, 0) / known.length : 0;
  };
  const summary = cohorts.length
    ? said.say("cohortsOf", { name, first: said.month(cohorts[0]?.month ?? ""), last: said.month(cohorts.at(-1)?.month ?? ""), start: said.figure(mean(0), unit), end: said.figure(mean(Math.min(3, longest - 1)), unit), after: Math.min(3, longest - 1) })
    : said.say("chartEmpty", { name });
  return (
    <div class="plot heat" ref={frame}>
      {width > 0 && (
        <svg role="img" aria-label={summary} width={width} height={TOP + cohorts.length * down} viewBox={`0 0 ${width} ${TOP + cohorts.length * down}`} onPointerLeave={() => point(null)}>
          {Array.from({ length: longest }, (_, after) =>
            after % everyColumn === 0 ? (
              <text key={after} class="tick" x={LEFT + (after + 0.5) * across} y={13}>
                +{after}
              </text>
            ) : null,
          )}
          {cohorts.map((cohort, row) => (
            <g key={cohort.month}>
              {row % everyRow === 0 && (
                <text class="cohort" x={LEFT - 8} y={TOP + (row + 0.5) * down} dy="0.35em">
                  {said.tick(cohort.month, "MONTH")}
                </text>
              )}
              {cohort.months.map((month) => (
                <g key={month.after} onPointerEnter={() => point({ cohort, month })}>
                  <rect class="paper" x={LEFT + month.after * across} y={TOP + row * down} width={Math.max(1, across - 1)} height={Math.max(1, down - 1)} />
                  <rect
                    class={pointed?.month === month ? "cell pointed-at" : "cell"}
                    fill-opacity={shade(month).toFixed(3)}
                    x={LEFT + month.after * across}
                    y={TOP + row * down}
                    width={Math.max(1, across - 1)}
                    height={Math.max(1, down - 1)}
                  />
                  {across >= 34 && down >= 16 && (
                    <text class="inside" x={LEFT + (month.after + 0.5) * across} y={TOP + (row + 0.5) * down} dy="0.35em">
                      {short(month)}
                    </text>
                  )}
                </g>
              ))}
            </g>
          ))}
        </svg>
      )}
      <p class="legend" aria-hidden="true">
        {pointed ? (
          <span>
            {said.say("cohortPointed", { joined: said.month(pointed.cohort.month), month: said.month(pointed.month.month), after: pointed.month.after })}
            <b>{said.figure(value(pointed.month), unit)}</b>
          </span>
        ) : (
          <span>{said.say("cohortsRead")}</span>
        )}
      </p>
    </div>
  );
}
