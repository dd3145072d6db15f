// The line between a browser and a server, which a test cuts, and mends, and lets lead to another server.
import { createServer, connect } from "node:net";

/** A port of this machine that leads to the server at `url`, as long as the line is whole. */
export async function openLine(url) {
  const sockets = new Set();
  const line = { target: new URL(url), isCut: false };
  const server = createServer((near) => {
    if (line.isCut) return near.destroy();
    const far = connect(Number(line.target.port), line.target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => (sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  await new Promise((resume) => server.listen(0, "127.0.0.1", resume));
  line.url = `http://127.0.0.1:${server.address().port}`;
  line.cut = () => {
    line.isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  line.mend = (other = line.target) => {
    line.target = new URL(other);
    line.isCut = false;
  };
  line.close = () => {
    line.cut();
    server.close();
  };
  return line;
}
