//! Reading something large through a window: what is searched may lie across two reads.

use std::io::{self, Read};

/// Bytes that two neighbouring windows share: longer matches may be missed.
pub(crate) const OVERLAP: usize = 4 << 10;
const WINDOW: usize = 512 << 10;

/// Shows the whole of `reader` to `look`, window by window, until that answers `false`.
///
/// # Errors
/// Those of the reader.
pub(crate) fn each(reader: &mut dyn Read, mut look: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut window = Vec::with_capacity(WINDOW + OVERLAP);
    loop {
        let kept = window.len().min(OVERLAP);
        window.drain(..window.len() - kept);
        let count = reader.take(WINDOW as u64).read_to_end(&mut window)?;
        if count == 0 || !look(&window) || count < WINDOW {
            return Ok(());
        }
    }
}
