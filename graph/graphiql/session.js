// Who has logged in within this tab. Tokens are kept in the tab's own storage and nowhere else.
import { ask } from "./fetcher.js";

const KEPT = "laurel:callers";
const CURRENT = "laurel:caller";

/** All who have logged in: token, role, subject, and a member's `id` and `externalId`. */
export function callers() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
}

/** Who asks now; null when nobody has logged in. */
export function current() {
  return callers().find(({ token }) => token === sessionStorage.getItem(CURRENT)) ?? null;
}

/** Let somebody who has logged in ask from now on. */
export function use(token) {
  sessionStorage.setItem(CURRENT, token);
  return current();
}

/** Find out who a token stands for, and let them ask. Throws an Error that says why it can't be. */
export async function enter(token) {
  const { data, errors } = await ask(token, "query WhoAmI { viewer { role subject member { id externalId } } }");
  if (!data?.viewer) throw new Error(errors?.[0]?.message ?? "the token was not taken");
  const { role, subject, member } = data.viewer;
  const caller = { token, role: role.toLowerCase(), subject, member: member ?? null };
  sessionStorage.setItem(KEPT, JSON.stringify([...callers().filter((other) => other.token !== token), caller]));
  return use(token);
}

const isIn = ({ role, subject }) => callers().some((caller) => caller.role === role && caller.subject === subject);

/** Log somebody out; who asks then, if anybody is left. */
export function forget(token) {
  const gone = callers().find((other) => other.token === token);
  const left = callers().filter((other) => other.token !== token);
  sessionStorage.setItem(KEPT, JSON.stringify(left));
  sessionStorage.removeItem(CURRENT);
  if (gone && !isIn(gone)) storageOf(gone).clear();
  return left.length ? use(left[0].token) : null;
}

/** GraphiQL's storage for one of them: tabs and history of their own, and the theme of all. Whoever is out leaves nothing. */
export function storageOf(caller) {
  const { role, subject } = caller;
  const prefix = `${role}:${subject}:`;
  const named = (key) => (key === "graphiql:theme" ? key : prefix + key);
  const own = () => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
  return {
    getItem: (key) => sessionStorage.getItem(named(key)),
    setItem: (key, value) => isIn(caller) && sessionStorage.setItem(named(key), value),
    removeItem: (key) => sessionStorage.removeItem(named(key)),
    clear: () => own().forEach((key) => sessionStorage.removeItem(key)),
    get length() {
      return own().length;
    },
  };
}
