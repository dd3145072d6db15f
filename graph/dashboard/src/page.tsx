// The dashboard: who looks, at what, and what the server says.
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type By, EVERY, PARTS, read, type Section, SECTIONS, type View, written } from "./address.ts";
import { Behind } from "./behind.tsx";
import { Cohorts } from "./cohorts.tsx";
import { FIGURES, type FigureName, GROUPS, type Group } from "./figures.ts";
import { useFigures } from "./finding.ts";
import { CostDocument, ShopDocument, type ShopQuery } from "./generated.ts";
import { lookAfterServer, refresh, useAnswer, useAsOf, useLink } from "./graph.ts";
import { GroupCards, Overview } from "./key_figures.tsx";
import { LogIn } from "./login.tsx";
import { localDay, monthStart, plusDays } from "./periods.ts";
import { Predictions } from "./predictions.tsx";
import { type Caller, current, forget, type Gone, whenGone } from "./session.ts";
import { Value } from "./value.tsx";
import { type Language, Said } from "./words.ts";

const LANGUAGES: Record<Language, string> = { en: "English", zh: "中文" };

function Page() {
  const [caller, setCaller] = useState(current);
  const [gone, setGone] = useState<Gone | null>(null);
  const [given, setGiven] = useState(() => read(location.search));
  const said = useMemo(() => new Said(given.lang), [given.lang]);
  useEffect(() => {
    whenGone((why) => {
      setGone(why);
      setCaller(null);
    });
    const back = () => setGiven(read(location.search));
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  useEffect(() => {
    document.documentElement.lang = given.lang === "zh" ? "zh-Hans" : "en";
    document.title = `Laurel · ${said.say("title")}`;
  }, [given.lang]);
  const speak = (lang: Language) => {
    const address = new URLSearchParams(location.search);
    address.set("lang", lang);
    history.replaceState(null, "", `?${address.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`);
    setGiven(read(location.search));
  };
  return (
    <>
      <Notices said={said} />
      {caller ? (
        <Shop key={caller.token} said={said} caller={caller} given={given} setGiven={setGiven} speak={speak} />
      ) : (
        <>
          <Languages said={said} speak={speak} />
          <LogIn said={said} gone={gone} onEnter={setCaller} />
        </>
      )}
    </>
  );
}

function Languages({ said, speak }: { said: Said; speak: (language: Language) => void }) {
  return (
    <span class="languages" role="group" aria-label={said.say("language")}>
      {(Object.keys(LANGUAGES) as Language[]).map((language) => (
        <button key={language} type="button" lang={language === "zh" ? "zh-Hans" : "en"} aria-pressed={language === said.language} onClick={() => speak(language)}>
          {LANGUAGES[language]}
        </button>
      ))}
    </span>
  );
}

/** What the page has to say about the server. */
function Notices({ said }: { said: Said }) {
  const { trouble, upgraded } = useLink();
  return (
    <div class="notices" role="status">
      {trouble && <p class="trouble">{said.say(trouble)}</p>}
      {upgraded && (
        <p class="upgraded">
          {said.say("upgraded")}{" "}
          <button type="button" onClick={() => location.reload()}>
            {said.say("reload")}
          </button>
        </p>
      )}
    </div>
  );
}

interface ShopProps {
  said: Said;
  caller: Caller;
  given: ReturnType<typeof read>;
  setGiven: (given: ReturnType<typeof read>) => void;
  speak: (language: Language) => void;
}

/** Where the address is silent, the last twelve months by month are shown, up to the programme's today. */
function Shop({ said, caller, given, setGiven, speak }: ShopProps) {
  const { data, refused } = useAnswer(caller, ShopDocument, {}, false);
  if (refused && !data?.programme) return <p class="nothing refused">{said.refusal(refused)}</p>;
  if (!data?.programme || !data.clock) return <p class="nothing">{said.say("waiting")}</p>;
  const today = localDay(data.clock.standsAt, data.programme.timezone);
  const view: View = { since: monthStart(today, -11), until: today, by: "MONTH", ...given };
  return <Board said={said.in(data.programme.currency)} caller={caller} shop={data} today={today} view={view} setGiven={setGiven} speak={speak} />;
}

interface BoardProps extends Omit<ShopProps, "given"> {
  shop: ShopQuery;
  today: string;
  view: View;
}

function Board({ said, caller, shop, today, view, setGiven, speak }: BoardProps) {
  const { programme, clock } = shop;
  const zone = programme?.timezone ?? "UTC";
  const tierNames = useMemo(() => new Map(programme?.tiers.map(({ code, name }) => [code, name])), [programme]);
  const found = useFigures(caller, view);
  const cost = useAnswer(
    caller,
    CostDocument,
    // Of a longer period than a year the graph says the band alone, by the band's own days.
    !view.show.includes("points") || !found.whole ? null : isYear(found.whole) ? { since: found.whole.since, until: found.whole.until } : {},
  );
  const band = cost.data?.redemptionCost?.band;
  const standing = found.whole && isYear(found.whole) ? cost.data?.redemptionCost?.standing : undefined;
  useEffect(() => history.replaceState(null, "", written(view)), []);

  const change = (change: Partial<View>) => {
    const next = { ...view, ...change };
    // A field that is being typed into leaves no trace in the history; another section is a step back to.
    if (change.show || change.list !== undefined) history.pushState(null, "", written(next));
    else history.replaceState(null, "", written(next));
    setGiven(next);
  };
  const go = (name: FigureName) => {
    change({ show: [FIGURES[name].group] });
    waitFor(name, (card) => {
      card.scrollIntoView({ block: "start" });
      card.querySelector<HTMLElement>(".scroll")?.focus({ preventScroll: true });
    });
  };
  const open = (list: string) => change({ list });
  const toLosing = () => change({ show: ["predictions"], rank: "lost" });
  const figures = { said, view, found, open, toLosing, tierNames };
  return (
    <>
      <a class="skip" href="#figures">
        {said.say("skip")}
      </a>
      <header class="top">
        <h1>
          <bdi>{programme?.name ?? "Laurel"}</bdi> <span>{said.say("title")}</span>
        </h1>
        {clock?.isSandbox && (
          <span class="standing">
            {said.say("sandbox")} · {said.moment(clock.standsAt, zone)}
          </span>
        )}
        <span class="caller">
          {caller.role} · {caller.subject}
        </span>
        <Doing said={said} />
        <Languages said={said} speak={speak} />
        <button type="button" onClick={() => forget("out")}>
          {said.say("logOut")}
        </button>
      </header>
      <Filters said={said} view={view} today={today} change={change} waiting={found.waiting} refusal={found.refused ? said.refusal(found.refused) : ""} />
      <Fresh said={said} zone={zone} every={view.every} setEvery={(every) => change({ every })} />
      <nav class="sections" aria-label={said.say("sections")}>
        {SECTIONS.map((section) => (
          <SectionLink key={section} view={view} show={[section]} change={change}>
            {said.section(section)}
          </SectionLink>
        ))}
        <SectionLink view={view} show={[...SECTIONS]} change={change}>
          {said.say("all")}
        </SectionLink>
      </nav>
      <main id="figures" tabIndex={-1}>
        {!found.refused &&
          view.show.map((section) => (
            <section key={section} aria-labelledby={`section-${section}`}>
              <h2 id={`section-${section}`}>
                {said.section(section)}
                <small class="of-print"> {said.period(view.since, view.until)}</small>
              </h2>
              {section === "overview" && <Overview {...figures} go={go} />}
              {isGroup(section) && (
                <GroupCards
                  {...figures}
                  group={section}
                  band={band ? { low: Number(band.atLeast), high: Number(band.atMost) } : undefined}
                  note={standing ? said.say(STANDINGS[standing]) : undefined}
                />
              )}
              {section === "cohorts" && <Cohorts said={said} caller={caller} view={view} setMeasure={(measure) => change({ measure })} />}
              {section === "value" && <Value said={said} caller={caller} zone={zone} />}
              {section === "predictions" && <Predictions said={said} caller={caller} rank={view.rank} setRank={(rank) => change({ rank })} />}
            </section>
          ))}
      </main>
      <footer class="bottom">{said.say("footer", { zone, currency: programme?.currency ?? "" })}</footer>
      {view.list && <Behind key={view.list} said={said} caller={caller} list={view.list} zone={zone} tierNames={tierNames} close={() => open("")} />}
    </>
  );
}

const YEAR_DAYS = 366;
const isYear = ({ since, until }: { since: string; until: string }) => plusDays(since, YEAR_DAYS) > until;
const STANDINGS = { BELOW: "bandBelow", WITHIN: "bandWithin", ABOVE: "bandAbove" } as const;
const isGroup = (section: Section): section is Group => GROUPS.some((group) => group === section);

function SectionLink({ view, show, change, children }: { view: View; show: Section[]; change: (change: Partial<View>) => void; children: string }) {
  const here = show.length === view.show.length && show.every((section) => view.show.includes(section));
  const link = useRef<HTMLAnchorElement>(null);
  // On a phone the names are a row that is wider than the page.
  useEffect(() => void (here && link.current?.scrollIntoView({ block: "nearest", inline: "center" })), [here]);
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    change({ show });
  };
  return (
    <a ref={link} href={written({ ...view, show, list: "" })} aria-current={here ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}

interface FiltersProps {
  said: Said;
  view: View;
  today: string;
  change: (change: Partial<View>) => void;
  waiting: boolean;
  refusal: string;
}

function Doing({ said }: { said: Said }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <span class="doing">
      <button type="button" class="small" onClick={copy}>
        {copied ? said.say("copied") : said.say("copy")}
      </button>
      <button type="button" class="small" onClick={() => print()}>
        {said.say("print")}
      </button>
    </span>
  );
}

function Filters({ said, view, today, change, waiting, refusal }: FiltersProps) {
  const presets: [string, Partial<View>][] = [
    [said.say("last30"), { since: plusDays(today, -29), until: today, by: "DAY" }],
    [said.say("last90"), { since: plusDays(today, -89), until: today, by: "WEEK" }],
    [said.say("lastMonth"), { since: monthStart(today, -1), until: plusDays(monthStart(today), -1), by: "DAY" }],
    [said.say("thisYear"), { since: `${today.slice(0, 4)}-01-01`, until: today, by: "MONTH" }],
    [said.say("months12"), { since: monthStart(today, -11), until: today, by: "MONTH" }],
  ];
  return (
    <form class="filters" aria-label={said.say("filters")} onSubmit={(event) => event.preventDefault()}>
      <label>
        {said.say("since")}
        <input type="date" name="since" value={view.since} aria-invalid={refusal !== ""} aria-describedby="refusal" onChange={(event) => change({ since: event.currentTarget.value })} />
      </label>
      <label>
        {said.say("until")}
        <input type="date" name="until" value={view.until} aria-invalid={refusal !== ""} aria-describedby="refusal" onChange={(event) => change({ until: event.currentTarget.value })} />
      </label>
      <label>
        {said.say("by")}
        <select name="by" value={view.by} onChange={(event) => change({ by: event.currentTarget.value as By })}>
          {[...PARTS, "WHOLE" as const].map((by) => (
            <option key={by} value={by}>
              {said.by(by)}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" name="compare" checked={view.compare} onChange={(event) => change({ compare: event.currentTarget.checked })} />
        {said.say("compare")}
      </label>
      <span class="presets" role="group" aria-label={said.say("presets")}>
        {presets.map(([name, preset]) => (
          <button key={name} type="button" class="small" aria-pressed={preset.since === view.since && preset.until === view.until} onClick={() => change(preset)}>
            {name}
          </button>
        ))}
      </span>
      <p id="refusal" class="refused" role="alert">
        {refusal && said.say("refused", { reason: refusal })}
      </p>
      {!refusal && view.until > today && <p class="ahead">{said.say("ahead")}</p>}
      <p class="waiting" aria-hidden={!waiting}>
        {waiting ? said.say("waiting") : ""}
      </p>
    </form>
  );
}

/** Of when all is that is shown, and what asks anew: by the clock, and by a press. Coming back to the page does so as well. */
function Fresh({ said, zone, every, setEvery }: { said: Said; zone: string; every: number; setEvery: (minutes: number) => void }) {
  const asOf = useAsOf();
  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => document.visibilityState === "visible" && refresh(), every * 60_000);
    return () => clearInterval(timer);
  }, [every]);
  return (
    <div class="fresh">
      <p role="status">{asOf !== null && said.say("asOf", { moment: said.moment(asOf, zone, "medium") })}</p>
      <button type="button" class="small" onClick={refresh}>
        {said.say("refresh")}
      </button>
      <label>
        {said.say("refreshBy")}
        <select name="every" class="small" value={every} onChange={(event) => setEvery(Number(event.currentTarget.value))}>
          {EVERY.map((minutes) => (
            <option key={minutes} value={minutes}>
              {said.minutes(minutes)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Do something with a card as soon as it is there. */
function waitFor(id: string, then: (card: HTMLElement) => void, tries = 50) {
  const card = document.getElementById(id);
  if (card) then(card);
  else if (tries) requestAnimationFrame(() => waitFor(id, then, tries - 1));
}

lookAfterServer();
render(<Page />, document.getElementById("dashboard") as HTMLElement);
