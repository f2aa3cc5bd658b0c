//! Whether bytes are an update, without making anything of them.

use yrs::encoding::read::Error;
use yrs::updates::decoder::Decode;
use yrs::{Any, Update};

use super::SplitError;
use super::clients::has_wide_client;
use super::split::Block;
use crate::protocol::lib0::Lib0Reader;

/// Whether yrs can decode this. It takes a tenth of the time of decoding: yrs itself is asked only where bytes look
/// odd.
///
/// # Errors
/// If it cannot, or clocks would pass the largest that yrs can count.
pub fn check(update: &[u8]) -> Result<(), Error> {
    let mut findings = Findings::default();
    let looked = look(update, &mut findings);
    if findings.overflow {
        return Err(Error::UnexpectedValue);
    }
    match looked {
        Ok(()) if !findings.odd => Ok(()),
        _ if has_wide_client(update) => Err(Error::UnexpectedValue),
        _ => Update::decode_v1(update).map(drop),
    }
}

/// Whether yrs can read again what it writes of this: what waits is written with the document's state.
///
/// # Errors
/// If it cannot read it at all.
pub(super) fn is_faithful(update: &[u8]) -> Result<bool, Error> {
    // It is written by merging. A count that yrs' numbers cannot hold makes that panic, here as there.
    let written = super::merge([update])?;
    Ok(Update::decode_v1(&written).is_ok())
}

#[derive(Default)]
struct Findings {
    overflow: bool,
    odd: bool,
}

impl Findings {
    fn pass(&mut self, from: u64, len: u64) {
        self.overflow |= from.saturating_add(len) > u64::from(u32::MAX);
    }
}

fn look(update: &[u8], findings: &mut Findings) -> Result<(), SplitError> {
    let mut reader = Lib0Reader::new(update);
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        reader.var_uint()?;
        let mut clock = reader.var_uint()?;
        for _ in 0..count {
            let block = Block::read(&mut reader)?;
            findings.pass(clock, block.len);
            findings.odd |= block.is_odd() || block.json.is_some_and(|json| Any::from_json(json).is_err());
            clock = clock.saturating_add(block.len);
        }
    }
    for _ in 0..reader.var_uint()? {
        reader.var_uint()?;
        for _ in 0..reader.var_uint()? {
            findings.pass(reader.var_uint()?, reader.var_uint()?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::types::Attrs;
    use yrs::{Doc, OffsetKind, Options, ReadTxn, StateVector, Text, Transact, Xml, XmlTextPrelim, XmlTextRef};

    fn document() -> Vec<u8> {
        // Always the same bytes: of text that is no UTF-8, into which one of many ids may lead, yrs sees nothing.
        let options = Options {
            offset_kind: OffsetKind::Utf16,
            ..Options::with_client_id(yrs::ClientID::new(0x17_92a3_5d91_0641))
        };
        let doc = Doc::with_options(options);
        let text = doc.get_or_insert_text("content");
        let root: &XmlTextRef = text.as_ref();
        let mut txn = doc.transact_mut();
        for at in 0..4 {
            let block = root.insert_embed(&mut txn, at, XmlTextPrelim::new("some “text” 😀"));
            block.insert_attribute(&mut txn, "type", Any::from("paragraph"));
            block.insert_attribute(&mut txn, "depth", Any::from(f64::from(at) + 0.5));
            block.format(&mut txn, 2, 4, Attrs::from([("bold".into(), Any::from(true))]));
            block.insert_embed(&mut txn, 3, Any::from_json(r#"{"a":[1,null]}"#).unwrap());
        }
        root.remove_range(&mut txn, 1, 1);
        txn.encode_state_as_update_v1(&StateVector::default())
    }

    #[test]
    fn agrees_with_yrs_whatever_the_bytes() {
        let sound = document();
        let mut findings = Findings::default();
        assert!(look(&sound, &mut findings).is_ok() && !findings.odd);
        let mut rng = fastrand::Rng::with_seed(5);
        let mut refused = 0;
        for _ in 0..20_000 {
            let mut bytes = sound.clone();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..bytes.len());
                match rng.u8(..4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => drop(bytes.remove(at)),
                    _ => bytes[at] ^= 1 << rng.u8(..8),
                }
            }
            // Clocks beyond what they are counted in make it panic, or begin again.
            let Ok(expected) = std::panic::catch_unwind(|| Update::decode_v1(&bytes).is_ok()) else { continue };
            refused += u32::from(!expected);
            assert_eq!(check(&bytes).is_ok(), expected, "{bytes:?}");
        }
        assert!(refused > 1_000);
    }
}
