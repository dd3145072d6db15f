// What the page knows of the installation that serves it, and how somebody becomes a sample member of it.

const said = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name="laurel-${name}"]`)?.content;

/** Whether there are sample members here that anybody may be: only where Laurel was started with such. */
export const hasSamples = said("samples") === "yes";

export interface Sample {
  externalId: string;
  tier: string | null;
}

const samples = new URL("demo/samples", document.baseURI).href;

/** The sample members. */
export const findSamples = async (): Promise<Sample[]> => (await fetch(samples)).json();

/** A token that stands for a sample member for a day. */
export async function enterAs(externalId: string): Promise<string> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(samples, { method: "POST", headers, body: JSON.stringify({ externalId }) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()).token;
}

const build = said("build");

/** Whether the server has another version of this page by now. */
export async function isOutdated(): Promise<boolean> {
  const response = await fetch(document.baseURI, { method: "HEAD", cache: "no-store" });
  const there = response.headers.get("Laurel-Build");
  return response.ok && there !== null && there !== build;
}
