//! A report in which every field has something to say.

use plimsoll_model::census::{OwnerKind, OwnerSum};
use plimsoll_model::report::{
    Ashore, Comparison, Demand, DiffRow, Footprint, ImageDiff, ImageFacts, LayerRow, LevelRisk,
    PackageDiff, PackageFate, PackageRow, PackageShare, Publisher, Round, SlimFacts, Standing,
    Upkeep, Verdict, Waived,
};
use plimsoll_model::{
    Ancestor, DirectoryRow, Evidence, Finding, ImagePath, Lineage, Plan, Problem, Reason, Report,
    Rule, Severity, Source, Strangers, Waste,
};

pub(crate) fn path(path: &str, layer: u32, size: u64) -> Evidence {
    Evidence::Path {
        path: path.into(),
        layer,
        size,
    }
}

pub(crate) fn httpd() -> ImageFacts {
    ImageFacts {
        is_document: false,
        name: "httpd:2.4".into(),
        digest: format!("sha256:{}", "1".repeat(64)),
        platform: "linux/amd64".into(),
        created: Some("2026-11-01T00:00:00Z".into()),
        user: "root".into(),
        command: vec!["httpd".into(), "-D".into(), "it's FOREGROUND".into()],
        ports: vec!["80/tcp".into()],
        footprint: Footprint {
            bytes: 181_234_567,
            compressed: 60_000_000,
            files: 9_812,
            packages: 2,
            shells: vec!["/usr/bin/dash".into(), "/usr/bin/sh".into()],
            package_managers: vec!["/usr/bin/apt".into()],
            network_tools: vec![],
            setuid: vec!["/usr/bin/su".into()],
        },
        lineage: Lineage {
            ancestors: vec![
                Ancestor {
                    name: "debian 12 (bookworm)".into(),
                    layers: Some(1),
                    evidence: "/etc/os-release".into(),
                },
                Ancestor {
                    name: "scratch".into(),
                    layers: Some(0),
                    evidence: "nothing below the lowest layer".into(),
                },
            ],
        },
        upkeep: vec![Upkeep {
            name: "debian 12 (bookworm)".into(),
            rebuilt: Some(false),
            why: "it is over".into(),
            since: Some("2026-01-31".into()),
            instead: Some("debian".into()),
            by: "our table".into(),
        }],
        publisher: Some(Publisher {
            registry: "docker.io".into(),
            repository: "library/httpd".into(),
            name: "library".into(),
            standing: Standing::Official,
            pushed: None,
            pushed_days: None,
        }),
        layers: vec![
            LayerRow {
                digest: format!("sha256:{}", "2".repeat(64)),
                compressed: 28_000_000,
                bytes: 74_800_000,
                files: 3_400,
                dead: 0,
                created_by: "debian rootfs".into(),
            },
            LayerRow {
                digest: format!("sha256:{}", "3".repeat(64)),
                compressed: 32_000_000,
                bytes: 106_434_567,
                files: 6_412,
                dead: 1_500_000,
                created_by: "RUN apt-get update && apt-get install --no-install-recommends -y \
                             apache2 curl wget ca-certificates && rm -rf /var/lib/apt/lists/*"
                    .into(),
            },
        ],
        packages: packages(2),
        unowned_bytes: 4_321,
        strangers: vec![Strangers {
            directory: "/opt/app".into(),
            bytes: 4_000,
            files: 3,
        }],
        phantoms: vec![("lost".into(), "1.0".into())],
        dead_bytes: 1_500_000,
        waste: Waste {
            deleted: 1_000_000,
            overwritten: 0,
            again: 500_000,
            duplicate: 2_000_000,
        },
        directories: vec![
            directory("/usr/lib", 150_000_000, 9_000, false),
            directory("/usr", 31_234_567, 812, true),
        ],
        owners: OwnerKind::ALL
            .into_iter()
            .zip([(181_000_000, 9_800), (0, 0), (230_246, 9), (4_321, 3)])
            .map(|(kind, (bytes, files))| OwnerSum { kind, bytes, files })
            .collect(),
    }
}

fn directory(path: &str, bytes: u64, files: u64, alone: bool) -> DirectoryRow {
    DirectoryRow {
        directory: path.into(),
        bytes,
        files,
        alone,
    }
}

