// A line of JSON for each test, which tests/npm.py reads.
export default async function* (source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const cause = data.details.error?.cause;
    const error = type === "test:fail" ? (cause?.stack ?? cause?.message ?? String(data.details.error)) : null;
    const milliseconds = Math.round(data.details.duration_ms);
    yield `${JSON.stringify({ name: data.name, error: error && `${error}\n${inspected(cause)}`, skipped: data.skip ?? null, milliseconds })}\n`;
  }
}

const inspected = (cause) => (cause && "actual" in cause ? JSON.stringify(cause.actual, null, 1) : "");
