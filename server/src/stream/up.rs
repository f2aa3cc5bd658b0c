//! What comes up: request bodies, each counted once however often it comes, and the frames they hold.
//!
//! Knows no network and no clock. A body that was taken is acknowledged again and not looked at; one that comes before
//! its time is refused. Frames may begin in one body and end in another, so that no proxy's limit for bodies is theirs.

use axum::body::Bytes;
use thiserror::Error;

use super::wire::read_var_uint;

/// One record of what comes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Frame(Bytes),
    /// The client ends the connection, with this code.
    Close(u16),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UpError {
    #[error("body {expected} is missing")]
    Gap { expected: u64 },
    #[error("a frame exceeds {limit} bytes")]
    TooLarge { limit: usize },
    #[error("what came is no record")]
    Malformed,
}

/// The client's side of what it sends is `js/http-socket.ts`.
#[derive(Debug)]
pub struct Up {
    /// The largest frame.
    limit: usize,
    /// The number of the last body that was taken; the first is 1.
    taken: u64,
    /// The beginning of a record.
    rest: Vec<u8>,
}

impl Up {
    pub fn new(limit: usize) -> Self {
        Self { limit, taken: 0, rest: Vec::new() }
    }

    /// Bytes that are held until their record is whole.
    pub fn held(&self) -> usize {
        self.rest.len()
    }

    /// Nothing more comes.
    pub fn forget(&mut self) {
        self.rest = Vec::new();
    }

    /// Takes the body with this number. None: it was taken before.
    ///
    /// # Errors
    /// What makes the connection worthless, but for a gap, which changes nothing.
    pub fn take(&mut self, number: u64, body: &[u8]) -> Result<Option<Vec<Record>>, UpError> {
        if number <= self.taken {
            return Ok(None);
        }
        let expected = self.taken + 1;
        if number != expected {
            return Err(UpError::Gap { expected });
        }
        self.taken = number;
        self.rest.extend_from_slice(body);
        let mut records = Vec::new();
        let mut at = 0;
        while let Some((record, size)) = self.record(at)? {
            records.push(record);
            at += size;
        }
        self.rest.drain(..at);
        // An idle connection holds nothing.
        self.rest.shrink_to(0);
        Ok(Some(records))
    }

    /// The record that begins here and its size, if it is whole.
    fn record(&self, at: usize) -> Result<Option<(Record, usize)>, UpError> {
        let bytes = &self.rest[at..];
        let Some((size, head)) = read_var_uint(bytes).map_err(|_| UpError::Malformed)? else { return Ok(None) };
        if size == 0 {
            let Some((code, more)) = read_var_uint(&bytes[head..]).map_err(|_| UpError::Malformed)? else {
                return Ok(None);
            };
            let code = u16::try_from(code).map_err(|_| UpError::Malformed)?;
            return Ok(Some((Record::Close(code), head + more)));
        }
        if size > self.limit as u64 {
            return Err(UpError::TooLarge { limit: self.limit });
        }
        let end = head + size as usize;
        Ok(bytes.get(head..end).map(|frame| (Record::Frame(Bytes::copy_from_slice(frame)), end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8]) -> Record {
        Record::Frame(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn a_body_counts_once_and_none_is_passed_over() {
        let mut up = Up::new(100);
        assert_eq!(up.take(1, &[2, 7, 7]), Ok(Some(vec![frame(&[7, 7])])));
        assert_eq!(up.take(1, &[2, 7, 7]), Ok(None));
        assert_eq!(up.take(3, &[1, 8]), Err(UpError::Gap { expected: 2 }));
        assert_eq!(up.take(2, &[1, 9, 1, 8]), Ok(Some(vec![frame(&[9]), frame(&[8])])));
        assert_eq!(up.take(0, &[1, 9]), Ok(None));
    }

    #[test]
    fn a_frame_may_come_in_several_bodies() {
        let mut up = Up::new(1_000);
        assert_eq!(up.take(1, &[0x80 | 44]), Ok(Some(vec![])));
        assert_eq!(up.take(2, &[2, 5, 5]), Ok(Some(vec![])));
        assert_eq!(up.held(), 4);
        let mut last = vec![5; 298];
        last.extend([0, 0xe8, 0x07]);
        assert_eq!(up.take(3, &last), Ok(Some(vec![frame(&[5; 300]), Record::Close(1000)])));
        assert_eq!(up.held(), 0);
    }

    #[test]
    fn what_is_too_large_or_no_record_is_refused_before_it_is_held() {
        let too_large = UpError::TooLarge { limit: 100 };
        assert_eq!(Up::new(100).take(1, &[101, 0]), Err(too_large));
        assert_eq!(Up::new(100).take(1, &[0xff; 9]), Err(UpError::Malformed));
        assert_eq!(Up::new(100).take(1, &[0, 0xff, 0xff, 0x7f]), Err(UpError::Malformed));
    }
}
