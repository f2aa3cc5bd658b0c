//! Updates as bytes: what can be done with them beside a document.
//!
//! [`check`] says whether bytes are an update. [`split`] cuts an update into smaller ones. [`Intake`] stands between
//! the wire and a yrs document; its [`Survey`] tells what an update touches there. [`Holes`] tells what depends on
//! something that was refused. Nothing here knows Slate; the server uses it too.

mod check;
mod clients;
mod holes;
mod intake;
mod limits;
mod merge;
mod nesting;
mod ordered;
mod split;
mod subdocuments;
mod survey;
mod typed;

pub use check::check;
pub use clients::state_vector;
pub use holes::{Apart, Holes};
pub use intake::{Intake, deletions_at};
pub use limits::{Each, Limits, MAX_NESTING, Refused};
pub use merge::merge;
pub use ordered::say_the_same;
pub use split::{SplitError, split};
pub use survey::Survey;
pub use typed::TypedText;
