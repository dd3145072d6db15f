// The question before a mutation of a live programme.
import { print, valueFromASTUntyped } from "graphql";
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
  const fields = asked.operation.selectionSet.selections;
  return (
    <dialog ref={dialog} className="confirmation" aria-labelledby="confirmation-title" onCancel={() => answer(false)}>
      <h2 id="confirmation-title">This programme is live</h2>
      <p>What is written into the ledger of a real member stays there: it can be reversed, and not removed.</p>
      {fields.map((field, number) => (
        <Field key={number} field={field} variables={asked.variables ?? {}} />
      ))}
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

/** What a mutation is called, and all that it is told. */
function Field({ field, variables }) {
  if (field.kind !== "Field") return <p>{print(field)}</p>;
  const told = field.arguments.flatMap(({ name, value }) => {
    const given = valueFromASTUntyped(value, variables);
    return name.value === "input" && given && typeof given === "object" ? Object.entries(given) : [[name.value, given]];
  });
  return (
    <>
      <strong>{field.name.value}</strong>
      <dl>
        {told.flatMap(([name, value]) => [
          <dt key={`${name}:`}>{name}</dt>,
          <dd key={name}>{typeof value === "string" ? value : JSON.stringify(value)}</dd>,
        ])}
      </dl>
    </>
  );
}
