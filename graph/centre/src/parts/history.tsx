// Everything that was done to the account, page by page, each with why it came to what it did.
import { useId, useRef, useState } from "preact/hooks";
import { HistoryDocument, WhyDocument, type HistoryQuery } from "../../generated/graphql";
import { Part, useAsked, useCentre, Waiting } from "../centre";
import { ask } from "../graph";

type Page = NonNullable<NonNullable<HistoryQuery["viewer"]>["member"]>["transactions"];
type Transaction = Page["nodes"][number];

/**
 * What is shown once the newest lines have come: these above those that were there. A cursor is a place in the list and no number,
 * so that nothing is shown twice or left out; when more has come than a page, there is a gap, and the list begins anew.
 */
function joined(newest: Page, former: Page | null): Page {
  const ids = new Set(newest.nodes.map(({ id }) => id));
  const older = former?.nodes.filter(({ id }) => !ids.has(id)) ?? [];
  if (!former || older.length === 0 || older.length === former.nodes.length) return newest;
  return { nodes: [...newest.nodes, ...older], pageInfo: former.pageInfo };
}

export function History() {
  const { reading, token } = useCentre();
  const { words } = reading;
  const asked = useAsked(HistoryDocument, { after: null });
  const newest = asked.state === "there" ? asked.data.viewer?.member?.transactions : undefined;
  const shown = useRef<{ newest: Page; all: Page } | null>(null);
  const [state, setState] = useState<"ready" | "busy" | "failed">("ready");
  if (newest && newest !== shown.current?.newest) shown.current = { newest, all: joined(newest, shown.current?.all ?? null) };
  if (!shown.current) return <Waiting name="history" title={words.history.heading} asked={asked} />;
  const { all } = shown.current;
  const more = async () => {
    setState("busy");
    try {
      const answer = await ask(token, HistoryDocument, { after: all.pageInfo.endCursor ?? null });
      const page = answer.viewer?.member?.transactions;
      const former = shown.current!;
      if (page) shown.current = { ...former, all: { nodes: [...former.all.nodes, ...page.nodes], pageInfo: page.pageInfo } };
      setState("ready");
    } catch {
      setState("failed");
    }
  };
  return (
    <Part name="history" title={words.history.heading}>
      {all.nodes.length === 0 && <p className="faint">{words.history.empty}</p>}
      <ol className="rows">{all.nodes.map((transaction) => <Row key={transaction.id} transaction={transaction} />)}</ol>
      <p role="alert" className="refused">{state === "failed" && words.failed}</p>
      {all.pageInfo.hasNextPage && (
        <button type="button" className="quiet" aria-busy={state === "busy"} onClick={() => state === "busy" || more()}>
          {words.history.more}
        </button>
      )}
    </Part>
  );
}

/** What a transaction did to each unit, all its lines together. */
function sumsOf({ entries }: Transaction) {
  const sums = new Map<string, Transaction["entries"][number]>();
  for (const entry of entries) {
    const before = sums.get(entry.unit);
    sums.set(entry.unit, { ...entry, amount: entry.amount + (before?.amount ?? 0), held: entry.held + (before?.held ?? 0) });
  }
  return [...sums.values()].filter(({ amount, held }) => amount !== 0 || held !== 0);
}

function Row({ transaction }: { transaction: Transaction }) {
  const { reading, token } = useCentre();
  const { words } = reading;
  const panel = useId();
  const [why, setWhy] = useState<string[] | null>(null);
  const [isOpen, setOpen] = useState(false);
  const open = async () => {
    setOpen(!isOpen);
    if (isOpen || why) return;
    try {
      const { node } = await ask(token, WhyDocument, { transaction: transaction.id, locale: reading.locale });
      setWhy((node && "explanation" in node && node.explanation?.text) || []);
    } catch {
      setWhy([words.failed]);
    }
  };
  const channel = reading.channel(transaction.channel);
  const called = words.history.kinds[transaction.kind] ?? channel;
  const sums = sumsOf(transaction);
  return (
    <li>
      <div className="line">
        <span>
          <strong>{called}</strong>
          {called !== channel && <span className="faint"> {channel}</span>}
          {transaction.reference && <span className="faint"> {transaction.reference}</span>}
          {transaction.reason && <span className="faint"> {transaction.reason}</span>}
          {transaction.reversedBy.length > 0 && <span className="tag">{words.history.reversed}</span>}
          <br />
          <time className="faint" dateTime={transaction.effectiveAt}>{reading.time(transaction.effectiveAt)}</time>
        </span>
        <span className="amounts">
          {sums.length === 0 && <span className="faint">{words.history.nothing}</span>}
          {sums.map(({ unit, amount, held, balanceAfter }) => (
            <span key={unit}>
              <span className={amount > 0 ? "gain" : amount < 0 ? "loss" : ""}>
                {amount !== 0
                  ? reading.change(amount, unit)
                  : held > 0
                    ? words.history.setAside(reading.amount(held, unit))
                    : words.history.givenBack(reading.amount(-held, unit))}
              </span>{" "}
              {amount !== 0 && balanceAfter != null && <span className="faint">{words.history.balance(reading.number(balanceAfter))}</span>}
            </span>
          ))}
          <button type="button" className="link" aria-expanded={isOpen} aria-controls={panel} onClick={open}>
            {isOpen ? words.history.close : words.history.why}
            <span className="hidden"> {called}, {reading.time(transaction.effectiveAt)}</span>
          </button>
        </span>
      </div>
      <div id={panel} hidden={!isOpen} className="why" aria-live="polite">
        {why ? why.map((sentence, number) => <p key={number}>{sentence}</p>) : <p className="faint">{words.loading}</p>}
      </div>
    </li>
  );
}
