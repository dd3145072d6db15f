// The line above the editors: who asks, and of which programme.
import { useEffect, useState } from "react";
import { ask } from "./fetcher.js";
import { live } from "./installation.js";

export const Standing = () => (
  <span
    className={live ? "standing live" : "standing"}
    title={live ? "What is done here is done to real members." : "Nothing here is worth anything."}
  >
    {live ? "Live" : "Sample"}
  </span>
);

const CLOCK = "query Clock { clock { standsAt isSandbox movingUntil } }";
const LOOK_MS = 2000;

const shown = (instant) => new Date(instant).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** In a sandbox, what time it is there; elsewhere nothing. */
function Sandbox({ token }) {
  const [clock, setClock] = useState(null);
  useEffect(() => {
    let timer;
    let gone = false;
    const look = async () => {
      const answer = await ask(token, CLOCK).catch(() => null);
      if (gone) return;
      if (answer?.data?.clock) setClock(answer.data.clock);
      // Others move it too. What is no sandbox never becomes one.
      if (!answer?.data?.clock || answer.data.clock.isSandbox) timer = setTimeout(look, LOOK_MS);
    };
    if (!live) look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [token]);
  if (!clock?.isSandbox) return null;
  return (
    <span className="standing sandbox" title="The clock of a sandbox is moved with advanceClock.">
      Sandbox · {shown(clock.standsAt)}
      {clock.movingUntil && ` → ${shown(clock.movingUntil)}`}
    </span>
  );
}

const ANOTHER = "another";

const said = ({ role, subject, member }) => (member ? `${role} ${member.externalId}` : `${role} · ${subject}`);

export function Bar({ caller, callers, onSwitch, onAnother, onLeave }) {
  return (
    <header className="bar">
      <strong className="name">Laurel</strong>
      <Standing />
      <Sandbox token={caller.token} />
      <label>
        <span className="who">You are</span>
        <select
          aria-label="Who asks"
          value={caller.token}
          onChange={({ target }) => (target.value === ANOTHER ? onAnother() : onSwitch(target.value))}
        >
          {callers.map((other) => (
            <option key={other.token} value={other.token}>
              {said(other)}
            </option>
          ))}
          <option value={ANOTHER}>somebody else …</option>
        </select>
      </label>
      <button type="button" className="quiet" onClick={onLeave}>
        Log out
      </button>
    </header>
  );
}
