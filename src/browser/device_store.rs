//! Which store pages use. Another one has the methods of this one, is put here, and passes `store::conformance`.

pub type DeviceStore = super::store::IndexedDb;