pub(crate) fn packages(count: u64) -> Vec<PackageRow> {
    let packages = (0..count).map(|number| PackageRow {
        name: format!("package-{number:02}"),
        version: format!("1.{number}-2+deb12u1"),
        bytes: 10_000_000 - number * 500_000,
        files: 100 + number,
    });
    packages.collect()
}

pub(crate) fn findings() -> Vec<Finding> {
    vec![
        Finding {
            check: "shell",
            aliases: &[],
            severity: Severity::Medium,
            message: "`/usr/bin/dash` is a shell, also started as `/usr/bin/sh`".into(),
            evidence: vec![path("/usr/bin/dash", 0, 125_000), path("/usr/bin/sh", 0, 0)],
            remedy: Some("plimsoll slim IMAGE".into()),
        },
        Finding {
            check: "root-user",
            aliases: &[],
            severity: Severity::Medium,
            message: "USER is not set, so the application is started as root".into(),
            evidence: vec![Evidence::Config {
                key: "USER",
                value: String::new(),
            }],
            remedy: None,
        },
        Finding {
            check: "dead-bytes",
            aliases: &[],
            severity: Severity::Low,
            message: "layer 1 removes 1.50 MB of layer 0, which stay in the image".into(),
            evidence: vec![path("/opt/x", 0, 1_500_000), path("/opt/link", 1, 0)],
            remedy: None,
        },
    ]
}

fn share(name: &str, fate: &'static str, numbers: [u64; 4]) -> PackageShare {
    let [files, bytes, kept_files, kept_bytes] = numbers;
    PackageShare {
        name: name.into(),
        version: "1.0-1".into(),
        fate,
        files,
        bytes,
        kept_files,
        kept_bytes,
    }
}

pub(crate) fn slim() -> SlimFacts {
    let mut plan = Plan::default();
    plan.keep
        .insert("/usr/sbin/httpd".into(), vec![Reason::rule("entrypoint")]);
    let wanted = ImagePath::new("/usr/lib/libx.so");
    plan.unresolved.push(Problem::at(
        &wanted,
        "needs libmissing.so.1, which is not there",
    ));
    SlimFacts {
        direct: None,
        output: "oci:slim".into(),
        digest: format!("sha256:{}", "4".repeat(64)),
        level: "app",
        sandbox: "as root".into(),
        verified_by: vec!["http:/".into(), "tcp:80".into()],
        differences: vec![],
        repaired: vec![("/var/lock".into(), "looked up by httpd at the start".into())],
        forced: vec![(
            "/usr/bin/sh".into(),
            "interpreter of /usr/sbin/apachectl <- entrypoint".into(),
        )],
        plan,
        packages: PackageFate {
            whole: vec!["apache2-bin".into()],
            partial: vec!["libc6".into()],
            gone: vec!["curl".into(), "wget".into()],
            table: vec![
                share("apache2-bin", "whole", [102, 4_300_000, 102, 4_300_000]),
                share("libc6", "partial", [251, 12_800_000, 9, 3_100_000]),
                share("curl", "gone", [4, 500_000, 0, 0]),
                share("wget", "gone", [5, 400_000, 0, 0]),
            ],
        },
        rounds: vec![Round {
            name: "start".into(),
            files: 98,
            alone: 12,
            alone_bytes: 1_200,
            examples: vec!["/etc/mime.types".into()],
        }],
        watch: "all 98 files that were read were seen".into(),
        layers: vec![LayerRow {
            digest: "sha256:55".into(),
            compressed: 50_000_000,
            bytes: 9_100_000,
            files: 9_812,
            dead: 0,
            created_by: "plimsoll slim".into(),
        }],
        risks: vec![
            LevelRisk {
                level: "app",
                files: 9_812,
                bytes: 9_100_000,
                ashore: vec![Ashore {
                    what: "plug-ins",
                    files: 12,
                    bytes: 1_200_000,
                    packages: 2,
                    examples: vec!["/usr/lib/apache2/modules/mod_lua.so".into()],
                }],
            },
            LevelRisk {
                level: "file",
                files: 812,
                bytes: 6_100_000,
                ashore: vec![],
            },
        ],
        seconds: vec![("original", 0.41), ("plan", 0.204)],
        own_seconds: 0.31,
    }
}

