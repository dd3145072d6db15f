// Serves the page to whoever works on it: `npm start -- [--port 3000] [http://127.0.0.1:8000]`, the address being Laurel's, which
// answers /graphql as if the page were its own. What is changed in `src` or `operations` is there when the page is loaded again.
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { parseArgs } from "node:util";
import { context } from "esbuild";
import { here, options } from "./building.mjs";
import { generateClient } from "./codegen.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { port: { type: "string", default: "3000" } } });
const laurel = new URL(positionals[0] ?? "http://127.0.0.1:8000");
const client = { name: "client", setup: (build) => build.onStart(async () => void (await generateClient())) };
const built = await context({ ...options, outdir: "out", write: false, plugins: [client] });

const server = createServer(async (asked, answer) => {
  const path = new URL(asked.url, laurel).pathname;
  if (path === "/graphql") return passOn(asked, answer);
  if (path === "/") return answer.setHeader("Content-Type", "text/html").end(readFileSync(`${here}/page.html`));
  try {
    const { outputFiles } = await built.rebuild();
    const file = outputFiles.find((file) => file.path.endsWith(path.slice(path.lastIndexOf("/"))));
    answer.setHeader("Content-Type", path.endsWith(".css") ? "text/css" : "text/javascript").writeHead(file ? 200 : 404).end(file?.contents);
  } catch (error) {
    answer.writeHead(500).end(String(error));
  }
});

/** Laurel sees the request as it came, with the page's own host: so its origin is right for the WebSocket too. */
const sent = (asked) => request({ host: laurel.hostname, port: laurel.port, method: asked.method, path: asked.url, headers: asked.headers });

function passOn(asked, answer) {
  const passed = sent(asked).on("response", (said) => said.pipe(answer.writeHead(said.statusCode, said.headers)));
  passed.on("error", () => answer.headersSent ? answer.destroy() : answer.writeHead(502).end());
  asked.pipe(passed);
}

server.on("upgrade", (asked, socket) => {
  const passed = sent(asked).on("upgrade", (said, laurels) => {
    const headers = said.rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join("");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
    for (const [one, other] of [[socket, laurels], [laurels, socket]]) one.on("error", () => other.destroy()).on("close", () => other.destroy()).pipe(other);
  });
  passed.on("error", () => socket.destroy()).on("response", () => socket.destroy()).end();
});

server.listen(Number(values.port), "127.0.0.1", () => console.log(`http://127.0.0.1:${values.port}/`));
