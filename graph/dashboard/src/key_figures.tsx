// The key figures of the period: a card each, tiers and channels among them, and the overview.
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { type About, Card, Difference } from "./card.tsx";
import { FIGURES, type FigureName, type Group, namesOf, number, told } from "./figures.ts";
import type { ChannelGave, Find } from "./finding.ts";
import type { PartFragment } from "./generated.ts";
import { Plot, type Series, Spark } from "./plot.tsx";
import { type Column, Table } from "./tables.tsx";
import type { View } from "./address.ts";
import type { Said, Unit } from "./words.ts";

/** A part of the period, and what stands in its place in the period before. */
export interface Row {
  part: PartFragment;
  former: PartFragment | undefined;
}

export interface Figures {
  said: Said;
  view: View;
  found: Find;
  open: (list: string) => void;
  /** Go to the members who are likely to lose points. */
  toLosing: () => void;
  /** Before the ids of cards that stand elsewhere as well. */
  prefix?: string;
  tierNames: ReadonlyMap<string, string>;
}

const titleOf = (said: Said, { since, until }: PartFragment) => said.period(since, until);
const fileOf = (name: string, { since, until }: View) => `${name}-${since}-${until}`;

/** The columns in which a part is named, in every table. */
function naming(said: Said): Column<Row>[] {
  return [
    { key: "since", head: said.say("part"), kind: "day", exact: ({ part }) => part.since, shown: ({ part }) => titleOf(said, part) },
    { key: "until", kind: "day", exact: ({ part }) => part.until },
  ];
}

function columnsOf(said: Said, name: FigureName, unit: Unit, compare: boolean, open: ((part: PartFragment) => void) | undefined): Column<Row>[] {
  const shown = (value: number | null) => said.figure(value, unit);
  const columns: Column<Row>[] = [
    ...naming(said),
    {
      key: "value",
      head: said.say("value"),
      kind: "number",
      exact: ({ part }) => part[name]?.now.value,
      shown: ({ part }) => {
        const text = shown(number(part, name));
        if (!open || !number(part, name)) return text;
        return (
          <button type="button" class="behind" onClick={() => open(part)} aria-label={`${text}: ${said.say("showJoined", { period: titleOf(said, part) })}`}>
            {text}
          </button>
        );
      },
    },
    { key: "numerator", kind: "number", exact: ({ part }) => part[name]?.now.numerator },
    { key: "denominator", kind: "number", exact: ({ part }) => part[name]?.now.denominator },
  ];
  if (!compare) return columns;
  return [
    ...columns,
    { key: "previous_since", kind: "day", exact: ({ former }) => former?.since },
    { key: "previous_until", kind: "day", exact: ({ former }) => former?.until },
    {
      key: "previous_value",
      head: said.say("before"),
      kind: "number",
      exact: ({ former }) => former?.[name]?.now.value,
      shown: ({ former }) => shown(number(former, name)),
    },
    {
      key: "change",
      head: said.say("change"),
      kind: "number",
      exact: ({ part, former }) => {
        const [now, before] = [number(part, name), number(former, name)];
        return now === null || before === null ? null : Number((now - before).toFixed(6));
      },
      shown: ({ part, former }) => <Difference said={said} change={said.difference(number(part, name), number(former, name), unit)} />,
    },
  ];
}

/** In words what a chart shows, for whoever doesn't see it. */
function summaryOf(said: Said, view: View, name: string, values: (number | null)[], unit: Unit): string {
  const known = values.filter((value) => value !== null);
  if (!known.length) return said.say("chartEmpty", { name });
  const shown = (value: number) => said.figure(value, unit);
  return said.say("chartOf", {
    name,
    since: said.day(view.since),
    until: said.day(view.until),
    by: said.by(view.by),
    low: shown(Math.min(...known)),
    high: shown(Math.max(...known)),
    last: shown(known.at(-1) ?? 0),
  });
}

/** The number of the whole period, and how it compares. */
function Headline({ said, view, found, name }: Figures & { name: FigureName }) {
  const { unit } = FIGURES[name];
  const whole = found.whole;
  const [now, before] = [number(whole, name), valueOf(whole?.[name]?.previous)];
  return (
    <>
      <b>{said.figure(now, unit)}</b>
      {view.compare && found.former && before !== null && (
        <span class="versus">
          <Difference said={said} change={said.difference(now, before, unit)} />{" "}
          <span class="soft">{said.say("against", { before: said.figure(before, unit), period: said.period(found.former.since, found.former.until) })}</span>
        </span>
      )}
    </>
  );
}

const valueOf = (value: { value: string | null } | null | undefined) => (value === null || value === undefined || value.value === null ? null : Number(value.value));

