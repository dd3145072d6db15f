// A figure on the page: its number, how it compares, what it is, its chart, its table, and its files.
import type { ComponentChild, ComponentChildren } from "preact";
import { csv, parquet, save } from "./files.ts";
import { look } from "./graph.ts";
import type { Column } from "./tables.tsx";
import type { Said } from "./words.ts";

export interface About {
  is: string;
  formula: string;
  source?: string;
}

interface Props<Row> {
  said: Said;
  id: string;
  name: string;
  about: About;
  headline?: ComponentChild;
  note?: ComponentChild;
  /** The file's name, without its ending, and what is in it. */
  file?: { name: string; columns: Column<Row>[]; rows: Row[] } | undefined;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function Card<Row>({ said, id, name, about, headline, note, file, actions, children }: Props<Row>) {
  const download = async (format: "csv" | "parquet") => {
    if (!file) return;
    try {
      const blob = format === "csv" ? csv(file.columns, file.rows) : await parquet(file.columns, file.rows);
      save(blob, `laurel-${file.name}.${format}`);
    } catch {
      // What writes Parquet is loaded when it is needed: the server is not there, or is another and has it no longer.
      void look();
    }
  };
  return (
    <article class="card" id={id} aria-labelledby={`${id}-name`}>
      <header>
        <h3 id={`${id}-name`}>{name}</h3>
        {headline && <p class="headline">{headline}</p>}
        {note && <p class="note">{note}</p>}
        <div class="tools">
          {actions}
          {file &&
            file.rows.length > 0 &&
            (["csv", "parquet"] as const).map((format) => (
              <button key={format} type="button" class="small" onClick={() => download(format)} aria-label={said.say("download", { name, format: said.say(format) })}>
                {said.say(format)}
              </button>
            ))}
        </div>
      </header>
      <div class="body">{children}</div>
      <details class="about">
        <summary>
          {said.say("definition")}
          <span class="unseen"> · {name}</span>
        </summary>
        <dl>
          <dt>{said.say("definitionIs")}</dt>
          <dd>{about.is}</dd>
          <dt>{said.say("formula")}</dt>
          <dd>
            <code>{about.formula}</code>
          </dd>
          {about.source && (
            <>
              <dt>{said.say("source")}</dt>
              <dd>{about.source}</dd>
            </>
          )}
        </dl>
      </details>
    </article>
  );
}

/** How a number compares with the one before: in a sign for the eye, in words for the ear. */
export function Difference({ said, change }: { said: Said; change: { text: string; sign: number } | null }) {
  if (!change) return <span class="change">{said.say("noValue")}</span>;
  const words = change.sign === 0 ? said.say("same") : said.say(change.sign > 0 ? "up" : "down", { change: change.text });
  return (
    <span class="change">
      <span aria-hidden="true">
        <i class="arrow">{change.sign === 0 ? "=" : change.sign > 0 ? "▲" : "▼"}</i> {change.text}
      </span>
      <span class="unseen">{words}</span>
    </span>
  );
}
