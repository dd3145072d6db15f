// The question before a mutation of a live programme.
import { print } from "graphql";
import { useEffect, useRef, useState } from "react";

let show = () => {};

/** Whether the operator wants this mutation to be sent. */
export const confirmed = (operation, variables) => new Promise((answer) => show({ operation, variables, answer }));

export function Confirmation() {
  const [asked, setAsked] = useState(null);
  const dialog = useRef(null);
  useEffect(() => {
    show = setAsked;
  }, []);
  useEffect(() => {
    if (asked) dialog.current.showModal();
  }, [asked]);
  if (!asked) return null;
  const answer = (wanted) => {
    asked.answer(wanted);
    setAsked(null);
  };
  const names = asked.operation.selectionSet.selections.map(({ name }) => name?.value ?? "…").join(", ");
  return (
    <dialog ref={dialog} className="confirmation" aria-labelledby="confirmation-title" onCancel={() => answer(false)}>
      <h2 id="confirmation-title">This programme is live</h2>
      <p>
        <strong>{names}</strong> changes what real members have. What is written into the ledger stays there; it can be
        reversed, and not removed.
      </p>
      <pre>{print(asked.operation.selectionSet).replace(/^\{\n|\n\}$/g, "")}</pre>
      {asked.variables && Object.keys(asked.variables).length > 0 && <pre>{JSON.stringify(asked.variables, null, 2)}</pre>}
      <div className="choices">
        <button type="button" className="quiet" autoFocus onClick={() => answer(false)}>
          Don’t send
        </button>
        <button type="button" className="grave" onClick={() => answer(true)}>
          Send to the live programme
        </button>
      </div>
    </dialog>
  );
}
