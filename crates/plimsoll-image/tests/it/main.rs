//! Images of every shape, made in code, read, written, validated and unpacked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod make;

mod ahead;
mod copy;
mod docker_archive;
mod fixtures;
mod hostile;
mod layers;
mod oci;
mod rootfs;
mod sources;
mod tools;
mod unpack;
mod write;
