// What members are likely to do, and how good the predictions are on days that they had not seen.
import { useState } from "preact/hooks";
import { type Rank, RANKS } from "./address.ts";
import { Card } from "./card.tsx";
import { type PredictionOrder, PredictionsDocument, type PredictionsQuery, RunsDocument, type RunsQuery } from "./generated.ts";
import { useAnswer } from "./graph.ts";
import { Plot } from "./plot.tsx";
import type { Caller } from "./session.ts";
import { type Column, Table, useGrowing } from "./tables.tsx";
import type { Key, Said, Unit } from "./words.ts";

type Prediction = NonNullable<PredictionsQuery["predictions"]>["nodes"][number];
type Run = NonNullable<RunsQuery["predictionRuns"]>["nodes"][number];
type PredictionError = Run["errors"][number];

const NAMES: Record<Rank, Key> = { gone: "goneOnes", value: "valuableOnes", lost: "losingOnes" };
const ORDERS: Record<Rank, PredictionOrder> = { gone: "LIKELY_GONE", value: "EXPECTED_VALUE", lost: "POINTS_LIKELY_LOST" };
const UNITS: Record<Rank, Unit> = { gone: "percent", value: "money", lost: "count" };
const PAGE = 25;
const DRAWN_MAX = 25;

interface Props {
  said: Said;
  caller: Caller;
  rank: Rank;
  setRank: (rank: Rank) => void;
}

export function Predictions(props: Props) {
  return (
    <>
      <Likely key={props.rank} {...props} />
      <Errors said={props.said} caller={props.caller} />
    </>
  );
}

function Likely({ said, caller, rank, setRank }: Props) {
  const [active, setActive] = useState<number | null>(null);
  const [after, setAfter] = useState<string | null>(null);
  const { data, refused, waiting } = useAnswer(caller, PredictionsDocument, { order: ORDERS[rank], first: PAGE, after });
  const [rows, keep] = useGrowing(data?.predictions?.nodes ?? [], ({ member }) => member?.id);
  const showMore = () => {
    keep();
    setAfter(data?.predictions?.pageInfo.endCursor ?? null);
  };
  const none = said.say("noValue");
  const columns: Column<Prediction>[] = [
    { key: "member", head: said.say("member"), kind: "text", exact: ({ member }) => member?.externalId },
    { key: "tier", head: said.say("tier"), kind: "text", exact: ({ member }) => member?.tier?.name },
    {
      key: "likely_gone", head: said.say("likelyGone"), kind: "number", exact: ({ likelyGone }) => likelyGone,
      shown: ({ likelyGone }) => (likelyGone === null ? none : said.percent(Number(likelyGone))),
    },
    {
      key: "expected_orders", head: said.say("expectedOrders"), kind: "number", exact: ({ expectedOrders }) => expectedOrders,
      shown: ({ expectedOrders }) => (expectedOrders === null ? none : said.ratio(Number(expectedOrders))),
    },
    {
      key: "expected_value", head: said.say("expectedValue"), kind: "number", exact: ({ expectedValue }) => expectedValue?.amount,
      shown: ({ expectedValue }) => (expectedValue ? said.money(Number(expectedValue.amount), expectedValue.currency) : none),
    },
    {
      key: "points_due", head: said.say("pointsDue"), kind: "number", exact: ({ pointsDue }) => pointsDue,
      shown: ({ pointsDue }) => (pointsDue === null ? none : said.count(pointsDue)),
    },
    {
      key: "points_likely_lost", head: said.say("pointsLikelyLost"), kind: "number", exact: ({ pointsLikelyLost }) => pointsLikelyLost,
      shown: ({ pointsLikelyLost }) => (pointsLikelyLost === null ? none : said.count(pointsLikelyLost)),
    },
    {
      key: "last_order_on", head: said.say("lastOrder"), kind: "day", exact: ({ basis }) => basis?.lastOrderOn,
      shown: ({ basis }) => (basis ? said.day(basis.lastOrderOn) : none),
    },
  ];
  const value = ({ likelyGone, expectedValue, pointsLikelyLost }: Prediction) =>
    rank === "gone" ? num(likelyGone) : rank === "value" ? num(expectedValue?.amount) : pointsLikelyLost;
  const unit = UNITS[rank];
  const drawn = rows.slice(0, DRAWN_MAX);
  const titles = drawn.map(({ member }) => member?.externalId ?? none);
  const name = said.say("predictions");
  const more = data?.predictions?.pageInfo.hasNextPage ?? false;
  return (
    <Card
      said={said}
      id="predictions"
      name={name}
      about={{ is: said.say("predictionsIs"), formula: said.say("predictionsFormula") }}
      file={{ name: `predictions-${rank}`, columns, rows }}
      actions={
        <span class="drill" role="group" aria-label={said.say("order")}>
          {RANKS.map((each) => (
            <button key={each} type="button" class="small" aria-pressed={each === rank} onClick={() => setRank(each)}>
              {said.say(NAMES[each])}
            </button>
          ))}
        </span>
      }
    >
      {refused ? (
        <p class="refused">{said.refusal(refused)}</p>
      ) : rows.length === 0 ? (
        <p class="nothing">{said.say(waiting ? "waiting" : "noPredictions")}</p>
      ) : (
        <>
          <Plot
            said={said}
            ticks={titles}
            titles={titles}
            series={[{ name: said.say(NAMES[rank]), values: drawn.map(value), drawn: "bars", tone: 0 }]}
            unit={unit}
            summary={`${name}, ${said.say(NAMES[rank])}: ${drawn.slice(0, 5).map((row, index) => `${titles[index]} ${said.figure(value(row), unit)}`).join(", ")} …`}
            active={active}
            onActive={setActive}
          />
          <div>
            <Table said={said} name={name} columns={columns} rows={rows} active={active} onActive={setActive} />
            {more && (
              <button type="button" class="small more" disabled={waiting} onClick={showMore}>
                {said.say("more")}
              </button>
            )}
          </div>
        </>
      )}
    </Card>
  );
}

