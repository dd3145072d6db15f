// The member centre. Who nobody is yet signs in; then each part asks for what it shows, and one subscription tells when to ask again.
import { render } from "preact";
import { useCallback, useEffect, useId, useRef, useState } from "preact/hooks";
import { type Locale, SessionDocument, type SessionQuery, type StandingFragment } from "../generated/graphql";
import { CentreProvider } from "./centre";
import { ask, follow, SignedOut, Unreachable } from "./graph";
import { enterAs, findSamples, hasSamples, isOutdated, type Sample } from "./installation";
import { Badges } from "./parts/badges";
import { Checkout } from "./parts/checkout";
import { History } from "./parts/history";
import { Lottery } from "./parts/lottery";
import { Points } from "./parts/points";
import { Quests } from "./parts/quests";
import { Rewards } from "./parts/rewards";
import { SignInPart } from "./parts/sign_in";
import { TierPart } from "./parts/tier";
import { inLanguage, languageOf, reading, type Reading } from "./reading";
import "./page.css";

const TOLD_MS = 8_000;
const ASKED_AGAIN_MS = 1_000;
const KEPT = "laurel:centre";
const address = new URL(location.href);
const language = languageOf(address, navigator.language);

interface Session {
  token: string;
  member: { id: string; externalId: string };
  programme: NonNullable<SessionQuery["programme"]>;
}

/** Find out whose a token is. Throws what `ask` does, and an Error when it is no member's. */
async function open(token: string, locale: Locale): Promise<Session> {
  const { viewer, programme } = await ask(token, SessionDocument, { locale });
  if (!viewer?.member || !programme) throw new Error("no member");
  return { token, member: viewer.member, programme };
}

function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [said, setSaid] = useState("");
  const [ready, setReady] = useState(false);
  const read = reading(language, session?.programme);
  const { words } = read;

  const enter = useCallback(async (token: string) => {
    try {
      setSession(await open(token, read.locale));
      sessionStorage.setItem(KEPT, token);
      setSaid("");
    } catch (error) {
      // A token that nobody could be asked about is kept for the next try.
      if (!(error instanceof Unreachable)) sessionStorage.removeItem(KEPT);
      setSaid(error instanceof Unreachable ? words.welcome.unreachable : error instanceof SignedOut ? words.welcome.ended : words.welcome.notMember);
    }
  }, []);
  const signOut = useCallback((ended: boolean) => {
    sessionStorage.removeItem(KEPT);
    setSaid(ended ? words.welcome.ended : "");
    setSession(null);
  }, []);

  useEffect(() => {
    const kept = sessionStorage.getItem(KEPT);
    void (kept ? enter(kept) : Promise.resolve()).then(() => setReady(true));
  }, []);
  useEffect(() => {
    document.documentElement.lang = read.html;
    document.title = session ? `${words.title} · ${session.programme.name}` : words.title;
  }, [session]);

  if (!ready) return <p className="faint center">{words.loading}</p>;
  return session ? <Centre key={session.token} session={session} read={read} signOut={signOut} /> : <Welcome read={read} said={said} enter={enter} />;
}

function LanguageLink({ read }: { read: Reading }) {
  const other = language === "zh" ? "en" : "zh";
  return (
    <a href={inLanguage(address, other)} lang={other === "zh" ? "zh-Hans" : "en"} hreflang={other} title={read.words.language.switchTo}>
      {read.words.language.other}
    </a>
  );
}

