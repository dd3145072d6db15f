// All tests in one process.
await import("./tools.test.mjs");
await import("./http.test.mjs");
await import("./websocket.test.mjs");
await import("./events.test.mjs");
await import("./apollo.test.mjs");
await import("./urql.test.mjs");
await import("./relay.test.mjs");