const num = (text: string | null | undefined) => (text === null || text === undefined ? null : Number(text));

function Errors({ said, caller }: { said: Said; caller: Caller }) {
  const [active, setActive] = useState<number | null>(null);
  const { data, waiting } = useAnswer(caller, RunsDocument, {});
  const run = data?.predictionRuns?.nodes[0];
  const rows = run?.errors ?? [];
  const columns: Column<PredictionError>[] = [
    { key: "figure", head: said.say("figure"), kind: "text", exact: ({ figure }) => figure, shown: ({ figure }) => said.word(figure) },
    { key: "measure", head: said.say("measure"), kind: "text", exact: ({ measure }) => measure, shown: ({ measure }) => said.word(measure) },
    { key: "model", head: said.say("model"), kind: "number", exact: ({ model }) => model, shown: ({ model }) => said.exact(Number(model)) },
    { key: "guess", head: said.say("guess"), kind: "number", exact: ({ guess }) => guess, shown: ({ guess }) => said.exact(Number(guess)) },
  ];
  // Errors have units of their own; as shares of the guess's they can stand side by side.
  const share = ({ model, guess }: PredictionError) => (Number(guess) === 0 ? null : Math.abs(Number(model) / Number(guess)));
  const titles = rows.map(({ figure, measure }) => `${said.word(figure)}, ${said.word(measure)}`);
  const name = said.say("errors");
  return (
    <Card
      said={said}
      id="errors"
      name={name}
      about={{ is: said.say("errorsIs"), formula: said.say("errorsFormula", { days: run?.daysHeldBack ?? "–", members: run?.members ?? 0, repeaters: run?.repeaters ?? 0 }) }}
      file={{ name: "prediction-errors", columns, rows }}
      note={run?.refused ? said.say("runRefused", { reason: run.refused }) : undefined}
    >
      {rows.length === 0 ? (
        <p class="nothing">{said.say(waiting ? "waiting" : "errorsNone")}</p>
      ) : (
        <>
          <Plot
            said={said}
            ticks={titles}
            titles={titles}
            series={[
              { name: said.say("guess"), values: rows.map(() => 1), drawn: "bars", tone: "before" },
              { name: said.say("model"), values: rows.map(share), drawn: "bars", tone: 0 },
            ]}
            unit="percent"
            summary={`${name}: ${rows.map((row, index) => `${titles[index]} ${said.percent(share(row) ?? 0)}`).join("; ")}`}
            active={active}
            onActive={setActive}
          />
          <Table said={said} name={name} columns={columns} rows={rows} active={active} onActive={setActive} />
        </>
      )}
    </Card>
  );
}
