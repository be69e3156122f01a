//! Matching, sentence by sentence, on small inventories and small slices.

use plimsoll_model::package::KnownBy;

use super::*;
use crate::{Builder, Origin, Range, Texts, Until};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A slice about `scope`, read on the first of the month, of these advisories.
fn slice(scope: &str, lists_unfixed: bool, advisories: &[Advisory<'_>]) -> (Scope, Data) {
    let scope = Scope::parse(scope).unwrap();
    let mut builder = Builder::new(scope.clone());
    builder.origin(Origin {
        feed: "test".to_owned(),
        from: "a file".to_owned(),
        date: "2026-06-01".to_owned(),
        lists_unfixed,
        ..Origin::default()
    });
    for advisory in advisories {
        builder.add(advisory);
    }
    let slice = Slice::read(&builder.finish(), Texts::Read).unwrap();
    (scope, Data::Slice(Box::new(slice)))
}

fn installed(ecosystem: &'static str, name: &str, version: &str) -> Package {
    Package {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
        ..Package::default()
    }
}

fn built_from(source: &str, version: &str, package: Package) -> Package {
    Package {
        source: Some(source.to_owned()),
        source_version: Some(version.to_owned()),
        ..package
    }
}

fn debian(packages: Vec<Package>) -> Inventory {
    Inventory {
        packages,
        release: Some(OsRelease {
            id: "debian".to_owned(),
            version_id: "12".to_owned(),
            ..OsRelease::default()
        }),
        ..Inventory::default()
    }
}

fn run(
    inventory: &Inventory,
    data: impl IntoIterator<Item = (Scope, Data)>,
    today: &str,
) -> ScanFacts {
    scan(&ScanRequest {
        name: "test",
        inventory,
        tree: None,
        base_layers: None,
        data: &data.into_iter().collect(),
        exploited: &|_| None,
        epss: &|_| None,
        today: date(today),
        max_age: 7,
    })
}

/// Package, identifier and state of everything found.
fn found(facts: &ScanFacts) -> Vec<String> {
    let mut lines: Vec<String> = facts
        .vulnerabilities
        .iter()
        .map(|it| {
            format!(
                "{} {} {} {}",
                it.package.name,
                it.id,
                it.state.name(),
                it.fixed.join(",")
            )
        })
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.sort();
    lines
}

fn whys(facts: &ScanFacts) -> Vec<String> {
    let unjudged = facts.unjudged.iter();
    unjudged
        .map(|it| format!("{} [{}]", it.why, it.packages.join(", ")))
        .collect()
}

fn advisory<'a>(id: &'a str, package: &'a str, range: Range<'a>) -> Advisory<'a> {
    Advisory {
        id,
        package,
        ranges: vec![range],
        feed: "test",
        ..Advisory::default()
    }
}

#[test]
fn a_source_package_is_looked_up_by_its_own_version() {
    let inventory = debian(vec![
        // A rebuild of the binary package alone: the source is older than the fix.
        built_from("ssl", "3.0-1", installed("deb", "libssl3", "3.0-1+b7")),
        built_from("ssl", "3.0-1", installed("deb", "ssl-tools", "1:3.0-1+b7")),
        installed("deb", "tar", "1.34-1"),
        installed("deb", "clean", "1"),
    ]);
    let data = slice(
        "debian:12",
        true,
        &[
            advisory("CVE-1-1", "ssl", Range::before("3.0-1+deb12u1")),
            advisory("CVE-1-2", "ssl", Range::before("3.0-1")),
            Advisory {
                status: Status::Unimportant,
                ..advisory("CVE-1-3", "tar", Range::ALL)
            },
            Advisory {
                status: Status::Ignored,
                ..advisory("CVE-1-4", "tar", Range::ALL)
            },
            Advisory {
                status: Status::NotAffected,
                ..advisory("CVE-1-5", "tar", Range::ALL)
            },
            advisory("CVE-1-6", "libssl3", Range::ALL),
        ],
    );
    let facts = run(&inventory, [data], "2026-06-02");
    assert_eq!(
        found(&facts),
        [
            "libssl3 CVE-1-1 fixable 3.0-1+deb12u1",
            "ssl-tools CVE-1-1 fixable 3.0-1+deb12u1",
            "tar CVE-1-3 unimportant",
            "tar CVE-1-4 unfixed",
        ]
    );
    assert_eq!(whys(&facts), [""; 0]);
    let counts = facts.counts();
    assert_eq!((counts.rows, counts.by_source, counts.distinct), (4, 3, 3));
    assert_eq!(
        (counts.fixable, counts.unfixed, counts.unimportant),
        (1, 1, 1)
    );
    assert_eq!((facts.packages, facts.judged), (4, 4));
}

