// The members behind a number, in a dialog that the address opens as well.
import { useEffect, useRef, useState } from "preact/hooks";
import { csv, save } from "./files.ts";
import { type MembersBehindQuery, MembersBehindDocument, type MembersFilter } from "./generated.ts";
import { useAnswer } from "./graph.ts";
import { beginning, localDay, plusDays } from "./periods.ts";
import type { Caller } from "./session.ts";
import { type Column, Table, useGrowing } from "./tables.tsx";
import type { Said } from "./words.ts";

type Member = NonNullable<MembersBehindQuery["members"]>["nodes"][number];

interface Props {
  said: Said;
  caller: Caller;
  list: string;
  zone: string;
  tierNames: ReadonlyMap<string, string>;
  close: () => void;
}

const PAGE = 50;

export function Behind({ said, caller, list, zone, tierNames, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [after, setAfter] = useState<string | null>(null);
  const [kind, first = "", last = first] = list.split(":");
  const filter: MembersFilter =
    kind === "tier" ? { tier: { eq: first } } : { enrolledAt: { from: beginning(first, zone), before: beginning(plusDays(last, 1), zone) } };
  const title =
    kind === "tier" ? said.say("membersOfTier", { tier: tierNames.get(first) ?? first }) : said.say("membersJoined", { period: said.period(first, last) });
  const { data, refused, waiting } = useAnswer(caller, MembersBehindDocument, { filter, orderBy: "ENROLLED_AT_DESC", first: PAGE, after });
  const [known, keep] = useGrowing(data?.members?.nodes ?? [], ({ id }) => id);
  const showMore = () => {
    keep();
    setAfter(data?.members?.pageInfo.endCursor ?? null);
  };
  useEffect(() => {
    dialog.current?.showModal();
  }, []);

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
  const more = data?.members?.pageInfo.hasNextPage ?? false;
  return (
    <dialog ref={dialog} class="behind" aria-labelledby="behind-name" onClose={close}>
      <header>
        <h2 id="behind-name">{title}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          {said.say("close")}
        </button>
      </header>
      {kind === "tier" && <p class="note">{said.say("asOfNow")}</p>}
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
            onClick={() => save(csv(columns, known), `laurel-members-${list.replaceAll(":", "-")}.csv`)}
            aria-label={said.say("download", { name: title, format: said.say("csv") })}
          >
            {said.say("csv")}
          </button>
        )}
      </footer>
    </dialog>
  );
}
