// How the page asks the graph, and how it knows whether the server is there and is still the one that gave out the page.
import { useEffect, useRef, useState } from "preact/hooks";
import type { TypedDocumentString } from "./generated.ts";
import { type Caller, forget } from "./session.ts";

const ENDPOINT = new URL("graphql", document.baseURI).href;
const BUILD = new URL("dashboard/build", document.baseURI).href;
const LOOK_EVERY_MS = 60_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** The graph's refusal of a question: its code, and its words in English. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly path: string | undefined,
  ) {
    super(message);
  }
}

/** Nobody has answered. */
export class Lost extends Error {}

export interface Link {
  lost: boolean;
  upgraded: boolean;
  /** Counts how often the connection has come back: who has asked in vain asks again. */
  restored: number;
}

let link: Link = { lost: false, upgraded: false, restored: 0 };
const watchers = new Set<(link: Link) => void>();
let retry: ReturnType<typeof setTimeout> | undefined;
let tries = 0;

function tell(change: Partial<Link>) {
  link = { ...link, ...change };
  for (const watcher of watchers) watcher(link);
}

export function useLink(): Link {
  const [seen, setSeen] = useState(link);
  useEffect(() => {
    watchers.add(setSeen);
    setSeen(link);
    return () => void watchers.delete(setSeen);
  }, []);
  return seen;
}

/** Ask which build the server has: it tells both that it is there, and whether it is another one than the page is of. */
async function look() {
  clearTimeout(retry);
  try {
    const answer = await fetch(BUILD, { cache: "no-store" });
    if (answer.status >= 500) throw new Lost();
    const build = document.querySelector<HTMLMetaElement>('meta[name="laurel-build"]')?.content;
    tries = 0;
    tell({
      lost: false,
      upgraded: link.upgraded || (answer.ok && (await answer.text()) !== build),
      restored: link.restored + (link.lost ? 1 : 0),
    });
  } catch {
    tell({ lost: true });
    retry = setTimeout(look, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
    tries += 1;
  }
}

/** Keep looking after the server for as long as the page is open. */
export function lookAfterServer() {
  setInterval(() => document.visibilityState === "visible" && look(), LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
  addEventListener("online", look);
  addEventListener("offline", look);
  addEventListener("focus", look);
}

/** One question. Throws Refused, or Lost when there is no answer. */
export async function ask<Result, Variables>(
  token: string,
  query: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  let answer: { data?: Result | null; errors?: { message: string; path?: string[]; extensions?: { code?: string } }[] };
  try {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json;q=0.9",
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: query.toString(), variables }),
    });
    if (response.status >= 500) throw new Lost();
    answer = await response.json();
  } catch {
    void look();
    throw new Lost();
  }
  const error = answer.errors?.[0];
  if (error) {
    const code = error.extensions?.code ?? "";
    // The page's questions fit the server that it came from: one that finds them invalid is another.
    if (code === "GRAPHQL_VALIDATION_FAILED") tell({ upgraded: true });
    throw new Refused(code, error.message, error.path?.[0]);
  }
  return answer.data as Result;
}

export interface Asked<Result> {
  data: Result | undefined;
  refused: Refused | undefined;
  waiting: boolean;
}

/**
 * The answer to a question, which is asked anew when the variables change, and when the connection was lost and is back.
 * `variables` null asks nothing. What was answered before is shown until the next answer is there.
 */
export function useAnswer<Result, Variables>(
  caller: Caller,
  query: TypedDocumentString<Result, Variables>,
  variables: Variables | null,
): Asked<Result> {
  const { restored } = useLink();
  const [asked, setAsked] = useState<Asked<Result>>({ data: undefined, refused: undefined, waiting: variables !== null });
  const key = JSON.stringify(variables);
  const latest = useRef("");
  useEffect(() => {
    if (variables === null) return;
    const mine = `${key} ${restored}`;
    latest.current = mine;
    setAsked((before) => ({ ...before, waiting: true }));
    ask(caller.token, query, variables).then(
      (data) => latest.current === mine && setAsked({ data, refused: undefined, waiting: false }),
      (error: unknown) => {
        if (latest.current !== mine) return;
        if (error instanceof Refused && error.code === "UNAUTHENTICATED") forget("expired");
        setAsked((before) => ({
          data: error instanceof Refused ? undefined : before.data,
          refused: error instanceof Refused ? error : undefined,
          waiting: !(error instanceof Refused),
        }));
      },
    );
  }, [key, restored, caller.token]);
  return asked;
}
