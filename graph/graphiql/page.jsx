// The page for operators: who is asked for a token first, and who has given one asks, with recipes at hand.
// Everything it remembers, tokens among it, is gone with the tab.
import "./workers.js";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import "@graphiql/plugin-explorer/style.css";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { Bar } from "./bar.jsx";
import { Confirmation, confirmed } from "./confirmation.jsx";
import { openFetcher } from "./fetcher.js";
import { LogIn } from "./login.jsx";
import "./page.css";
import { firstTabs, recipesFor, recipesPlugin } from "./recipes.jsx";
import { callers, current, forget, storageOf, use } from "./session.js";

function Page() {
  const [caller, setCaller] = useState(current);
  const [another, setAnother] = useState(false);
  const enter = (chosen) => {
    setCaller(chosen);
    setAnother(false);
  };
  if (!caller || another) return <LogIn onEnter={enter} onBack={caller && (() => setAnother(false))} />;
  return (
    <>
      <Bar
        caller={caller}
        callers={callers()}
        onSwitch={(token) => enter(use(token))}
        onAnother={() => setAnother(true)}
        onLeave={() => enter(forget(caller.token))}
      />
      <Editor key={caller.token} caller={caller} />
      <Confirmation />
    </>
  );
}

function Editor({ caller }) {
  const { fetcher, close, storage, plugins, tabs } = useMemo(() => {
    const recipes = recipesFor(caller.role);
    return {
      ...openFetcher(caller.token, confirmed),
      storage: storageOf(caller),
      plugins: [recipesPlugin(caller, recipes), HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })],
      tabs: firstTabs(caller, recipes),
    };
  }, [caller]);
  useEffect(() => close, [close]);
  return (
    <div className="editor">
      <GraphiQL
        fetcher={fetcher}
        storage={storage}
        plugins={plugins}
        defaultTabs={tabs}
        isHeadersEditorEnabled={false}
        shouldPersistHeaders={false}
        defaultEditorToolsVisibility={false}
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <FollowScheme />
        </GraphiQL.Logo>
      </GraphiQL>
    </div>
  );
}

/** Lets the editors follow the reader's colour scheme when it changes; GraphiQL looks at it once. */
function FollowScheme() {
  const theme = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    if (theme) return undefined; // chosen in the settings, whatever the reader's scheme
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setTheme(null);
    dark.addEventListener("change", follow);
    return () => dark.removeEventListener("change", follow);
  }, [theme, setTheme]);
  return null;
}

createRoot(document.getElementById("graphiql")).render(<Page />);
