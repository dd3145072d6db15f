// What operators do day by day, as documents to fill in. recipes/README.md says how one is written.
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import texts from "recipes";

const TABS = 3;
const SOMEBODY = 'externalId: "14057"';

/** A recipe of its text: `# title`, `# roles: …`, its description, and the document. */
export function read(text) {
  const [title, roles, ...rest] = text.split("\n");
  const end = rest.findIndex((line) => !line.startsWith("#"));
  return {
    title: title.slice(2),
    roles: roles.replace("# roles: ", "").split(", "),
    description: rest.slice(0, end).map((line) => line.slice(2)).join(" "),
    document: rest.slice(end).join("\n").trim(),
  };
}

const recipes = texts.map(read);

export const recipesFor = (role) => recipes.filter(({ roles }) => roles.includes(role));

/** The document as a caller opens it: with a key that was never used, and about the member whose token it is. */
function opened({ title, description, document }, { member }) {
  const said = `${title}. ${description}`.replace(/(.{1,56})(?:\s+|$)/g, "# $1\n");
  const fresh = document.replaceAll("NEW-KEY", () => crypto.randomUUID());
  return `${said}\n${member ? fresh.replaceAll(SOMEBODY, `id: "${member.id}"`) : fresh}\n`;
}

/** The tabs that a caller begins with. */
export const firstTabs = (caller, recipes) => recipes.slice(0, TABS).map((recipe) => ({ query: opened(recipe, caller) }));

export function recipesPlugin(caller, recipes) {
  function Recipes() {
    const { addTab, setVisiblePlugin } = useGraphiQLActions();
    const editor = useGraphiQL((state) => state.queryEditor);
    const open = (recipe) => {
      addTab();
      editor?.setValue(opened(recipe, caller));
      // Where the pane covers the editor there is nothing to see before it goes.
      if (matchMedia("(max-width: 640px)").matches) setVisiblePlugin(null);
    };
    return (
      <section className="recipes" aria-label="Recipes">
        <div className="graphiql-doc-explorer-title">Recipes for {caller.role}</div>
        <ul>
          {recipes.map((recipe) => (
            <li key={recipe.title}>
              <button type="button" onClick={() => open(recipe)}>
                <strong>{recipe.title}</strong>
                <span>{recipe.description}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
    );
  }
  return { title: "Recipes", icon: RecipesIcon, content: Recipes };
}

const RecipesIcon = () => (
  <svg height="1em" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <path d="M3 1.5h8l2 2v11H3z M5.5 6h5 M5.5 8.5h5 M5.5 11h3" />
  </svg>
);
