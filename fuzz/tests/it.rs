//! Everything that was ever thrown at a target and showed something new, once more.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what helps a test fails as a test does, and says what was read"
)]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::thread;

use plimsoll_fuzz::{TARGETS, Target};
use plimsoll_model::tar::{Archive, Type};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The inputs kept for a target: a tar archive, packed with zstd.
fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    let file = File::open(corpus().join(format!("{}.tar.zst", target.id))).unwrap();
    let mut archive = Archive::new(zstd::Decoder::new(file).unwrap());
    let mut inputs = Vec::new();
    while let Some(member) = archive.next_member().unwrap() {
        if member.kind == Type::File {
            let mut input = Vec::new();
            archive.read_to_end(&mut input).unwrap();
            inputs.push((String::from_utf8_lossy(&member.name).into_owned(), input));
        }
    }
    inputs
}

/// Runs inputs on a thread with the stack of a main thread: what nests may not end a program.
fn replay(target: &'static Target, inputs: Vec<(String, Vec<u8>)>) {
    let thread = thread::Builder::new().stack_size(8 << 20).spawn(move || {
        for (name, input) in inputs {
            let ran = std::panic::catch_unwind(|| (target.run)(&input));
            assert!(ran.is_ok(), "{}: {name}", target.id);
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn the_seeds_are_read() {
    for target in TARGETS {
        let seeds = (target.seeds)().into_iter().enumerate();
        let seeds: Vec<_> = seeds.map(|(n, seed)| (format!("seed {n}"), seed)).collect();
        assert!(!seeds.is_empty(), "{}", target.id);
        replay(target, seeds);
    }
}

#[test]
fn what_was_kept_is_read() {
    for target in TARGETS {
        let inputs = kept(target);
        assert!(!inputs.is_empty(), "{}", target.id);
        eprintln!("{:12} {} inputs", target.id, inputs.len());
        replay(target, inputs);
    }
}

#[test]
fn every_corpus_has_a_target() {
    for entry in fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.strip_suffix(".tar.zst").unwrap();
        assert!(plimsoll_fuzz::by_id(id).is_some(), "{name}");
    }
    assert!(TARGETS.is_sorted_by_key(|target| target.id));
}
