//! A package archive of Debian.

use std::io::Read as _;
use std::sync::Arc;

use plimsoll_packages::deb;

use crate::Target;
use crate::make::{BETWEEN, ar, parts, tar};

pub(crate) static TARGET: Target = Target {
    id: "deb",
    summary: "a package archive of Debian",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let control = tar(&[
        ("/control", b"Package: a\nVersion: 1\nArchitecture: all\n"),
        ("/postinst", b"#!/bin/sh\n"),
    ]);
    let data = tar(&[("/usr/bin/a", b"x")]);
    let whole = ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control),
        ("data.tar", &data),
    ]);
    vec![[&*control, BETWEEN, &data].concat(), whole]
}

/// An input in two parts is what is in the two members; any other is the archive itself.
fn run(data: &[u8]) {
    let archive = match parts(data).as_slice() {
        [control, data] => ar(&[
            ("debian-binary", b"2.0\n"),
            ("control.tar", control),
            ("data.tar", data),
        ]),
        _ => data.to_vec(),
    };
    let Ok(package) = deb::open(Arc::new(Arc::<[u8]>::from(archive))) else {
        return;
    };
    std::hint::black_box(package.control.get("Depends"));
    let Ok(mut members) = package.data() else {
        return;
    };
    let mut bodies = 0;
    while let Ok(Some(_)) = members.next_member() {
        let mut body = Vec::new();
        let mut part = (&mut members).take(8 << 20);
        if part.read_to_end(&mut body).is_err() {
            break;
        }
        bodies += body.len();
        if bodies > 64 << 20 {
            break;
        }
    }
}
