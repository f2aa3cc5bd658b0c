//! Whom the engine tells.
//!
//! Each method stands here with what TypeScript has to have in its place: the interface `EngineListener`.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

macro_rules! listener {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $answer:tt as $typescript:literal;)+) => {
        #[wasm_bindgen]
        extern "C" {
            /// Who is told. Its methods may call back into the engine; `kinds` must not.
            #[wasm_bindgen(typescript_type = "EngineListener")]
            #[derive(Clone)]
            pub type Listener;

            $(
                $(#[$doc])*
                #[wasm_bindgen(method, catch)]
                pub fn $name(this: &Listener, $($arg: $type),*) -> Result<$answer, JsValue>;
            )+
        }

        #[wasm_bindgen(typescript_custom_section)]
        const TYPESCRIPT: &str = concat!(
            "/** Whom the engine tells. */\nexport interface EngineListener {\n",
            $("  ", stringify!($name), $typescript, ";\n",)+
            "}\n",
        );
    };
}

listener! {
    fn ready() -> () as "(): void";
    fn operations(origin: u8, words: Vec<u32>, text: &str) -> ()
        as "(origin: number, words: Uint32Array, text: string): void";
    fn select(words: Vec<u32>) -> () as "(words: Uint32Array): void";
    fn diverged() -> () as "(): void";
    fn compare(blocks: Vec<u32>) -> () as "(blocks: Uint32Array): void";
    fn update(origin: u8, update: Vec<u8>) -> () as "(origin: number, update: Uint8Array): void";
    /// `acknowledged`: the server has every own edit. `receiving`: what it sends can be kept on the device.
    fn status(acknowledged: bool, receiving: bool) -> () as "(acknowledged: boolean, receiving: boolean): void";
    /// What other tabs have to know of the changes made here, whenever it is another: the document's epoch, and whether
    /// they are stored.
    fn keeping(epoch: Option<String>, kept: bool) -> () as "(epoch: string | undefined, kept: boolean): void";
    /// The copy stands where older versions do not find it: so shall what the tabs tell each other.
    fn guarded() -> () as "(): void";
    fn peers() -> () as "(): void";
    /// Keys of a map have other values: JSON of `[key, value]`, of `[key]` where it is gone. `whole`: these are all its keys.
    fn values(origin: u8, map: &str, entries: &str, whole: bool) -> ()
        as "(origin: number, map: string, entries: string, whole: boolean): void";
    fn error(code: &str, message: &str) -> () as "(code: string, message: string): void";
    fn ended() -> () as "(): void";
    /// Whether elements of a type are inline (1) and void (2), as the editor has it.
    fn kinds(kind: &str) -> u32 as "(type: string): number";
    /// The address to connect to: a string or a promise of one. `fresh`: the last token was refused; `formats`: what the
    /// engine knows, for the query.
    fn address(fresh: bool, formats: &str) -> JsValue as "(fresh: boolean, formats: string): string | Promise<string>";
    /// A promise of the sessions of this document that are alive in other tabs, or being taken over there, as strings. What the
    /// others of `found` have left is taken over here, and by nobody else until `taken` is told.
    fn sessions(found: Vec<String>) -> Promise as "(found: string[]): Promise<string[]>";
    fn taken() -> () as "(): void";
    /// A socket to this address, to which nobody listens yet. The page may have another `WebSocket` than the global one.
    fn socket(address: &str) -> WebSocket as "(address: string): WebSocket";
}
