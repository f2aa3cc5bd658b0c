import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { checkLists } from "./check-lists.tsx";
import type { Example } from "./example.ts";
import { mentions } from "./mentions.tsx";
import { richtext } from "./richtext.tsx";
import { Shell } from "./shell.tsx";
import { tables } from "./tables.tsx";
import "./style.css";

const EXAMPLES: Record<string, Example> = { richtext, mentions, tables, "check-lists": checkLists };

const query = new URLSearchParams(location.search);
const wanted = query.get("example") ?? "richtext";
const example = EXAMPLES[wanted];
const place = {
  id: query.get("id") ?? `example-${wanted}`,
  url: query.get("server") ?? `${location.origin.replace(/^http/, "ws")}/ws/scenes`,
  name: query.get("name") ?? "Somebody",
};

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <nav>
      {Object.keys(EXAMPLES).map((name) => (
        <a key={name} href={`?example=${name}&name=${encodeURIComponent(place.name)}`}>
          {name}
        </a>
      ))}
    </nav>
    {example ? <Shell example={example} place={place} /> : <p role="alert">There is no example {wanted}.</p>}
  </StrictMode>,
);
