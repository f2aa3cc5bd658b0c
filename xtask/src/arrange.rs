//! Functions that are alike, beside each other. The order of a module's functions is free; brotli writes what it has met
//! in fewer bits the nearer it lies, and a generic function is compiled once for each of its types.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use anyhow::{Context, Result};

use crate::binary::{CODE, CUSTOM, HEADER, IMPORTS, Reader, put_bytes, put_number};

/// Bytes that are compared at once: about two instructions.
const SHINGLE: usize = 5;
/// What more functions than these have says nothing of one of them.
const COMMON: usize = 400;
/// Short functions have little that could differ: this is added to the length of each.
const SHORT: f32 = 80.0;

/// The module with names for its functions, and none else, that stand in the order in which they shall: each is followed
/// by the one of those that are left which shares most with it.
pub fn arrange(module: &[u8]) -> Result<Vec<u8>> {
    let (header, body) = module.split_at_checked(HEADER).context("it is cut off")?;
    let (mut out, mut rest) = (header.to_vec(), Reader(body));
    let (mut imports, mut functions) = (0, Vec::new());
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let content = rest.bytes()?;
        match id {
            CUSTOM => continue,
            // Functions alone are imported: `shorten` makes sure of it.
            IMPORTS => imports = Reader(content).number()?,
            CODE => functions = bodies(content)?,
            _ => {}
        }
        out.push(id);
        put_bytes(&mut out, content);
    }
    out.push(CUSTOM);
    put_bytes(&mut out, &names(imports, &order(&functions)));
    Ok(out)
}

fn bodies(section: &[u8]) -> Result<Vec<&[u8]>> {
    let mut rest = Reader(section);
    (0..rest.number()?).map(|_| rest.bytes()).collect()
}

/// The section of names: those of functions alone.
fn names(imports: u32, order: &[usize]) -> Vec<u8> {
    let mut places = vec![0; order.len()];
    for (place, function) in order.iter().enumerate() {
        places[*function] = place;
    }
    let mut functions = Vec::new();
    put_number(&mut functions, order.len() as u32);
    for (function, place) in places.iter().enumerate() {
        put_number(&mut functions, imports + function as u32);
        put_bytes(&mut functions, format!("{place:08}").as_bytes());
    }
    let mut section = Vec::new();
    put_bytes(&mut section, b"name");
    section.push(1);
    put_bytes(&mut section, &functions);
    section
}

/// By place, the functions.
fn order(functions: &[&[u8]]) -> Vec<usize> {
    let likeness = Likeness::of(functions);
    let mut left = vec![true; functions.len()];
    let mut order: Vec<usize> = Vec::with_capacity(functions.len());
    let mut first = 0;
    while order.len() < functions.len() {
        let alike = order.last().and_then(|last| likeness.next(*last, &left));
        let next = alike.unwrap_or_else(|| {
            first += left[first..].iter().position(|left| *left).unwrap_or_default();
            first
        });
        left[next] = false;
        order.push(next);
    }
    order
}

/// Which pieces of code functions have in common.
struct Likeness {
    /// By function: its shingles, each once.
    shingles: Vec<Vec<u32>>,
    /// By shingle: who has it, of those that some have and not too many.
    owners: Vec<Vec<u32>>,
    /// By shingle: how much it says.
    weights: Vec<f32>,
}

impl Likeness {
    fn of(functions: &[&[u8]]) -> Self {
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        let (mut shingles, mut owners) = (Vec::with_capacity(functions.len()), Vec::<Vec<u32>>::new());
        for (function, body) in functions.iter().enumerate() {
            let mut own: Vec<u32> = body
                .windows(SHINGLE)
                .map(|shingle| {
                    let mut hasher = DefaultHasher::new();
                    shingle.hash(&mut hasher);
                    let next = numbers.len() as u32;
                    *numbers.entry(hasher.finish()).or_insert(next)
                })
                .collect();
            own.sort_unstable();
            own.dedup();
            owners.resize_with(numbers.len(), Vec::new);
            own.iter().for_each(|shingle| owners[*shingle as usize].push(function as u32));
            shingles.push(own);
        }
        let weights = owners.iter().map(|owners| (functions.len() as f32 / owners.len() as f32).ln()).collect();
        owners.iter_mut().filter(|owners| owners.len() > COMMON).for_each(Vec::clear);
        Self { shingles, owners, weights }
    }

    /// Of those that are left, the one that shares most with this function for its length.
    fn next(&self, function: usize, left: &[bool]) -> Option<usize> {
        let mut shared: HashMap<u32, f32> = HashMap::new();
        for shingle in &self.shingles[function] {
            for owner in &self.owners[*shingle as usize] {
                if left[*owner as usize] {
                    *shared.entry(*owner).or_default() += self.weights[*shingle as usize];
                }
            }
        }
        let score = |(other, shared): &(u32, f32)| shared / (self.shingles[*other as usize].len() as f32 + SHORT);
        let best = |a: &(u32, f32), b: &(u32, f32)| score(a).total_cmp(&score(b)).then(b.0.cmp(&a.0));
        shared.into_iter().max_by(best).map(|(other, _)| other as usize)
    }
}
