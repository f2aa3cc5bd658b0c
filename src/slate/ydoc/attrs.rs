//! Attributes of nested types: the registers of the layout, and the properties of users.

use std::rc::Rc;

use yrs::Any;

use super::formats::none;
use super::id::Id;
use crate::slate::value::node::Attrs;

/// What a nested type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Strand,
    Break,
    Place,
    Seam,
    /// An `@` that nobody knows: not shown, and of no effect.
    Unknown,
}

/// One [marker, to] of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimEntry {
    /// `None`: no id stood there; the claim does not count.
    pub marker: Option<Id>,
    pub to: Option<Id>,
}

/// `@at`: where an element is shown if not at home; the innermost claim first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub time: u64,
    pub claims: Vec<ClaimEntry>,
}

/// `@off` of a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Erase {
    #[default]
    On,
    Off,
    /// Off, and the text around it was erased with it.
    Erased,
}

/// `@gone`: removed up to a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    pub to: Option<Id>,
    pub unwrap: bool,
}

/// `@of`: the chain that a marker is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Of {
    #[default]
    Absent,
    Chain(Id),
    /// Something else stands there: no chain.
    Damaged,
}

/// All attributes of a nested type.
#[derive(Debug, Clone, PartialEq)]
pub struct Registers {
    pub kind: Kind,
    pub at: Option<Place>,
    pub off: Erase,
    /// `@gone`; `Some(None)`: it says that the element is not gone.
    pub gone: Option<Option<Gone>>,
    pub keep: bool,
    pub open: bool,
    pub of: Of,
    /// `@for` of a seam.
    pub head: Option<Id>,
    /// `@kind`: whether it is inline, and whether it is void. `None`: the reader's schema decides.
    pub says: Option<(bool, bool)>,
    /// Properties of its own, by the names that the user gives them. Null: it has no such property, though the element that it
    /// divides has.
    pub own: Rc<Attrs>,
    /// `@=name`: counts where there is no property of its own, and more than an inherited one.
    pub pins: Attrs,
}

impl Default for Registers {
    fn default() -> Self {
        let (at, gone, of, head, says) = (None, None, Of::Absent, None, None);
        let (kind, off, own, pins) = (Kind::Strand, Erase::On, none(), Attrs::new());
        Self { kind, at, off, gone, keep: false, open: false, of, head, says, own, pins }
    }
}

impl Registers {
    /// The name of the user's property that an attribute holds; `None`: the attribute is a register or a pin. `plain`: in a
    /// document of format 0 there are no registers, and every attribute is a property of the same name.
    pub fn own_name(name: &str, plain: bool) -> Option<&str> {
        match name.strip_prefix('@') {
            Some(rest) if !plain => rest.starts_with('@').then_some(rest),
            _ => Some(name),
        }
    }

    /// [`Registers::set`] in a document of format 0.
    pub fn set_plain(&mut self, name: &str, value: Option<&Any>) {
        put(Rc::make_mut(&mut self.own), name, value);
    }

    /// Takes over one attribute of the document; `None`: it was removed. A register that has not its right shape counts as absent.
    pub fn set(&mut self, name: &str, value: Option<&Any>) {
        if let Some(name) = Self::own_name(name, false) {
            return put(Rc::make_mut(&mut self.own), name, value);
        }
        let rest = &name[1..];
        if let Some(pinned) = rest.strip_prefix('=') {
            return put(&mut self.pins, pinned, value);
        }
        match rest {
            "" => self.kind = value.map_or(Kind::Strand, Kind::read),
            "at" => self.at = value.and_then(place),
            "off" => {
                self.off = match value {
                    Some(Any::Bool(true)) => Erase::Off,
                    Some(Any::String(text)) if &**text == "erased" => Erase::Erased,
                    _ => Erase::On,
                }
            }
            "gone" => self.gone = value.and_then(gone),
            "keep" => self.keep = value == Some(&Any::Bool(true)),
            "open" => self.open = value == Some(&Any::Bool(true)),
            "of" => {
                self.of = match value {
                    None | Some(Any::Null | Any::Undefined) => Of::Absent,
                    Some(value) => Id::from_any(value).map_or(Of::Damaged, Of::Chain),
                }
            }
            "for" => self.head = value.and_then(Id::from_any),
            "kind" => {
                self.says = match value {
                    Some(Any::String(text)) => match &**text {
                        "inline" => Some((true, false)),
                        "void" => Some((false, true)),
                        "inline void" => Some((true, true)),
                        "block" => Some((false, false)),
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => {}
        }
    }
}

fn put(attrs: &mut Attrs, name: &str, value: Option<&Any>) {
    match value {
        Some(value) => drop(attrs.insert(name.into(), value.clone())),
        None => drop(attrs.remove(name)),
    }
}

/// The value of `@kind` for an element that is inline or void. A block has no `@kind`.
pub fn kind_name(inline: bool, void: bool) -> Option<&'static str> {
    match (inline, void) {
        (false, false) => None,
        (true, false) => Some("inline"),
        (false, true) => Some("void"),
        (true, true) => Some("inline void"),
    }
}

impl Kind {
    /// From the attribute `@`.
    pub fn read(value: &Any) -> Self {
        match value {
            Any::String(text) => match &**text {
                "break" => Self::Break,
                "place" => Self::Place,
                "seam" => Self::Seam,
                _ => Self::Unknown,
            },
            Any::Null | Any::Undefined => Self::Strand,
            _ => Self::Unknown,
        }
    }
}

/// The `t` of a register `@at`: an integer from 0 to 2^53 - 1.
fn time(value: &Any) -> Option<u64> {
    match value {
        Any::Number(number) => {
            let number = number.as_f64()?;
            ((0.0..=9_007_199_254_740_991.0).contains(&number) && number.fract() == 0.0).then_some(number as u64)
        }
        _ => None,
    }
}

fn place(value: &Any) -> Option<Place> {
    let Any::Array(list) = value else { return None };
    let (first, rest) = list.split_first()?;
    let mut claims = Vec::with_capacity(rest.len());
    for claim in rest {
        let Any::Array(claim) = claim else { return None };
        claims
            .push(ClaimEntry { marker: claim.first().and_then(Id::from_any), to: claim.get(1).and_then(Id::from_any) });
    }
    Some(Place { time: time(first)?, claims })
}

fn gone(value: &Any) -> Option<Option<Gone>> {
    match value {
        Any::Bool(false) => Some(None),
        Any::Array(list) => {
            Some(Some(Gone { to: list.first().and_then(Id::from_any), unwrap: list.get(1) == Some(&Any::Bool(true)) }))
        }
        _ => None,
    }
}
