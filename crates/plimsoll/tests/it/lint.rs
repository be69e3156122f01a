//! `lint`: Dockerfiles from the command line.

use std::fs;
use std::path::Path;

use crate::images::{Tar, architecture, layout_with_history, plimsoll, plimsoll_with_input, text};

fn json(directory: &Path, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = plimsoll(directory, arguments);
    let value = serde_json::from_slice(&output.stdout);
    let value = value.unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    (output.status.code(), value)
}

const WITH_FINDINGS: &str = "\
FROM debian:13.1-slim
RUN apt-get update \\
 && apt-get install curl
CMD app
";

#[test]
fn any_number_of_files_is_judged_and_each_finding_has_its_place() {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir_all(scratch.path().join("sub/node_modules")).unwrap();
    fs::write(scratch.path().join("Dockerfile"), WITH_FINDINGS).unwrap();
    fs::write(scratch.path().join("sub/web.Containerfile"), WITH_FINDINGS).unwrap();
    fs::write(scratch.path().join("sub/Dockerfile.dockerignore"), "x").unwrap();
    fs::write(scratch.path().join("sub/node_modules/Dockerfile"), "FROM x").unwrap();
    let (code, report) = json(scratch.path(), &["lint", "--json", "Dockerfile", "sub"]);
    assert_eq!(code, Some(0));
    let findings = report["findings"].as_array().unwrap();
    let files: Vec<&str> = findings
        .iter()
        .map(|finding| finding["evidence"][0]["file"].as_str().unwrap())
        .collect();
    assert!(files.is_sorted(), "{files:?}");
    assert!(files.contains(&"Dockerfile") && files.contains(&"sub/web.Containerfile"));
    assert_eq!(files.len() % 2, 0, "the same of both: {files:?}");
    let yes = findings
        .iter()
        .find(|finding| finding["check"] == "missing-yes");
    let place = &yes.unwrap()["evidence"][0];
    assert_eq!((&place["line"], &place["column"]), (&3.into(), &5.into()));
    assert_eq!(yes.unwrap()["aliases"][0], "DL3014");
}

#[test]
fn what_does_not_parse_is_said_and_ends_with_exit_code_3() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(
        scratch.path().join("Dockerfile"),
        "FROM a:1\nRUN <<EOF\nx\n",
    )
    .unwrap();
    let (code, report) = json(scratch.path(), &["lint", "--json", "Dockerfile"]);
    assert_eq!(code, Some(3));
    assert_eq!(report["complete"], false);
    assert_eq!(report["problems"][0]["evidence"]["line"], 2);
}

#[test]
fn standard_input_is_a_file_and_the_line_decides_the_exit_code() {
    let scratch = tempfile::tempdir().unwrap();
    for (line, code) in [("info", 1), ("medium", 1), ("critical", 0)] {
        let arguments = ["lint", "-", "--fail-on", line];
        let output = plimsoll_with_input(scratch.path(), &arguments, WITH_FINDINGS);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    }
}