pub(crate) fn comparison() -> Comparison {
    Comparison {
        before_name: "httpd:2.4".into(),
        after_name: "oci:slim".into(),
        before: httpd().footprint,
        after: Footprint {
            bytes: 9_100_000,
            compressed: 50_000_000,
            files: 9_812,
            packages: 2,
            shells: vec!["/usr/bin/sh".into()],
            network_tools: vec!["/usr/bin/nc".into()],
            ..Footprint::default()
        },
        before_ready: Some(0.21),
        after_ready: Some(0.2095),
    }
}

fn diff() -> ImageDiff {
    let row = DiffRow {
        name: "/usr/lib".into(),
        before_files: 10,
        before_bytes: 5_000_000,
        after_files: 4,
        after_bytes: 1_000_000,
        added: 1,
        removed: 7,
        changed: 2,
    };
    ImageDiff {
        total: DiffRow {
            name: String::new(),
            ..row.clone()
        },
        directories: vec![row.clone()],
        packages: vec![PackageDiff {
            fate: "changed",
            before: Some("1.0".into()),
            after: None,
            files: DiffRow {
                name: "libc6".into(),
                ..row
            },
        }],
        same_packages: 3,
        unowned: DiffRow::default(),
    }
}

pub(crate) fn full() -> Report {
    Report {
        verb: "slim",
        subject: Some(httpd()),
        findings: findings(),
        problems: vec![Problem {
            message: "has no Version".into(),
            evidence: Evidence::Line {
                path: "/var/lib/dpkg/status".into(),
                line: 812,
            },
        }],
        slim: Some(slim()),
        comparison: Some(comparison()),
        diff: Some(diff()),
        notes: vec!["the base is still looked after".into()],
        ..Report::default()
    }
}

/// A report that was held against a policy, with a finding about a Dockerfile.
pub(crate) fn judged() -> Report {
    let rule = |id, summary, severity, page: &str| Rule {
        id,
        summary,
        severity,
        page: page.to_owned(),
    };
    let mut findings = findings();
    findings.insert(
        0,
        Finding {
            check: "latest-tag",
            aliases: &["DL3007"],
            severity: Severity::High,
            message: "FROM debian: no tag, which means `latest`".into(),
            evidence: vec![Evidence::Source(Source {
                file: "web/Dockerfile".into(),
                line: 3,
                column: 6,
                end_line: 3,
                end_column: 12,
                excerpt: "FROM debian".into(),
            })],
            remedy: Some("FROM debian:13-slim@sha256:...".into()),
        },
    );
    Report {
        verb: "check",
        findings,
        waived: vec![Waived {
            finding: Finding {
                check: "setuid",
                aliases: &[],
                severity: Severity::Medium,
                message: "`/usr/bin/su` runs with the rights of root, whoever starts it".into(),
                evidence: vec![path("/usr/bin/su", 0, 71_000)],
                remedy: None,
            },
            reason: "no-new-privileges is set everywhere".into(),
            until: Some("2027-01-31".into()),
        }],
        rules: vec![
            rule(
                "latest-tag",
                "the base has no fixed tag",
                Severity::High,
                "",
            ),
            rule(
                "shell",
                "a shell is in the image",
                Severity::Medium,
                "Remove shells: who can start\none can do everything.\n\n## Remedy\n\n`plimsoll slim`\n",
            ),
            rule(
                "ssh-server",
                "an SSH server is in the image",
                Severity::High,
                "Why.\n",
            ),
        ],
        verdict: Some(Verdict {
            environment: "production".into(),
            line: Some(Severity::High),
            demands: vec![
                Demand {
                    wanted: "bytes at most 120 MB".into(),
                    found: "181 MB".into(),
                    met: false,
                    ..Demand::default()
                },
                Demand {
                    wanted: "packages at most 200".into(),
                    found: "2".into(),
                    met: true,
                    ..Demand::default()
                },
            ],
        }),
        slim: None,
        diff: None,
        ..full()
    }
}
