// The way in: a token or an API key, which the server is asked about. Whoever has no figures to see is told who has.
import { useState } from "preact/hooks";
import { Outdated, Refused } from "./graph.ts";
import { type Caller, enter, type Gone, NotForRole } from "./session.ts";
import type { Said } from "./words.ts";

export function LogIn({ said, gone, onEnter }: { said: Said; gone: Gone | null; onEnter: (caller: Caller) => void }) {
  const [token, setToken] = useState("");
  const [refused, setRefused] = useState("");
  const [asking, setAsking] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setAsking(true);
    setRefused("");
    try {
      onEnter(await enter(token.trim().replace(/^Bearer\s+/i, "")));
    } catch (error) {
      if (error instanceof NotForRole) setRefused(said.say("notForRole", { role: said.role(error.role) }));
      else if (error instanceof Refused) setRefused(said.refusal(error));
      else setRefused(said.say(error instanceof Outdated ? "upgraded" : "noConnection"));
      setAsking(false);
    }
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>
          Laurel <span>{said.say("title")}</span>
        </h1>
        {gone === "expired" && !refused && <p role="status">{said.say("expired")}</p>}
        <label for="token">{said.say("token")}</label>
        <textarea
          id="token"
          rows={5}
          autoFocus
          required
          spellcheck={false}
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            event.currentTarget.form?.requestSubmit();
          }}
          aria-describedby="token-help"
        />
        <p id="token-help" class="soft">
          {said.say("tokenHelp")}
        </p>
        <p class="refused" role="alert">
          {refused}
        </p>
        <button type="submit" class="main" disabled={asking}>
          {said.say("logIn")}
        </button>
      </form>
    </main>
  );
}
