// How the page asks the graph, and how it knows whether the server is there and is still the one that gave out the page.
import { useEffect, useRef, useState } from "preact/hooks";
import type { TypedDocumentString } from "./generated.ts";
import { type Caller, forget } from "./session.ts";

const ENDPOINT = new URL("graphql", document.baseURI).href;
const BUILD = new URL("dashboard/build", document.baseURI).href;
const LOOK_EVERY_MS = 60_000;
const LOOK_MS = 15_000;
const ASK_MS = 60_000;
/** What is older is asked anew when somebody comes back to the page. */
const OLD_MS = 60_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** The server is there, and has no time for this just now. */
const BUSY = new Set(["RATE_LIMITED", "OVERLOADED", "DEADLINE_EXCEEDED", "TIMEOUT"]);
/** The server goes, or lacks what it needs to answer. */
const GONE = new Set(["SHUTTING_DOWN", "DATABASE_UNREACHABLE", "KEYS_UNREACHABLE"]);
/** The page's questions fit the server that it came from: one that does not take them is another, or lacks a plugin. */
const OUTDATED = new Set(["GRAPHQL_VALIDATION_FAILED", "DOCUMENT_NOT_TRUSTED"]);

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

/** Nobody has answered; it is asked again by itself. */
export class Unanswered extends Error {}

/** The server is another than the one that the page came from, and does not know the question any more. */
export class Outdated extends Error {}

export interface Link {
  /** Why there are no answers at the moment. */
  trouble: "lost" | "busy" | null;
  upgraded: boolean;
  /** Grows whenever all is to be asked anew. */
  round: number;
}

let link: Link = { trouble: null, upgraded: false, round: 0 };
const watchers = new Set<(link: Link) => void>();
let retry: ReturnType<typeof setTimeout> | undefined;
let tries = 0;
let begun = Date.now();
/** Questions that are on their way. */
let pending = 0;
/** When each answer that is shown was given; those without one yet are not in it. */
const answers = new Map<object, number>();
const readers = new Set<() => void>();

function tell(change: Partial<Link>) {
  if (change.round) begun = Date.now();
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

/** The moment of which all that is shown is, or a later one; null as long as nothing is. */
export function useAsOf(): number | null {
  const [, setRead] = useState(0);
  useEffect(() => {
    const read = () => setRead((before) => before + 1);
    readers.add(read);
    return () => void readers.delete(read);
  }, []);
  return answers.size ? Math.min(...answers.values()) : null;
}

function date(answer: object, at: number | null) {
  if (at === null) answers.delete(answer);
  else answers.set(answer, at);
  for (const read of readers) read();
}

/** Ask everything anew. What is shown stays until the answers are there. */
export function refresh() {
  if (link.trouble) void look();
  else tell({ round: link.round + 1 });
}

function failed(trouble: "lost" | "busy", seconds = 0) {
  tell({ trouble });
  if (retry) return;
  retry = setTimeout(look, Math.max(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 0, seconds * 1_000));
  tries += 1;
}

/** Ask which build the server has: it tells both that it is there, and whether it is another one than the page is of. */
export async function look() {
  clearTimeout(retry);
  retry = undefined;
  let upgraded: boolean;
  try {
    const answer = await fetch(BUILD, { cache: "no-store", signal: AbortSignal.timeout(LOOK_MS) });
    if (answer.status >= 500) throw new Unanswered();
    const build = document.querySelector<HTMLMetaElement>('meta[name="laurel-build"]')?.content;
    upgraded = link.upgraded || (answer.ok && (await answer.text()) !== build);
  } catch {
    failed("lost");
    return;
  }
  tell({ upgraded, ...(link.trouble && { round: link.round + 1 }) });
  // Where nobody asks anything, as before the log-in, it is enough that somebody is there.
  setTimeout(settle);
}

/** When all questions have an answer there is no trouble any more. */
function settle() {
  if (pending || retry || !link.trouble) return;
  tries = 0;
  tell({ trouble: null });
}

/** Keep looking after the server for as long as the page is open. */
export function lookAfterServer() {
  const seen = () => {
    if (document.visibilityState !== "visible") return;
    if (!link.trouble && Date.now() - begun > OLD_MS) refresh();
    void look();
  };
  setInterval(() => document.visibilityState === "visible" && look(), LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", seen);
  addEventListener("focus", seen);
  addEventListener("online", look);
  addEventListener("offline", look);
}

/** One question. Throws Refused, Outdated, or Unanswered. */
export async function ask<Result, Variables>(
  token: string,
  query: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  let answer: { data?: Result | null; errors?: { message: string; path?: string[]; extensions?: { code?: string } }[] };
  let wait = 0;
  pending += 1;
  try {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json;q=0.9",
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: query.toString(), variables }),
      signal: AbortSignal.timeout(ASK_MS),
    });
    wait = Number(response.headers.get("Retry-After") ?? 0) || 0;
    answer = await response.json();
  } catch {
    pending -= 1;
    failed("lost");
    throw new Unanswered();
  }
  pending -= 1;
  const error = answer.errors?.[0];
  const code = error?.extensions?.code ?? "";
  if (BUSY.has(code)) {
    failed("busy", wait);
    throw new Unanswered();
  }
  if (GONE.has(code)) {
    failed("lost", wait);
    throw new Unanswered();
  }
  settle();
  if (OUTDATED.has(code)) {
    await look();
    if (link.upgraded) throw new Outdated();
  }
  if (error) throw new Refused(code, error.message, error.path?.[0]);
  return answer.data as Result;
}

export interface Asked<Result> {
  data: Result | undefined;
  refused: Refused | undefined;
  waiting: boolean;
}

interface Known<Result> extends Omit<Asked<Result>, "waiting"> {
  /** The variables, written as JSON, that were answered last. */
  of: string | undefined;
}

/**
 * The answer to a question, which is asked anew when the variables change, and whenever all is. `variables` null asks nothing.
 * What was answered before is shown until the next answer is there, and `waiting` says that it is of other variables.
 * `dated`: it is among the answers by which the page says of when it is.
 */
export function useAnswer<Result, Variables>(
  caller: Caller,
  query: TypedDocumentString<Result, Variables>,
  variables: Variables | null,
  dated = true,
): Asked<Result> {
  const { round } = useLink();
  const [known, setKnown] = useState<Known<Result>>({ data: undefined, refused: undefined, of: undefined });
  const key = JSON.stringify(variables);
  const latest = useRef<object>({});
  const me = useRef({}).current;
  useEffect(() => () => date(me, null), []);
  useEffect(() => {
    if (variables === null) return;
    const mine = (latest.current = {});
    const at = Date.now();
    const told = (change: Partial<Known<Result>>) => {
      setKnown((before) => ({ ...before, refused: undefined, of: key, ...change }));
      if (dated) date(me, at);
    };
    ask(caller.token, query, variables).then(
      (data) => latest.current === mine && told({ data }),
      (error: unknown) => {
        if (latest.current !== mine) return;
        // What the page has to say about the server it says for all questions at once.
        if (error instanceof Unanswered) return;
        if (error instanceof Outdated) return setKnown((before) => ({ ...before, of: key }));
        if (!(error instanceof Refused)) throw error;
        if (error.code === "UNAUTHENTICATED") forget("expired");
        told({ data: undefined, refused: error });
      },
    );
  }, [key, round, caller.token]);
  // Said by what is asked now, and not by what was asked when the page was last drawn: there is no picture between the two.
  return { data: known.data, refused: known.refused, waiting: variables !== null && known.of !== key };
}
