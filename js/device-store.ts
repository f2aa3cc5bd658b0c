// What a page has to know of the device's store while the module is not loaded yet: of the one that
// `src/browser/device_store.rs` names.

/** `DEFAULT_DATABASE` in `src/browser/store`. */
const DATABASE = "slate-yrs";

/** Whether anything can be kept on this device. */
export function hasDeviceStore(): boolean {
  try {
    return typeof indexedDB === "object" && indexedDB !== null;
  } catch {
    // A sandboxed frame may not even look.
    return false;
  }
}

/** Whether nothing is kept under this name, so that the engine will find nothing. Where that is not known: no. */
export async function isEmpty(database: string): Promise<boolean> {
  try {
    return (await indexedDB.databases()).every(({ name }) => name !== (database || DATABASE));
  } catch {
    return false;
  }
}
