// What the page knows of the installation that serves it.

/** Where the API is, beside the page. */
export const endpoint = new URL("graphql", document.baseURI).href;

/** Whether the points are worth something. What says nothing is taken for live. */
export const live = document.querySelector('meta[name="laurel-live"]')?.content !== "no";
