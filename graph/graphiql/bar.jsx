// The line above the editors: who asks, and of which programme.
import { live } from "./installation.js";

export const Standing = () => (
  <span
    className={live ? "standing live" : "standing"}
    title={live ? "What is done here is done to real members." : "Nothing here is worth anything."}
  >
    {live ? "Live" : "Sample"}
  </span>
);

const ANOTHER = "another";

const said = ({ role, subject, member }) => (member ? `${role} ${member.externalId}` : `${role} · ${subject}`);

export function Bar({ caller, callers, onSwitch, onAnother, onLeave }) {
  return (
    <header className="bar">
      <strong className="name">Laurel</strong>
      <Standing />
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
