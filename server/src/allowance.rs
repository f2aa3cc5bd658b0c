//! What one address and one user may take of what all share: memory for frames that have not arrived whole, and bytes
//! stored in a day.
//!
//! A frame that is on its way is held until its last byte comes, which may be never. What connections hold so is
//! counted in sum, by address and by user; who would go beyond that is closed and may come again. A little of each
//! connection is not counted, so that small frames take no lock that all share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::limit::Limit;
use crate::lock::lock;
use crate::storage::Millis;

/// Of each connection's unfinished frame so much is not counted.
pub const UNCOUNTED: usize = 16 * 1024;
const DAY_MS: Millis = 24 * 3_600_000;
/// Users whose bytes of today are remembered; beyond that those who stored least are forgotten.
const MAX_REMEMBERED: usize = 100_000;

/// In bytes.
#[derive(Debug, Clone, Copy)]
pub struct AllowanceLimits {
    /// Of unfinished frames: all connections, those of an address, those of a user.
    pub all: usize,
    pub address: usize,
    pub user: usize,
    /// Stored by a user in a day; 0: no limit.
    pub user_day: u64,
}

/// Who takes. An address stands for the network that one customer has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Taker {
    User(Arc<str>),
    Address(IpAddr),
}

impl Taker {
    pub fn of_address(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => IpAddr::V4(v4),
                None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            },
            v4 => v4,
        })
    }
}

#[derive(Debug, Default)]
struct Taken {
    unfinished: usize,
    by: HashMap<Taker, usize>,
    today: Millis,
    stored: HashMap<Taker, u64>,
}

/// Of a whole server.
#[derive(Debug)]
pub struct Allowances {
    limits: AllowanceLimits,
    taken: Mutex<Taken>,
}

impl Allowances {
    pub fn new(limits: AllowanceLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// For tests and simulations.
    pub fn without_limits() -> Arc<Self> {
        Self::new(AllowanceLimits { all: usize::MAX, address: usize::MAX, user: usize::MAX, user_day: 0 })
    }

    /// What connections hold of unfinished frames.
    pub fn unfinished(&self) -> usize {
        self.taken().unfinished
    }

    /// Whether this one may store so much more today.
    pub fn fits(&self, taker: &Taker, now: Millis, bytes: usize) -> bool {
        let limit = self.limits.user_day;
        let taken = self.taken();
        let stored = taken.stored.get(taker).copied().filter(|_| taken.today == now.div_euclid(DAY_MS));
        limit == 0 || stored.unwrap_or(0).saturating_add(bytes as u64) <= limit
    }

    /// This one is about to store so much.
    pub fn stores(&self, taker: &Taker, now: Millis, bytes: usize) {
        if self.limits.user_day == 0 {
            return;
        }
        let mut taken = self.taken();
        let today = now.div_euclid(DAY_MS);
        if taken.today != today {
            taken.today = today;
            taken.stored.clear();
        }
        if taken.stored.len() >= MAX_REMEMBERED {
            let mut all: Vec<u64> = taken.stored.values().copied().collect();
            let (_, median, _) = all.select_nth_unstable(MAX_REMEMBERED / 2);
            let median = *median;
            taken.stored.retain(|_, stored| *stored > median);
        }
        *taken.stored.entry(taker.clone()).or_default() += bytes as u64;
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        lock(&self.taken)
    }
}

/// What one connection holds of unfinished frames; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    all: Arc<Allowances>,
    address: Option<Taker>,
    user: Option<Taker>,
    /// Of a WebSocket message that has not arrived whole, and of a frame in pieces.
    wire: usize,
    pieces: usize,
    counted: usize,
}

impl Share {
    pub fn new(all: Arc<Allowances>, address: Option<IpAddr>, user: Option<&str>) -> Self {
        let user = user.map(|user| Taker::User(user.into()));
        Self { all, address: address.map(Taker::of_address), user, wire: 0, pieces: 0, counted: 0 }
    }

    /// So many bytes came of a message that is not whole. Err: it may hold no more, and by which limit.
    pub fn received(&mut self, bytes: usize) -> Result<(), Limit> {
        self.wire += bytes;
        self.count()
    }

    /// A message that is not whole holds so many bytes now. Err: as above.
    pub fn holds(&mut self, bytes: usize) -> Result<(), Limit> {
        self.wire = bytes;
        self.count()
    }

