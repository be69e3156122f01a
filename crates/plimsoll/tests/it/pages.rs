//! The commands on the pages in docs/ are run, and do what the page says.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::images::{command, plimsoll, text};
use crate::slim::{skipped, web_image_with};

/// A command of a page: `$ plimsoll ...   # exit 3`, and the lines it is said to print.
struct Example {
    words: Vec<String>,
    exit: i32,
    prints: Vec<String>,
}

/// The commands in the blocks that open with `console`, in order.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        if let Some(line) = line.strip_prefix("$ ") {
            let (line, comment) = line.split_once('#').unwrap_or((line, ""));
            let exit = comment.trim().strip_prefix("exit ");
            let exit = exit.and_then(|rest| rest.split([':', ' ']).next());
            let words = line.split_whitespace().map(|word| word.trim_matches('\''));
            examples.push(Example {
                words: words.map(str::to_owned).collect(),
                exit: exit.map_or(0, |code| code.parse().unwrap()),
                prints: Vec::new(),
            });
        } else if line.trim() != "..." {
            let example = examples.last_mut().unwrap();
            example.prints.push(line.to_owned());
        }
    }
    examples
}

/// The blocks that open with this word.
fn blocks<'a>(page: &'a str, word: &str) -> Vec<&'a str> {
    let parts = page.split("\n```").skip(1).step_by(2);
    let blocks = parts.filter_map(|part| part.strip_prefix(word)?.strip_prefix('\n'));
    blocks.collect()
}

/// However it is broken into lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    fs::read_to_string(docs.join(name)).unwrap()
}

#[test]
fn the_page_about_slim_is_true() {
    let page = page("slim.md");
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    // The image of the page.
    let script = "exec /app/serve 8080 /srv/www";
    let image = web_image_with(&scratch.join("made"), &["/app/start.sh"], script, json!({}));
    let saved = ["copy", &*image, "docker-archive:web.tar:web:1.0"];
    let saved = plimsoll(scratch, &saved);
    assert_eq!(saved.status.code(), Some(0), "{}", text(&saved));
    let settings = blocks(&page, "toml");
    assert_eq!(settings.len(), 1, "one file of settings is shown");
    fs::write(scratch.join("plimsoll.toml"), settings[0]).unwrap();
    let examples = examples(&page);
    assert!(examples.len() >= 8, "{}", examples.len());
    let mut codes = std::collections::BTreeSet::new();
    for example in examples {
        let (program, arguments) = example.words.split_first().unwrap();
        assert_eq!(program, "plimsoll");
        let output = command(scratch).args(arguments).output().unwrap();
        if skipped(&output) {
            return;
        }
        let said = text(&output);
        assert_eq!(
            output.status.code(),
            Some(example.exit),
            "{arguments:?}: {said}"
        );
        codes.insert(example.exit);
        let said = flat(&said);
        let mut rest = &*said;
        for line in &example.prints {
            let line = flat(line);
            let Some((_, behind)) = rest.split_once(&line) else {
                panic!(
                    "{arguments:?} does not print `{line}` there:\n{}",
                    text(&output)
                );
            };
            rest = behind;
        }
    }
    // Every exit code the page explains is shown, but that of findings, which needs drift.
    assert!(
        [0, 2, 3, 4].iter().all(|code| codes.contains(code)),
        "{codes:?}"
    );
}
