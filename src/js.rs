//! The only exports. Thin: each checks and converts, and hands over to the [`Driver`].
//!
//! What comes in is checked in `js/` as well, where types are known; here nothing is trusted to have been. Errors are
//! thrown as plain `{code, message}`, which `js/errors.ts` makes `CollabError`s of. Lists of names and numbers that both
//! sides have stand in Rust only, and are declared to TypeScript here: see `src/border.rs`.

pub mod config;
pub mod flat;

use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use yrs::Any;

use crate::browser::store::{DEFAULT_DATABASE, WriteDurability};
use crate::browser::{DeviceStore, Driver, Listener};
use crate::codec::{
    self, Batch, CodecError, decode_nodes, decode_ops, decode_range, encode_nodes, encode_ops, encode_range,
};
use crate::json;
use crate::session::{
    self, Conflict, Connection, DeviceStorage, ErrorCode, Input, Origin, Remote, Saved, SessionError,
};
use crate::slate::{Op, Path, ShownRun, SlateDoc};
use crate::store::{Pending, PendingKey, StoreError};

/// Puts a text into the declarations of the module.
macro_rules! declare {
    ($($name:ident: $text:expr,)+) => {
        $(
            #[wasm_bindgen(typescript_custom_section)]
            const $name: &str = $text;
        )+
    };
}

declare! {
    ORIGINS: Origin::TYPESCRIPT,
    CONNECTIONS: Connection::TYPESCRIPT,
    SAVED: Saved::TYPESCRIPT,
    STORAGES: DeviceStorage::TYPESCRIPT,
    REMOTES: Remote::TYPESCRIPT,
    ERROR_CODES: ErrorCode::TYPESCRIPT,
    STATUS: flat::STATUS,
    FLAGS: flat::FLAGS,
    PEER: flat::PEER,
    CONFIG_KEYS: config::KEYS,
    CONFIG_STORE_KEYS: config::STORE_KEYS,
    MAXIMA: codec::MAXIMA,
    VALUE_TAGS: codec::value_tag::VALUE_TAGS,
    OPERATION_TAGS: codec::op_tag::OP_TAGS,
}