export function FigureCard(props: Figures & { name: FigureName; band?: { low: number; high: number } | undefined; note?: ComponentChild }) {
  const { said, view, found, name, open, band, note, prefix = "" } = props;
  const [active, setActive] = useState<number | null>(null);
  const { unit, drawn, source } = FIGURES[name];
  const words = told(name, said.language);
  const rows = found.rows;
  const values = rows.map(({ part }) => number(part, name));
  const former: Series[] = view.compare
    ? [{ name: said.say("legendBefore"), values: rows.map((row) => number(row.former, name)), drawn: rows.length > BARS_MAX ? "line" : drawn, tone: "before" }]
    : [];
  const joined = name === "newMembers" ? (part: PartFragment) => open(`joined:${part.since}:${part.until}`) : undefined;
  const columns = columnsOf(said, name, unit, view.compare, joined);
  const whole: Row | undefined = found.whole && { part: found.whole, former: formerOf(found, name) };
  return (
    <Card
      said={said}
      id={prefix + name}
      name={words.name}
      about={{ ...words, source }}
      headline={<Headline {...props} />}
      note={note}
      file={{ name: fileOf(dashed(name), view), columns, rows }}
      actions={
        name === "pointsExpired" && (
          <button type="button" class="small" onClick={props.toLosing}>
            {said.say("whoLoses")} ›
          </button>
        )
      }
    >
      <Plot
        said={said}
        ticks={rows.map(({ part }) => said.tick(part.since, view.by))}
        titles={rows.map(({ part }) => titleOf(said, part))}
        series={[...former, { name: said.say("legendNow"), values, drawn, tone: 0 }]}
        unit={unit}
        summary={summaryOf(said, view, words.name, values, unit)}
        band={band}
        active={active}
        onActive={setActive}
      />
      <Table said={said} name={words.name} columns={columns} rows={rows} foot={view.by === "WHOLE" ? undefined : whole} footName={said.say("wholePeriod")} active={active} onActive={setActive} />
    </Card>
  );
}

