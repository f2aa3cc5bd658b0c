//! Moves into each other: which claims are void.

use std::collections::{HashMap, HashSet};

use super::claims::{Claim, ClaimId, Claims, Voided, older};
use super::schema::Schema;
use super::walk::Walker;
use crate::slate::ydoc::{Mirror, Nid, ROOT};

/// So many claims that hold each other are looked at one by one; of more only the ways from their markers up.
const EXACT: usize = 64;

/// Two claims hold each other if each, walked, shows the other. In each such class the newest is void; if there is none,
/// the newest of all. (The oldest may be of somebody who has nothing to do with it.)
pub(super) fn newest_of_cycles(mirror: &Mirror, claims: &Claims, schema: &Schema, stuck: &[ClaimId]) -> Vec<ClaimId> {
    let mut out = match stuck.len() <= EXACT {
        true => by_walks(mirror, claims, schema, stuck),
        false => by_markers(mirror, claims, stuck),
    };
    if out.is_empty() {
        out.extend(newest(mirror, claims, stuck.iter().copied()));
    }
    out
}

fn newest(mirror: &Mirror, claims: &Claims, of: impl Iterator<Item = ClaimId>) -> Option<ClaimId> {
    of.max_by(|a, b| older(mirror, claims.get(*a), claims.get(*b)))
}

fn by_walks(mirror: &Mirror, claims: &Claims, schema: &Schema, stuck: &[ClaimId]) -> Vec<ClaimId> {
    let shows: Vec<(HashSet<ClaimId>, bool)> = stuck
        .iter()
        .map(|claim| {
            let walker = Walker::only(mirror, claims, schema, *claim);
            let again = walker.again.contains(claim);
            (walker.reached, again)
        })
        .collect();
    let mut out = Vec::new();
    for (a, claim) in stuck.iter().enumerate() {
        let holds = |b: usize| match a == b {
            true => shows[a].1,
            false => shows[a].0.contains(&stuck[b]) && shows[b].0.contains(claim),
        };
        let class: Vec<ClaimId> = (0..stuck.len()).filter(|b| holds(*b)).map(|b| stuck[b]).collect();
        if !class.is_empty() {
            out.extend(newest(mirror, claims, class.into_iter().chain([*claim])));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Each claim waits for the nearest one that shows elsewhere what its marker stands in: the rings of those.
fn by_markers(mirror: &Mirror, claims: &Claims, stuck: &[ClaimId]) -> Vec<ClaimId> {
    let is_stuck: HashSet<ClaimId> = stuck.iter().copied().collect();
    let mut holder: HashMap<Nid, Option<ClaimId>> = HashMap::new();
    let mut next: HashMap<ClaimId, Option<ClaimId>> = HashMap::new();
    for claim in stuck {
        let found = holder_of(mirror, claims, &is_stuck, &mut holder, claims.get(*claim));
        next.insert(*claim, found);
    }
    let (mut seen, mut out) = (HashSet::new(), Vec::new());
    for start in stuck {
        let (mut way, mut at) = (Vec::new(), Some(*start));
        while let Some(claim) = at.filter(|claim| seen.insert(*claim)) {
            way.push(claim);
            at = next.get(&claim).copied().flatten();
        }
        if let Some(ring) = at.and_then(|claim| way.iter().position(|other| *other == claim)) {
            out.extend(newest(mirror, claims, way[ring..].iter().copied()));
        }
    }
    out
}

fn holder_of(
    mirror: &Mirror,
    claims: &Claims,
    is_stuck: &HashSet<ClaimId>,
    known: &mut HashMap<Nid, Option<ClaimId>>,
    claim: &Claim,
) -> Option<ClaimId> {
    let (mut at, mut way) = (mirror.node(claim.marker).up, Vec::new());
    let found = loop {
        if let Some(found) = known.get(&at) {
            break *found;
        }
        way.push(at);
        if let Some(own) = claims.of(at).iter().find(|own| is_stuck.contains(own)) {
            break Some(*own);
        }
        if at == ROOT {
            break None;
        }
        at = mirror.node(at).up;
    };
    for at in way {
        known.insert(at, found);
    }
    found
}

/// After so many rounds all claims that are left are void.
pub(super) const ROUNDS: usize = 100;
/// The same where the rounds are long.
const ROUNDS_OF_MANY: usize = 16;

/// Whether to give up on what is stuck.
pub(super) fn is_enough(round: usize, stuck: usize) -> bool {
    round >= ROUNDS || (stuck > EXACT && round >= ROUNDS_OF_MANY)
}

/// Makes these void from now on.
pub(super) fn void(voided: &mut Voided, claims: &Claims, these: impl IntoIterator<Item = ClaimId>) -> usize {
    let before = voided.claims.len();
    voided.claims.extend(these.into_iter().map(|id| claims.get(id)).map(|claim| (claim.head, claim.marker)));
    voided.claims.len() - before
}
