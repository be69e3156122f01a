//! libFuzzer in front of one target, which the variable `PLIMSOLL_TARGET` names.

#![no_main]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a program of its own, whose arguments are libFuzzer's"
)]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::{TARGETS, Target, by_id};

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

/// The target to run. With `PLIMSOLL_SEEDS` set, its seeds are written into that directory first.
fn choose() -> &'static Target {
    let name = std::env::var("PLIMSOLL_TARGET").unwrap_or_default();
    let target = by_id(&name).unwrap_or_else(|| {
        for target in TARGETS {
            eprintln!("{:12} {}", target.id, target.summary);
        }
        panic!("PLIMSOLL_TARGET names none of these");
    });
    if let Ok(directory) = std::env::var("PLIMSOLL_SEEDS") {
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let path = Path::new(&directory).join(format!("seed-{number:02}"));
            if let Err(error) = std::fs::write(path, seed) {
                eprintln!("no seeds in {directory}: {error}");
            }
        }
    }
    target
}

fuzz_target!(init: { CHOSEN.get_or_init(choose); }, |data: &[u8]| {
    (CHOSEN.get_or_init(choose).run)(data);
});
