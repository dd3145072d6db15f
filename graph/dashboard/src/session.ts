// Who has logged in within this tab. Tokens are kept in the tab's own storage and nowhere else, as GraphiQL's page keeps them:
// who has logged in there may look here.
import { ask, Refused } from "./graph.ts";
import { WhoDocument } from "./generated.ts";

const KEPT = "laurel:callers";
const CURRENT = "laurel:caller";
const LOOKERS = ["operator", "analyst", "admin"];

export interface Caller {
  token: string;
  role: string;
  subject: string;
}

/** Why nobody is logged in any more: they have logged out, or the token has ended. */
export type Gone = "out" | "expired";

/** A token that is good, but of a role that has no figures to see. */
export class NotForRole extends Error {
  constructor(readonly role: string) {
    super(role);
  }
}

const callers = (): Caller[] => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as Caller[];
let left: (why: Gone) => void = () => undefined;

/** Be told when nobody is logged in any more. */
export function whenGone(told: (why: Gone) => void) {
  left = told;
}

/** Who looks; null when nobody who may has logged in. */
export function current(): Caller | null {
  const token = sessionStorage.getItem(CURRENT);
  return callers().find((caller) => caller.token === token && LOOKERS.includes(caller.role)) ?? null;
}

/** Find out who a token stands for, and let them look. Throws NotForRole, and what `ask` does. */
export async function enter(token: string): Promise<Caller> {
  const { viewer } = await ask(token, WhoDocument, {});
  if (!viewer) throw new Refused("UNAUTHENTICATED", "the token is not valid", undefined);
  const caller = { token, role: viewer.role.toLowerCase(), subject: viewer.subject, member: null };
  if (!LOOKERS.includes(caller.role)) throw new NotForRole(caller.role);
  sessionStorage.setItem(KEPT, JSON.stringify([...callers().filter((other) => other.token !== token), caller]));
  sessionStorage.setItem(CURRENT, token);
  return caller;
}

/** Forget the token of whoever looks. */
export function forget(why: Gone) {
  const token = sessionStorage.getItem(CURRENT);
  sessionStorage.setItem(KEPT, JSON.stringify(callers().filter((caller) => caller.token !== token)));
  sessionStorage.removeItem(CURRENT);
  left(why);
}
