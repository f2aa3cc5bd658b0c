// @vitest-environment jsdom
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { DrawerProvider, Frame } from "./frame.tsx";

it("leaves the sidebar open that was opened while the script was loading", () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  const frame = (key: string) => (
    <DrawerProvider>
      <Frame key={key} title={key} slots={{}}>
        {key}
      </Frame>
    </DrawerProvider>
  );
  const { rerender } = render(frame("loading"));
  fireEvent.click(screen.getByRole("button", { name: "Scripts and scenes" }));
  rerender(frame("script"));
  expect(screen.getByRole("heading", { name: "script" })).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("button", { name: "Close" })).toBeNull();
});
