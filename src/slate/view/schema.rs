//! [`Schema`]: which elements are inline and which are void.

use std::rc::Rc;
use std::sync::Arc;

use yrs::Any;

use crate::slate::value::node::Attrs;
use crate::slate::ydoc::Registers;

type Rule = Rc<dyn Fn(&Attrs) -> bool>;

/// Which elements are inline and which are void where the document does not say. Rules go by `type`.
#[derive(Clone)]
pub struct Schema {
    inline: Rule,
    void: Rule,
}

impl Schema {
    pub fn new(inline: impl Fn(&Attrs) -> bool + 'static, void: impl Fn(&Attrs) -> bool + 'static) -> Self {
        Self { inline: Rc::new(inline), void: Rc::new(void) }
    }

    /// By the value of `type`.
    pub fn by_type(inline: Vec<String>, void: Vec<String>) -> Self {
        let of = |types: Vec<String>| {
            move |props: &Attrs| match props.get("type") {
                Some(Any::String(kind)) => types.iter().any(|other| **other == **kind),
                _ => false,
            }
        };
        Self::new(of(inline), of(void))
    }

    /// Whether another says the same of each of these types.
    pub fn agrees(&self, other: &Self, types: impl IntoIterator<Item = Arc<str>>) -> bool {
        types.into_iter().all(|kind| {
            let props = Attrs::from([("type".into(), Any::String(kind))]);
            self.is_inline(&props) == other.is_inline(&props) && self.is_void(&props) == other.is_void(&props)
        })
    }

    pub fn is_inline(&self, props: &Attrs) -> bool {
        (self.inline)(props)
    }

    pub fn is_void(&self, props: &Attrs) -> bool {
        (self.void)(props)
    }

    /// Of a strand by itself.
    pub fn inline_of(&self, registers: &Registers) -> bool {
        match registers.says {
            Some((inline, _)) => inline,
            None if registers.pins.is_empty() => self.is_inline(&registers.own),
            None => {
                let mut props = registers.pins.clone();
                props.extend((*registers.own).clone());
                self.is_inline(&props)
            }
        }
    }
}

/// Nothing is inline or void but what the document says is.
impl Default for Schema {
    fn default() -> Self {
        Self::new(|_| false, |_| false)
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").finish_non_exhaustive()
    }
}
