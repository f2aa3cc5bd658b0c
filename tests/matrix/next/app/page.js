"use client";
import dynamic from "next/dynamic";
import { createElement as h } from "react";

// The address says which document: that is known in the browser alone.
const Scene = dynamic(() => import("../editor.js").then((module) => module.Scene), { ssr: false });

export default function Page() {
  return h(Scene);
}
