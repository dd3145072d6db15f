// The editors check and complete in workers, which are files of ours beside the page's.
const files = { json: "json.worker.js", graphql: "graphql.worker.js" };

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(`graphiql/${files[label] ?? "editor.worker.js"}`, document.baseURI)),
};
