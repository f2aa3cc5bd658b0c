import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { keepPage } from "./app/keep-page.ts";
import "@fontsource/courier-prime/latin-400.css";
import "@fontsource/courier-prime/latin-400-italic.css";
import "@fontsource/courier-prime/latin-700.css";
import "@fontsource/courier-prime/latin-700-italic.css";
import "@fontsource-variable/inter/wght.css";
import "./styles/theme.css";
import "./styles/layout.css";
import "./styles/page.css";
import "./styles/panels.css";
import "./styles/collab.css";
import "./styles/notes.css";
import "./styles/writing.css";
import "./styles/print.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
keepPage();
