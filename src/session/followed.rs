//! What was told of the maps that somebody follows: data only.

use std::collections::BTreeMap;

use crate::slate::Values;

/// By the names of the maps.
#[derive(Debug, Default)]
pub(super) struct FollowedMaps(pub BTreeMap<String, Values>);