    /// A message was whole.
    pub fn whole(&mut self) {
        if self.wire > 0 {
            self.wire = 0;
            self.shrink();
        }
    }

    /// What a frame in pieces holds now. Err: as above.
    pub fn pieces(&mut self, bytes: usize) -> Result<(), Limit> {
        self.pieces = bytes;
        self.count()
    }

    fn wanted(&self) -> usize {
        (self.wire + self.pieces).saturating_sub(UNCOUNTED)
    }

    fn count(&mut self) -> Result<(), Limit> {
        let wanted = self.wanted();
        if wanted <= self.counted {
            self.shrink();
            return Ok(());
        }
        let more = wanted - self.counted;
        let limits = self.all.limits;
        let mut taken = self.all.taken();
        let held = |taker: &Option<Taker>| taker.as_ref().and_then(|taker| taken.by.get(taker)).copied().unwrap_or(0);
        if held(&self.address).saturating_add(more) > limits.address {
            return Err(Limit::UnfinishedAddress);
        }
        if held(&self.user).saturating_add(more) > limits.user {
            return Err(Limit::UnfinishedUser);
        }
        if taken.unfinished.saturating_add(more) > limits.all {
            return Err(Limit::Unfinished);
        }
        taken.unfinished += more;
        for taker in [&self.address, &self.user].into_iter().flatten() {
            *taken.by.entry(taker.clone()).or_default() += more;
        }
        self.counted = wanted;
        Ok(())
    }

    fn shrink(&mut self) {
        let wanted = self.wanted();
        let less = self.counted.saturating_sub(wanted);
        if less == 0 {
            return;
        }
        let mut taken = self.all.taken();
        taken.unfinished -= less;
        for taker in [&self.address, &self.user].into_iter().flatten() {
            if let Some(held) = taken.by.get_mut(taker) {
                *held -= less;
                if *held == 0 {
                    taken.by.remove(taker);
                }
            }
        }
        self.counted = wanted;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        (self.wire, self.pieces) = (0, 0);
        self.shrink();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> AllowanceLimits {
        AllowanceLimits { all: 3_000_000, address: 2_000_000, user: 1_000_000, user_day: 1_000 }
    }

    #[test]
    fn f56_unfinished_frames_are_bounded_in_sum_by_address_and_by_user() {
        let all = Allowances::new(limits());
        let from = |last: u8, user| Share::new(Arc::clone(&all), Some(IpAddr::from([10, 0, 0, last])), user);
        let mut ada = from(1, Some("ada"));
        assert_eq!(ada.received(900_000), Ok(()));
        let mut ada_too = from(2, Some("ada"));
        assert_eq!(ada_too.received(900_000), Err(Limit::UnfinishedUser));
        drop(ada_too);
        let mut nobody = from(1, None);
        assert_eq!(nobody.pieces(900_000), Ok(()));
        let mut bob = from(1, Some("bob"));
        assert_eq!(bob.received(900_000), Err(Limit::UnfinishedAddress));
        drop(bob);
        let mut eve = from(3, Some("eve"));
        assert_eq!(eve.received(900_000), Ok(()));
        let mut last = from(4, None);
        assert_eq!(last.received(900_000), Err(Limit::Unfinished));
        drop(last);
        // What is whole is given back, and so is all of who leaves.
        ada.whole();
        assert_eq!(from(4, None).received(900_000), Ok(()));
        drop((ada, nobody, eve));
        assert_eq!(all.unfinished(), 0);
        assert!(all.taken().by.is_empty());
    }

    #[test]
    fn f56_what_a_user_stores_in_a_day_is_bounded() {
        let all = Allowances::new(limits());
        let (ada, bob) = (Taker::User("ada".into()), Taker::User("bob".into()));
        assert!(all.fits(&ada, 5, 600));
        all.stores(&ada, 5, 600);
        assert!(!all.fits(&ada, 6, 401) && all.fits(&ada, 6, 400) && all.fits(&bob, 6, 1_000));
        assert!(all.fits(&ada, DAY_MS, 1_000));
    }

    #[test]
    fn an_address_is_the_network_of_one_customer() {
        let of = |text: &str| Taker::of_address(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
