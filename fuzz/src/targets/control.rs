//! The text files of Debian archives: stanzas, package indexes, relations, changelogs.

use plimsoll_packages::{changelog, deb822, index, relation};

use crate::Target;

pub(crate) static TARGET: Target = Target {
    id: "control",
    summary: "stanzas, package indexes, relations and changelogs of Debian",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    vec![
        b"Package: a\nVersion: 1:2.0-1\nArchitecture: amd64\nDepends: libc6 (>= 2.3) [amd64 !i386] <!nocheck>, b | c:any\nFilename: pool/a.deb\nSize: 10\nSHA256: 0000000000000000000000000000000000000000000000000000000000000000\nDescription: x\n y\n .\n\nPackage: b\n".to_vec(),
        b"a (2.0-1) stable; urgency=high\n\n  * CVE-2024-1234 fixed\n\n -- X <x@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n\na (1.0-1) stable; urgency=low\n".to_vec(),
    ]
}

fn run(data: &[u8]) {
    for stanza in deb822::stanzas(data).flatten() {
        for (_, value) in stanza.fields() {
            let (clauses, _) = relation::parse(&value);
            std::hint::black_box(clauses.len());
        }
    }
    let (candidates, _) = index::parse(data);
    for candidate in candidates {
        // What is fetched lies below its repository.
        assert!(
            index::is_below(&candidate.filename),
            "{}",
            candidate.filename
        );
    }
    let text = String::from_utf8_lossy(data);
    let _ = changelog::fixes(&text, "a", "1.0-1", "2.0-1");
}