/// One open document.
#[wasm_bindgen]
pub struct Engine {
    driver: Rc<Driver>,
    store: Option<DeviceStore>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a document: see `EngineConfig` in `js/engine.ts`. `words` and `text` are the initial value.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, words: Option<Vec<u32>>, text: &str, listener: Listener) -> Result<Engine, JsValue> {
        let initial = words.map(|words| decode_nodes(&words, text)).transpose().map_err(codec_error)?;
        let config =
            config::OpeningConfig::parse(config, initial).ok_or_else(|| protocol("the configuration is incomplete"))?;
        let (session, store) = config.into_parts();
        Ok(Engine { driver: Driver::start(session, store.clone(), listener), store })
    }

    /// From now on somebody is told of operations. Before, none are made.
    pub fn hear(&self) {
        self.driver.hear();
    }

    /// Another editor says which elements are inline and void: `kinds` of the listener.
    #[wasm_bindgen(js_name = schemaChanged)]
    pub fn schema_changed(&self) {
        self.driver.schema_changed();
    }

    /// `insert_text`, at a path of up to three indices, as one transaction.
    #[wasm_bindgen(js_name = insertText)]
    pub fn insert_text(&self, depth: u32, a: u32, b: u32, c: u32, offset: u32, text: String) {
        self.commit_one(Op::InsertText { path: short_path(depth, a, b, c), offset, text });
    }

    /// The same for `remove_text`.
    #[wasm_bindgen(js_name = removeText)]
    pub fn remove_text(&self, depth: u32, a: u32, b: u32, c: u32, offset: u32, text: String) {
        self.commit_one(Op::RemoveText { path: short_path(depth, a, b, c), offset, text });
    }

    /// A batch of operations as one transaction. `normalization`: what the editor's normalizers made of a change by
    /// others, or what else is no part of anyone's undo.
    pub fn commit(&self, words: &[u32], text: &str, normalization: bool) -> Result<(), JsValue> {
        let ops = decode_ops(words, text).map_err(codec_error)?;
        self.driver.feed(Input::Commit { ops, normalization });
        Ok(())
    }

    fn commit_one(&self, op: Op) {
        self.driver.feed(Input::Commit { ops: vec![op], normalization: false });
    }

    /// The editor's selection; empty for none.
    pub fn select(&self, words: &[u32]) -> Result<(), JsValue> {
        self.driver.feed(Input::Select(decode_range(words).map_err(codec_error)?));
        Ok(())
    }

    /// Whether anything that is shown changed.
    pub fn undo(&self) -> bool {
        self.driver.feed(Input::Undo);
        self.driver.read(|session| session.has_undone())
    }

    /// Whether anything that is shown changed.
    pub fn redo(&self) -> bool {
        self.driver.feed(Input::Redo);
        self.driver.read(|session| session.has_undone())
    }

    /// The next edit begins a step of its own.
    #[wasm_bindgen(js_name = stopCapturing)]
    pub fn stop_capturing(&self) {
        self.driver.feed(Input::StopCapturing);
    }

    #[wasm_bindgen(getter, js_name = canUndo)]
    pub fn can_undo(&self) -> bool {
        self.driver.read(|session| session.can_undo())
    }

    #[wasm_bindgen(getter, js_name = canRedo)]
    pub fn can_redo(&self) -> bool {
        self.driver.read(|session| session.can_redo())
    }

    #[wasm_bindgen(getter, js_name = clientId)]
    pub fn client_id(&self) -> u32 {
        self.driver.read(|session| session.client_id())
    }

    #[wasm_bindgen(unchecked_return_type = "[words: Uint32Array, text: string]")]
    pub fn value(&self) -> Array {
        batch(self.driver.read(|session| encode_nodes(session.blocks())))
    }

    /// One of the editor's children (none if there is no such), and how many there are.
    #[wasm_bindgen(unchecked_return_type = "[words: Uint32Array, text: string, count: number]")]
    pub fn block(&self, index: u32) -> Array {
        let (block, count) = self.driver.read(|session| session.block(index));
        let Batch { words, text } = encode_nodes(block);
        Array::of3(&js_sys::Uint32Array::from(words.as_slice()), &text.into(), &count.into())
    }

    /// The editor differed from the document and was mended: counted and reported.
    pub fn mended(&self, what: String) {
        self.driver.feed(Input::Mended(what));
    }

    /// See `js/flat.ts`.
    pub fn status(&self) -> Vec<f64> {
        self.driver.read(|session| flat::status(session.status()))
    }

    /// The last error; empty without one.
    #[wasm_bindgen(js_name = statusError, unchecked_return_type = "[code?: string, message?: string]")]
    pub fn status_error(&self) -> Array {
        self.driver.read(|session| match &session.status().error {
            Some(error) => Array::of2(&error.code.as_str().into(), &error.message.as_str().into()),
            None => Array::new(),
        })
    }

    /// Who this user is to the server, as far as it has said.
    pub fn user(&self) -> Option<String> {
        self.driver.read(|session| session.user().map(str::to_owned))
    }

    /// See `js/flat.ts`.
    pub fn peers(&self) -> Vec<f64> {
        self.driver.read(|session| flat::peers(session.peers()))
    }

    /// How many of the others have a lower client id, those without presence included.
    pub fn rank(&self) -> u32 {
        self.driver.read(|session| session.rank())
    }

    /// A peer's awareness state as JSON text.
    #[wasm_bindgen(js_name = peerState)]
    pub fn peer_state(&self, client_id: f64) -> Option<String> {
        self.driver.read(|session| session.peer_state(client_id as u64).map(str::to_owned))
    }

    /// Merges a JSON object into the presence.
    #[wasm_bindgen(js_name = setPresence)]
    pub fn set_presence(&self, json: &str) -> Result<(), JsValue> {
        match Any::from_json(json) {
            Ok(presence @ Any::Map(_)) => self.driver.feed(Input::Presence(presence)),
            _ => return Err(protocol("presence must be a JSON object")),
        }
        Ok(())
    }

    /// A value of a map as JSON text; none deletes the key. `undoable`: it is a step of undo.
    #[wasm_bindgen(js_name = setValue)]
    pub fn set_value(&self, map: String, key: String, json: Option<String>, undoable: bool) -> Result<(), JsValue> {
        let value = json.map(|json| json::value(&json)).transpose();
        let value = value.map_err(|error| protocol(&format!("the value is {error}")))?;
        self.driver.feed(Input::SetValue { map, key, value, undoable });
        Ok(())
    }

    /// The listener's `values` tells what a map has, and from then on what changes in it.
    #[wasm_bindgen(js_name = followMap)]
    pub fn follow_map(&self, map: String) {
        self.driver.feed(Input::FollowMap(map));
    }

    pub fn connect(&self) {
        self.driver.feed(Input::Connect);
    }

    pub fn disconnect(&self) {
        self.driver.feed(Input::Disconnect);
    }

    /// The browser says that it is online, or offline.
    #[wasm_bindgen(js_name = networkHint)]
    pub fn network_hint(&self, online: bool) {
        self.driver.feed(Input::NetworkHint { online });
    }

    /// Somebody is back at the page.
    pub fn awake(&self) {
        self.driver.feed(Input::Awake);
    }

    /// The page is hidden or left.
    pub fn suspend(&self) {
        self.driver.feed(Input::Suspend);
    }

    /// Ends the session; the listener's `ended` follows.
    pub fn close(&self) {
        self.driver.feed(Input::Close);
    }

    /// After an epoch mismatch: take what the server has.
    #[wasm_bindgen(js_name = takeServer)]
    pub fn take_server(&self) {
        self.driver.feed(Input::Resolve(Conflict::TakeServer));
    }

    /// As a remote change. Bytes that are no update are refused before they reach the session.
    #[wasm_bindgen(js_name = applyUpdate)]
    pub fn apply_update(&self, update: Vec<u8>) -> Result<(), JsValue> {
        crate::update::check(&update).map_err(|error| thrown("invalid-update", &error.to_string()))?;
        self.driver.feed(Input::ApplyUpdate(update));
        Ok(())
    }

    /// An own edit of an engine that has failed: submitted again. `seq` numbers them.
    pub fn adopt(&self, seq: u32, update: Vec<u8>) {
        let key = PendingKey { session: "failed".to_owned(), seq: u64::from(seq) };
        self.driver.feed(Input::Orphans(vec![Pending { key, epoch: None, update }]));
    }

    /// A change that another tab has made in this epoch. `kept`: it has stored it.
    #[wasm_bindgen(js_name = tabUpdate)]
    pub fn tab_update(&self, update: Vec<u8>, epoch: Option<String>, kept: bool) {
        self.driver.feed(Input::TabUpdate { update, epoch, kept });
    }

    /// Another tab has deleted the device's copy.
    #[wasm_bindgen(js_name = copyDeleted)]
    pub fn copy_deleted(&self) {
        self.driver.feed(Input::CopyDeleted);
    }

    /// Whether what the server sends is stored here, or by another tab.
    pub fn keep(&self, here: bool) {
        self.driver.feed(Input::Keep(here));
    }

    /// A word is being composed in the editor, or is finished.
    pub fn composing(&self, begins: bool) {
        self.driver.feed(Input::Composing(begins));
    }

    /// Takes over what a session left that has died in another tab. Resolves when the device knows.
    #[wasm_bindgen(js_name = takeOver)]
    pub fn take_over(&self, session: String) -> Promise {
        let taking = self.driver.clone().take_over(session);
        future_to_promise(async move { settled(taking.await) })
    }

    #[wasm_bindgen(js_name = stateVector)]
    pub fn state_vector(&self) -> Vec<u8> {
        self.driver.read(|session| session.state_vector())
    }

    #[wasm_bindgen(js_name = encodeState)]
    pub fn encode_state(&self, state_vector: Option<Vec<u8>>) -> Result<Vec<u8>, JsValue> {
        self.driver.read(|session| session.encode_state(state_vector.as_deref())).map_err(session_error)
    }

    #[wasm_bindgen(js_name = exportPending)]
    pub fn export_pending(&self) -> Result<Vec<u8>, JsValue> {
        self.driver.read(|session| session.export_pending()).map_err(session_error)
    }

    /// What the server has not acknowledged, without what it refuses.
    #[wasm_bindgen(js_name = exportOutbox)]
    pub fn export_outbox(&self) -> Result<Vec<u8>, JsValue> {
        self.driver.read(|session| session.export_outbox()).map_err(session_error)
    }

    /// Resolves when the device's copy is deleted; rejects if it is not.
    #[wasm_bindgen(js_name = deleteLocal)]
    pub fn delete_local(&self, discard_pending: bool) -> Promise {
        let deleting = self.driver.clone().delete_local(discard_pending);
        future_to_promise(async move { settled(deleting.await) })
    }

    /// Gives up what was set aside.
    #[wasm_bindgen(js_name = discardSetAside)]
    pub fn discard_set_aside(&self) {
        self.driver.feed(Input::DiscardSetAside);
    }

    /// A range as text that survives edits.
    pub fn anchor(&self, words: &[u32]) -> Result<Option<String>, JsValue> {
        let Some(range) = decode_range(words).map_err(codec_error)? else { return Ok(None) };
        Ok(self.driver.read(|session| session.anchor(&range)))
    }

    /// Where an anchor is now.
    pub fn resolve(&self, anchor: &str) -> Option<Vec<u32>> {
        self.driver.read(|session| session.resolve_anchor(anchor)).map(|range| encode_range(&range))
    }

    /// The characters that are shown, in runs: of each the length of its path, the path, its offset and length, and the client
    /// and the clock of its first character.
    pub fn runs(&self) -> Vec<f64> {
        let mut flat = Vec::new();
        for ShownRun { path, offset, len, id } in self.driver.read(|session| session.runs()) {
            flat.push(path.len() as f64);
            flat.extend(path.into_iter().chain([offset, len]).map(f64::from));
            flat.extend([id.client as f64, f64::from(id.clock)]);
        }
        flat
    }

    /// Lets go of the local store. Call it after `ended`.
    #[wasm_bindgen(js_name = closeStore)]
    pub fn close_store(&self) {
        if let Some(store) = &self.store {
            store.close();
        }
    }
}

