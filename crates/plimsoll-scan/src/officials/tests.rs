use std::collections::BTreeSet;

use jiff::civil::date;

use super::*;
use crate::DISTRIBUTIONS;

const TODAY: Date = date(2026, 11, 29);

fn says(reference: &str) -> String {
    let (name, tag) = official(reference).expect(reference);
    rebuilt(name, tag, TODAY, None).rebuilt.to_string()
}

#[test]
fn the_table_is_sound() {
    let table = Officials::parse(include_str!("table.txt")).unwrap();
    assert_eq!(table, *OFFICIALS);
    assert!(table.as_of() >= date(2026, 11, 29));
    assert!(table.images.len() >= 25);
    let names: Vec<&str> = table.images.iter().map(|image| &*image.name).collect();
    assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
    for image in &table.images {
        let name = &image.name;
        assert_eq!(official(name).map(|(name, _)| name), Some(&**name));
        // Tags that move would be judged by dead lines alone.
        let lives = |line: &Line| line.until.is_none_or(|until| table.as_of() <= until);
        assert_eq!(
            image.gone.is_none(),
            image.lines.iter().any(lives),
            "{name}"
        );
        assert!(image.except.is_none() || image.gone.is_some(), "{name}");
        // Whoever stands on what was given up needs somewhere to go.
        assert!(image.gone.is_none() || image.instead.is_some(), "{name}");
        let number = |version: &str| -> Vec<u32> {
            let parts = version.split('.').map(|part| part.parse().expect(name));
            parts.collect()
        };
        let versions: Vec<_> = image
            .lines
            .iter()
            .map(|line| number(&line.version))
            .collect();
        assert!(
            versions.is_sorted_by(|one, other| one < other),
            "{name}: {versions:?}"
        );
        for line in &image.lines {
            assert_eq!(image.line_of(&line.version), Some(line), "{name}");
            let plausible = date(2013, 3, 20)..date(2036, 1, 1);
            assert!(
                line.until.is_none_or(|day| plausible.contains(&day)),
                "{name}"
            );
        }
    }
    // Distributions have tables of their own.
    assert!(
        DISTRIBUTIONS
            .iter()
            .all(|known| table.find(known.id).is_none())
    );
    for bad in ["python 3.x:soon", "as-of never", ""] {
        assert!(Officials::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn official_images_are_told_from_others() {
    for (reference, found) in [
        ("python", Some(("python", "latest"))),
        ("python:3.8-slim", Some(("python", "3.8-slim"))),
        ("docker.io/library/python:3.8", Some(("python", "3.8"))),
        (
            "index.docker.io/library/python:3.8@sha256:00",
            Some(("python", "3.8")),
        ),
        ("python@sha256:00", None),
        ("scratch", None),
        ("grafana/grafana:9", None),
        ("registry.example:5000/python:3.8", None),
        ("python:${TAG}", None),
        ("debian 12 (bookworm)", None),
        ("", None),
    ] {
        assert_eq!(official(reference), found, "{reference}");
    }
}

#[test]
fn lines_that_are_over_are_named_with_their_last_day() {
    let over = "no longer rebuilt: python 3.8 gets no fixes since 2024-10-07; in its place: python";
    for reference in [
        "python:3.8",
        "python:3.8.19-slim-bookworm",
        "docker.io/library/python:3.8",
    ] {
        assert_eq!(says(reference), over, "{reference}");
    }
    assert!(says("python:3.12-slim").starts_with("still rebuilt: python 3.12 gets fixes until"));
    // The tag of a release that may have been followed by the next.
    assert_eq!(
        says("python:3.12.1-slim"),
        "whether it is still rebuilt is not known: python 3.12 gets fixes until 2028-10-31, but 3.12.1 is one \
         release of it"
    );
    assert!(says("debian:13.1-slim").contains("not known: Debian 13 (trixie) gets fixes until"));
    assert!(says("debian:trixie-20250811").contains("is one state of it"));
    // 3.1 is not 3.14, and 10.1 not 10.
    assert!(says("python:3.1").contains("not known"));
    assert!(says("tomcat:10.1-jdk17").starts_with("still rebuilt"));
    assert!(says("tomcat:10.0-jre8").contains("since 2022-10-31"));
    assert!(says("mysql:5").contains(": mysql 5 gets no fixes since 2023-10-31"));
    assert!(says("php:8-fpm").starts_with("still rebuilt: it moves with"));
    assert!(says("node").starts_with("still rebuilt: it moves with"));
    for moving in [
        "golang:1",
        "golang:1-alpine",
        "golang:alpine",
        "golang",
        "nginx:1",
        "mariadb:10",
    ] {
        assert!(
            says(moving).starts_with("still rebuilt: it moves with"),
            "{moving}"
        );
    }
    for (over, day) in [
        ("golang:1.24-alpine", "2026-02-11"),
        ("golang:1.25", "2026-08-19"),
        ("nginx:1.28-alpine", "2026-04-30"),
        ("redis:7.0-bookworm", "2024-07-29"),
        ("haproxy:2.4", "2026-06-30"),
        ("mariadb:10.7", "2023-02-14"),
        ("eclipse-temurin:23-jre", "2025-03-18"),
        ("mysql:5", "2023-10-31"),
        ("postgres:9", "2021-11-11"),
        ("postgres:9.4.26", "2020-02-13"),
        ("postgres:9.5", "2021-02-11"),
        ("mariadb:10.1", "2020-10-17"),
        ("node:25-slim", "2026-06-01"),
        ("node:15", "2021-06-01"),
    ] {
        assert!(
            says(over).contains(&format!("gets no fixes since {day}")),
            "{over}"
        );
    }
    for alive in [
        "redis:8",
        "valkey:8.1-alpine",
        "haproxy:3.2",
        "ruby:4.0-slim",
        "mariadb:12.3",
    ] {
        assert!(says(alive).starts_with("still rebuilt"), "{alive}");
    }
    // Nothing is said of lines whose end is not sure.
    for unsure in ["redis:7", "redis:6.2"] {
        assert!(says(unsure).contains("not known"), "{unsure}");
    }
    // A name that moved once and does not any more.
    assert!(says("node:carbon").contains("not known"));
    assert!(says("somebody-s:1").contains("`somebody-s` is not in our table"));
}

#[test]
fn the_last_day_is_a_day_of_support() {
    for (today, yes) in [(date(2024, 10, 7), true), (date(2024, 10, 8), false)] {
        let answer = rebuilt("python", "3.8", today, None);
        assert_eq!(
            matches!(answer.rebuilt, Rebuilt::Yes { .. }),
            yes,
            "{today}"
        );
    }
}

#[test]
fn images_that_were_given_up_have_a_successor() {
    for (tag, day) in [
        ("centos:7", "2024-06-30"),
        ("centos:centos8.4.2105", "2021-12-31"),
    ] {
        let said = says(tag);
        let wanted = format!("gets no fixes since {day}; in its place: almalinux or rockylinux");
        assert!(
            said.contains("the image `centos` was given up; its "),
            "{said}"
        );
        assert!(said.ends_with(&wanted), "{said}");
    }
    assert!(says("centos").contains("the image `centos` was given up on 2024-06-30"));
    let openjdk = "no longer rebuilt: the image `openjdk` was given up on 2022-07-31; in its place: eclipse-temurin";
    assert_eq!(says("openjdk:17-jdk-slim"), openjdk);
    assert!(says("openjdk:27-ea-slim").contains("not known"));
}

#[test]
fn a_tag_names_the_release_its_base_is_of() {
    assert!(says("node:22-buster").contains("Debian 10 (buster) gets no fixes since 2024-06-30"));
    assert!(says("node:22-alpine3.16").contains("Alpine 3.16 gets no fixes since 2024-05-23"));
    assert!(says("unheard-of:1-stretch-slim").contains("Debian 9 (stretch)"));
    assert!(says("node:22-bookworm-slim").starts_with("still rebuilt: node 22"));
    assert!(says("debian:jessie").contains("Debian 8 (jessie) gets no fixes"));
    assert!(says("debian:9.13-slim").contains("in its place: debian"));
    assert!(says("alpine:3.14.2").contains("Alpine 3.14 gets no fixes"));
    assert!(says("debian:13-slim").starts_with("still rebuilt: Debian 13 (trixie)"));
    for moving in ["debian", "debian:stable-slim", "alpine:3", "ubuntu:latest"] {
        assert!(
            says(moving).starts_with("still rebuilt: it moves with the releases of"),
            "{moving}"
        );
    }
    assert!(says("debian:experimental").contains("names no release in our table of Debian"));
}

const LIBRARY: &str = "# a comment
Maintainers: Some Body <https://example.test/x> (@somebody),
             Another <a@example.test> (@another)
GitRepo: https://example.test/x.git

Tags: 3.13.1-trixie, 3.13-trixie,
 trixie
SharedTags: 3.13.1, 3.13, latest
Architectures: amd64
GitCommit: 0123

Tags: 3.12
Directory: 3.12, x
";

fn tags(tags: &[&str]) -> BTreeSet<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[test]
fn library_files_of_both_forms_are_read() {
    let file = read(LIBRARY);
    assert_eq!(file.problems, []);
    let wanted = [
        "3.13.1-trixie",
        "3.13-trixie",
        "trixie",
        "3.13.1",
        "3.13",
        "latest",
        "3.12",
    ];
    assert_eq!(file.tags, tags(&wanted));
    let old = "# maintainer: Some Body <a@example.test> (@a)\n\n\
               1.0: git://example.test/x@0123456789ab 1.0\nlatest: git://example.test/x@0123456789ab 1.0\n";
    assert_eq!(
        read(old),
        LibraryFile {
            tags: tags(&["1.0", "latest"]),
            problems: Vec::new()
        }
    );
    let bad = read("Tags: good, not good, -x, ../y\nwhat is this\n");
    assert_eq!(bad.tags, tags(&["good"]));
    let lines: Vec<usize> = bad.problems.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 1, 1, 2]);
}

#[test]
fn what_was_fetched_wins_over_the_table_and_stays_the_same_in_a_file() {
    let mut listed = Listed::default();
    listed.date = date(2026, 11, 28);
    "https://example.test/library".clone_into(&mut listed.source);
    listed.insert("python", read(LIBRARY).tags);
    let again = Listed::read(&listed.write()).unwrap();
    assert_eq!(again, listed);
    assert_eq!(again.count(), (1, 7));
    let on = |name: &str, tag: &str, listed: &Listed| {
        rebuilt(name, tag, TODAY, Some(listed)).rebuilt.to_string()
    };
    assert!(on("python", "3.12", &listed).starts_with("still rebuilt: among the tags"));
    // A patch release that was followed by the next, which the table cannot know.
    let gone = on("python", "3.13.0", &listed);
    assert_eq!(
        gone,
        "no longer rebuilt: not among the 7 tags of python that were built on 2026-11-28"
    );
    assert!(on("python", "3.8", &listed).ends_with("in its place: python"));
    // What nobody asked for is judged by the table; in a complete list it is gone.
    assert!(on("node", "16", &listed).contains("node 16 gets no fixes"));
    assert!(on("other", "1", &listed).contains("not known"));
    listed.complete = true;
    assert!(on("other", "1", &listed).contains("there was no official image `other`"));
}

#[test]
fn a_broken_file_says_its_line() {
    for (text, line) in [
        ("", 1),
        ("plimsoll-official-images/2 2026-11-28 complete x\n", 1),
        ("plimsoll-official-images/1 yesterday complete x\n", 1),
        ("plimsoll-official-images/1 2026-11-28 maybe x\n", 1),
        (
            "plimsoll-official-images/1 2026-11-28 complete x\na b\nc ../d\n",
            3,
        ),
    ] {
        assert_eq!(Listed::read(text).unwrap_err().line, line, "{text}");
    }
}

#[test]
fn a_version_variable_is_no_tag() {
    let said =
        |name: &str, version: &str| rebuilt_version(name, version, TODAY).rebuilt.to_string();
    let mysql = "not known: mysql 8.4 gets fixes until 2032-04-30, but 8.4.6 is one release of it";
    assert!(said("mysql", "8.4.6-1.el9").ends_with(mysql));
    assert!(said("mariadb", "1:10.5.9+maria~ubu2004").contains("mariadb 10.5 gets no fixes"));
    assert!(said("alpine", "3.16.3").contains("Alpine 3.16 gets no fixes"));
    // What a package is numbered with names no release of a distribution.
    assert!(said("postgres", "17.2-buster").contains("postgres 17 gets fixes until"));
}

#[test]
fn an_answer_says_which_table_gave_it() {
    let by = |name: &str, tag: &str| rebuilt(name, tag, TODAY, None).by;
    let debian = DISTRIBUTIONS
        .iter()
        .find(|known| known.id == "debian")
        .unwrap();
    let debian = By::Releases("Debian", debian.as_of);
    assert_eq!(by("debian", "13"), debian);
    assert_eq!(by("node", "22-buster"), debian);
    assert_eq!(by("node", "22-bookworm"), By::Lines(OFFICIALS.as_of()));
    assert_eq!(by("node", "16-buster"), By::Lines(OFFICIALS.as_of()));
}

#[test]
fn lists_that_are_too_old_are_passed_over() {
    let mut listed = Listed::default();
    listed.complete = true;
    listed.insert("python", tags(&["3.8"]));
    for (days, counts) in [(FRESH_DAYS, true), (FRESH_DAYS + 1, false)] {
        listed.date = TODAY - jiff::Span::new().days(days);
        let by = |tag| rebuilt("python", tag, TODAY, Some(&listed)).by;
        for tag in ["3.8", "3.14"] {
            assert_eq!(
                by(tag) == By::Lists(listed.date),
                counts,
                "{tag}, {days} days"
            );
        }
    }
}
