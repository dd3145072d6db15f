// The page for operators. Everything it remembers, the token among it, is gone with the tab.
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import "graphiql/graphiql.css";

const endpoint = new URL("graphql", document.baseURI).href;

async function fetcher(request, options) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...options?.headers },
    body: JSON.stringify(request),
  });
  return response.json();
}

const headers = JSON.stringify({ Authorization: "Bearer paste a token here" }, null, 2);

const query = `# Put a token into "Headers" below: "laurel token" makes one, "make serve" prints one for each role.
# Ctrl-Space completes, and the book on the left describes everything there is.

query Members {
  members(first: 10) {
    nodes {
      externalId
      tier { name }
      points { available expiring { points at } }
      progress { nextTier { name } ratio criteria { fact current required } }
    }
  }
}
`;

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    storage={window.sessionStorage}
    shouldPersistHeaders
    isHeadersEditorEnabled
    defaultEditorToolsVisibility="headers"
    defaultHeaders={headers}
    defaultQuery={query}
  />,
);
