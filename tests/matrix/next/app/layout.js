import { createElement as h } from "react";

export const metadata = { title: "Scene", icons: "data:," };

export default function Layout({ children }) {
  return h("html", { lang: "en" }, h("body", null, children));
}
