//! What opening a document takes, done once for nobody. A browser compiles a function when it is called for the first time,
//! and makes it fast when it has been called often: while a page waits for its document, there is time for both.

use yrs::Any;

use crate::format::{DEFAULT_ROOT, DOC_ROOT, FORMAT_KEY, FORMATS, Format};
use crate::protocol::lib0::{buf, var_uint};
use crate::protocol::{Hello, Message, Role, VERSION};
use crate::slate::{Node, Schema};
use crate::store::Loaded;

use super::{Config, Input, Output, Remote, Session};

const HEARTBEAT_MS: u32 = 15_000;
/// Who has written the document.
const WRITER: u64 = 2;

/// Opens a document of a few blocks in this format, as at a first visit: there is a store that has nothing, and a server
/// that has all of it. Returns what an editor would show.
pub fn rehearse(format: Format, blocks: u64) -> Vec<Node> {
    let hello = Hello {
        version: VERSION,
        epoch: String::new(),
        role: Role::ReadWrite,
        max_update_bytes: u32::MAX,
        max_frame_bytes: u32::MAX,
        acked_seq: 0,
        heartbeat_ms: HEARTBEAT_MS,
        formats: Some(FORMATS),
        format: Some(format),
        new_format: None,
        root: None,
        user: None,
    };
    let document = document(format, blocks);
    let mut frames =
        [Message::Hello(hello), Message::SyncStep2(&document)].map(|message| message.to_frame()).into_iter();
    let mut session = Session::new(config(), 0);
    loop {
        let input = match session.poll_output() {
            Some(Output::Load) => Input::Loaded(Ok(Loaded::default())),
            Some(Output::Write { ticket, .. }) => Input::Stored { ticket, rows: Vec::new() },
            Some(Output::OpenSocket { .. }) => Input::Opened,
            Some(_) => continue,
            None => match frames.next() {
                Some(frame) => Input::Frame(frame),
                None => return session.value(),
            },
        };
        session.handle(0, input);
    }
}

fn config() -> Config {
    Config {
        document: String::new(),
        session: String::new(),
        client_id: 1,
        seed: 1,
        root: DEFAULT_ROOT.to_owned(),
        block_id: None,
        capture_timeout: 0,
        remote: Remote::Connect,
        store: true,
        presence: Some(Any::from(std::collections::HashMap::<String, Any>::new())),
        initial_value: None,
        schema: Schema::default(),
        formats: FORMATS,
        format: None,
    }
}

/// An update with blocks, as yjs would write it: each is an embed with two attributes, and text with a bold word.
fn document(format: Format, blocks: u64) -> Vec<u8> {
    let mut items = Items::default();
    let mut last = None;
    for block in 0..blocks {
        let element = items.next;
        match last {
            None => items.begin(content::TYPE, 0, Within::Root(DEFAULT_ROOT)),
            Some(last) => items.behind(content::TYPE, last),
        }
        var_uint(&mut items.bytes, XML_TEXT);
        last = Some(element);
        items.attribute(Within::Item(element), "type", &Any::from("paragraph"));
        items.attribute(Within::Item(element), "id", &Any::from(block.to_string()));
        items.begin(content::STRING, 0, Within::Item(element));
        items.text("Some words of a line, and ");
        for (value, words) in [("true", "bold ones"), ("null", ", and others.")] {
            items.behind(content::FORMAT, items.next - 1);
            buf(&mut items.bytes, b"bold");
            buf(&mut items.bytes, value.as_bytes());
            items.behind(content::STRING, items.next - 1);
            items.text(words);
        }
    }
    if format > 0 {
        items.attribute(Within::Root(DOC_ROOT), FORMAT_KEY, &Any::from(format));
    }
    items.update()
}

/// Contents of items, and flags beside them: https://github.com/yjs/yjs/blob/v13.6.27/src/structs/Item.js.
mod content {
    pub const STRING: u8 = 4;
    pub const FORMAT: u8 = 6;
    pub const TYPE: u8 = 7;
    pub const ANY: u8 = 8;
    pub const HAS_KEY: u8 = 0x20;
    pub const HAS_ORIGIN: u8 = 0x80;
}

/// The type of an element.
const XML_TEXT: u64 = 6;

enum Within {
    Root(&'static str),
    /// By its clock.
    Item(u64),
}

/// Items of one writer.
#[derive(Default)]
struct Items {
    bytes: Vec<u8>,
    count: u64,
    /// The clock of the next.
    next: u64,
}

impl Items {
    fn begin(&mut self, content: u8, flags: u8, parent: Within) {
        self.bytes.push(content | flags);
        match parent {
            Within::Root(name) => {
                var_uint(&mut self.bytes, 1);
                buf(&mut self.bytes, name.as_bytes());
            }
            Within::Item(clock) => {
                var_uint(&mut self.bytes, 0);
                self.id(clock);
            }
        }
        self.counted();
    }

    fn behind(&mut self, content: u8, clock: u64) {
        self.bytes.push(content | content::HAS_ORIGIN);
        self.id(clock);
        self.counted();
    }

    fn id(&mut self, clock: u64) {
        var_uint(&mut self.bytes, WRITER);
        var_uint(&mut self.bytes, clock);
    }

    fn counted(&mut self) {
        self.count += 1;
        self.next += 1;
    }

    /// Of the item that was begun: in ASCII.
    fn text(&mut self, text: &str) {
        buf(&mut self.bytes, text.as_bytes());
        self.next += text.len() as u64 - 1;
    }

    fn attribute(&mut self, of: Within, key: &str, value: &Any) {
        self.begin(content::ANY, content::HAS_KEY, of);
        buf(&mut self.bytes, key.as_bytes());
        var_uint(&mut self.bytes, 1);
        value.encode(&mut self.bytes);
    }

    /// With nothing deleted.
    fn update(self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [1, self.count, WRITER, 0] {
            var_uint(&mut out, number);
        }
        out.extend_from_slice(&self.bytes);
        var_uint(&mut out, 0);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slate::{DocOptions, SlateDoc};

    #[test]
    fn a_document_of_either_format_is_opened() {
        for format in [0, 1] {
            let value = rehearse(format, 3);
            assert_eq!(value.len(), 3, "format {format}: {value:?}");
            let Node::Element(element) = &value[2] else { panic!("no element: {value:?}") };
            assert_eq!(element.attrs.get("type"), Some(&Any::from("paragraph")));
            let texts = element.children.iter().map(|leaf| match leaf {
                Node::Text(leaf) => (&*leaf.text, leaf.marks.contains_key("bold")),
                Node::Element(_) => panic!("no text: {value:?}"),
            });
            let expected = [("Some words of a line, and ", false), ("bold ones", true), (", and others.", false)];
            assert_eq!(texts.collect::<Vec<_>>(), expected, "format {format}");
        }
    }

    #[test]
    fn the_document_is_of_the_format_that_was_asked_for() {
        for format in [0, 1] {
            let mut doc = SlateDoc::new(DocOptions {
                client_id: 1,
                root: DEFAULT_ROOT.into(),
                block_id: None,
                seed: 0,
                schema: Default::default(),
            });
            doc.load(&document(format, 3)).unwrap();
            assert_eq!(doc.format(), format);
        }
    }
}
