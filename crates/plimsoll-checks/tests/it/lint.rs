//! The table of rules on Dockerfiles is sound, its pages are true, and the documentation is written
//! from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_checks::dockerfile::{self, Dockerfile};
use plimsoll_checks::lint::{Bases, Context, Hit, Ignored, Rule, fixed, lint};
use plimsoll_checks::{Abandoned, RULES};
use plimsoll_model::Severity;

/// What example without a `FROM` stand between: nothing of it is a finding.
const BEFORE: &str = "FROM docker.io/library/debian:13.1-slim\n";
const AFTER: &str = "USER 10001:10001\n";

/// An example of a page: the heading above it, its text, the `.dockerignore` it is built with.
struct Example {
    heading: String,
    text: String,
    ignored: Option<String>,
}

/// The blocks of a page fenced as `dockerfile`, each with a block `dockerignore` that stands before.
fn examples(page: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut heading = String::new();
    let mut block: Option<(String, String)> = None;
    let mut ignored = None;
    for line in page.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some((kind.to_owned(), String::new())),
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    heading = title.to_owned();
                }
            }
            (Some((kind, text)), Some(_)) => {
                let text = std::mem::take(text);
                match &**kind {
                    "dockerignore" => ignored = Some(text),
                    "dockerfile" => examples.push(Example {
                        heading: heading.clone(),
                        text: match text.contains("FROM ") || text.contains("from ") {
                            true => text,
                            false => format!("{BEFORE}{text}{AFTER}"),
                        },
                        ignored: ignored.take(),
                    }),
                    other => panic!("a block of kind `{other}`"),
                }
                block = None;
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    assert!(block.is_none(), "a block is not closed");
    examples
}

/// What a text claims by `# finding` and `# finding: rule`: the rule, and the next line that is none.
fn claims<'a>(text: &'a str, own: &'a str) -> BTreeSet<(usize, &'a str)> {
    let mut waiting = Vec::new();
    let mut claims = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        match line.trim().strip_prefix("# finding") {
            Some(rest) => waiting.push(rest.strip_prefix(": ").unwrap_or(own)),
            None if line.trim_start().starts_with('#') && !line.contains("check=") => {}
            None => claims.extend(waiting.drain(..).map(|rule| (number + 1, rule))),
        }
    }
    claims
}

/// Whoever knows that one image is not built any more.
#[derive(Debug)]
struct Known;

impl Bases for Known {
    fn abandoned(&self, name: &str) -> Option<Abandoned> {
        name.contains("/abandoned:").then(|| Abandoned {
            name: name.to_owned(),
            why: "it is over".to_owned(),
            instead: Some("another:2".to_owned()),
        })
    }
}

fn parse(text: &str) -> Dockerfile {
    dockerfile::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why:?}\n{text}"))
}

fn found(file: &Dockerfile, hits: &[Hit]) -> BTreeSet<(usize, &'static str)> {
    let line = |hit: &Hit| file.position(hit.span.start).line;
    hits.iter().map(|hit| (line(hit), hit.rule.id)).collect()
}

