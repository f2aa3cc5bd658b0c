/** Serves a folder until `close` is called. */
export function serve(
  folder: string,
  options?: { path?: string; headers?: Record<string, string>; head?: string },
): Promise<{ address: string; close(): Promise<void> }>;
