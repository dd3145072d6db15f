// Tables as files, made in the page: CSV as RFC 4180 has it, and Parquet.
import type { Column, Exact } from "./tables.tsx";

// A spreadsheet takes a text that begins so for a formula, wherever it has come from: some skip what is blank, some take the
// wide signs of Chinese and Japanese keyboards for theirs. A number is none.
const FORMULA = /^(\s*[=+\-@＝＋－＠]|[\t\r\n])/;
const NUMBER = /^-?\d+(\.\d+)?$/;

function field(value: Exact): string {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The lines end as RFC 4180 wants, and a mark at the start tells spreadsheets that it is UTF-8. */
export function csv<Row>(columns: Column<Row>[], rows: Row[]): Blob {
  const lines = [columns.map(({ key }) => key), ...rows.map((row) => columns.map(({ exact }) => exact(row)))];
  const text = lines.map((line) => `${line.map(field).join(",")}\r\n`).join("");
  return new Blob([`\ufeff${text}`], { type: "text/csv;charset=utf-8" });
}

/** Days are dates, numbers doubles, all else text. */
export async function parquet<Row>(columns: Column<Row>[], rows: Row[]): Promise<Blob> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const buffer = parquetWriteBuffer({
    schema: [
      { name: "root", num_children: columns.length },
      ...columns.map(({ key, kind }) => ({ name: key, repetition_type: "OPTIONAL" as const, ...TYPES[kind] })),
    ],
    columnData: columns.map(({ key, kind, exact }) => ({ name: key, data: rows.map((row) => typed(exact(row), kind)) })),
  });
  return new Blob([buffer], { type: "application/vnd.apache.parquet" });
}

const TYPES = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  day: { type: "INT32", converted_type: "DATE" },
  number: { type: "DOUBLE" },
} as const;

function typed(value: Exact, kind: "text" | "day" | "number"): string | number | Date | undefined {
  if (value === null || value === undefined) return undefined;
  if (kind === "number") return Number(value);
  return kind === "day" ? new Date(value) : String(value);
}

export function save(blob: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
