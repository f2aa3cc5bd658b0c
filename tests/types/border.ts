// Both sides of the border between module and page have the same names: where they do not, this file does not compile. The
// lists themselves are typed by the module where they stand: `js/status.ts`, `js/flat.ts`, `js/codec.ts`, `js/engine.ts`.
import type { DocumentOperation } from "../../js/codec.js";
import type { EngineConfig } from "../../js/engine.js";
import type { CollabErrorCode } from "../../js/errors.js";
import type { Origin, Status } from "../../js/types.js";
import type {
  ConfigKeys,
  ConfigStoreKeys,
  ConnectionNames,
  EngineErrorCodes,
  OperationTags,
  OriginNames,
  SavedNames,
  StorageNames,
} from "../../pkg/slate_yrs.js";

/** `true` where two unions have the same members. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : [B, "has more than", A]) : [A, "has more than", B];

export const border: {
  connection: Same<ConnectionNames[number], Status["connection"]>;
  saved: Same<SavedNames[number], Status["saved"]>;
  storage: Same<StorageNames[number], Status["storage"]>;
  origin: Same<OriginNames[number], Origin>;
  operations: Same<keyof OperationTags, DocumentOperation["type"]>;
  config: Same<ConfigKeys[number], keyof EngineConfig>;
  store: Same<ConfigStoreKeys[number], keyof NonNullable<EngineConfig["store"]>>;
  // The page has errors of its own besides.
  errors: Same<EngineErrorCodes[number] & CollabErrorCode, EngineErrorCodes[number]>;
} = {
  connection: true,
  saved: true,
  storage: true,
  origin: true,
  operations: true,
  config: true,
  store: true,
  errors: true,
};
