// Tables: what is shown, and the exact numbers behind it, which are downloaded.
import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Said } from "./words.ts";

export type Exact = string | number | null | undefined;

export interface Column<Row> {
  /** Its name in a file, the same in every language. */
  key: string;
  /** What stands above it; a column without is for files alone. */
  head?: string;
  kind: "text" | "day" | "number";
  exact: (row: Row) => Exact;
  shown?: (row: Row) => ComponentChild;
}

interface Props<Row> {
  said: Said;
  name: string;
  columns: Column<Row>[];
  rows: Row[];
  /** What is beneath all rows, and what it is called. */
  foot?: Row | undefined;
  footName?: string;
  active?: number | null;
  onActive?: (index: number | null) => void;
}

export function Table<Row>({ said, name, columns, rows, foot, footName, active, onActive }: Props<Row>) {
  const shown = columns.filter(({ head }) => head !== undefined);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Only as far as the table is scrolled by itself; the page stays where it is.
    const row = active === null || active === undefined ? null : frame.current?.querySelectorAll<HTMLElement>("tbody tr")[active];
    if (!row || !frame.current || frame.current.matches(":hover")) return;
    const { scrollTop, clientHeight } = frame.current;
    if (row.offsetTop < scrollTop + row.offsetHeight || row.offsetTop + row.offsetHeight > scrollTop + clientHeight) {
      frame.current.scrollTop = row.offsetTop - clientHeight / 2;
    }
  }, [active]);
  const line = (row: Row, key: string, index: number | null, called?: string) => (
    <tr key={key} class={index !== null && index === active ? "pointed" : ""} onPointerEnter={() => onActive?.(index)} onPointerLeave={() => onActive?.(null)}>
      {shown.map((column, place) => {
        const cell = place === 0 && called ? called : column.shown ? column.shown(row) : (column.exact(row) ?? said.say("noValue"));
        return place === 0 ? (
          <th key={column.key} scope="row">
            {cell}
          </th>
        ) : (
          <td key={column.key} class={column.kind}>
            {cell}
          </td>
        );
      })}
    </tr>
  );
  return (
    <div class="scroll" ref={frame} tabIndex={0} role="region" aria-label={said.say("asTable", { name })}>
      <table>
        <caption class="unseen">{name}</caption>
        <thead>
          <tr>
            {shown.map(({ key, head, kind }) => (
              <th key={key} scope="col" class={kind}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows.map((row, index) => line(row, String(index), index))}</tbody>
        {foot && <tfoot>{line(foot, "foot", null, footName)}</tfoot>}
      </table>
      {rows.length === 0 && <p class="nothing">{said.say("noData")}</p>}
    </div>
  );
}

/** A list that grows by pages: all that is known of it, and what keeps that when the next page is asked for. */
export function useGrowing<Row>(page: Row[], idOf: (row: Row) => unknown): [Row[], () => void] {
  const [kept, keep] = useState<Row[]>([]);
  const known = new Set(kept.map(idOf));
  const rows = [...kept, ...page.filter((row) => !known.has(idOf(row)))];
  return [rows, () => keep(rows)];
}