#[test]
fn text_shows_the_line_and_what_is_meant_in_it() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("Dockerfile"), WITH_FINDINGS).unwrap();
    let output = plimsoll(scratch.path(), &["lint", "Dockerfile"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    let expected = "      \
      Dockerfile:3:5
      3 |  && apt-get install curl
        |     ^^^^^^^^^^^^^^^^^^^^
";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn what_can_be_mended_is_a_diff_first_and_written_only_when_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("Dockerfile");
    fs::write(&path, WITH_FINDINGS).unwrap();
    let output = plimsoll(scratch.path(), &["lint", "--fix", "Dockerfile"]);
    let diff = String::from_utf8(output.stdout).unwrap();
    assert!(
        diff.starts_with("--- a/Dockerfile\n+++ b/Dockerfile\n@@"),
        "{diff}"
    );
    assert!(
        diff.contains("\n-CMD app\n") && diff.contains("\n+CMD [\"app\"]\n"),
        "{diff}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), WITH_FINDINGS);

    let output = plimsoll(scratch.path(), &["lint", "--fix", "--write", "Dockerfile"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("apt-get install -y curl"), "{written}");
    assert!(written.contains("CMD [\"app\"]"), "{written}");
    let output = plimsoll(scratch.path(), &["lint", "--fix", "Dockerfile"]);
    assert!(output.stdout.is_empty(), "{}", text(&output));
}

#[test]
fn standard_input_is_mended_on_paper_alone() {
    let scratch = tempfile::tempdir().unwrap();
    // Whether there is something to write or not.
    for file in [
        "FROM debian:13.1-slim\nCMD app\nUSER 1\n",
        "FROM debian:13.1-slim\nUSER 1\n",
    ] {
        let with = |arguments: &[&str]| plimsoll_with_input(scratch.path(), arguments, file);
        let output = with(&["lint", "--fix", "-"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let output = with(&["lint", "--fix", "--write", "-"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(
            text(&output).contains("cannot be written to"),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn a_rule_is_left_out_by_either_name() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("Dockerfile"), WITH_FINDINGS).unwrap();
    let left_out = "DL3008,missing-yes,DL3015,package-lists,JSONArgsRecommended,no-user";
    let (_, report) = json(
        scratch.path(),
        &["lint", "--json", "--ignore", left_out, "Dockerfile"],
    );
    assert_eq!(report["findings"], serde_json::json!([]));
    let output = plimsoll(
        scratch.path(),
        &["lint", "--ignore", "no-such", "Dockerfile"],
    );
    assert_eq!(output.status.code(), Some(2));
}

/// A file and the image a builder makes of it: the base's layer, then lists of packages, then a
/// program that a later line removes.
const BUILT: &str = "\
FROM base:1
RUN apt-get update && apt-get install -y --no-install-recommends curl
COPY app /opt/app
RUN rm /opt/app
";

#[test]
fn lines_and_the_layers_they_made_are_brought_together() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("Dockerfile"), BUILT).unwrap();
    let layers: [Tar; 4] = [
        Tar::default()
            .dir("etc", 0o755)
            .file("etc/x", 0o644, b"base"),
        Tar::default()
            .dir("var/lib/apt/lists", 0o755)
            .file("var/lib/apt/lists/a_Packages", 0o644, &[b'x'; 5000])
            .file("usr/bin/curl", 0o755, &[b'x'; 1000]),
        Tar::default().file("opt/app", 0o755, &[b'x'; 3000]),
        Tar::default().file("opt/.wh.app", 0o644, b""),
    ];
    let history = [
        "base",
        "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends curl # buildkit",
        "COPY app /opt/app # buildkit",
        "/bin/sh -c rm /opt/app",
    ];
    let layers = layers.map(Tar::finish);
    let directory = scratch.path().join("built");
    let config = serde_json::json!({ "User": "10001", "Cmd": ["/app"] });
    let image = layout_with_history(&directory, architecture(), &config, &layers, &history);
    let (code, report) = json(
        scratch.path(),
        &["lint", "--json", "Dockerfile", "--image", &image],
    );
    assert_eq!(code, Some(0), "{report:#}");
    let notes = report["notes"].as_array().unwrap();
    let notes: Vec<&str> = notes.iter().map(|note| note.as_str().unwrap()).collect();
    assert_eq!(
        notes[0],
        "Dockerfile:2 (RUN) made 6.00 kB, layer 1, of which 5.00 kB lists of packages"
    );
    assert_eq!(
        notes[1],
        "Dockerfile:3 (COPY) made 3.00 kB, layer 2; later layers hide 3.00 kB of it"
    );
    let findings = report["findings"].as_array().unwrap();
    let lists: Vec<_> = findings
        .iter()
        .filter(|finding| finding["check"] == "package-lists")
        .collect();
    assert!(
        lists[0]["message"]
            .as_str()
            .unwrap()
            .ends_with(": 5.00 kB of the 6.00 kB this line made"),
        "{lists:#?}"
    );
    // What only the image shows points at the line as well.
    let tool = findings
        .iter()
        .find(|finding| finding["check"] == "network-tool")
        .unwrap();
    assert_eq!(tool["evidence"][0]["line"], 2, "{tool:#}");
}

#[test]
fn the_lineage_of_a_dockerfile_goes_through_its_stages_and_arguments() {
    let scratch = tempfile::tempdir().unwrap();
    let text = "\
ARG TAG=13.1
FROM golang:1.25 AS build
FROM debian:${TAG}-slim AS base
FROM base
COPY --from=build /app /app
";
    fs::write(scratch.path().join("Dockerfile"), text).unwrap();
    let (code, report) = json(scratch.path(), &["lineage", "--json", "Dockerfile"]);
    assert_eq!(code, Some(0));
    let lineage = report["image"]["lineage"].as_array().unwrap();
    let names: Vec<&str> = lineage
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["stage base", "debian:13.1-slim", "scratch"]);
    let evidence = lineage[1]["evidence"].as_str().unwrap();
    assert!(
        evidence.starts_with("Dockerfile:3, debian:${TAG}-slim with"),
        "{evidence}"
    );
    let note = "Dockerfile:5: files come from stage build, which begins from golang:1.25";
    assert_eq!(report["notes"][0], note);

    fs::write(
        scratch.path().join("Dockerfile"),
        "ARG TAG\nFROM debian:$TAG\n",
    )
    .unwrap();
    let (code, report) = json(scratch.path(), &["lineage", "--json", "Dockerfile"]);
    assert_eq!(code, Some(3), "{report:#}");
}