#[test]
fn a_feed_may_name_installed_packages() {
    let inventory = debian(vec![built_from(
        "glibc",
        "2.36-9",
        installed("deb", "libc6", "2.36-9"),
    )]);
    let by_name = |package, id| Advisory {
        kind: PackageKind::Binary,
        ..advisory(id, package, Range::ALL)
    };
    let data = slice(
        "debian:12",
        true,
        &[by_name("libc6", "CVE-1-1"), by_name("glibc", "CVE-1-2")],
    );
    assert_eq!(
        found(&run(&inventory, [data], "2026-06-02")),
        ["libc6 CVE-1-1 unfixed"]
    );
}

#[test]
fn what_cannot_be_judged_is_never_nothing() {
    let inventory = debian(vec![
        installed("deb", "tar", "1"),
        installed("pypi", "flask", "1"),
        installed("generic", "unheard-of", "1"),
        installed("generic", "httpd", ""),
    ]);
    let bitnami = || {
        slice(
            "bitnami",
            true,
            &[advisory("CVE-1-1", "apache", Range::before("2"))],
        )
    };
    let facts = run(
        &inventory,
        [bitnami(), slice("pypi", true, &[])],
        "2026-06-02",
    );
    assert_eq!(
        whys(&facts),
        [
            "its version is not known, and there is an advisory about it [httpd]",
            "no feed is known that watches unheard-of as it is built from source [unheard-of 1]",
            "the data about pypi hold not a single advisory [flask 1]",
            "there are no data about debian:12 [tar 1]",
        ]
    );
    // Of the package's own fault is what no feed watches, and what says no version.
    let lacks: Vec<Lack> = facts.unjudged.iter().map(|it| it.lack).collect();
    assert_eq!(
        lacks,
        [Lack::Package, Lack::Package, Lack::Data, Lack::Data]
    );
    assert_eq!(facts.judged, 0);
    let nothing = Inventory::default();
    assert!(!run(&nothing, [], "2026-06-02").is_complete());
    let nameless = Inventory {
        release: None,
        ..debian(vec![installed("deb", "tar", "1")])
    };
    let why = whys(&run(&nameless, [], "2026-06-02"));
    assert!(why[0].contains("no os-release"), "{why:?}");
}

#[test]
fn old_data_are_asked_and_said_to_be_old() {
    let inventory = debian(vec![installed("deb", "tar", "1")]);
    let data = || slice("debian:12", true, &[advisory("CVE-1-1", "tar", Range::ALL)]);
    let fresh = run(&inventory, [data()], "2026-06-08");
    assert!(fresh.is_complete());
    let old = run(&inventory, [data()], "2026-06-09");
    assert_eq!(found(&old).len(), 1);
    assert_eq!(old.data[0].age, Some(8));
    assert!(whys(&old)[0].contains("8 days old"), "{:?}", whys(&old));
    assert_eq!(old.unjudged[0].lack, Lack::Data);
    let ahead = run(&inventory, [data()], "2026-05-01");
    assert_eq!(ahead.data[0].age, None);
    let why = whys(&ahead);
    assert!(
        why[0].contains("a day that is still to come: the clock"),
        "{why:?}"
    );
    // Fresh data about a release that is over are no news.
    assert_eq!(old.ended, None);
    let over = run(&inventory, [data()], "2040-01-01");
    assert!(over.ended.is_some());
}