/// The documents on this device, and how many edits of each no server has acknowledged or taken: pairs, one after the
/// other.
#[wasm_bindgen(js_name = localDocuments)]
pub fn local_documents(database: Option<String>) -> Promise {
    future_to_promise(async move {
        let name = database.as_deref().unwrap_or(DEFAULT_DATABASE);
        let store = DeviceStore::new(name, WriteDurability::WhereItMatters);
        let found = store.pending_of_all().await;
        store.close();
        match found {
            Ok(found) => Ok(found
                .into_iter()
                .flat_map(|(document, pending)| [JsValue::from(document), JsValue::from(pending)])
                .collect::<Array>()
                .into()),
            Err(error) => Err(thrown("storage", &error.to_string())),
        }
    })
}

/// Operations that lead from one value to another, each given as a batch.
#[wasm_bindgen(unchecked_return_type = "[words: Uint32Array, text: string]")]
pub fn difference(from: &[u32], from_text: &str, to: &[u32], to_text: &str) -> Result<Array, JsValue> {
    let from = decode_nodes(from, from_text).map_err(codec_error)?;
    let to = decode_nodes(to, to_text).map_err(codec_error)?;
    Ok(batch(encode_ops(&SlateDoc::diff(&from, &to))))
}

/// Opens a document of so many blocks for nobody, so that the browser has compiled what it takes. Returns how much an
/// editor would be told.
#[wasm_bindgen]
pub fn rehearse(format: u32, blocks: u32) -> usize {
    encode_nodes(session::rehearse(format, blocks.into())).words.len()
}

