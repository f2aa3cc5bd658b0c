// The one error class of the package, and how the engine's errors become it.

/** What went wrong, in a word that programs may rely on. */
export type CollabErrorCode =
  /** The server refused the token, and the next one too. */
  | "unauthorized"
  /** The server refuses this user the document, for good. */
  | "forbidden"
  /** Something came that is no message, or an argument is not what it must be. */
  | "protocol"
  /** Bytes that are no Yjs update, or an operation that does not fit the document. */
  | "invalid-update"
  /** The server does not take a change of this size. */
  | "too-large"
  /** More messages than {@link Collab.broadcast} sends in that time. */
  | "rate-limited"
  /** The device's storage is full, blocked, closed or damaged. */
  | "storage"
  /** The document was deleted and made anew on the server. */
  | "epoch"
  /** The document's content lies under another root, or in another layout. */
  | "root-mismatch"
  /**
   * The document is of a format that this version does not know, or that the server does not guard: it may only be read.
   * A newer version takes over what is kept on this device.
   */
  | "format"
  /** The WebAssembly module did not load, or failed; documents are reopened from what was kept. */
  | "wasm"
  /** The document is closed. */
  | "closed";

const CODES: ReadonlySet<string> = new Set<CollabErrorCode>([
  ...(["unauthorized", "forbidden", "protocol", "invalid-update", "too-large", "rate-limited"] as const),
  ...(["storage", "epoch", "root-mismatch", "format", "wasm", "closed"] as const),
]);

/** Every error this package throws, rejects with or reports. `code` is stable, `message` is for people. */
export class CollabError extends Error {
  override readonly name = "CollabError";
  readonly code: CollabErrorCode;

  constructor(code: CollabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the engine throws: a code and a message. */
interface EngineError {
  code: string;
  message: string;
}

function isEngineError(error: unknown): error is EngineError {
  return typeof error === "object" && error !== null && "code" in error && CODES.has(String(error.code));
}

/** Any thrown value as a CollabError; `fallback` where the value does not say. */
export function toCollabError(error: unknown, fallback: CollabErrorCode): CollabError {
  if (error instanceof CollabError) return error;
  if (isEngineError(error)) return new CollabError(error.code as CollabErrorCode, String(error.message));
  const message = error instanceof Error ? error.message : String(error);
  return new CollabError(fallback, message, { cause: error });
}
