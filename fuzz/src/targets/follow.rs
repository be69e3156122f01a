//! A file of an image that the application needs, and what it needs in turn.

use plimsoll_model::{ImagePath, Observations};
use plimsoll_slim::{Known, Layers, Level, Request, plan};

use crate::Target;
use crate::make::{Around, choosing, chosen};

pub(crate) static TARGET: Target = Target {
    id: "follow",
    summary: "a file that the application needs, followed to what it needs in turn",
    seeds,
    run,
};

/// What is started; one in [`PLACES`] is the input.
const PLACES: [&str; 16] = [
    "/app/main.py",
    "/app/package.json",
    "/app/main.js",
    "/app/main.rb",
    "/app/main.pl",
    "/app/index.php",
    "/app/app.jar",
    "/app/run.sh",
    "/app/program",
    "/etc/nginx/nginx.conf",
    "/etc/supervisor/supervisord.conf",
    "/usr/lib/python3/site-packages/a.pth",
    "/etc/ld.so.conf",
    "/etc/nsswitch.conf",
    "/etc/apache2/apache2.conf",
    "/etc/passwd",
];

fn seeds() -> Vec<Vec<u8>> {
    vec![
        choosing(
            0,
            "#!/usr/bin/python3\nimport os, a.b as c\nfrom . import d\ntry:\n    import e\nexcept ImportError:\n    e = None\n__import__('f')\n",
        ),
        choosing(
            1,
            r#"{"name":"a","main":"./main.js","exports":{".":{"import":"./x.mjs","require":["./y.js",null]}},"imports":{"\u0023a":"./b.js"},"dependencies":{"b":"*"}}"#,
        ),
        choosing(
            2,
            "#!/usr/bin/env node\nconst a = require('./b'); import('c'); require(`./${x}`);\n",
        ),
        choosing(
            3,
            "#!/usr/bin/ruby\nrequire 'a'\nrequire_relative '../b'\nautoload :C, 'c'\n",
        ),
        choosing(
            4,
            "#!/usr/bin/perl\nuse strict; use lib '/a'; require 'b.pl';\n",
        ),
        choosing(
            5,
            "<?php require __DIR__ . '/a.php'; include_once('b.php');\n",
        ),
        choosing(
            7,
            "#!/bin/sh\nset -e\n. /etc/a\nexec /app/program --config=/etc/b \"$@\"\n",
        ),
        choosing(8, program()),
        choosing(
            9,
            "user www-data;\nload_module modules/a.so;\nhttp { include /etc/nginx/*.conf; server { root /srv; ssl_certificate a.pem; } }\n",
        ),
        choosing(
            10,
            "[program:a]\ncommand=/app/run.sh -x \"%(ENV_A)s\"\n[include]\nfiles = *.conf\n",
        ),
        choosing(11, "import sys; sys.path.insert(0, '/a')\n/b\n"),
        choosing(12, "include /etc/ld.so.conf.d/*.conf\n/usr/local/lib\n"),
        choosing(
            13,
            "passwd: files systemd\nhosts: files [NOTFOUND=return] dns\n",
        ),
        choosing(
            14,
            "ServerRoot /etc/apache2\nLoadModule a_module modules/a.so\nIncludeOptional *.conf\n<VirtualHost *:80>\nDocumentRoot /srv\n</VirtualHost>\n",
        ),
    ]
}

/// A program with an interpreter and a section (System V ABI, chapters 4 and 5).
pub(crate) fn program() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    let halves: [u16; 2] = [2, 62];
    bytes.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    // Entry, program headers, no section headers.
    let words: [u64; 3] = [0x40_0000, 64, 0];
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend_from_slice(&0_u32.to_le_bytes());
    let sizes: [u16; 6] = [64, 56, 2, 64, 0, 0];
    bytes.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
    let interpreter = b"/lib64/ld-linux-x86-64.so.2\0";
    let headers: [(u32, u64, u64); 2] = [(3, 176, interpreter.len() as u64), (1, 0, 0x200)];
    for (kind, offset, size) in headers {
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&4_u32.to_le_bytes());
        let words = [offset, 0x40_0000 + offset, 0, size, size, 1];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }
    bytes.extend_from_slice(interpreter);
    bytes.resize(0x200, 0);
    bytes
}

fn run(data: &[u8]) {
    let Some((place, bytes)) = chosen(&PLACES, data) else {
        return;
    };
    let program = program();
    let files: [(&str, &[u8]); 12] = [
        ("/usr/bin/python3", &program),
        ("/usr/bin/node", &program),
        ("/usr/bin/ruby", &program),
        ("/usr/bin/perl", &program),
        ("/usr/bin/env", &program),
        ("/bin/sh", &program),
        ("/lib64/ld-linux-x86-64.so.2", &program),
        ("/usr/lib/python3/site-packages/a.py", b"import os\n"),
        ("/app/b.js", b"module.exports = 1\n"),
        ("/app/lib/b.rb", b"1\n"),
        ("/etc/nginx/conf.d/x.conf", b"server { }\n"),
        (place, bytes),
    ];
    let image = Around::new(&files, &[place]);
    let mut observations = Observations::default();
    observations.add(
        place.as_bytes(),
        plimsoll_model::Access::OPENED,
        "/bin/sh",
        "startup",
    );
    let request = Request {
        subject: image.subject(),
        observations: &observations,
        level: Level::App,
        include: &[],
        exclude: &[],
        keep_packages: &[],
        baked: &[],
        layers: Layers::Split,
        known: None,
    };
    let made = plan(&request);
    // What was opened stays, and everything that stays is there and has a reason.
    assert!(made.keeps(&ImagePath::new(place)));
    for (path, reasons) in &made.keep {
        assert!(!reasons.is_empty(), "{path:?}");
    }
    // What was learned of an image changes no plan.
    let known = Known::about(request.subject);
    for level in Level::ALL {
        let alone = Request { level, ..request };
        let known = Some(&known);
        let (one, other) = (plan(&alone), plan(&Request { known, ..alone }));
        assert_eq!(one.keep, other.keep);
    }
}
