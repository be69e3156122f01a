//! Which checks stand for what a small and safe image is asked for: the list, and that it is whole.

use std::collections::BTreeSet;

use plimsoll_checks::CHECKS;

/// What is looked for in an image, and the checks that do.
const LOOKED_FOR: &[(&str, &[&str])] = &[
    ("shells", &["shell"]),
    (
        "what keeps a shell",
        &["entry-script", "healthcheck-script", "shell-form"],
    ),
    (
        "package managers",
        &["package-manager", "language-package-manager"],
    ),
    ("network tools", &["network-tool", "healthcheck-tool"]),
    ("editors", &["editor"]),
    ("compilers and debuggers", &["compiler", "debugger"]),
    (
        "development packages and files",
        &["development-package", "development-file"],
    ),
    ("settings for development", &["development-setting"]),
    (
        "documentation and locales",
        &["documentation", "translation"],
    ),
    (
        "caches and lists",
        &["package-cache", "package-lists", "update-alone"],
    ),
    ("temporary files and logs", &["temporary-file", "log-file"]),
    ("repositories of version control", &["vcs-directory"]),
    ("test suites", &["test-suite"]),
    (
        "secrets and keys, also in layers that later ones hide, variables and history",
        &["secret-file", "secret-in-config", "account-password"],
    ),
    (
        "rights: set-uid, world-writable, capabilities",
        &[
            "setuid",
            "world-writable",
            "file-capability",
            "privilege-tool",
        ],
    ),
    ("the user root", &["root-user"]),
    (
        "a base that is not named, not fixed, or old",
        &[
            "unpinned-base",
            "abandoned-base",
            "end-of-life",
            "stale-image",
        ],
    ),
    (
        "several applications, init systems",
        &["several-applications", "supervisor"],
    ),
    ("servers for logins", &["remote-login"]),
    (
        "state in layers, missing volumes",
        &["state-in-layer", "missing-volume"],
    ),
    ("no health check", &["no-healthcheck"]),
    ("ports for administration", &["admin-port"]),
    (
        "downloads nobody verifies",
        &["add-from-network", "unverified-download"],
    ),
    (
        "dead bytes and duplicate files",
        &["dead-bytes", "duplicate-file"],
    ),
    ("programs that are not stripped", &["debug-symbol"]),
    ("static libraries", &["static-library"]),
];

/// The items of section 4 of the CIS Docker Benchmark, in our words, the checks that answer them,
/// and what else does.
const CIS: &[(&str, &str, &[&str], &str)] = &[
    (
        "4.1",
        "a user of its own",
        &["root-user", "account-password"],
        "",
    ),
    (
        "4.2",
        "trusted bases",
        &["unpinned-base", "abandoned-base", "end-of-life"],
        "`lineage`; allowed bases of a policy",
    ),
    (
        "4.3",
        "no packages that are not needed",
        &[
            "compiler",
            "debugger",
            "development-package",
            "editor",
            "language-package-manager",
            "network-tool",
            "package-manager",
            "shell",
        ],
        "`slim`",
    ),
    (
        "4.4",
        "scanned and built again",
        &["stale-image", "end-of-life"],
        "`scan`",
    ),
    (
        "4.5",
        "content trust",
        &[],
        "a setting of the engine, not of the image",
    ),
    ("4.6", "HEALTHCHECK", &["no-healthcheck"], ""),
    ("4.7", "no update instruction alone", &["update-alone"], ""),
    (
        "4.8",
        "no set-uid and set-gid",
        &["setuid", "file-capability"],
        "",
    ),
    (
        "4.9",
        "COPY in place of ADD",
        &["add-from-network"],
        "`lint`: add-not-copy",
    ),
    (
        "4.10",
        "no secrets",
        &["secret-in-config", "secret-file"],
        "",
    ),
    ("4.11", "verified packages", &["unverified-download"], ""),
    (
        "4.12",
        "signed artefacts are validated",
        &["unverified-download"],
        "signatures of package indexes in `build`",
    ),
];

fn links(ids: &[&str]) -> String {
    let links: Vec<String> = ids.iter().map(|id| format!("[{id}]({id}.md)")).collect();
    links.join(", ")
}

/// Both lists, for the index of the pages.
pub(crate) fn tables() -> String {
    let mut text =
        String::from("\n## What is looked for, and where\n\n| looked for | checks |\n|---|---|\n");
    for (what, ids) in LOOKED_FOR {
        text.push_str(&format!("| {what} | {} |\n", links(ids)));
    }
    text.push_str(
        "\n## CIS Docker Benchmark, section 4\n\n| item | asks for | checks | and |\n|---|---|---|---|\n",
    );
    for (item, what, ids, more) in CIS {
        text.push_str(&format!("| {item} | {what} | {} | {more} |\n", links(ids)));
    }
    text
}

#[test]
fn every_check_stands_for_something_that_is_looked_for() {
    let known: BTreeSet<&str> = CHECKS.iter().map(|check| check.id).collect();
    let mut listed: Vec<&str> = LOOKED_FOR
        .iter()
        .flat_map(|(_, ids)| *ids)
        .copied()
        .collect();
    let named = listed
        .iter()
        .chain(CIS.iter().flat_map(|(_, _, ids, _)| *ids));
    let unknown: Vec<&&str> = named.filter(|id| !known.contains(**id)).collect();
    assert_eq!(unknown, Vec::<&&str>::new());
    listed.sort_unstable();
    assert_eq!(listed, known.into_iter().collect::<Vec<_>>(), "each once");
    for (item, _, ids, more) in CIS {
        assert!(!ids.is_empty() || !more.is_empty(), "{item}");
    }
}
