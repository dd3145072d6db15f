// How the page asks: over HTTP, and over one WebSocket for subscriptions.
import { getOperationAST, parse } from "graphql";
import { createClient } from "graphql-ws";
import { endpoint, live } from "./installation.js";

/** One question over HTTP: the answer as it came. Throws an Error when there is none. */
export async function ask(token, query, variables, operationName) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json;q=0.9",
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query, variables, operationName }),
  });
  return response.json();
}

/**
 * GraphiQL's fetcher for one caller, and `close` for what it leaves open. `confirmed` is asked before a mutation where the
 * programme is live.
 */
export function openFetcher(token, confirmed) {
  const socket = createClient({
    url: endpoint.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 3,
  });
  const fetcher = async ({ query, variables, operationName }) => {
    const operation = operationOf(query, operationName);
    if (operation?.operation === "subscription") return socket.iterate({ query, variables, operationName });
    if (operation?.operation === "mutation" && live && !(await confirmed(operation, variables))) {
      throw new Error("Nothing was sent.");
    }
    return ask(token, query, variables, operationName);
  };
  return { fetcher, close: () => socket.dispose() };
}

/** The operation that is asked for; null when the server had better say what is wrong with the document. */
function operationOf(query, operationName) {
  try {
    const document = parse(query);
    // A name that fits nothing is the server's to refuse; a mutation is not sent unasked for that.
    return getOperationAST(document, operationName) ?? document.definitions.find(isMutation);
  } catch {
    return null;
  }
}

const isMutation = (definition) => definition.operation === "mutation";
