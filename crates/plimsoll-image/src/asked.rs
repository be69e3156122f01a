//! Fingerprints of files that were hopped over: counted when somebody asks, each once.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::{Mutex, PoisonError};

use crate::kept::{Kept, Prints, halves, joined};
use crate::part::Part;

/// Fingerprints of files that are counted when somebody asks, each once: 12 bytes a file.
#[derive(Default)]
pub(crate) struct Asked {
    known: Mutex<BTreeMap<u32, [u32; 2]>>,
    window: Mutex<Window>,
}

/// A stretch of a plain layer: who asks for small files in the order in which they lie has many of them
/// read at once.
#[derive(Default)]
struct Window {
    at: u64,
    bytes: Vec<u8>,
}

/// Bytes of a stretch.
const STRETCH: u64 = 64 << 10;
/// A larger file is read by itself.
const FEW: u64 = 4 << 10;

impl Asked {
    /// The fingerprint of the file at `offset`: the one that is known, else the one that `count` counts.
    pub(crate) fn get(&self, offset: u64, count: impl FnOnce() -> Option<u64>) -> Option<u64> {
        // One that begins where no body of a tar does is not remembered.
        let Some(block) = Prints::block(offset) else {
            return count();
        };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(halves) = known().get(&block) {
            return Some(joined(*halves));
        }
        let print = count()?;
        known().insert(block, halves(print));
        Some(print)
    }

    /// The fingerprint of the `size` bytes at `offset` of a plain layer that is as it is in `part`; `None`
    /// where they are too many to be read together with others.
    pub(crate) fn small(&self, part: &Part, offset: u64, size: u64) -> Option<io::Result<u64>> {
        if size > FEW {
            return None;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        Some(window.body(part, offset, size).map(Kept::print_of))
    }
}

impl Window {
    fn body(&mut self, part: &Part, offset: u64, size: u64) -> io::Result<&[u8]> {
        let end = self.at + self.bytes.len() as u64;
        let behind = offset.checked_add(size);
        let behind = behind.ok_or(io::ErrorKind::UnexpectedEof)?;
        if offset < self.at || behind > end {
            // What lies far from the last file is asked for alone, as far as anybody knows.
            let is_next = offset >= self.at && offset < end + STRETCH;
            let length = if is_next { STRETCH } else { size };
            let length = length.min(part.size.saturating_sub(offset)).max(size);
            self.bytes.resize(usize::try_from(length).unwrap_or(0), 0);
            let read = part.section(offset, length)?.read_exact(&mut self.bytes);
            if let Err(error) = read {
                self.bytes.clear();
                return Err(error);
            }
            self.at = offset;
        }
        let from = usize::try_from(offset - self.at).unwrap_or(usize::MAX);
        let until = from.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        let body = self.bytes.get(from..until);
        body.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn small_files_are_compared_many_at_a_time_and_each_by_its_own_bytes() {
        use std::io::Write as _;
        let mut file = tempfile::tempfile().unwrap();
        let body = |number: u64| vec![number as u8; 1 + (number * 37 % 900) as usize];
        let mut places = Vec::new();
        let mut at = 0;
        for number in 0..300 {
            let bytes = body(number);
            file.write_all(&bytes).unwrap();
            file.write_all(&vec![0; 1024 - bytes.len()]).unwrap();
            places.push((at, bytes));
            at += 1024;
        }
        let part = Part::of_file(Arc::new(file), 0, at);
        let asked = Asked::default();
        let print = |at, size| asked.small(&part, at, size).unwrap();
        // In their order, backwards, and with leaps.
        let leaps = (0..300).map(|number| number * 211 % 300);
        let order = (0..300).chain((0..300).rev()).chain(leaps);
        for number in order {
            let (at, bytes) = &places[number];
            let expected = Kept::print(&mut bytes.as_slice(), bytes.len() as u64).unwrap();
            assert_eq!(
                print(*at, bytes.len() as u64).unwrap(),
                expected,
                "{number}"
            );
        }
        // What is not there has none, and takes nothing from what is.
        assert!(print(at - 10, 11).is_err());
        assert!(print(u64::MAX - 3, 10).is_err());
        assert!(asked.small(&part, 0, FEW + 1).is_none());
        assert!(print(0, 1).is_ok());
    }

    #[test]
    fn what_is_asked_for_again_is_not_counted_again() {
        let asked = Asked::default();
        assert_eq!(asked.get(512, || Some(u64::MAX - 5)), Some(u64::MAX - 5));
        assert_eq!(
            asked.get(512, || panic!("counted twice")),
            Some(u64::MAX - 5)
        );
        assert_eq!(asked.get(1024, || None), None);
        assert_eq!(asked.get(1024, || Some(1)), Some(1));
        // It is no body of a tar, and must not be taken for another.
        assert_eq!(asked.get(513, || Some(2)), Some(2));
        assert_eq!(asked.get(513, || Some(3)), Some(3));
    }
}
