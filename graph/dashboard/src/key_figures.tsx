// The key figures of the period: a card each, tiers and channels among them, and the overview.
import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import { type About, Card, Difference } from "./card.tsx";
import { Channels } from "./channels.tsx";
import { FIGURES, type FigureName, figureOf, type Group, guestNumber, namesOf, number, SHARED, type SharedName, told, valueOf } from "./figures.ts";
import type { Find } from "./finding.ts";
import type { PartFragment } from "./generated.ts";
import { Plot, type Series, Spark } from "./plot.tsx";
import { type Column, Table } from "./tables.tsx";
import type { View } from "./address.ts";
import type { Key, Said, Unit } from "./words.ts";

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

export const titleOf = (said: Said, { since, until }: PartFragment) => said.period(since, until);
export const fileOf = (name: string, { since, until }: View) => `${name}-${since}-${until}`;

/** The columns in which a part is named, in every table. */
function naming(said: Said): Column<Row>[] {
  return [
    { key: "since", head: said.say("part"), kind: "day", exact: ({ part }) => part.since, shown: ({ part }) => titleOf(said, part) },
    { key: "until", kind: "day", exact: ({ part }) => part.until },
  ];
}

/** The list that is behind a number of a figure: what it is in the address, and what the number is called that opens it. */
const LISTS: Partial<Record<FigureName, { list: string; called: Key }>> = {
  newMembers: { list: "joined", called: "showJoined" },
  complaints: { list: "tickets", called: "showTickets" },
};

function columnsOf(said: Said, name: FigureName, unit: Unit, compare: boolean, open: (list: string) => void): Column<Row>[] {
  const shown = (value: number | null) => said.figure(value, unit);
  const columns: Column<Row>[] = [
    ...naming(said),
    {
      key: "value",
      head: said.say("value"),
      kind: "number",
      exact: ({ part }) => figureOf(part, name)?.now.value,
      shown: ({ part }) => {
        const text = shown(number(part, name));
        const behind = LISTS[name];
        if (!behind || !number(part, name)) return text;
        const label = `${text}: ${said.say(behind.called, { period: titleOf(said, part) })}`;
        return (
          <button type="button" class="behind" onClick={() => open(`${behind.list}:${part.since}:${part.until}`)} aria-label={label}>
            {text}
          </button>
        );
      },
    },
    { key: "numerator", kind: "number", exact: ({ part }) => figureOf(part, name)?.now.numerator },
    { key: "denominator", kind: "number", exact: ({ part }) => figureOf(part, name)?.now.denominator },
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
      exact: ({ former }) => figureOf(former, name)?.now.value,
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
export function summaryOf(said: Said, view: View, name: string, values: (number | null)[], unit: Unit): string {
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
  const [now, before] = [number(whole, name), valueOf(figureOf(whole, name)?.previous)];
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
  const columns = columnsOf(said, name, unit, view.compare, open);
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
  const previous = figureOf(found.whole, name)?.previous;
  return previous && found.former ? { ...found.former, [name]: { now: previous, previous: null } } : undefined;
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function GroupCards(props: Figures & { group: Group; band?: { low: number; high: number } | undefined; note?: ComponentChild }) {
  const { said, found, group, band, note } = props;
  // Without any guests members have all of it, which says nothing.
  if (group === "guests" && found.whole && !guestNumber(found.whole, "orders")) {
    return <p class="nothing">{said.say("noGuests")}</p>;
  }
  return (
    <>
      {group === "tiers" && <TiersCard {...props} />}
      {namesOf(group).map((name) => (
        <FigureCard key={name} {...props} name={name} {...(name === "redemptionCostShare" ? { band, note } : { band: undefined, note: undefined })} />
      ))}
      {group === "guests" && SHARED.map((name) => <BesideCard key={name} {...props} name={name} />)}
      {group === "channels" && <Channels {...props} />}
    </>
  );
}

/** A figure of members beside that of guests. */
function BesideCard({ said, view, found, name }: Figures & { name: SharedName }) {
  const [active, setActive] = useState<number | null>(null);
  const { unit, drawn } = FIGURES[name];
  const { rows, whole } = found;
  const words = told(name, said.language);
  const title = said.say("besideOf", { name: words.name });
  const times = (part: PartFragment) => {
    const [member, guest] = [number(part, name), guestNumber(part, name)];
    return member === null || !guest ? null : member / guest;
  };
  const columns: Column<Row>[] = [
    ...naming(said),
    { key: "members", head: said.say("members"), kind: "number", exact: ({ part }) => part[name]?.now.value, shown: ({ part }) => said.figure(number(part, name), unit) },
    { key: "members_numerator", kind: "number", exact: ({ part }) => part[name]?.now.numerator },
    { key: "members_denominator", kind: "number", exact: ({ part }) => part[name]?.now.denominator },
    { key: "guests", head: said.say("guests"), kind: "number", exact: ({ part }) => part.guests?.[name].now.value, shown: ({ part }) => said.figure(guestNumber(part, name), unit) },
    { key: "guests_numerator", kind: "number", exact: ({ part }) => part.guests?.[name].now.numerator },
    { key: "guests_denominator", kind: "number", exact: ({ part }) => part.guests?.[name].now.denominator },
    {
      key: "times", head: said.say("times"), kind: "number", exact: ({ part }) => times(part)?.toFixed(6),
      shown: ({ part }) => (times(part) === null ? said.say("noValue") : `${said.ratio(times(part) ?? 0)} ×`),
    },
    ...(view.compare
      ? ([
          { key: "previous_since", kind: "day", exact: ({ former }) => former?.since },
          { key: "previous_until", kind: "day", exact: ({ former }) => former?.until },
          { key: "previous_members", kind: "number", exact: ({ former }) => former?.[name]?.now.value },
          { key: "previous_guests", kind: "number", exact: ({ former }) => former?.guests?.[name].now.value },
        ] satisfies Column<Row>[])
      : []),
  ];
  const members = rows.map(({ part }) => number(part, name));
  const guests = rows.map(({ part }) => guestNumber(part, name));
  return (
    <Card
      said={said}
      id={`beside-${name}`}
      name={title}
      about={{ is: said.say("besideIs", { is: words.is }), formula: words.formula, source: "recordGuestOrder" }}
      headline={
        <>
          <b>{said.figure(number(whole, name), unit)}</b>
          <span class="versus soft">
            {said.say("guests")} {said.figure(guestNumber(whole, name), unit)}
          </span>
        </>
      }
      file={{ name: fileOf(`members-and-guests-${dashed(name)}`, view), columns, rows }}
    >
      <Plot
        said={said}
        ticks={rows.map(({ part }) => said.tick(part.since, view.by))}
        titles={rows.map(({ part }) => titleOf(said, part))}
        series={[
          { name: said.say("members"), values: members, drawn: rows.length > BARS_MAX ? "line" : drawn, tone: 0 },
          { name: said.say("guests"), values: guests, drawn: rows.length > BARS_MAX ? "line" : drawn, tone: 1 },
        ]}
        unit={unit}
        summary={`${said.say("members")}: ${summaryOf(said, view, words.name, members, unit)} ${said.say("guests")}: ${summaryOf(said, view, words.name, guests, unit)}`}
        active={active}
        onActive={setActive}
      />
      <Table
        said={said}
        name={title}
        columns={columns}
        rows={rows}
        foot={whole && view.by !== "WHOLE" ? { part: whole, former: undefined } : undefined}
        footName={said.say("wholePeriod")}
        active={active}
        onActive={setActive}
      />
    </Card>
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
          const [now, before] = [number(found.whole, name), valueOf(figureOf(found.whole, name)?.previous)];
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