/// Whether the engine is in the midst of something. Seen from outside any call, it has failed.
#[wasm_bindgen(js_name = isRunning)]
pub fn is_running() -> bool {
    crate::browser::is_running()
}

#[cfg(feature = "testing")]
#[wasm_bindgen]
impl Engine {
    /// Makes what is shown differ from the document, as a defect would: the text at `path`.
    pub fn spoil(&self, path: &[u32], text: &str) {
        self.driver.alter(|session| session.spoil(path, text));
    }
}

/// Fails as a defect would: at once, or in a timer, where nobody can catch it.
#[cfg(feature = "testing")]
#[wasm_bindgen]
#[allow(clippy::panic, reason = "tests")]
pub fn trap(later: bool) {
    if later {
        gloo_timers::callback::Timeout::new(0, || panic!("a trap that was asked for: slate_yrs")).forget();
    } else {
        panic!("a trap that was asked for");
    }
}

fn batch(Batch { words, text }: Batch) -> Array {
    Array::of2(&js_sys::Uint32Array::from(words.as_slice()), &text.into())
}

fn short_path(depth: u32, a: u32, b: u32, c: u32) -> Path {
    [a, b, c].into_iter().take(depth as usize).collect()
}

fn settled(result: Result<(), StoreError>) -> Result<JsValue, JsValue> {
    result.map(|()| JsValue::UNDEFINED).map_err(|error| thrown("storage", &error.to_string()))
}

fn session_error(error: SessionError) -> JsValue {
    thrown(error.code.as_str(), &error.message)
}

fn codec_error(error: CodecError) -> JsValue {
    protocol(&error.to_string())
}

fn protocol(message: &str) -> JsValue {
    thrown(ErrorCode::Protocol.as_str(), message)
}

fn thrown(code: &str, message: &str) -> JsValue {
    let error = Object::new();
    // A plain object refuses nothing.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    let _ = Reflect::set(&error, &"message".into(), &message.into());
    error.into()
}
