// What each channel gave, and what each rule of it: the channel's sum, to the point.
import { useState } from "preact/hooks";
import { Card } from "./card.tsx";
import type { ChannelGave, RuleGave } from "./finding.ts";
import { type Figures, fileOf, summaryOf } from "./key_figures.tsx";
import { Plot } from "./plot.tsx";
import { type Column, Table } from "./tables.tsx";
import type { Said } from "./words.ts";

export function Channels(figures: Figures) {
  return (
    <>
      <ChannelsCard {...figures} />
      <RulesCard {...figures} />
    </>
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

/** A rule, or what took some of it away: a cap, a budget. */
function ruleName(said: Said, { of, group, rule, rest }: RuleGave): string {
  if (rest) return said.word(`rest.${rest}`);
  return [of, group, rule].filter(Boolean).join(" › ");
}

function RulesCard({ said, view, found }: Figures) {
  const [active, setActive] = useState<number | null>(null);
  const rows = found.whole?.rules ?? [];
  const columns: Column<RuleGave>[] = [
    { key: "rule", head: said.say("rule"), kind: "text", exact: ({ rule }) => rule, shown: (row) => ruleName(said, row) },
    { key: "channel", head: said.say("channel"), kind: "text", exact: ({ channel }) => channel },
    { key: "of", kind: "text", exact: ({ of }) => of },
    { key: "group", kind: "text", exact: ({ group }) => group },
    { key: "rest", kind: "text", exact: ({ rest }) => rest },
    { key: "unit", head: said.say("unit"), kind: "text", exact: ({ unit }) => unit, shown: ({ unit }) => said.word(unit) },
    {
      key: "fired", head: said.say("fired"), kind: "number", exact: ({ fired }) => fired,
      shown: ({ fired, rest }) => (rest === "OTHER" ? said.say("noValue") : said.count(fired)),
    },
    { key: "given", head: said.say("given"), kind: "number", exact: ({ given }) => given, shown: ({ given }) => said.count(given) },
    {
      key: "cost", head: said.say("cost"), kind: "number", exact: ({ cost }) => cost?.amount,
      shown: ({ cost }) => (cost ? said.money(Number(cost.amount), cost.currency) : said.say("noValue")),
    },
    { key: "currency", kind: "text", exact: ({ cost }) => cost?.currency },
  ];
  const title = (row: RuleGave) => `${row.channel} · ${ruleName(said, row)}${row.unit === "points" ? "" : ` (${said.word(row.unit)})`}`;
  const name = said.say("rulesGave");
  return (
    <Card
      said={said}
      id="rulesGave"
      name={name}
      about={{ is: said.say("rulesIs"), formula: said.say("rulesFormula"), source: "by_rule" }}
      note={said.period(view.since, view.until)}
      file={{ name: fileOf("rules", view), columns, rows }}
    >
      <Plot
        said={said}
        ticks={rows.map((row) => row.rule ?? ruleName(said, row))}
        titles={rows.map(title)}
        series={[{ name: said.say("given"), values: rows.map(({ given }) => given), drawn: "bars", tone: 0 }]}
        unit="count"
        summary={rows.length ? `${name}: ${rows.map((row) => `${title(row)} ${said.count(row.given)}`).join(", ")}` : said.say("chartEmpty", { name })}
        active={active}
        onActive={setActive}
      />
      <Table said={said} name={name} columns={columns} rows={rows} active={active} onActive={setActive} />
    </Card>
  );
}
