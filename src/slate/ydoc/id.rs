//! Ids of characters and nested types.

use std::fmt;

use yrs::Any;

use crate::sorted::SortKey;

/// Who wrote a character or a nested type, and as which of theirs. Never changes, whatever becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    pub client: u64,
    pub clock: u32,
}

impl Id {
    /// The root's; greater than any other.
    pub const ROOT: Self = Self { client: u64::MAX, clock: 0 };
    const MAX_CLIENT: u64 = (1 << 53) - 1;

    pub const fn new(client: u64, clock: u32) -> Self {
        Self { client, clock }
    }

    /// The id so many places behind this one in a run.
    pub const fn plus(self, n: u32) -> Self {
        Self { client: self.client, clock: self.clock + n }
    }

    /// How registers write it: `client:clock`, decimal.
    pub fn to_any(self) -> Any {
        // Each register and each copy of a key names some.
        let mut text = [b':'; 31];
        let clock = write_decimal(&mut text, self.clock.into());
        let client = write_decimal(&mut text[..clock - 1], self.client);
        Any::String(std::str::from_utf8(&text[client..]).unwrap_or_default().into())
    }

    /// `None` if it is no id.
    pub fn from_any(any: &Any) -> Option<Self> {
        let Any::String(text) = any else { return None };
        let (client, clock) = text.split_once(':')?;
        let digits =
            |part: &str| !part.is_empty() && part.len() <= 16 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(client) || !digits(clock) {
            return None;
        }
        let id = Self { client: client.parse().ok()?, clock: clock.parse().ok()? };
        (id.client <= Self::MAX_CLIENT).then_some(id)
    }
}

/// Writes a number at the end; returns where it begins.
fn write_decimal(text: &mut [u8], mut number: u64) -> usize {
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return at;
        }
    }
}

impl SortKey for Id {
    fn to_pair(self) -> (u64, u64) {
        (self.client, self.clock.into())
    }

    fn of_pair((client, clock): (u64, u64)) -> Self {
        Self { client, clock: clock as u32 }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.client, self.clock)
    }
}