/** The figure of the period before, as if it were a part: the foot of a table has it in its place. */
function formerOf(found: Find, name: FigureName): PartFragment | undefined {
  const previous = found.whole?.[name]?.previous;
  return previous && found.former ? { ...found.former, [name]: { now: previous, previous: null } } : undefined;
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function GroupCards(props: Figures & { group: Group; band?: { low: number; high: number } | undefined; note?: ComponentChild }) {
  const { group, band, note } = props;
  return (
    <>
      {group === "tiers" && <TiersCard {...props} />}
      {namesOf(group).map((name) => (
        <FigureCard key={name} {...props} name={name} {...(name === "redemptionCostShare" ? { band, note } : { band: undefined, note: undefined })} />
      ))}
      {group === "channels" && <ChannelsCard {...props} />}
    </>
  );
}

export function TiersCard({ said, view, found, open, tierNames, prefix = "" }: Figures) {
  const [active, setActive] = useState<number | null>(null);
  const { rows } = found;
  const seen = new Set(rows.flatMap(({ part }) => (part.tiers ?? []).map(({ tier }) => tier)));
  const tiers = [...new Set([...tierNames.keys(), ...seen])].filter((tier) => seen.has(tier));
  const inTier = ({ part }: Row, tier: string) => part.tiers?.find((each) => each.tier === tier)?.members ?? 0;
  const nameOf = (tier: string) => tierNames.get(tier) ?? tier;
  const columns: Column<Row>[] = [
    ...naming(said),
    ...tiers.map((tier): Column<Row> => ({ key: tier, head: nameOf(tier), kind: "number", exact: (row) => inTier(row, tier), shown: (row) => said.count(inTier(row, tier)) })),
  ];
  const total = rows.map((row) => tiers.reduce((sum, tier) => sum + inTier(row, tier), 0));
  const about: About = { is: said.say("spreadIs"), formula: "steps into a tier − steps out of it, until the end", source: "steps of tiers" };
  return (
    <Card
      said={said}
      id={`${prefix}tierSpread`}
      name={said.say("spread")}
      about={about}
      file={{ name: fileOf("tiers", view), columns, rows }}
      actions={
        <span class="drill">
          {tiers.map((tier) => (
            <button key={tier} type="button" class="small" onClick={() => open(`tier:${tier}`)} aria-label={said.say("showTier", { tier: nameOf(tier) })}>
              <bdi>{nameOf(tier)}</bdi> ›
            </button>
          ))}
        </span>
      }
    >
      <Plot
        said={said}
        stacked
        ticks={rows.map(({ part }) => said.tick(part.since, view.by))}
        titles={rows.map(({ part }) => titleOf(said, part))}
        series={tiers.map((tier, tone) => ({ name: nameOf(tier), values: rows.map((row) => inTier(row, tier)), drawn: "bars", tone: tone % 6 }))}
        unit="count"
        summary={summaryOf(said, view, said.say("spread"), total, "count")}
        active={active}
        onActive={setActive}
      />
      <Table said={said} name={said.say("spread")} columns={columns} rows={rows} active={active} onActive={setActive} />
    </Card>
  );
}

function ChannelsCard({ said, view, found }: Figures) {
  const [active, setActive] = useState<number | null>(null);
  const rows = found.whole?.channels ?? [];
  const columns: Column<ChannelGave>[] = [
    { key: "channel", head: said.say("channel"), kind: "text", exact: ({ channel }) => channel },
    { key: "unit", head: said.say("unit"), kind: "text", exact: ({ unit }) => unit, shown: ({ unit }) => said.word(unit) },
    { key: "fired", head: said.say("fired"), kind: "number", exact: ({ fired }) => fired, shown: ({ fired }) => said.count(fired) },
    { key: "given", head: said.say("given"), kind: "number", exact: ({ given }) => given, shown: ({ given }) => said.count(given) },
    { key: "taken_back", head: said.say("takenBack"), kind: "number", exact: ({ takenBack }) => takenBack, shown: ({ takenBack }) => said.count(takenBack) },
    {
      key: "cost", head: said.say("cost"), kind: "number", exact: ({ cost }) => cost?.amount,
      shown: ({ cost }) => (cost ? said.money(Number(cost.amount), cost.currency) : said.say("noValue")),
    },
    { key: "currency", kind: "text", exact: ({ cost }) => cost?.currency },
  ];
  const label = ({ channel, unit }: ChannelGave) => (unit === "points" ? channel : `${channel} (${said.word(unit)})`);
  return (
    <Card
      said={said}
      id="channelsGave"
      name={said.say("channelsGave")}
      about={{ is: said.say("channelsIs"), formula: said.say("channelsFormula") }}
      note={said.period(view.since, view.until)}
      file={{ name: fileOf("channels", view), columns, rows }}
    >
      <Plot
        said={said}
        ticks={rows.map(label)}
        titles={rows.map(label)}
        series={[
          { name: said.say("given"), values: rows.map(({ given }) => given), drawn: "bars", tone: 0 },
          { name: said.say("takenBack"), values: rows.map(({ takenBack }) => takenBack), drawn: "bars", tone: 3 },
        ]}
        unit="count"
        summary={summaryOf(said, view, said.say("channelsGave"), rows.map(({ given }) => given), "count")}
        active={active}
        onActive={setActive}
      />
      <Table said={said} name={said.say("channelsGave")} columns={columns} rows={rows} active={active} onActive={setActive} />
    </Card>
  );
}

/** So many parts leave room for a bar of the period before beside each bar. */
const BARS_MAX = 40;

const TILES: FigureName[] = [
  "revenue", "orders", "averageOrderValue", "retentionRate", "members", "newMembers", "activeEarners", "upgradeRate",
  "pointsIssued", "pointsRedeemed", "redemptionRate", "redemptionCostShare",
];
const FLOW = [["pointsIssued", "issued"], ["pointsRedeemed", "redeemed"], ["pointsExpired", "expiredPoints"], ["pointsClawedBack", "clawedBack"]] as const;

export function Overview(props: Figures & { go: (name: FigureName) => void }) {
  const { said, view, found, go } = props;
  return (
    <>
      <ul class="tiles">
        {TILES.map((name) => {
          const { unit } = FIGURES[name];
          const [now, before] = [number(found.whole, name), valueOf(found.whole?.[name]?.previous)];
          return (
            <li key={name}>
              <button type="button" onClick={() => go(name)}>
                <span class="name">{told(name, said.language).name}</span>
                <b>{said.brief(now, unit)}</b>
                {view.compare ? <Difference said={said} change={said.difference(now, before, unit)} /> : <span />}
                <Spark values={found.rows.map(({ part }) => number(part, name))} />
              </button>
            </li>
          );
        })}
      </ul>
      <FigureCard {...props} prefix="overview-" name="revenue" />
      <FlowCard {...props} />
      <TiersCard {...props} prefix="overview-" />
    </>
  );
}

function FlowCard({ said, view, found }: Figures) {
  const [active, setActive] = useState<number | null>(null);
  const { rows } = found;
  const name = said.say("flow");
  const columns: Column<Row>[] = [
    ...naming(said),
    ...FLOW.map(([figure, called]): Column<Row> => ({
      key: dashed(figure).replaceAll("-", "_"),
      head: said.say(called),
      kind: "number",
      exact: ({ part }) => part[figure]?.now.value,
      shown: ({ part }) => said.figure(number(part, figure), "count"),
    })),
  ];
  const issued = rows.map(({ part }) => number(part, "pointsIssued"));
  return (
    <Card
      said={said}
      id="flow"
      name={name}
      about={{ is: said.say("pointsFlowIs"), formula: FLOW.map(([figure]) => told(figure, said.language).formula).join("; ") }}
      file={{ name: fileOf("points", view), columns, rows }}
    >
      <Plot
        said={said}
        ticks={rows.map(({ part }) => said.tick(part.since, view.by))}
        titles={rows.map(({ part }) => titleOf(said, part))}
        series={FLOW.map(([figure, called], tone) => ({
          name: said.say(called), values: rows.map(({ part }) => number(part, figure)), drawn: tone ? "line" : "bars", tone,
        }))}
        unit="count"
        summary={summaryOf(said, view, told("pointsIssued", said.language).name, issued, "count")}
        active={active}
        onActive={setActive}
      />
      <Table
        said={said}
        name={name}
        columns={columns}
        rows={rows}
        foot={found.whole && view.by !== "WHOLE" ? { part: found.whole, former: undefined } : undefined}
        footName={said.say("wholePeriod")}
        active={active}
        onActive={setActive}
      />
    </Card>
  );
}
