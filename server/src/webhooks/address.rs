//! Which addresses webhooks may be at: by default none inside, so that nobody who may set up a webhook reaches what only this server
//! reaches. A name is looked up by the client that connects, through [`GuardedNames`]: what was checked is what it connects to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

/// Addresses inside that are allowed nevertheless: `10.1.0.0/16`, `::1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    bits: u8,
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no address and no range of addresses such as 10.1.0.0/16");
        let (network, bits) = match text.split_once('/') {
            Some((network, bits)) => (network, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let network: IpAddr = network.parse().map_err(|_| wrong())?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(wrong()) } else { Ok(Self { network, bits }) }
    }
}

impl AddressRange {
    fn has(&self, address: IpAddr) -> bool {
        let (network, address, width) = match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
            _ => return false,
        };
        let rest = width - u32::from(self.bits);
        network.checked_shr(rest).unwrap_or(0) == address.checked_shr(rest).unwrap_or(0)
    }
}

/// An address that webhooks may not be at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("webhooks may not be at this address: it is inside, and --webhook-allow does not name it")]
pub struct Inside;

/// Where webhooks may be.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    pub allowed: Vec<AddressRange>,
}

impl Reach {
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|range| range.has(address)) || is_outside(address)
    }
}

/// Whether an address is one of the public network.
fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_outside_v4(address),
        IpAddr::V6(address) => is_outside_v6(address),
    }
}

fn is_outside_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_special = a == 0 || a >= 240 || (a, b, c) == (192, 0, 0) || (a == 198 && (b & 0xfe) == 18);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || is_shared
        || is_special)
}

fn is_outside_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match (a, b) {
        // Ways to an address of version 4.
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => is_outside_v4(v4(g, h)),
        (0x2002, _) => is_outside_v4(v4(b, c)),
        (0x2001, 0..=0x1ff) | (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // The rest of what is given out to be reached by everybody.
        _ => a & 0xe000 == 0x2000,
    }
}

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> LookingUp + Send + Sync>;
pub type LookingUp = std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// The names that the system knows.
pub fn system_names() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) })
    })
}

/// Names, of whose addresses only those are known that may be connected to.
pub struct GuardedNames {
    pub reach: Arc<Reach>,
    pub lookup: Lookup,
}

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, looking) = (Arc::clone(&self.reach), (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = looking.await?.into_iter().filter(|address| reach.permits(*address));
            let found: Vec<SocketAddr> = found.map(|address| SocketAddr::new(address, 0)).collect();
            if found.is_empty() {
                return Err(Inside.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_inside_is_not_reached_unless_it_is_named() {
        let nobody = Reach::default();
        for inside in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "192.0.0.8",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
        ] {
            assert!(!nobody.permits(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::101:101"] {
            assert!(nobody.permits(outside.parse().unwrap()), "{outside}");
        }
        let some =
            Reach { allowed: ["127.0.0.1", "10.1.0.0/16", "fd00::/8"].map(|range| range.parse().unwrap()).into() };
        for (address, permitted) in [
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("fd99::1", true),
            ("fc00::1", false),
            ("::ffff:10.1.0.1", true),
            ("1.1.1.1", true),
        ] {
            assert_eq!(some.permits(address.parse().unwrap()), permitted, "{address}");
        }
        for wrong in ["", "10.0.0.0/33", "host", "::/129", "10.0.0.0/x"] {
            assert!(wrong.parse::<AddressRange>().is_err(), "{wrong}");
        }
        assert!(Reach { allowed: vec!["0.0.0.0/0".parse().unwrap()] }.permits("127.0.0.1".parse().unwrap()));
    }
}
