//! A maintainer script, followed step by step.

use std::sync::Arc;

use plimsoll_build::{Lock, LockedArchive, LockedRelease, Recipe, compose};
use plimsoll_model::fetch::FetchErrorKind;
use plimsoll_model::{Digest, Fetch, FetchError, MemoryContents, Open};
use sha2::Digest as _;

use crate::Target;
use crate::make::{ar, tar};

pub(crate) static TARGET: Target = Target {
    id: "script",
    summary: "a maintainer script of a package, followed step by step",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    [
        "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n  adduser --system --group --home /var/lib/a a\n  install -d -o a -g adm -m 750 /var/log/a\nfi\n",
        "#!/bin/sh\nf() { for x in a b; do echo \"$x\" >> /etc/$x; done; }\nf \"$@\"\nwhile read a b; do case $a in x*) ln -s /a /b ;; esac; done < /etc/passwd\n",
        "#!/bin/sh\nx=${1:-a}; y=$(basename /a/b.c .c); cat > /etc/$y <<EOF\n$x ${y%b} $((1+2))\nEOF\nupdate-alternatives --install /usr/bin/e e /usr/bin/a 10\nldconfig || true\n",
        "#!/bin/sh\nuntil false; do :; done\n",
        "#!/bin/sh\nf() { f; f; }; f\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

struct One(Arc<[u8]>);

impl Fetch for One {
    fn fresh(&self, url: &str, _: u64) -> Result<Vec<u8>, FetchError> {
        Err(FetchError {
            url: url.to_owned(),
            kind: FetchErrorKind::Status(404),
        })
    }

    fn verified(&self, _: &str, _: &Digest, _: u64) -> Result<Arc<dyn Open>, FetchError> {
        Ok(Arc::new(Arc::clone(&self.0)))
    }
}

fn run(data: &[u8]) {
    let control = "Package: aa\nVersion: 1\nArchitecture: all\n";
    let control = tar(&[("/control", control.as_bytes()), ("/postinst", data)]);
    let files = tar(&[
        ("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"),
        ("/etc/group", b"root:x:0:\nadm:x:4:\n"),
        ("/usr/bin/a", b"x"),
    ]);
    let archive = ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar", &control),
        ("data.tar", &files),
    ]);
    let text = "[image]\ncmd = [\"/usr/bin/a\"]\narchitecture = \"amd64\"\n[[layers]]\nname = \"l\"\npackages = [\"aa\"]\n";
    let recipe = Recipe::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let digest = Digest::from_bytes(sha2::Sha256::digest(&archive).into());
    let lock = Lock {
        version: 1,
        architecture: recipe.architecture().to_owned(),
        recipe: recipe.packages_digest().hex(),
        releases: vec![LockedRelease {
            uri: String::from("http://mirror.test"),
            suite: String::from("s"),
            codename: String::from("s"),
            date: String::from("2026-01-01T00:00:00Z"),
            signed_by: Vec::new(),
        }],
        archives: vec![LockedArchive {
            name: String::from("aa"),
            version: String::from("1"),
            architecture: String::from("all"),
            layer: String::from("l"),
            release: 0,
            filename: String::from("pool/aa.deb"),
            sha256: digest.hex(),
            size: archive.len() as u64,
        }],
    };
    let spool = Arc::new(MemoryContents::default());
    let fetch = One(archive.into());
    match compose(&recipe, &lock, &fetch, spool, &|_| {}) {
        Ok(composed) => {
            for layer in &composed.draft.layers {
                assert!(layer.rootfs.tree.len() < 1 << 20);
            }
        }
        Err(error) => drop(std::hint::black_box(error.to_string())),
    }
}