#[test]
fn an_application_is_known_by_its_feeds_name_and_a_distributions_package_answers_for_its_own() {
    let mut inventory = debian(vec![
        installed("deb", "python3-flask", "2.2.2-3"),
        Package {
            known_by: KnownBy::Pattern,
            ..installed("generic", "httpd", "2.4.46")
        },
        Package {
            part_of: Some(plimsoll_model::PackageId(0)),
            ..installed("pypi", "Flask", "2.2.2")
        },
    ]);
    let branch = Range {
        introduced: Some("2.4.0"),
        until: Until::Fixed("2.4.47"),
    };
    let data = || {
        [
            slice("debian:12", true, &[advisory("CVE-1-9", "x", Range::ALL)]),
            slice("pypi", true, &[advisory("CVE-1-2", "flask", Range::ALL)]),
            slice(
                "bitnami",
                true,
                &[Advisory {
                    kind: PackageKind::Binary,
                    cvss: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"],
                    ..advisory("CVE-1-1", "apache", branch)
                }],
            ),
        ]
    };
    let facts = run(&inventory, data(), "2026-06-02");
    assert_eq!(found(&facts), ["httpd CVE-1-1 fixable 2.4.47"]);
    assert_eq!(facts.judged, 3);
    let it = &facts.vulnerabilities[0];
    assert_eq!(
        (it.severity, it.severity_by),
        (Some(Severity::Critical), SeverityBy::Cvss)
    );
    assert_eq!(it.cvss.as_ref().map(|cvss| cvss.score), Some(98));
    assert_eq!(it.package.part, Part::Application);
    // The same module, copied in by itself, is judged by itself, however it is spelt.
    inventory.packages[2].part_of = None;
    let facts = run(&inventory, data(), "2026-06-02");
    assert_eq!(
        found(&facts),
        ["Flask CVE-1-2 unfixed", "httpd CVE-1-1 fixable 2.4.47"]
    );
}

#[test]
fn two_names_of_one_flaw_are_one() {
    let inventory = Inventory {
        packages: vec![installed("pypi", "flask", "1.0")],
        ..Inventory::default()
    };
    let data = slice(
        "pypi",
        true,
        &[
            Advisory {
                aliases: vec!["CVE-1-1"],
                ..advisory("GHSA-a", "flask", Range::ALL)
            },
            Advisory {
                aliases: vec!["CVE-1-1"],
                ..advisory("PYSEC-b", "flask", Range::before("1.1"))
            },
        ],
    );
    let facts = run(&inventory, [data], "2026-06-02");
    assert_eq!(found(&facts), ["flask CVE-1-1 fixable 1.1"]);
    assert_eq!(facts.vulnerabilities[0].aliases, ["GHSA-a", "PYSEC-b"]);
}

#[test]
fn layers_tell_the_base_from_the_application() {
    let fixture = plimsoll_model::fixture::Fixture::bare(
        "/usr/bin/base 0755 1k
         /var/lib/dpkg/status 0644 1k
         --- layer
         /usr/bin/app 0755 1k
         /var/lib/dpkg/status 0644 2k",
    );
    let with = |name: &str, file: &str| Package {
        files: vec![file.into()],
        database: Some("/var/lib/dpkg/status".into()),
        ..installed("deb", name, "1")
    };
    let inventory = debian(vec![
        with("app", "/usr/bin/app"),
        with("base", "/usr/bin/base"),
    ]);
    let (scope, data) = slice(
        "debian:12",
        true,
        &[
            advisory("CVE-1-1", "base", Range::ALL),
            advisory("CVE-1-2", "app", Range::ALL),
        ],
    );
    let facts = scan(&ScanRequest {
        name: "test",
        inventory: &inventory,
        tree: Some(&fixture.rootfs.tree),
        base_layers: Some(1),
        data: &BTreeMap::from([(scope, data)]),
        exploited: &|id| {
            (id == "CVE-1-2").then(|| Exploited {
                since: "2026-01-01".into(),
                ransomware: false,
            })
        },
        epss: &|_| Some(12_345),
        today: date("2026-06-02"),
        max_age: 7,
    });
    let parts: Vec<_> = facts
        .vulnerabilities
        .iter()
        .map(|it| (&*it.id, it.package.part, it.package.layer))
        .collect();
    // What is exploited comes first.
    assert_eq!(
        parts,
        [
            ("CVE-1-2", Part::Application, Some(1)),
            ("CVE-1-1", Part::Base, Some(0))
        ]
    );
}

