//! Tests of the writer.

mod acts;
mod named;
mod peer;
mod random;
mod transforms;

pub fn peer_nodes(e: &crate::slate::view::tree::Element) -> String { peer::show(&peer::nodes(e)) }
pub fn peer_dump(e: &crate::slate::ydoc::Mirror) -> String { peer::dump(e) }
