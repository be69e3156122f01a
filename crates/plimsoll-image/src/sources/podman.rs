//! `podman:NAME[:TAG]`: an image of Podman's engine on this machine, asked for through its socket.

use crate::Engine;
use crate::sources::{Source, docker_archive};

pub(super) static SOURCE: Source = Source {
    scheme: "podman",
    form: "podman:NAME[:TAG]",
    help: "an image of Podman's engine, through its socket",
    is_path: false,
    recognises: |_| false,
    find: |address| docker_archive::find_saved(Engine::Podman, address),
};
