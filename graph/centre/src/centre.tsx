// What all parts of the centre share: who asks, what the programme is, and how a part asks and acts.
import { createContext, type ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import type { Locale, SessionQuery, StandingFragment, TypedDocumentString, WrittenFragment } from "../generated/graphql";
import { ask, NotAnswered, SignedOut, Unreachable } from "./graph";
import type { Reading } from "./reading";

export interface Centre {
  token: string;
  member: { id: string; externalId: string };
  programme: NonNullable<SessionQuery["programme"]>;
  reading: Reading;
  standing: StandingFragment;
  /** Grows with everything that is done to the member: then all is asked anew. */
  moved: number;
  /** What the token no longer opens is left. */
  signOut(ended: boolean): void;
  /** The server has answered that it does not know a document. */
  doubt(): void;
}

const Context = createContext<Centre | null>(null);
export const CentreProvider = Context.Provider;

export function useCentre(): Centre {
  const centre = useContext(Context);
  if (!centre) throw new Error("a part of the centre is outside of it");
  return centre;
}

/** Codes of a server that does not take a document of the page: a plugin is left out there, or it is another than before. */
const isUnknown = (code: string) => code === "GRAPHQL_VALIDATION_FAILED" || code === "DOCUMENT_NOT_TRUSTED";

/** Codes by which the graph says that there is no such thing here, rather than that it failed. */
const isNotOffered = (code: string) => isUnknown(code) || code.endsWith("_NOT_OFFERED");

export type Asked<Result> = { state: "loading" | "failed" | "none" } | { state: "there"; data: Result };

/**
 * What the graph answers, asked anew when the variables change or something was done to the member. What was there stays until
 * the next answer. `none` is said where the programme has no such thing. Null variables ask nothing.
 */
export function useAsked<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables | null,
): Asked<Result> & { again(): void } {
  const { token, moved, signOut, doubt } = useCentre();
  const [asked, setAsked] = useState<Asked<Result>>({ state: "loading" });
  const [times, setTimes] = useState(0);
  const written = JSON.stringify(variables);
  useEffect(() => {
    if (variables === null) return;
    let left = false;
    ask(token, document, variables).then(
      (data) => left || setAsked({ state: "there", data }),
      (error: unknown) => {
        if (left) return;
        if (error instanceof SignedOut) signOut(true);
        else if (error instanceof NotAnswered && isNotOffered(error.code)) {
          if (isUnknown(error.code)) doubt();
          setAsked({ state: "none" });
        } else setAsked((before) => (before.state === "there" ? before : { state: "failed" }));
      },
    );
    return () => {
      left = true;
    };
  }, [token, document, written, moved, times]);
  return { ...asked, again: useCallback(() => setTimes((before) => before + 1), []) };
}

/** A text that nobody else has. `crypto.randomUUID` is missing where the page is served without TLS. */
export const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** What makes a button take one press for one: neither the second half of a double click nor a key that is held down is another. */
export const pressed = (onPress: () => unknown) => ({
  onClick: (event: MouseEvent) => void (event.detail > 1 || onPress()),
  onKeyDown: (event: KeyboardEvent) => event.repeat && event.preventDefault(),
});

interface Payload {
  transaction?: WrittenFragment | null;
  errors: { code: string; message: string }[];
}

interface Act<Input, Done> {
  run(input: Omit<Input, "idempotencyKey">): Promise<Done | null>;
  busy: boolean;
  said: { refused: boolean; text: string } | null;
  clear(): void;
}

/**
 * A mutation with an idempotency key. The key is kept until there is an answer: pressed again after a lost connection, the same
 * request goes out, and it is done once.
 */
