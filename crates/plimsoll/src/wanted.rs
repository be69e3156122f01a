//! What is kept from the pass over an image's layers: what the package databases will ask for, and
//! what the checks will.

use std::ops::Range;

use plimsoll_model::{Interest, Keep};
use plimsoll_packages::databases;

/// What somebody will ask for later.
pub(crate) struct Wanted;

impl Interest for Wanted {
    fn judge(&self, path: &[u8], size: u64, mode: u32) -> Keep {
        databases::Wanted.judge(path, size, mode)
    }

    fn magic(&self) -> &'static [u8] {
        databases::Wanted.magic()
    }

    fn needles(&self) -> &'static [&'static [u8]] {
        databases::Wanted.needles()
    }

    fn found(&self, needles: u32) -> Keep {
        databases::Wanted.found(needles)
    }

    fn parts(&self, head: &[u8], size: u64) -> Vec<Range<u64>> {
        plimsoll_checks::parts(head, size)
    }
}
