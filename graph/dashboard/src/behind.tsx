// What is behind a number, in a dialog that the address opens as well: members, or tickets.
import { useEffect, useRef, useState } from "preact/hooks";
import { csv, save } from "./files.ts";
import {
  type MembersBehindQuery, MembersBehindDocument, type MembersFilter, type TicketsBehindQuery, TicketsBehindDocument, type TypedDocumentString,
} from "./generated.ts";
import { useAnswer } from "./graph.ts";
import { beginning, localDay, plusDays } from "./periods.ts";
import type { Caller } from "./session.ts";
import { type Column, Table, useGrowing } from "./tables.tsx";
import type { Said } from "./words.ts";

type Member = NonNullable<MembersBehindQuery["members"]>["nodes"][number];
type Ticket = NonNullable<TicketsBehindQuery["tickets"]>["nodes"][number];

interface Props {
  said: Said;
  caller: Caller;
  list: string;
  zone: string;
  tierNames: ReadonlyMap<string, string>;
  close: () => void;
}

const PAGE = 50;

export function Behind(props: Props) {
  const { said, list, zone, tierNames } = props;
  const [kind, first = "", last = first] = list.split(":");
  const period = said.period(first, last);
  const within = () => ({ from: beginning(first, zone), before: beginning(plusDays(last, 1), zone) });
  if (kind === "tickets") return <Tickets {...props} title={said.say("ticketsOpened", { period })} openedAt={within()} />;
  return kind === "tier" ? (
    <Members {...props} title={said.say("membersOfTier", { tier: tierNames.get(first) ?? first })} note={said.say("asOfNow")} filter={{ tier: { eq: first } }} />
  ) : (
    <Members {...props} title={said.say("membersJoined", { period })} filter={{ enrolledAt: within() }} />
  );
}

function Members({ said, zone, filter, ...rest }: Props & { title: string; note?: string; filter: MembersFilter }) {
  const columns: Column<Member>[] = [
    { key: "member", head: said.say("member"), kind: "text", exact: ({ externalId }) => externalId },
    { key: "tier", head: said.say("tier"), kind: "text", exact: ({ tier }) => tier?.code, shown: ({ tier }) => tier?.name ?? said.say("noValue") },
    {
      key: "enrolled_on", head: said.say("enrolled"), kind: "day", exact: ({ enrolledAt }) => localDay(enrolledAt, zone),
      shown: ({ enrolledAt }) => said.day(localDay(enrolledAt, zone)),
    },
    { key: "available", head: said.say("available"), kind: "number", exact: ({ points }) => points.available, shown: ({ points }) => said.count(points.available) },
    { key: "pending", head: said.say("pending"), kind: "number", exact: ({ points }) => points.pending, shown: ({ points }) => said.count(points.pending) },
    { key: "status", head: said.say("status"), kind: "text", exact: ({ status }) => status, shown: ({ status }) => said.word(status) },
  ];
  return <List {...rest} said={said} zone={zone} document={MembersBehindDocument} variables={{ filter }} pageOf={({ members }) => members} columns={columns} />;
}

function Tickets({ said, zone, openedAt, ...rest }: Props & { title: string; openedAt: { from: string; before: string } }) {
  const day = (instant: string | null) => (instant ? localDay(instant, zone) : null);
  const shown = (instant: string | null) => (instant ? said.moment(instant, zone) : said.say("noValue"));
  const columns: Column<Ticket>[] = [
    { key: "member", head: said.say("member"), kind: "text", exact: ({ member }) => member?.externalId },
    { key: "subject", head: said.say("subject"), kind: "text", exact: ({ subject }) => subject },
    { key: "state", head: said.say("status"), kind: "text", exact: ({ state }) => state, shown: ({ state, isOverdue }) => said.word(isOverdue ? "overdue" : `ticket.${state}`) },
    { key: "opened_on", head: said.say("opened"), kind: "day", exact: (ticket) => day(ticket.openedAt), shown: (ticket) => shown(ticket.openedAt) },
    { key: "due_on", head: said.say("due"), kind: "day", exact: ({ dueAt }) => day(dueAt), shown: ({ dueAt }) => shown(dueAt) },
    { key: "answered_on", head: said.say("answered"), kind: "day", exact: ({ answeredAt }) => day(answeredAt), shown: ({ answeredAt }) => shown(answeredAt) },
    { key: "compensation", head: said.say("compensation"), kind: "number", exact: ({ compensation }) => compensation, shown: ({ compensation }) => said.count(compensation) },
  ];
  return <List {...rest} said={said} zone={zone} document={TicketsBehindDocument} variables={{ openedAt }} pageOf={({ tickets }) => tickets} columns={columns} />;
}

interface Page<Row> {
  nodes: Row[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

interface ListProps<Row, Result, Variables> extends Props {
  title: string;
  note?: string;
  document: TypedDocumentString<Result, Variables & { first: number; after?: string | null }>;
  variables: Variables;
  pageOf: (result: Result) => Page<Row> | null;
  columns: Column<Row>[];
}

function List<Row extends { id: string }, Result, Variables>(props: ListProps<Row, Result, Variables>) {
  const { said, caller, list, close, title, note, document, variables, pageOf, columns } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [after, setAfter] = useState<string | null>(null);
  const { data, refused, waiting } = useAnswer(caller, document, { ...variables, first: PAGE, after });
  const page = data && pageOf(data);
  const [known, keep] = useGrowing(page?.nodes ?? [], ({ id }) => id);
  const showMore = () => {
    keep();
    setAfter(page?.pageInfo.endCursor ?? null);
  };
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const more = page?.pageInfo.hasNextPage ?? false;
  return (
    <dialog ref={dialog} class="behind" aria-labelledby="behind-name" onClose={close}>
      <header>
        <h2 id="behind-name">{title}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          {said.say("close")}
        </button>
      </header>
      {note && <p class="note">{note}</p>}
      {refused ? <p class="refused">{said.refusal(refused)}</p> : <Table said={said} name={title} columns={columns} rows={known} />}
      <footer>
        <span role="status">{waiting ? said.say("waiting") : said.say(more ? "shownOf" : "shown", { count: said.count(known.length) })}</span>
        {more && (
          <button type="button" disabled={waiting} onClick={showMore}>
            {said.say("more")}
          </button>
        )}
        {known.length > 0 && (
          <button
            type="button"
            onClick={() => save(csv(columns, known), `laurel-${list.startsWith("tickets") ? "" : "members-"}${list.replaceAll(":", "-")}.csv`)}
            aria-label={said.say("download", { name: title, format: said.say("csv") })}
          >
            {said.say("csv")}
          </button>
        )}
      </footer>
    </dialog>
  );
}
