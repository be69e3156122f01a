//! The table of checks is sound, its pages are true, and the documentation is written from it.

#[path = "it/coverage.rs"]
mod coverage;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/lint.rs"]
mod lint;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use plimsoll_checks::{
    Abandoned, CHECKS, Check, Circumstances, Environment, Lifetime, State, footprint, inspect,
    judge,
};
use plimsoll_model::fixture::Fixture;
use plimsoll_model::{Evidence, Finding};

/// The practices, as pages may name them.
const PRACTICES: [&str; 15] = [
    "choose a base that is looked after",
    "development tools stay out of production",
    "keep only needed packages",
    "keep the image small",
    "no secrets in the image",
    "no state in the image",
    "one application per image",
    "remove curl, wget and other network tools",
    "remove editors",
    "remove package managers",
    "remove package managers of programming languages",
    "remove shells",
    "run as a user of its own",
    "say how to tell that it works",
    "verify what is fetched",
];

/// The blocks of a page fenced as `image`, in order, each with the heading above it.
fn images(page: &str) -> Vec<(String, String)> {
    let mut images = Vec::new();
    let mut heading = String::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match (&mut block, line) {
            (None, "```image") => block = Some(String::new()),
            (None, line) => {
                assert!(!line.starts_with("```"), "a block that is no image: {line}");
                if let Some(title) = line.strip_prefix("## ") {
                    heading = title.to_owned();
                }
            }
            (Some(text), "```") => {
                images.push((heading.clone(), std::mem::take(text)));
                block = None;
            }
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    assert_eq!(block, None, "a block is not closed");
    images
}

/// The image of a page, and what the checks are told of the world: `TODAY DATE`, `SUPPORT` with
/// `supported`, `long-term DATE` or `ended DATE`, and `ABANDONED BASE`.
fn scene(text: &str) -> (Fixture, Circumstances) {
    let mut circumstances = Circumstances::default();
    let mut image = String::new();
    let date = |text: &str| -> Date { text.parse().unwrap_or_else(|_| panic!("no date: {text}")) };
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let state = match words[..] {
            ["TODAY", day] => {
                circumstances.today = Some(date(day));
                continue;
            }
            ["ABANDONED", base] => {
                circumstances.abandoned.push(Abandoned {
                    name: base.to_owned(),
                    why: "it is over".to_owned(),
                    instead: None,
                });
                continue;
            }
            ["SUPPORT", "supported"] => State::Supported,
            ["SUPPORT", "ended", day] => State::Ended { on: date(day) },
            ["SUPPORT", "long-term", day] => State::LongTerm {
                until: date(day),
                by: "somebody".to_owned(),
            },
            _ => {
                image.push_str(line);
                image.push('\n');
                continue;
            }
        };
        circumstances.lifetime = Some(Lifetime {
            release: "a release".to_owned(),
            state,
        });
    }
    (Fixture::new(&image), circumstances)
}

/// What an evidence is claimed by: a path, or a key of the configuration.
fn key(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Path { path, .. } | Evidence::Line { path, .. } => path.to_string(),
        Evidence::Config { key, .. } => (*key).to_owned(),
        Evidence::Package { .. } => "PACKAGE".to_owned(),
        other => other.to_string(),
    }
}

fn keys(findings: &[Finding]) -> BTreeSet<(String, &str)> {
    let all = findings.iter().flat_map(|finding| {
        let evidence = finding.evidence.iter();
        evidence.map(|evidence| (key(evidence), finding.check))
    });
    all.collect()
}

