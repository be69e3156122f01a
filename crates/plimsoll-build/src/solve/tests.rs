//! Small repositories, and what apt would choose from them.

use plimsoll_model::Digest;
use plimsoll_packages::index::{self, Candidate};

use super::*;

/// Stanzas from `name version: Field: value; Field: value`.
fn offers(lines: &[&str]) -> Vec<Offer> {
    let text: String = lines
        .iter()
        .map(|line| {
            let (head, fields) = line.split_once(": ").unwrap_or((line, ""));
            let (name, version) = head.split_once(' ').unwrap_or((head, "1"));
            let fields: String = fields
                .split("; ")
                .filter(|f| !f.is_empty())
                .map(|f| format!("{f}\n"))
                .collect();
            format!(
                "Package: {name}\nVersion: {version}\nArchitecture: amd64\nFilename: {name}.deb\n\
                 Size: 1\nSHA256: {}\n{fields}\n",
                Digest::from_bytes([1; 32]).hex()
            )
        })
        .collect();
    let (candidates, problems) = index::parse(text.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    candidates
        .into_iter()
        .map(|candidate: Candidate| Offer {
            candidate,
            origin: 0,
        })
        .collect()
}

fn try_choose(lines: &[&str], asked: &[&str]) -> Result<Vec<String>, String> {
    let offers = offers(lines);
    let universe = Universe::new(&offers, "amd64");
    let names = asked.iter().map(|name| match name.split_once('=') {
        Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
        None => ((*name).to_owned(), None),
    });
    let goal = Goal {
        names: names.collect(),
        ..Goal::default()
    };
    let mut chosen: Vec<String> = solve(&universe, &goal)?
        .into_iter()
        .map(|index| &offers[index as usize].candidate)
        .map(|candidate| format!("{} {}", candidate.name, candidate.version))
        .collect();
    chosen.sort();
    Ok(chosen)
}

#[track_caller]
fn choose(lines: &[&str], asked: &[&str], expected: &[&str]) {
    let expected: Vec<String> = expected
        .iter()
        .map(|name| {
            if name.contains(' ') {
                (*name).to_owned()
            } else {
                format!("{name} 1")
            }
        })
        .collect();
    assert_eq!(try_choose(lines, asked), Ok(expected), "{lines:?}");
}

#[test]
fn dependencies_come_along_and_nothing_else_does() {
    choose(
        &[
            "a: Depends: b, c (>= 1)",
            "b: Pre-Depends: d",
            "c: Recommends: e",
            "d",
            "e",
        ],
        &["a"],
        &["a", "b", "c", "d"],
    );
}

#[test]
fn the_highest_version_is_taken_and_an_older_one_where_it_must_be() {
    choose(&["a 1", "a 2~rc1", "a 2", "a 10"], &["a"], &["a 10"]);
    choose(&["a 1", "a 2"], &["a=1"], &["a 1"]);
    choose(
        &["a 2", "a 1", "b: Depends: a (<< 2)"],
        &["b"],
        &["a 1", "b"],
    );
}

#[test]
fn of_alternatives_the_leftmost_or_the_one_that_is_there() {
    choose(&["a: Depends: b | c", "b", "c"], &["a"], &["a", "b"]);
    choose(&["a: Depends: b | c", "b", "c"], &["a", "c"], &["a", "c"]);
    choose(&["a: Depends: b | c", "c"], &["a"], &["a", "c"]);
    // `d` needs `c` for sure: that is known before the choice is made.
    choose(
        &["a: Depends: b | c, d", "b", "c", "d: Depends: c"],
        &["a"],
        &["a", "c", "d"],
    );
    choose(
        &["a: Depends: b | c", "b: Depends: gone", "c"],
        &["a"],
        &["a", "c"],
    );
}

#[test]
fn a_real_package_comes_before_those_that_provide_it() {
    choose(
        &["a: Depends: v", "p: Provides: v", "v"],
        &["a"],
        &["a", "v"],
    );
    choose(&["a: Depends: v", "p: Provides: v"], &["a"], &["a", "p"]);
    choose(
        &["a: Depends: v (>= 2)", "p: Provides: v (= 3)", "v"],
        &["a"],
        &["a", "p"],
    );
    // What is provided without a version satisfies none.
    assert!(try_choose(&["a: Depends: v (>= 2)", "p: Provides: v"], &["a"]).is_err());
    choose(
        &[
            "a: Depends: v",
            "p: Provides: v",
            "q: Provides: v; Priority: important",
        ],
        &["a"],
        &["a", "q"],
    );
}

#[test]
fn conflicts_and_breaks_are_kept_apart() {
    choose(
        &["a: Depends: b | c; Conflicts: b", "b", "c"],
        &["a"],
        &["a", "c"],
    );
    choose(
        &["a: Breaks: b (<< 2)", "b", "b 2"],
        &["a", "b"],
        &["a", "b 2"],
    );
    choose(&["a: Breaks: b (<< 2)", "b 1"], &["a"], &["a"]);
    // A package may conflict with a name it provides itself.
    choose(
        &["a: Provides: v; Conflicts: v", "b: Provides: v"],
        &["a"],
        &["a"],
    );
    assert!(
        try_choose(
            &["a: Provides: v; Conflicts: v", "b: Provides: v"],
            &["a", "b"]
        )
        .is_err()
    );
}

#[test]
fn a_tree_that_is_born_merged_needs_no_conversion() {
    choose(
        &[
            "a: Depends: usrmerge | usr-is-merged",
            "usrmerge",
            "usr-is-merged",
        ],
        &["a"],
        &["a", "usr-is-merged"],
    );
}

#[test]
fn architectures_are_told_apart() {
    choose(
        &[
            "a: Depends: b [i386], c [amd64], d:any",
            "c",
            "d: Multi-Arch: allowed",
        ],
        &["a"],
        &["a", "c", "d"],
    );
    assert!(try_choose(&["a: Depends: d:any", "d"], &["a"]).is_err());
}

#[test]
fn what_cannot_be_had_is_named() {
    for (lines, asked, words) in [
        (&["a"][..], &["b"][..], &["there is no package `b`"][..]),
        (
            &["p: Provides: v"],
            &["v"],
            &["name one that provides it: p"],
        ),
        (&["a 1"], &["a=2"], &["there is no `a=2`, only 1"]),
        (&["a: Depends: gone (>= 3)"], &["a"], &["a", "gone (>= 3)"]),
        (
            &["a: Depends: c", "b: Conflicts: c", "c"],
            &["a", "b"],
            &["a", "b", "c"],
        ),
    ] {
        let why = try_choose(lines, asked).unwrap_err();
        for word in words {
            assert!(why.contains(word), "{lines:?}: {why}");
        }
    }
}

/// The packages apt would install in an empty root, `name version` each, sorted; `None` without apt
/// or its lists.
#[expect(clippy::disallowed_methods, reason = "the oracle is another program")]
fn apt(command: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(command)
        .args([
            "-o",
            "Dir::State::status=/dev/null",
            "-o",
            "Debug::NoLocking=true",
        ])
        .args(["-o", "APT::Install-Recommends=false"])
        .args(arguments)
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
#[ignore = "asks apt itself about this machine's package lists, which takes half a minute"]
fn apt_chooses_the_same() {
    let available = apt("apt-cache", &["dumpavail"]).unwrap_or_default();
    let (candidates, _) = index::parse(available.as_bytes());
    if candidates.len() < 10_000 {
        eprintln!("skipped: apt has no package lists on this machine");
        return;
    }
    let offers: Vec<Offer> = candidates
        .into_iter()
        .map(|candidate| Offer {
            candidate,
            origin: 0,
        })
        .collect();
    let architecture = apt("apt-config", &["dump", "--format=%v", "APT::Architecture"]).unwrap();
    let universe = Universe::new(&offers, architecture.trim());
    let mut asked = 0;
    for name in [
        "apache2",
        "curl",
        "default-jre-headless",
        "git",
        "memcached",
        "nginx",
        "openssh-server",
        "php",
        "postgresql",
        "python3-flask",
        "redis-server",
        "wget",
    ] {
        // Beside the one preference that is our own.
        let Some(text) = apt("apt-get", &["-s", "install", name, "usr-is-merged"]) else {
            continue;
        };
        asked += 1;
        let mut expected: Vec<String> = text
            .lines()
            .filter_map(|line| {
                let mut words = line.strip_prefix("Inst ")?.split_whitespace();
                let (name, version) = (words.next()?, words.next()?);
                Some(format!("{name} {}", version.trim_start_matches('(')))
            })
            .collect();
        expected.sort();
        let names = [name, "usr-is-merged"].map(|name| (name.to_owned(), None));
        let goal = Goal {
            names: names.into(),
            ..Goal::default()
        };
        let mut chosen: Vec<String> = solve(&universe, &goal)
            .unwrap()
            .into_iter()
            .map(|index| &offers[index as usize].candidate)
            .map(|candidate| format!("{} {}", candidate.name, candidate.version))
            .collect();
        chosen.sort();
        assert_eq!(chosen, expected, "{name}");
    }
    assert!(asked >= 6, "apt knew only {asked} of the packages");
}