#[test]
fn pages_are_true() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for example in examples(&rule.page_text()) {
            let text = &example.text;
            let file = parse(text);
            let context = Context {
                ignored: example
                    .ignored
                    .as_deref()
                    .map_or(Ignored::Unknown, Ignored::Text),
                bases: Some(&Known),
            };
            let hits = lint(&file, &context);
            let claimed = claims(text, rule.id);
            let mut found = found(&file, &hits);
            // What is a matter of taste may stand on a page about something else.
            let taste = |id: &str| {
                let other = RULES.iter().find(|rule| rule.id == id).unwrap();
                other.severity == Severity::Info && other.id != rule.id
            };
            found.retain(|hit| claimed.contains(hit) || !taste(hit.1));
            if claimed != found {
                wrong.push(format!(
                    "page of {}: claimed {claimed:?}\nfound {found:?}\n{text}",
                    rule.id
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pages_have_their_shape() {
    for rule in RULES {
        let text = rule.page_text();
        let headings: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        let shape = ["## Example", "## Not a finding", "## Remedy"];
        assert_eq!(headings, shape, "{}", rule.id);
        let examples = examples(&text);
        assert!(
            examples
                .iter()
                .any(|example| example.heading == "Not a finding"),
            "{}",
            rule.id
        );
        for Example { heading, text, .. } in examples {
            let claims = claims(&text, rule.id);
            let own = claims
                .iter()
                .filter(|(_, claimed)| *claimed == rule.id)
                .count();
            match &*heading {
                "Example" => assert_ne!(own, 0, "{}: an example of nothing\n{text}", rule.id),
                _ => assert_eq!(own, 0, "{}: a look-alike is claimed\n{text}", rule.id),
            }
        }
    }
}

#[test]
fn what_is_mended_is_no_finding_any_more() {
    for rule in RULES {
        for Example { text, .. } in examples(&rule.page_text()) {
            let file = parse(&text);
            let hits = lint(&file, &Context::default());
            let mendable: Vec<&Hit> = hits.iter().filter(|hit| !hit.edits.is_empty()).collect();
            let fixed = fixed(&text, &hits);
            assert_eq!(fixed != text, !mendable.is_empty(), "{}:\n{text}", rule.id);
            let after = lint(&parse(&fixed), &Context::default());
            for hit in mendable {
                let again = after
                    .iter()
                    .find(|other| other.message == hit.message && other.rule == hit.rule);
                assert_eq!(again, None, "{}: not mended:\n{fixed}", rule.id);
            }
        }
    }
}

#[test]
fn nothing_is_mended_that_would_mean_something_else() {
    let mended = |text: &str| {
        let hits = lint(&parse(text), &Context::default());
        fixed(text, &hits)
    };
    let plain = "FROM debian:13.1-slim\n";
    let entered = "FROM debian:13.1-slim\nENTRYPOINT [\"/entry\"]\n";
    for (before, line) in [
        // Words that only a shell knows.
        (plain, "CMD exit 3"),
        (plain, "CMD exec app"),
        (plain, "CMD ulimit -n 100"),
        (plain, "CMD A=1 app"),
        (plain, "CMD app *.txt"),
        // The entry point gets other arguments.
        (entered, "CMD app --serve"),
        ("FROM postgres:18.1\n", "CMD postgres -c x=y"),
        (
            "FROM debian:13.1-slim AS a\nENTRYPOINT [\"/entry\"]\nFROM a\n",
            "CMD app",
        ),
        // Without what it recommends, curl trusts no server.
        (
            plain,
            "RUN apt-get update && apt-get install -y curl=8 && rm -rf /var/lib/apt/lists/*",
        ),
        // It may be an archive, which ADD unpacks.
        (plain, "ADD rootfs /"),
        (plain, "ADD rootfs.* /"),
        ("", "FROM debian:13.1-slim a b"),
    ] {
        let text = format!("{before}{line}\nUSER 10001\n");
        assert_eq!(mended(&text), text);
    }
    for (before, line, after) in [
        (plain, "CMD app --serve", "CMD [\"app\", \"--serve\"]"),
        (plain, "ENTRYPOINT app", "ENTRYPOINT [\"app\"]"),
        (
            "FROM postgres:18.1\nENTRYPOINT []\n",
            "CMD app",
            "CMD [\"app\"]",
        ),
        (
            plain,
            "ADD app.conf etc/ ./ /srv/",
            "COPY app.conf etc/ ./ /srv/",
        ),
        (
            "",
            "FROM debian:13.1-slim as b",
            "FROM debian:13.1-slim AS b",
        ),
    ] {
        let text = format!("{before}{line}\nUSER 10001\n");
        assert_eq!(mended(&text), format!("{before}{after}\nUSER 10001\n"));
    }
}

#[test]
fn a_shell_of_another_system_is_not_read_as_ours() {
    let ids = |text: &str| {
        let hits = lint(&parse(text), &Context::default());
        hits.iter().map(|hit| hit.rule.id).collect::<Vec<_>>()
    };
    let windows = "# escape=`\nFROM mcr.microsoft.com/windows/nanoserver:ltsc2025 AS a\n\
                   RUN del c:\\x\\\nFROM a\nRUN rd /s c:\\y\\\nUSER ContainerUser\n";
    assert!(
        !ids(windows).contains(&"unread-shell"),
        "{:?}",
        ids(windows)
    );
    assert!(!ids(windows).contains(&"named-user"), "{:?}", ids(windows));
    let linux = "FROM debian:13.1-slim\nRUN echo \"\nUSER app\n";
    assert!(ids(linux).contains(&"unread-shell") && ids(linux).contains(&"named-user"));
}

#[test]
fn what_a_shell_is_handed_is_read_and_what_it_is_not_is_text() {
    let found = |run: &str| {
        let text = format!("FROM debian:13.1-slim\n{run}\nUSER 10001\n");
        let hits = lint(&parse(&text), &Context::default());
        hits.iter().any(|hit| hit.rule.id == "sudo")
    };
    for run in [
        "RUN <<EOF\nsudo ls\nEOF",
        "RUN bash -e <<EOF\nsudo ls\nEOF",
        "RUN bash -o pipefail <<EOF\nsudo ls\nEOF",
        "RUN <<EOF bash\nsudo ls\nEOF",
        "RUN cat <<EOF | sh\nsudo ls\nEOF",
        "RUN <<EOF\n#!/usr/bin/env -S bash -x\nsudo ls\nEOF",
    ] {
        assert!(found(run), "{run}");
    }
    for run in [
        "RUN cat <<EOF > /x\nsudo ls\nEOF",
        "RUN sh -c 'cat > /x' <<EOF\nsudo ls\nEOF",
        "RUN <<EOF bash /script\nsudo ls\nEOF",
        "RUN <<A <<B\nsudo ls\nA\nsudo ls\nB",
        "RUN <<EOF\n#!/usr/bin/env -S python3 -u\nsudo ls\nEOF",
        "RUN <<EOF python3\nsudo ls\nEOF",
    ] {
        assert!(!found(run), "{run}");
    }
}

#[test]
fn every_file_is_a_row_and_every_row_a_file() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lint/rules");
    let stem = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        stem.replace('_', "-")
    };
    let mut files: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| stem(&entry.unwrap().path()))
        .filter(|stem| stem != "mod")
        .collect();
    files.sort();
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids, files, "sorted by name, each once");
    for rule in RULES {
        assert_eq!(stem(Path::new(rule.file)), rule.id);
        assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'));
    }
}

