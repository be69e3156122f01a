//! Images of every shape, made in code, read, written, validated and unpacked.

mod make;

mod docker_archive;
mod hostile;
mod layers;
mod oci;
mod rootfs;
mod tools;
mod unpack;
mod write;
