//! Nodes, operations and ranges as flat numbers and one string: how they cross between Rust and JavaScript.
//!
//! A [`Batch`] is read front to back. `words` holds the structure; every string in it is only a length in UTF-16 units,
//! and its characters follow those of the string before it in `text`. `js/codec.ts` is the other half; both are tested
//! on the same golden batches. Decoding is total: what does not decode is an error, never a panic.
//!
//! ```text
//! node   := 0|attrs<<1 length attr*               a text leaf
//!         | 1|attrs<<1 children attr* node*       an element
//! attr   := key value
//! key    := index of a key met before in this batch, or the number of them and the new key's length
//! value  := tag|payload<<3                        0 null, 1 false, 2 true, 3 string of `payload` units,
//!                                                 4 integer `payload`, 5 float (two words), 6 JSON of `payload` units
//! path   := length index*
//! attrs  := count attr*
//! op     := 0 path offset length                  insert_text
//!         | 1 path offset length                  remove_text
//!         | 2 path node    | 3 path node          insert_node, remove_node
//!         | 4 path attrs attrs                    set_node
//!         | 5 path position attrs                 split_node
//!         | 6 path position attrs                 merge_node
//!         | 7 path path                           move_node
//! range  := path offset path offset
//! ```

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::border::tags;
pub use crate::json::NoValue;
pub use decode::{decode_nodes, decode_ops, decode_range};
pub use encode::{encode_nodes, encode_ops, encode_range};

/// What crosses: see the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    pub words: Vec<u32>,
    pub text: String,
}

/// Why a batch does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    #[error("the batch ends early")]
    End,
    #[error("the batch goes on after its end")]
    Trailing,
    #[error("{0} is no known tag")]
    Tag(u32),
    #[error("a string ends inside a surrogate pair")]
    Surrogate,
    #[error("a property is {0}")]
    Property(NoValue),
    #[error("nodes are nested deeper than {MAX_DEPTH}")]
    Depth,
}

/// Names that Slate itself uses in nodes. A property called so, from a peer that means harm or knows no better, would
/// make an element look like a text or replace its children.
fn is_reserved(key: &str) -> bool {
    key == "text" || key == "children"
}

tags! {
    MAXIMA as BatchMaxima {
        /// Nodes are nested at most this deep in what JavaScript gives: deeper ones would exhaust the stack.
        MAX_DEPTH = depth 200,
        /// Payloads have 29 bits.
        MAX_PAYLOAD = payload 536870911,
    }
}

/// What a value in a batch is.
pub mod value_tag {
    use crate::border::tags;

    /// Where in a word the payload begins.
    pub const PAYLOAD_SHIFT: u32 = 3;

    tags! {
        VALUE_TAGS as ValueTags {
            NULL = null 0,
            FALSE = false 1,
            TRUE = true 2,
            STRING = string 3,
            INTEGER = integer 4,
            FLOAT = float 5,
            JSON = json 6,
        }
    }
}

/// What an operation in a batch is.
pub mod op_tag {
    use crate::border::tags;

    tags! {
        OP_TAGS as OperationTags {
            INSERT_TEXT = insert_text 0,
            REMOVE_TEXT = remove_text 1,
            INSERT_NODE = insert_node 2,
            REMOVE_NODE = remove_node 3,
            SET_NODE = set_node 4,
            SPLIT_NODE = split_node 5,
            MERGE_NODE = merge_node 6,
            MOVE_NODE = move_node 7,
        }
    }
}