function Welcome({ read, said, enter }: { read: Reading; said: string; enter(token: string): Promise<void> }) {
  const { words } = read;
  const field = useId();
  const [samples, setSamples] = useState<Sample[]>([]);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (hasSamples) findSamples().then(setSamples, () => setProblem(words.welcome.noSamples));
  }, []);
  const go = async (token: () => Promise<string>) => {
    setBusy(true);
    try {
      await enter(await token());
    } catch {
      setProblem(words.welcome.noSamples);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="welcome">
      <header className="top">
        <strong>Laurel</strong> <nav><LanguageLink read={read} /></nav>
      </header>
      <main>
        <h1>{words.welcome.heading}</h1>
        <p className="faint">{words.welcome.lead}</p>
        <p role="alert" className="refused">{said || problem}</p>
        {samples.length > 0 && (
          <>
            <h2>{words.welcome.choose}</h2>
            <ul className="samples">
              {samples.map(({ externalId, tier }) => (
                <li key={externalId}>
                  <button type="button" disabled={busy} onClick={() => go(() => enterAs(externalId))}>
                    <strong>{externalId}</strong> <span>{tier ?? words.welcome.noTier}</span>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const token = String(new FormData(event.currentTarget).get("token")).trim().replace(/^Bearer\s+/i, "");
            void go(async () => token);
          }}
        >
          <label htmlFor={field}>{samples.length ? words.welcome.paste : words.welcome.pasteOnly}</label>
          <input id={field} name="token" required autocomplete="off" spellcheck={false} aria-describedby={`${field}-help`} />
          <p id={`${field}-help`} className="faint">{words.welcome.help}</p>
          <button type="submit" className={samples.length ? "quiet" : ""} disabled={busy}>{words.welcome.enter}</button>
        </form>
      </main>
    </div>
  );
}

function Centre({ session, read, signOut }: { session: Session; read: Reading; signOut(ended: boolean): void }) {
  const { words } = read;
  const [standing, setStanding] = useState<StandingFragment | null>(null);
  const [moved, move] = useMoved();
  const [line, setLine] = useState<"new" | "up" | "lost" | "back">("new");
  const [upgraded, setUpgraded] = useState(false);
  const doubt = useCallback(() => void isOutdated().then((is) => is && setUpgraded(true), () => undefined), []);

  useEffect(
    () =>
      follow(session.token, session.member.id, {
        stands: (member) => {
          setStanding(member);
          setLine((before) => (before === "lost" || before === "back" ? "back" : "up"));
          move();
        },
        connected: doubt,
        down: () => setLine("lost"),
        ended: () => signOut(true),
      }),
    [],
  );
  useEffect(() => {
    if (line !== "back") return;
    const timer = setTimeout(() => setLine("up"), TOLD_MS);
    return () => clearTimeout(timer);
  }, [line]);
  useEffect(() => {
    const look = () => document.visibilityState === "visible" && doubt();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);

  return (
    <>
      <a className="skip" href="#main">{words.skip}</a>
      <header className="top">
        <strong>{session.programme.name}</strong>
        <span className={`line-state ${line}`}>{line === "lost" ? words.bar.lost : words.bar.live}</span>
        <nav>
          {!standing?.erasedAt && <span className="faint">{words.bar.member} {session.member.externalId}</span>}
          <LanguageLink read={read} />
          <button type="button" className="link" onClick={() => signOut(false)}>{words.bar.signOut}</button>
        </nav>
      </header>
      <div className="notes">
        <p role="status" className={line === "lost" ? "note warning" : line === "back" ? "note fading" : "hidden"}>
          {line === "lost" ? words.line.lost : line === "back" ? words.line.back : ""}
        </p>
        <div role="status" className={upgraded ? "note" : "hidden"}>
          {upgraded && (
            <>
              {words.upgraded.text} <button type="button" onClick={() => location.reload()}>{words.upgraded.reload}</button>
            </>
          )}
        </div>
      </div>
      <main id="main" tabIndex={-1}>
        <h1 className="hidden">{words.title}</h1>
        {!standing ? (
          <p className="faint center">{words.loading}</p>
        ) : (
          <CentreProvider value={{ ...session, reading: read, standing, moved, signOut, doubt }}>
            <Frozen standing={standing} read={read} />
            {standing.erasedAt ? (
              <p className="center"><button type="button" onClick={() => signOut(false)}>{words.bar.signOut}</button></p>
            ) : (
              <div className="parts">
                <Points />
                {/* Who has left is shown what there was, and nothing that can't be done any more. */}
                {standing.status !== "CLOSED" && (
                  <>
                    <TierPart />
                    <SignInPart />
                    <Quests />
                    <Badges />
                    <Rewards />
                    <Checkout />
                    <Lottery />
                  </>
                )}
                <History />
              </div>
            )}
          </CentreProvider>
        )}
      </main>
    </>
  );
}

/** A number that grows when something has moved, at once but not more than once a second: all parts ask again then. */
function useMoved(): [number, () => void] {
  const [moved, setMoved] = useState(0);
  const waits = useRef<{ last: number; timer?: ReturnType<typeof setTimeout> }>({ last: 0 });
  useEffect(() => () => clearTimeout(waits.current.timer), []);
  const move = useCallback(() => {
    const wait = waits.current;
    clearTimeout(wait.timer);
    const go = () => {
      wait.last = Date.now();
      setMoved((before) => before + 1);
    };
    const left = wait.last + ASKED_AGAIN_MS - Date.now();
    if (left > 0) wait.timer = setTimeout(go, left);
    else go();
  }, []);
  return [moved, move];
}

function Frozen({ standing, read }: { standing: StandingFragment; read: Reading }) {
  const { words } = read;
  const { freeze, status, erasedAt } = standing;
  if (status === "ACTIVE" && !freeze) return null;
  if (erasedAt) {
    return (
      <section className="note warning frozen" role="alert">
        <h2>{words.erased.heading}</h2>
        <p>{words.erased.text(read.day(erasedAt))}</p>
      </section>
    );
  }
  return (
    <section className="note warning frozen" role="alert">
      <h2>{status === "CLOSED" ? words.frozen.closed : words.frozen.heading}</h2>
      <p>
        {status !== "CLOSED" && words.frozen[freeze?.scope ?? "BOTH"]} {freeze?.until && words.frozen.until(read.time(freeze.until))} {words.frozen.ask}
      </p>
    </section>
  );
}

render(<App />, document.querySelector("#centre")!);
