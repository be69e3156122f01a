//! What a page lets in, what it forbids itself, and how large it is.

use plimsoll_model::census::{Counted, Owner, OwnerKind};
use plimsoll_model::report::{Demand, PackageRow, Verdict, Waived};
use plimsoll_model::tree::Dead;
use plimsoll_model::{
    Evidence, Extent, Finding, ImagePath, Problem, Reason, ScanFacts, Severity, Vulnerability,
};

use super::*;

fn page(report: &Report, sides: &[Side]) -> String {
    let page = Page {
        report,
        sides,
        version: "1.2.3",
    };
    let mut out = Vec::new();
    write(&page, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn side(files: impl IntoIterator<Item = (Vec<u8>, u64)>) -> Side {
    let mut files: Vec<Counted> = files
        .into_iter()
        .map(|(path, bytes)| Counted {
            path: ImagePath::new(path),
            bytes,
            layer: 0,
            owner: 0,
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let owner = Owner {
        kind: OwnerKind::Package,
        name: "tool".into(),
        version: "1".into(),
    };
    Side {
        name: "image".into(),
        census: Census {
            owners: vec![owner],
            files,
            dead: Vec::new(),
        },
        ..Side::default()
    }
}

/// The data of a page, as the script reads it.
fn data(page: &str) -> serde_json::Value {
    let (_, behind) = page.split_once("id=\"data\">").unwrap();
    let (json, _) = behind.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

/// What a stranger may write anywhere: ends a script, opens one, turns the text round.
const EVIL: &str = "</script><img src=x onerror=alert(1)><!--\"'\u{202e}{{script}}\u{2028}\x1b[2J";

/// A report in which every word of an image is [`EVIL`].
fn hostile() -> (Report, Side) {
    let evil = || EVIL.to_owned();
    let layer = LayerRow {
        created_by: format!("RUN {EVIL}\n{EVIL}"),
        digest: evil(),
        bytes: 9,
        ..LayerRow::default()
    };
    let package = PackageRow {
        name: evil(),
        version: evil(),
        ..PackageRow::default()
    };
    let facts = ImageFacts {
        name: evil(),
        digest: evil(),
        platform: evil(),
        created: Some(evil()),
        user: evil(),
        command: vec![evil()],
        ports: vec![evil()],
        layers: vec![layer.clone()],
        packages: vec![package],
        ..ImageFacts::default()
    };
    let finding = Finding {
        check: "shell",
        aliases: &[],
        severity: Severity::High,
        message: evil(),
        evidence: vec![
            Evidence::Path {
                path: ImagePath::new(EVIL),
                layer: 0,
                size: 1,
            },
            Evidence::Package {
                name: evil(),
                version: evil(),
            },
        ],
        remedy: Some(evil()),
    };
    let mut vulnerability = Vulnerability {
        id: evil(),
        fixed: vec![evil()],
        severity: Some(Severity::Critical),
        ..Vulnerability::default()
    };
    vulnerability.package.name = evil();
    vulnerability.package.version = evil();
    let scan = ScanFacts {
        name: evil(),
        vulnerabilities: vec![vulnerability; 30],
        ..ScanFacts::default()
    };
    let report = Report {
        verb: "inspect",
        subject: Some(facts),
        scans: vec![scan],
        problems: vec![Problem {
            message: evil(),
            evidence: Evidence::Image,
        }],
        notes: vec![evil()],
        verdict: Some(Verdict {
            demands: vec![Demand {
                wanted: evil(),
                found: evil(),
                ..Demand::default()
            }],
            ..Verdict::default()
        }),
        waived: vec![Waived {
            finding: finding.clone(),
            reason: evil(),
            until: Some(evil()),
        }],
        findings: vec![finding],
        ..Report::default()
    };
    let mut side = side([
        (format!("/{EVIL}/{EVIL}").into_bytes(), 5),
        (b"/not-utf8-\xff\xfe".to_vec(), 7),
    ]);
    side.name = evil();
    side.layers = vec![layer];
    side.census.owners[0].name = evil();
    side.census.dead.push(Dead {
        path: ImagePath::new(EVIL),
        size: 3,
        layer: 0,
        at: Extent {
            layer: 0,
            offset: 0,
        },
        hidden_by: 1,
        removed: true,
    });
    let mut plan = Plan::default();
    let reason = Reason::by("elf", &ImagePath::new(EVIL), EVIL);
    plan.keep
        .insert(side.census.files[0].path.clone(), vec![reason]);
    side.plan = Some(plan);
    (report, side)
}

#[test]
fn what_was_asked_is_answered_first() {
    let (mut report, side) = hostile();
    let order = |page: &str| {
        let mut found: Vec<(usize, &str)> = ["policy", "findings", "map", "vulnerabilities"]
            .into_iter()
            .filter_map(|id| Some((page.find(&format!("<section id=\"{id}\""))?, id)))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    for (verb, expected) in [
        ("inspect", ["map", "policy", "findings", "vulnerabilities"]),
        ("check", ["policy", "findings", "map", "vulnerabilities"]),
        ("scan", ["vulnerabilities", "map", "policy", "findings"]),
    ] {
        report.verb = verb;
        let page = page(&report, std::slice::from_ref(&side));
        assert_eq!(order(&page), expected, "{verb}");
        let head = page.split("<main").next().unwrap_or_default();
        assert!(head.contains("<strong>Over the line</strong> 1 of 1 demand"));
    }
    report.verdict = None;
    assert!(!page(&report, &[side]).contains("class=\"verdict"));
}

#[test]
fn nothing_that_a_stranger_wrote_is_markup() {
    let (report, side) = hostile();
    let page = page(&report, &[side]);
    assert!(!page.contains("<img"), "an element of a stranger's");
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(
        page.matches("\"use strict\"").count(),
        1,
        "{{{{script}}}} was replaced"
    );
    for forbidden in ['\u{202e}', '\u{2028}', '\x1b'] {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    assert!(
        page.contains("&lt;/script&gt;&lt;img"),
        "it is shown as text"
    );
    assert!(page.contains("Vulnerabilities") && page.contains("badge critical"));
    let names = data(&page)["sides"][0]["names"].to_string();
    assert!(names.contains(r"not-utf8-\\xff\\xfe"), "{names}");
    // Every attribute is closed by its own quote: a quote of a stranger's is never raw.
    assert!(!page.contains("<!--\"'"));
}

#[test]
fn a_page_forbids_itself_everything_but_its_own_script_and_style() {
    let page = page(&Report::default(), &[]);
    let between = |from: &str, to: &str| {
        let (_, behind) = page.rsplit_once(from).unwrap();
        behind.split_once(to).unwrap().0.to_owned()
    };
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (kind, text) in [
        ("script-src", between("<script>", "</script>")),
        ("style-src", between("<style>", "</style>")),
    ] {
        let digest = BASE64_STANDARD.encode(Sha256::digest(text));
        assert!(
            policy.contains(&format!("{kind} 'sha256-{digest}'")),
            "{kind}"
        );
    }
    for reach in [
        "src=",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "style=",
        "innerHTML",
    ] {
        let own = page.replace("img-src data:", "");
        assert!(!own.contains(reach), "{reach}");
    }
}

#[test]
fn a_hundred_thousand_files_are_a_small_page() {
    let files = (0..100_000u64).map(|n| {
        let path = format!(
            "/usr/lib/python3/dist-packages/package{}/module_{n}.py",
            n / 100
        );
        (path.into_bytes(), n % 50_000)
    });
    let page = page(&Report::default(), &[side(files)]);
    assert!(page.len() < 6 << 20, "{} bytes", page.len());
    let side = data(&page)["sides"][0].clone();
    let kids = side["kids"].as_array().unwrap();
    let leaves = kids.iter().filter(|kids| **kids == -1).count();
    assert_eq!(leaves, 100_000, "each file can be looked at");
    for column in ["names", "bytes"] {
        assert_eq!(side[column].as_array().unwrap().len(), kids.len());
    }
    for column in ["layer", "owner"] {
        let runs: Vec<u64> = side[column]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(serde_json::Value::as_u64)
            .collect();
        let counts = runs.chunks(2).map(|run| run[1]).sum::<u64>();
        assert_eq!(counts, kids.len() as u64, "{column}");
    }
}

#[test]
fn names_made_to_burst_a_page_do_not() {
    let files = (0..50_000u64).map(|n| {
        let mut path = vec![b'/'];
        path.extend([0xff; 200]);
        path.extend(n.to_string().bytes());
        (path, n)
    });
    let page = page(&Report::default(), &[side(files)]);
    assert!(page.len() < 10 << 20, "{} bytes", page.len());
    let bytes = data(&page)["sides"][0]["bytes"].clone();
    let bytes = bytes
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_u64);
    assert_eq!(
        bytes.sum::<u64>(),
        50_000 * 49_999 / 2,
        "no byte is left out"
    );
}
