// Light or dark: as chosen in this browser, else as the system has it.
import { useEffect } from "react";
import { useRemembered } from "./remembered.ts";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)").matches;

export function useTheme(): [boolean, (dark: boolean) => void] {
  const [theme, setTheme] = useRemembered("theme");
  const dark = theme ? theme === "dark" : systemIsDark;
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }, [dark]);
  return [dark, (next) => setTheme(next ? "dark" : "light")];
}