export function useAct<Done extends Payload, Input extends { idempotencyKey: string }>(
  document: TypedDocumentString<{ done?: Done | null }, { input: Input; locale: Locale }>,
): Act<Input, Done> {
  const { token, reading, signOut, doubt } = useCentre();
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<Act<Input, Done>["said"]>(null);
  const unanswered = useRef<{ request: string; key: string } | null>(null);

  const run: Act<Input, Done>["run"] = async (input) => {
    const request = JSON.stringify(input);
    if (unanswered.current?.request !== request) unanswered.current = { request, key: `centre:${unique()}` };
    const { key } = unanswered.current!;
    setBusy(true);
    setSaid(null);
    try {
      const { done } = await ask(token, document, { input: { ...input, idempotencyKey: key } as Input, locale: reading.locale });
      unanswered.current = null;
      if (!done) return null;
      const [refusal] = done.errors;
      if (refusal) {
        setSaid({ refused: true, text: reading.refused(refusal) ?? reading.words.other(refusal.message) });
        return null;
      }
      const changes = (done.transaction?.entries ?? []).filter(({ amount }) => amount !== 0);
      setSaid({ refused: false, text: reading.words.done(reading.list(changes.map(({ amount, unit }) => reading.change(amount, unit)))) });
      return done;
    } catch (error) {
      if (error instanceof SignedOut) signOut(true);
      else if (error instanceof Unreachable) setSaid({ refused: true, text: reading.words.unsent });
      else if (error instanceof NotAnswered) {
        if (isUnknown(error.code)) doubt();
        setSaid({ refused: true, text: isUnknown(error.code) ? reading.words.failed : reading.words.other(error.message) });
      }
      else throw error;
      return null;
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, said, clear: () => setSaid(null) };
}

/** What is said in place of an action that a frozen or closed membership does not allow; null when it may be done. */
export function useStopped(scope: "EARNING" | "SPENDING"): string | null {
  const { standing, reading } = useCentre();
  if (standing.status === "CLOSED") return reading.words.frozen.insteadClosed;
  const { freeze } = standing;
  const stopped = freeze ? freeze.scope === "BOTH" || freeze.scope === scope : standing.status === "FROZEN";
  return stopped ? reading.words.frozen.instead : null;
}

/** Take the focus, once the element is there. */
export const focus = (element: HTMLElement | null) => element?.focus();

/** A button that acts, with what came of it beside it; in its place, why it can't be. */
export function ActButton(props: {
  act: { busy: boolean; said: { refused: boolean; text: string } | null };
  scope: "EARNING" | "SPENDING" | null;
  onPress(): void;
  label?: string;
  quiet?: boolean;
  focused?: boolean;
  children: ComponentChildren;
}) {
  const { act, scope, onPress, label, quiet, focused, children } = props;
  const stopped = useStopped(scope ?? "EARNING");
  if (scope && stopped) return <p className="stopped">{stopped}</p>;
  return (
    <div className="act">
      <button type="button" className={quiet ? "quiet" : ""} aria-label={label} aria-busy={act.busy} ref={focused ? focus : undefined} {...pressed(() => act.busy || onPress())}>
        {children}
      </button>
      <Said said={act.said} />
    </div>
  );
}

/** What came of an action, told to screen readers as well. */
export function Said({ said }: { said: { refused: boolean; text: string } | null }) {
  return (
    <div className="said">
      <p role="alert" className="refused">{said?.refused ? said.text : ""}</p>
      <p role="status" className="done">{said && !said.refused ? said.text : ""}</p>
    </div>
  );
}

/** One part of the page, with its heading. */
export function Part(props: { name: string; title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  const heading = useId();
  return (
    <section className={`part ${props.name}`} aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** What stands in place of a part that is not there (yet). */
export function Waiting({ name, title, asked }: { name: string; title: string; asked: { state: string; again(): void } }) {
  const { words } = useCentre().reading;
  // Until it has answered nobody knows whether the programme has such a thing.
  if (asked.state !== "failed") return null;
  return (
    <Part name={name} title={title}>
      <p>
        {words.failed} <button type="button" className="quiet" onClick={asked.again}>{words.again}</button>
      </p>
    </Part>
  );
}

/** A bar from 0 to 1, said in words as well. */
export function Bar({ ratio, label, text }: { ratio: number; label: string; text: string }) {
  return <progress max={1} value={Math.min(Math.max(ratio, 0), 1)} aria-label={label} aria-valuetext={text} />;
}
