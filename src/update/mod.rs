//! Updates as bytes: what can be done with them beside a document.
//!
//! [`check`] says whether bytes are an update. [`split`] cuts an update down to a size. [`Intake`] stands between the wire and a yrs document,
//! [`Holes`] what cannot be without something that was refused. Nothing here knows
//! Slate; the server uses it too.

mod check;
mod holes;
mod intake;
mod merge;
mod nesting;
mod split;

pub use check::check;
pub use holes::{Apart, Holes};
pub use intake::{Each, Intake, Limits, Refused, deletions, deletions_at};
pub use merge::merge;
pub use nesting::MAX_NESTING;
pub use split::{SplitError, split};
