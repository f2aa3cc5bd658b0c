import { vi } from "vitest";

/** Waits until `check` throws no more. As long as a machine needs on which other tests run beside this one. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000 });