#[test]
fn pages_are_true() {
    let mut wrong = Vec::new();
    for check in CHECKS {
        let page = check.page_text();
        let images = images(&page);
        assert!(!images.is_empty(), "{}: the page has no example", check.id);
        for (_, text) in images {
            let (fixture, circumstances) = scene(&text);
            let claimed: BTreeSet<(String, &str)> = fixture
                .claims
                .iter()
                .map(|(at, claim)| (at.clone(), claim.as_deref().unwrap_or(check.id)))
                .collect();
            let (findings, problems) = judge(&fixture.subject(), &circumstances);
            let found = keys(&findings);
            if found != claimed || !problems.is_empty() {
                let id = check.id;
                wrong.push(format!(
                    "page of {id}:\n{text}found {found:?}\nclaimed {claimed:?}\n{problems:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn pages_have_their_shape() {
    for Check {
        id, practice, page, ..
    } in CHECKS
    {
        let check = CHECKS.iter().find(|check| check.id == *id).unwrap();
        let text = check.page_text();
        assert!(page.len() > text.len() / 2);
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let shape = ["## Example", "## Not a finding", "## Remedy"];
        assert_eq!(headings, shape, "{id}");
        let first = text.split("\n\n").next().unwrap();
        let first = first.replace('\n', " ").to_lowercase();
        assert!(first.contains(practice), "{id}: does not name `{practice}`");
        assert!(PRACTICES.contains(practice), "{id}: {practice}");
        for (heading, image) in images(&text) {
            let claims = scene(&image).0.claims;
            let own = claims
                .iter()
                .filter(|(_, check)| check.as_deref().is_none_or(|check| check == *id));
            match &*heading {
                "Example" => assert_ne!(own.count(), 0, "{id}: an example of nothing\n{image}"),
                _ => assert_eq!(own.count(), 0, "{id}: a look-alike is claimed\n{image}"),
            }
        }
    }
}

#[test]
fn the_clean_image_is_clean() {
    let fixture = Fixture::default();
    let (findings, problems) = judge(&fixture.subject(), &Circumstances::default());
    assert_eq!((findings, problems), (vec![], vec![]));
    let footprint = footprint(&fixture.subject());
    assert_eq!((footprint.files, footprint.bytes), (1, 12 * 1024));
    assert_eq!(footprint.shells, []);
}

#[test]
fn every_file_is_a_row_and_every_row_a_file() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks");
    let mut files: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| stem(&path))
        .filter(|stem| stem != "mod")
        .collect();
    files.sort();
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(ids, files, "sorted by name, each once");
    for check in CHECKS {
        assert_eq!(stem(Path::new(check.file)), check.id);
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(check.id.bytes().all(kebab), "{}", check.id);
        let summary = check.summary;
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{summary}");
    }
}

/// The name of a file without its ending, in kebab-case.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace('_', "-")
}

/// An image with everything wrong, for what holds across checks.
const OVERLOADED: &str = r#"
    /usr/bin/dash 0755 125k
    /bin/sh -> /usr/bin/dash
    /usr/bin/apt 0755 18k
    /usr/bin/su 04755 71k
    /usr/bin/curl 0755 280k
    /bin/busybox 0755 800k
    /bin/ash -> busybox
    /usr/bin/wget -> /bin/busybox
    /tmp/x 0644 1k
    /tmp/y 0644 1k
    --- layer
    /tmp/x removed
    USER root
    PACKAGE dash 0.5.12
    PACKAGE curl 8.14.1"#;

#[test]
fn findings_come_heaviest_first_then_by_check_then_by_place() {
    let fixture = Fixture::new(OVERLOADED);
    let findings = inspect(&fixture.subject(), &Circumstances::default());
    let order: Vec<_> = findings
        .iter()
        .map(|finding| {
            (
                finding.severity.name(),
                finding.check,
                key(&finding.evidence[0]),
            )
        })
        .collect();
    let shown: Vec<_> = order.iter().map(|(s, c, k)| (*s, *c, k.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("medium", "network-tool", "/usr/bin/curl"),
            ("medium", "network-tool", "/usr/bin/wget"),
            ("medium", "package-manager", "/usr/bin/apt"),
            ("medium", "root-user", "USER"),
            ("medium", "setuid", "/usr/bin/su"),
            ("medium", "shell", "/bin/ash"),
            ("medium", "shell", "/bin/sh"),
            ("low", "temporary-file", "/tmp/y"),
            ("info", "dead-bytes", "/tmp/x"),
        ]
    );
    assert_eq!(
        findings,
        inspect(&fixture.subject(), &Circumstances::default()),
        "the same every time"
    );
}

#[test]
fn the_footprint_counts_what_the_checks_find() {
    let fixture = Fixture::new(OVERLOADED);
    let footprint = footprint(&fixture.subject());
    let shown = |paths: &[plimsoll_model::ImagePath]| {
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        paths.join(" ")
    };
    assert_eq!(
        shown(&footprint.shells),
        "/bin/ash /bin/busybox /bin/sh /usr/bin/dash"
    );
    assert_eq!(shown(&footprint.package_managers), "/usr/bin/apt");
    assert_eq!(
        shown(&footprint.network_tools),
        "/usr/bin/curl /usr/bin/wget"
    );
    assert_eq!(shown(&footprint.setuid), "/usr/bin/su");
    assert_eq!(footprint.packages, 2);
    assert_eq!(footprint.files, 7);
    assert_eq!(footprint.bytes, (12 + 125 + 18 + 71 + 280 + 800 + 1) * 1024);
}

/// Writes `docs/checks` from the table with `UPDATE=1`, and says what is stale without it.
#[test]
fn the_documentation_is_fresh() {
    let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs/checks"]
        .iter()
        .collect();
    let mut files = vec![("README.md".to_owned(), index())];
    for check in CHECKS {
        files.push((format!("{}.md", check.id), document(check)));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a generator asks whether it may write"
    )]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        fs::create_dir_all(&directory).unwrap();
    }
    let mut stale = Vec::new();
    for (name, text) in &files {
        let path = directory.join(name);
        if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            stale.push(name.clone());
            if update {
                fs::write(path, text).unwrap();
            }
        }
    }
    for entry in fs::read_dir(&directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !files.iter().any(|(known, _)| *known == name) {
            stale.push(name.clone());
            if update {
                fs::remove_file(directory.join(name)).unwrap();
            }
        }
    }
    assert!(
        update || stale.is_empty(),
        "docs/checks is not what the table says: {stale:?}; run the tests with UPDATE=1"
    );
}

