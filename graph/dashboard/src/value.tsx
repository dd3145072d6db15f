// What points are worth: what is outstanding, by month, and the budgets.
import { useState } from "preact/hooks";
import { Card } from "./card.tsx";
import { ValueDocument, type ValueQuery } from "./generated.ts";
import { useAnswer } from "./graph.ts";
import { Plot } from "./plot.tsx";
import type { Caller } from "./session.ts";
import { type Column, Table } from "./tables.tsx";
import type { Said } from "./words.ts";

type Month = NonNullable<ValueQuery["liability"]>["months"][number];
type Budget = NonNullable<ValueQuery["budgets"]>[number];

export function Value({ said, caller, zone }: { said: Said; caller: Caller; zone: string }) {
  const [active, setActive] = useState<number | null>(null);
  const { data, refused } = useAnswer(caller, ValueDocument, {});
  if (refused) return <p class="refused">{said.refusal(refused)}</p>;
  const liability = data?.liability;
  if (!liability) return <p class="nothing">{said.say("waiting")}</p>;
  const { months } = liability;
  const isEstimated = liability.likelyLost !== null;
  const money = (amount: { amount: string; currency: string } | null | undefined) => (amount ? said.money(Number(amount.amount), amount.currency) : said.say("noValue"));
  const title = ({ month }: Month) => (month ? said.month(month) : said.say("never"));
  const count = (key: string, head: string, of: (month: Month) => number): Column<Month> => ({
    key, head, kind: "number", exact: of, shown: (month) => said.count(of(month)),
  });
  const columns: Column<Month>[] = [
    { key: "month", head: said.say("month"), kind: "day", exact: ({ month }) => month, shown: title },
    count("available", said.say("availableNow"), ({ available }) => available),
    count("pending", said.say("pendingLater"), ({ pending }) => pending),
    count("held", said.say("held"), ({ held }) => held),
    count("total", said.say("total"), ({ total }) => total),
    {
      key: "value", head: said.say("inMoney"), kind: "number", exact: ({ value }) => value?.amount,
      shown: ({ value }) => (value ? said.money(Number(value.amount), value.currency) : said.say("noValue")),
    },
    { key: "currency", kind: "text", exact: ({ value }) => value?.currency },
    ...(isEstimated
      ? ([
          {
            key: "likely_lost", head: said.say("likelyLost"), kind: "number", exact: ({ likelyLost }) => likelyLost,
            shown: ({ likelyLost }) => said.figure(likelyLost, "count"),
          },
          {
            key: "likely_lost_value", head: said.say("likelyLostInMoney"), kind: "number", exact: ({ likelyLostValue }) => likelyLostValue?.amount,
            shown: ({ likelyLostValue }) => money(likelyLostValue),
          },
        ] satisfies Column<Month>[])
      : []),
  ];
  const whole: Month = {
    month: null, available: liability.available, pending: liability.pending, held: liability.held, total: liability.total, value: liability.value,
    likelyLost: liability.likelyLost, likelyLostValue: liability.likelyLostValue,
  };
  const name = said.say("liability");
  const totals = months.map(({ total }) => total);
  return (
    <>
      <Card
        said={said}
        id="liability"
        name={name}
        about={{
          is: isEstimated ? `${said.say("liabilityIs")} ${said.say("likelyLostIs", { until: said.day(liability.likelyLostUntil ?? "") })}` : said.say("liabilityIs"),
          formula: said.say("liabilityFormula"),
          source: isEstimated ? "lots, holds, accounts, predict" : "lots, holds, accounts",
        }}
        headline={
          <>
            <b>{said.count(liability.total)}</b>
            <span class="versus">
              {money(liability.value)}{" "}
              <span class="soft">
                {isEstimated && `${said.say("likelyLost")} ${said.count(liability.likelyLost ?? 0)} · ${money(liability.likelyLostValue)} · `}
                {said.say("debt")} {said.count(liability.debt)} · {said.say("net")} {said.count(liability.net)} · {money(liability.netValue)}
              </span>
            </span>
          </>
        }
        note={said.moment(liability.at, zone)}
        file={{ name: `liability-${liability.at.slice(0, 10)}`, columns, rows: months }}
      >
        <Plot
          said={said}
          stacked
          ticks={months.map(({ month }) => (month ? said.tick(month, "MONTH") : said.say("never")))}
          titles={months.map(title)}
          series={
            isEstimated
              ? [
                  { name: said.say("availableUsed"), values: months.map((month) => month.available - lostOf(month).available), drawn: "bars", tone: 0 },
                  { name: said.say("pendingUsed"), values: months.map((month) => month.pending - lostOf(month).pending), drawn: "bars", tone: 1 },
                  { name: said.say("held"), values: months.map(({ held }) => held), drawn: "bars", tone: 2 },
                  { name: said.say("likelyLost"), values: months.map(({ likelyLost }) => likelyLost), drawn: "bars", tone: 5 },
                ]
              : [
                  { name: said.say("availableNow"), values: months.map(({ available }) => available), drawn: "bars", tone: 0 },
                  { name: said.say("pendingLater"), values: months.map(({ pending }) => pending), drawn: "bars", tone: 1 },
                  { name: said.say("held"), values: months.map(({ held }) => held), drawn: "bars", tone: 2 },
                ]
          }
          unit="count"
          summary={
            totals.length
              ? `${name}: ${months.map((month) => `${title(month)} ${said.count(month.total)}`).join(", ")}`
              : said.say("chartEmpty", { name })
          }
          active={active}
          onActive={setActive}
        />
        <Table said={said} name={name} columns={columns} rows={months} foot={whole} footName={said.say("total")} active={active} onActive={setActive} />
      </Card>
      <Budgets said={said} budgets={data?.budgets ?? []} />
    </>
  );
}

/** What is likely lost of a month stands apart in its bar: of what can be spent already first, and then of what will be. */
function lostOf({ available, likelyLost }: Month) {
  const ofAvailable = Math.min(available, likelyLost ?? 0);
  return { available: ofAvailable, pending: (likelyLost ?? 0) - ofAvailable };
}

function Budgets({ said, budgets }: { said: Said; budgets: Budget[] }) {
  const count = (key: string, head: string, of: (budget: Budget) => number): Column<Budget> => ({
    key, head, kind: "number", exact: of, shown: (budget) => said.count(of(budget)),
  });
  const columns: Column<Budget>[] = [
    { key: "budget", head: said.say("budget"), kind: "text", exact: ({ name }) => name },
    { key: "unit", head: said.say("unit"), kind: "text", exact: ({ unit }) => unit, shown: ({ unit }) => said.word(unit) },
    { key: "period", head: said.say("period"), kind: "text", exact: ({ period }) => period, shown: ({ period }) => said.word(period) },
    count("limit", said.say("limit"), ({ limit }) => limit),
    count("used", said.say("used"), ({ used }) => used),
    count("left", said.say("left"), ({ left }) => left),
    { key: "status", head: said.say("status"), kind: "text", exact: ({ status }) => status, shown: ({ status }) => said.word(status) },
  ];
  return (
    <Card
      said={said}
      id="budgets"
      name={said.say("budgets")}
      about={{ is: said.say("budgetsIs"), formula: said.say("budgetsFormula") }}
      file={{ name: "budgets", columns, rows: budgets }}
    >
      {budgets.length ? <Table said={said} name={said.say("budgets")} columns={columns} rows={budgets} /> : <p class="nothing">{said.say("noBudgets")}</p>}
    </Card>
  );
}