#[test]
fn what_a_vendors_archive_brought_is_held_against_what_the_authors_say() {
    let nginx = built_from(
        "nginx",
        "1.19.3-1~buster",
        installed("deb", "nginx", "1.19.3-1~buster"),
    );
    let own = installed("deb", "tar", "1.34-1");
    let module = installed("deb", "nginx-module-njs", "1.19.3.0.4.4-1~buster");
    let client = built_from(
        "postgresql-13",
        "13.0-1.pgdg100+1",
        installed("deb", "libpq5", "13.0-1.pgdg100+1"),
    );
    let inventory = debian(vec![nginx, module, client, own]);
    assert!(wanted(&inventory).contains(&Scope::parse("bitnami").unwrap()));
    let before = |fixed| Range {
        introduced: None,
        until: Until::Fixed(fixed),
    };
    let data = [
        slice(
            "debian:12",
            true,
            &[
                // Of Debian's own nginx, whose versions mean other things.
                advisory("CVE-1-1", "nginx", before("1.20.0-2")),
                advisory("CVE-1-2", "postgresql-13", Range::ALL),
                advisory("CVE-1-3", "tar", Range::ALL),
            ],
        ),
        slice(
            "bitnami",
            true,
            &[
                advisory("CVE-1-4", "nginx", before("1.19.4")),
                advisory("CVE-1-5", "nginx", before("1.19.3")),
                advisory("CVE-1-6", "postgresql", before("13.1.0")),
            ],
        ),
    ];
    let facts = run(&inventory, data, "2026-06-02");
    let mut ids: Vec<_> = facts
        .vulnerabilities
        .iter()
        .map(|it| {
            (
                &*it.id,
                &*it.package.name,
                it.package.is_of_the_distribution(),
            )
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        [
            ("CVE-1-3", "tar", true),
            ("CVE-1-4", "nginx", false),
            ("CVE-1-6", "libpq5", false),
        ]
    );
    let whys = whys(&facts);
    assert_eq!(whys.len(), 1, "{whys:?}");
    assert!(
        whys[0].contains("built it and not the distribution"),
        "{whys:?}"
    );
}

#[test]
fn a_program_of_ones_own_needs_no_version_unless_something_is_known_about_it() {
    let module = |name: &str, version: &str| installed("golang", name, version);
    let inventory = debian(vec![
        module("example.org/mine", ""),
        module("example.org/served", ""),
        module("golang.org/x/net", "v0.1.0"),
    ]);
    let data = [slice(
        "golang",
        true,
        &[
            advisory("CVE-1-1", "example.org/served", Range::ALL),
            advisory("CVE-1-2", "golang.org/x/net", Range::ALL),
        ],
    )];
    let facts = run(&inventory, data, "2026-06-02");
    assert_eq!(found(&facts), ["golang.org/x/net CVE-1-2 unfixed"]);
    assert_eq!(facts.unversioned, ["example.org/mine"]);
    assert_eq!(facts.judged, 2);
    let why = "its version is not known, and there is an advisory about it [example.org/served]";
    assert_eq!(whys(&facts), [why]);
    let said = crate::explain(&[facts]);
    assert!(
        said.iter()
            .any(|said| said.contains("1 package without a version (example.org/mine)")),
        "{said:?}"
    );
    // Without data nobody can say so.
    let facts = run(&inventory, [], "2026-06-02");
    assert_eq!((facts.judged, facts.unversioned.len()), (0, 0));
}

#[test]
fn a_module_built_from_its_servers_source_is_answered_for_by_it() {
    let nginx = |name: &str, version: &str| {
        let package = installed("deb", name, version);
        built_from(name, version, package)
    };
    let inventory = debian(vec![
        nginx("nginx", "1.29.1-1~bookworm"),
        nginx("nginx-module-xslt", "1.29.1-1~bookworm"),
        nginx("nginx-module-geoip", "1.28.0-1~bookworm"),
        nginx("nginx-module-njs", "1.29.1+0.9.1-1~bookworm"),
    ]);
    let data = [slice(
        "bitnami",
        true,
        &[advisory("CVE-1-1", "nginx", Range::ALL)],
    )];
    let facts = run(&inventory, data, "2026-06-02");
    assert_eq!(found(&facts), ["nginx CVE-1-1 unfixed"]);
    assert_eq!(facts.judged, 2);
    // One of another version was built from another source, and njs has one of its own.
    let whys = whys(&facts);
    assert_eq!(whys.len(), 1, "{whys:?}");
    assert!(
        whys[0].contains("[nginx-module-geoip 1.28.0-1~bookworm, nginx-module-njs"),
        "{whys:?}"
    );
}