/// Writes `docs/rules` from the table with `UPDATE=1`, and says what is stale without it.
#[test]
fn the_documentation_is_fresh() {
    let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs/rules"]
        .iter()
        .collect();
    let mut files = vec![("README.md".to_owned(), index())];
    for rule in RULES {
        files.push((format!("{}.md", rule.id), document(rule)));
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
        "docs/rules is not what the table says: {stale:?}; run the tests with UPDATE=1"
    );
}

fn index() -> String {
    let mut text = String::from(
        "# Rules\n\n\
         What `plimsoll lint` looks for in Dockerfiles. These pages are written from the rules \
         themselves, and every\nDockerfile on them is a test: a comment `# finding` claims one in the \
         next line.\n\n\
         A comment above an instruction silences a rule there, by our name or another tool's:\n\
         `# plimsoll ignore=package-lists`, `# hadolint ignore=DL3009`, \
         `# check=skip=JSONArgsRecommended`; with\n`global` before `ignore` in the whole file.\n\n\
         | rule | severity | it finds that | other names |\n|---|---|---|---|\n",
    );
    for rule in RULES {
        let Rule {
            id,
            severity,
            summary,
            aliases,
            ..
        } = rule;
        let aliases = aliases.join(" ");
        text.push_str(&format!(
            "| [{id}]({id}.md) | {severity} | {summary} | {aliases} |\n"
        ));
    }
    text
}

fn document(rule: &Rule) -> String {
    let Rule {
        id,
        severity,
        summary,
        aliases,
        ..
    } = rule;
    let aliases = match aliases {
        [] => String::new(),
        aliases => format!(" Others call it {}.", aliases.join(", ")),
    };
    let page = rule.page_text();
    format!("# {id}\n\n*{severity}* — {summary}.{aliases}\n\n{page}")
}