fn index() -> String {
    let mut text = String::from(
        "# Checks\n\n\
         What `plimsoll inspect` looks for. These pages are written from the checks themselves, and \
         every\nimage on them is a test.\n\n\
         | check | severity | it finds that | practice |\n|---|---|---|---|\n",
    );
    for check in CHECKS {
        let Check {
            id,
            severity,
            summary,
            practice,
            ..
        } = check;
        text.push_str(&format!(
            "| [{id}]({id}.md) | {severity} | {summary} | {practice} |\n"
        ));
    }
    text.push_str(&coverage::tables());
    text
}

fn document(check: &Check) -> String {
    let Check {
        id,
        severity,
        summary,
        practice,
        ..
    } = check;
    let page = check.page_text();
    format!("# {id}\n\n*{severity}* — {summary} (practice: {practice}).\n\n{page}")
}

/// What a distroless image looks like: packages in status.d, a user of its own, no shell.
const DISTROLESS: &str = r#"
    /etc/passwd 0644 "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534::/nonexistent:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n"
    /etc/group 0644 "root:x:0:\nnonroot:x:65532:\n"
    /etc/os-release 0644 "PRETTY_NAME=\"Distroless\"\nID=debian\nVERSION_ID=12\n"
    /etc/nsswitch.conf 0644 "hosts: files dns\n"
    /etc/ssl/certs/ca-certificates.crt 0644 "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUF\n-----END"
    /usr/share/zoneinfo/UTC 0644 114
    /usr/share/doc/libc6/copyright 0644 30k
    /usr/share/common-licenses/GPL-3 0644 35k
    /usr/lib/x86_64-linux-gnu/libc.so.6 0755 1900k
    /usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache 0644 30k
    /usr/lib/locale/C.utf8/LC_CTYPE 0644 360k
    /var/lib/dpkg/status.d/libc6 0644 "Package: libc6\nVersion: 2.36\n"
    /var/lib/dpkg/status.d/libc6.md5sums 0644 100
    /home/nonroot/ dir 0700 65532:65532
    /root/ dir 0700
    /tmp/ dir 01777
    /usr/local/bin/server 0755 9000k
    ENTRYPOINT /usr/local/bin/server
    ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
    USER 65532
    WORKDIR /home/nonroot
    EXPOSE 8080/tcp
    HEALTHCHECK NONE
    PACKAGE libc6 2.36 libs"#;

#[test]
fn an_image_that_holds_what_it_needs_is_clean() {
    let fixture = Fixture::bare(DISTROLESS);
    let circumstances = Circumstances {
        today: Some(jiff::civil::date(2026, 11, 29)),
        ..Circumstances::default()
    };
    let judged = judge(&fixture.subject(), &circumstances);
    assert_eq!(judged, (vec![], vec![]));
    let alone = Fixture::bare("/hello 0755 13k\nCMD /hello");
    let judged = judge(&alone.subject(), &circumstances);
    assert_eq!(judged, (vec![], vec![]));
}

#[test]
fn tools_weigh_little_where_people_develop_and_secrets_as_much() {
    let text = "/usr/bin/gcc 0755 1k\n/usr/bin/vim 0755 1k\nENV DB_PASSWORD=hunter2";
    let fixture = Fixture::new(text);
    let weigh = |environment| {
        let circumstances = Circumstances {
            environment,
            ..Circumstances::default()
        };
        let findings = inspect(&fixture.subject(), &circumstances);
        let weights = findings
            .iter()
            .map(|finding| (finding.check, finding.severity.name()));
        weights.collect::<Vec<_>>()
    };
    assert_eq!(
        weigh(Environment::Production),
        [
            ("secret-in-config", "high"),
            ("compiler", "medium"),
            ("editor", "low")
        ]
    );
    assert_eq!(
        weigh(Environment::Development),
        [
            ("secret-in-config", "high"),
            ("compiler", "info"),
            ("editor", "info")
        ]
    );
}
