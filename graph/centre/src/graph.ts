// How the page asks: one request over HTTP, and one WebSocket that follows the member.
import { createClient } from "graphql-ws";
import { FollowDocument, type FollowSubscription, type TypedDocumentString } from "../generated/graphql";

/** Where the API is, beside the page. */
export const endpoint = new URL("graphql", document.baseURI).href;

/** Nobody answered, or what answered could not: the same may be asked again. */
export class Unreachable extends Error {}

/** The token is not valid, or not any more. */
export class SignedOut extends Error {}

/** The request was refused as a whole, with a code of docs/transport.md. */
export class NotAnswered extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const OUTAGES = new Set(["OVERLOADED", "SHUTTING_DOWN", "DEADLINE_EXCEEDED", "KEYS_UNREACHABLE", "DATABASE_UNREACHABLE", "TIMEOUT", "RATE_LIMITED"]);
const SECONDS = 15;

/** Ask one document. Throws Unreachable, SignedOut and NotAnswered. */
export async function ask<Result, Variables>(
  token: string,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  let answer: { data?: Result | null; errors?: { message: string; extensions?: { code?: string } }[] };
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json;q=0.9",
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: document.toString(), variables }),
      signal: AbortSignal.timeout(SECONDS * 1000),
    });
    answer = await response.json();
  } catch (error) {
    throw new Unreachable(String(error));
  }
  const [error] = answer.errors ?? [];
  if (error) {
    const code = error.extensions?.code ?? "";
    if (code === "UNAUTHENTICATED") throw new SignedOut(error.message);
    if (OUTAGES.has(code)) throw new Unreachable(error.message);
    throw new NotAnswered(code, error.message);
  }
  return answer.data!;
}

export interface Follower {
  /** The member as they are, at once and whenever something was done to them: then the line is up, if it was not. */
  stands(member: NonNullable<FollowSubscription["memberProgress"]>): void;
  /** A server has answered, perhaps another one than before. */
  connected(): void;
  /** The line is down; it is tried again until it is up. */
  down(): void;
  /** The token is no longer taken. */
  ended(): void;
}

const WATCHED_AGAIN_MS = 4_000;
const TRIED_AGAIN_MS = [250, 500, 1_000, 2_000, 4_000];
const SILENCE_MS = 10_000;
const TOKEN_REFUSED = 4403;

/** Follow a member until what this answers is called. What happened while the line was down is in the next answer. */
export function follow(token: string, member: string, follower: Follower): () => void {
  let given = false;
  let silence: ReturnType<typeof setTimeout>;
  let pause: ReturnType<typeof setTimeout>;
  let unsubscribe = () => {};
  const client = createClient({
    url: endpoint.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    lazy: false,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: (tries) => new Promise((resume) => setTimeout(resume, TRIED_AGAIN_MS[Math.min(tries, TRIED_AGAIN_MS.length - 1)])),
    onNonLazyError: () => undefined, // `closed` tells of it
    keepAlive: SILENCE_MS,
    on: {
      connected: () => follower.connected(),
      closed: (event) => {
        clearTimeout(silence);
        if (given) return;
        if ((event as CloseEvent).code === TOKEN_REFUSED) {
          stop();
          follower.ended();
        } else follower.down();
      },
      // A line that is dead says nothing: without an answer to a ping it is given up, and another is opened.
      ping: (received) => {
        if (!received) silence = setTimeout(() => client.terminate(), SILENCE_MS);
      },
      pong: (received) => received && clearTimeout(silence),
    },
  });
  const watch = () => {
    unsubscribe = client.subscribe<FollowSubscription>(
      { query: FollowDocument.toString(), variables: { member: { id: member } } },
      {
        next: ({ data }) => data?.memberProgress && follower.stands(data.memberProgress),
        error: watchAgain,
        complete: watchAgain,
      },
    );
  };
  // The server has ended it, or would not begin it just now, while the line is up.
  const watchAgain = () => {
    if (given) return;
    follower.down();
    pause = setTimeout(watch, WATCHED_AGAIN_MS);
  };
  watch();
  const stop = () => {
    given = true;
    clearTimeout(pause);
    unsubscribe();
    void client.dispose();
  };
  return stop;
}
