//! The values that were told of the maps that somebody follows. A type without methods.

use litemap::LiteMap;

use crate::slate::Values;

/// By the names of the maps.
#[derive(Debug, Default)]
pub(super) struct FollowedMaps(pub LiteMap<String, Values>);
