//! What somebody will ask for later, told to whoever reads a layer once.
//!
//! A layer is decompressed once and not unpacked. What will be read again is kept from that pass;
//! so the pass must know beforehand, and it does not know what a package is. It asks an
//! [`Interest`], by the name of each file, and for programs by a few words searched in them.

use std::ops::Range;

/// What is kept of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// Its first bytes, so many.
    Head(u64),
    /// All of it.
    Whole,
    /// It depends on its content: see [`Interest::found`].
    Search,
}

/// Which files somebody will ask for.
pub trait Interest: Send + Sync {
    /// What to keep of the file at this absolute path, by its size and mode.
    fn judge(&self, path: &[u8], size: u64, mode: u32) -> Keep;

    /// What a file begins with that is worth searching.
    fn magic(&self) -> &'static [u8];

    /// What is searched in files that begin so; at most 32.
    fn needles(&self) -> &'static [&'static [u8]];

    /// What to keep of a file judged [`Keep::Search`] in which the needles whose bits are set were
    /// found. Not [`Keep::Search`].
    fn found(&self, needles: u32) -> Keep;

    /// Which parts of a searched file of `size` bytes are kept in any case, told by its first bytes
    /// (`head`: all of a file of up to 128 KiB, so many of a larger one). Short parts, in any order.
    fn parts(&self, _head: &[u8], _size: u64) -> Vec<Range<u64>> {
        Vec::new()
    }
}

/// What the pass over its layer saw in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nobody looked.
    Unknown,
    /// It was not searched, or does not begin as [`Interest::magic`] says.
    Other,
    /// It was searched, and the needles whose bits are set were found.
    Needles(u32),
}
