// The way in: a token or an API key, which the server is asked about.
import { useState } from "react";
import { live } from "./installation.js";
import { Standing } from "./bar.jsx";
import { enter } from "./session.js";

export function LogIn({ onEnter, onBack }) {
  const [token, setToken] = useState("");
  const [refused, setRefused] = useState("");
  const [asking, setAsking] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setAsking(true);
    try {
      onEnter(await enter(token.trim().replace(/^Bearer\s+/i, "")));
    } catch (error) {
      setRefused(error.message);
      setAsking(false);
    }
  };
  return (
    <main className="login">
      <form onSubmit={submit}>
        <h1>
          Laurel <Standing />
        </h1>
        <label htmlFor="token">Token or API key</label>
        <textarea
          id="token"
          rows={5}
          autoFocus
          required
          spellCheck={false}
          autoComplete="off"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && (event.preventDefault(), event.currentTarget.form.requestSubmit())}
          aria-describedby="token-help"
        />
        <p id="token-help">
          {live ? "Your administrator gives you one; laurel token makes one." : "make serve prints one for each role."} It
          stays in this tab, and is gone when the tab is closed.
        </p>
        <p className="refused" role="alert">
          {refused}
        </p>
        <div className="choices">
          {onBack && (
            <button type="button" className="quiet" onClick={onBack}>
              Back
            </button>
          )}
          <button type="submit" disabled={asking}>
            Log in
          </button>
        </div>
      </form>
    </main>
  );
}
