//! Which store pages use. Another one has the methods of this one, is put here, and passes `store::conformance`. What a page
//! has to know of it before the module is loaded is in `js/device-store.ts`.

pub type DeviceStore = super::store::IndexedDb;
