// The sign-in calendar: which days there were, what today brings, and days that are made up.
import { useState } from "preact/hooks";
import { MakeUpSignInDocument, RecordSignInDocument, SignInDocument, type SignInQuery } from "../../generated/graphql";
import { ActButton, Part, Said, useAct, useAsked, useCentre, Waiting } from "../centre";

type SignIn = NonNullable<NonNullable<NonNullable<SignInQuery["viewer"]>["member"]>["signIn"]>;

export function SignInPart() {
  const { reading, member } = useCentre();
  const { words } = reading;
  const [month, setMonth] = useState<string | null>(null);
  const asked = useAsked(SignInDocument, { month });
  const signing = useAct(RecordSignInDocument);
  if (asked.state !== "there") return <Waiting name="sign-in" title={words.signIn.heading} asked={asked} />;
  const signIn = asked.data.viewer?.member?.signIn;
  if (!signIn) return null;
  const today = reading.dayOf(new Date(Date.parse(signIn.resetsAt) - 1).toISOString());
  const next = signIn.ahead[0];
  const brings = next && reading.list(next.brings.map(({ amount, unit }) => reading.amount(amount, unit)));
  return (
    <Part name="sign-in" title={words.signIn.heading} aside={signIn.streak > 0 && <span className="faint">{words.signIn.streak(signIn.streak)}</span>}>
      <Month month={month ?? today} today={today} signIn={signIn} onTurn={setMonth} />
      {signIn.doneToday ? <p className="well">{words.signIn.done} {brings && words.signIn.tomorrow(brings)}</p> : brings && <p>{words.signIn.brings(brings)}</p>}
      {signIn.doneToday ? (
        // The button goes with the visit; what the visit brought is still said.
        <Said said={stillTrue(signing.said, true)} />
      ) : (
        <ActButton act={signing} scope="EARNING" onPress={() => signing.run({ member: { id: member.id } })}>
          {words.signIn.act}
        </ActButton>
      )}
      <MakeUp signIn={signIn} />
      <Ahead signIn={signIn} />
    </Part>
  );
}

/** What is still true of what came of an act: that nobody answered is not, once it is seen to be done. */
const stillTrue = <Came extends { refused: boolean }>(said: Came | null, isDone: boolean) => (isDone && said?.refused ? null : said);

/** What the next visits bring, if there is one on each day. */
function Ahead({ signIn }: { signIn: SignIn }) {
  const { reading } = useCentre();
  if (signIn.ahead.length === 0) return null;
  return (
    <>
      <h3>{reading.words.signIn.ahead}</h3>
      <ol className="ahead">
        {signIn.ahead.map(({ day, brings }) => (
          <li key={day}>
            <span className="faint">{reading.weekday(day)}</span>
            {brings.map(({ unit, amount }) => (
              <strong key={unit} title={reading.unit(unit)}>+{reading.number(amount)}</strong>
            ))}
          </li>
        ))}
      </ol>
    </>
  );
}

function MakeUp({ signIn }: { signIn: SignIn }) {
  const { reading, member } = useCentre();
  const { words } = reading;
  const making = useAct(MakeUpSignInDocument);
  const [tried, setTried] = useState<string>();
  const day = signIn.missed.at(-1);
  const said = stillTrue(making.said, tried !== day);
  if (signIn.makeUpCost === null || signIn.makeUpCost === undefined) return null;
  if (!day || signIn.makeUpsLeft === 0) return <Said said={said} />;
  return (
    <>
      <ActButton
        act={{ ...making, said }}
        scope="SPENDING"
        quiet
        onPress={() => {
          setTried(day);
          void making.run({ member: { id: member.id }, day });
        }}
      >
        {words.signIn.makeUp(reading.day(day), reading.amount(signIn.makeUpCost, "points"))}
      </ActButton>
      <p className="faint">{words.signIn.left(signIn.makeUpsLeft)}</p>
    </>
  );
}

const shifted = (day: string, months: number) => {
  const date = new Date(`${day.slice(0, 7)}-01T12:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 10);
};

function weeksOf(month: string): (string | null)[][] {
  const first = new Date(`${month.slice(0, 7)}-01T12:00:00Z`);
  const days: (string | null)[] = Array.from({ length: (first.getUTCDay() + 6) % 7 }, () => null);
  for (const day = new Date(first); day.getUTCMonth() === first.getUTCMonth(); day.setUTCDate(day.getUTCDate() + 1)) {
    days.push(day.toISOString().slice(0, 10));
  }
  while (days.length % 7) days.push(null);
  return Array.from({ length: days.length / 7 }, (_, week) => days.slice(week * 7, week * 7 + 7));
}

function Month({ month, today, signIn, onTurn }: { month: string; today: string; signIn: SignIn; onTurn(month: string | null): void }) {
  const { reading } = useCentre();
  const { words } = reading;
  const visits = new Map(signIn.calendar.map((visit) => [visit.day, visit]));
  const missed = new Set(signIn.missed);
  const isNow = month.slice(0, 7) === today.slice(0, 7);
  const later = shifted(month, 1);
  return (
    <>
      <div className="turning">
        <button type="button" className="quiet" aria-label={words.signIn.former} onClick={() => onTurn(shifted(month, -1))}>‹</button>
        <span aria-live="polite">{reading.month(month.slice(0, 7) + "-01")}</span>
        <button type="button" className="quiet" aria-label={words.signIn.later} disabled={isNow} onClick={() => onTurn(later.slice(0, 7) === today.slice(0, 7) ? null : later)}>›</button>
      </div>
      <table className="month">
        <caption className="hidden">{words.signIn.heading}</caption>
        <thead>
          <tr>
            {weeksOf("2024-01-01")[0]!.map((day) => <th scope="col" key={day}>{reading.weekday(day!)}</th>)}
          </tr>
        </thead>
        <tbody>
          {weeksOf(month).map((week, number) => (
            <tr key={number}>
              {week.map((day, at) => {
                if (!day) return <td key={at} />;
                const visit = visits.get(day);
                const state = visit ? (visit.isMadeUp ? "madeUp" : "signed") : missed.has(day) ? "missed" : null;
                return (
                  <td key={at} className={state ?? ""} aria-current={day === today ? "date" : undefined}>
                    <span>{Number(day.slice(8))}</span>
                    {state && <span className="hidden">, {words.signIn[state]}</span>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
