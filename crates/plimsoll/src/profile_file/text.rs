//! How a profile is written down.

use clap::ValueEnum;
use plimsoll_slim::{Folded, Group, Pattern};

use super::{ProfileFile, SCHEMA};

impl ProfileFile {
    /// The file.
    pub(super) fn text(&self) -> String {
        let (name, digest, platform) = &self.image;
        let mut page = Page::default();
        page.comment(&format!(
            "What slim keeps of {name}\nbeyond what reading the image finds, and why. Made for review, and for\n\n    plimsoll slim IMAGE --profile FILE\n\nwhich makes the same image again without running it, of this image or of a rebuilt one.\n`plimsoll explain profile` says what each key means."
        ));
        page.pair("schema", &quoted(SCHEMA));
        page.table("[image]", "What it was written about.");
        page.pair("name", &quoted(name));
        page.pair("digest", &quoted(digest));
        page.pair("platform", &quoted(platform));
        let source = &self.source;
        for (key, list) in [
            ("base", &source.base),
            ("entrypoint", &source.entrypoint),
            ("cmd", &source.cmd),
            ("healthcheck", &source.healthcheck),
        ] {
            page.list(key, list);
        }
        for (key, text) in [("user", &source.user), ("working_dir", &source.working_dir)] {
            if !text.is_empty() {
                page.pair(key, &quoted(text));
            }
        }
        for (key, list) in [
            ("ports", &source.ports),
            ("volumes", &source.volumes),
            ("env", &source.env),
        ] {
            page.list(key, list);
        }
        let made = &self.made;
        page.table("[slim]", "How it is slimmed.");
        page.pair("level", &quoted(&word(made.level)));
        page.pair("layers", &quoted(&word(made.layers)));
        page.pair("compression", &quoted(&word(made.compression)));
        page.pair("was_run", &self.profile.was_run.to_string());
        page.list("include", &made.include);
        page.list("exclude", &made.exclude);
        page.list("keep_packages", &made.keep_packages);
        let proof = &self.proof;
        page.table("[proof]", "What was asked, and what the result was.");
        page.list("probes", &proof.probes);
        page.list("args", &proof.args);
        page.list("verified_by", &proof.verified_by);
        page.pair("result", &quoted(&proof.result));
        for group in &self.profile.groups {
            observed(group, &mut page);
        }
        if !self.profile.missed.is_empty() {
            page.table(
                "[missed]",
                "What the slim image missed when it ran, and got back.",
            );
            page.patterns("open", &self.profile.missed);
        }
        if !self.profile.folded.is_empty() {
            let what = "Directories above of which everything stays: how many files they had, and short hashes\nof their names, so that a new one can be named.";
            page.table("[folded]", what);
            for (pattern, folded) in &self.profile.folded {
                page.pair(&quoted(&plain(pattern)), &seal(folded));
            }
        }
        page.table("[packages]", "The packages of which something stays.");
        for (name, version) in &source.packages {
            page.pair(&quoted(name), &quoted(version));
        }
        page.table("[ashore]", "Those of which nothing does.");
        page.pair("packages", &source.others.count.to_string());
        page.pair("hash", &quoted(&format!("{:016x}", source.others.hash)));
        page.0
    }
}

fn observed(group: &Group, page: &mut Page) {
    let by = match &*group.by {
        "" => "a program without a name",
        by => by,
    };
    let during = match &*group.during {
        "" => "the run",
        during => during,
    };
    let count = group.run.len() + group.open.len() + group.link.len();
    let lines = if count == 1 { "line" } else { "lines" };
    page.table(
        "[[observed]]",
        &format!("What {by} touched during {during}: {count} {lines}."),
    );
    page.pair("during", &quoted(&group.during));
    page.pair("by", &quoted(&group.by));
    page.patterns("run", &group.run);
    page.patterns("open", &group.open);
    page.patterns("link", &group.link);
}

fn seal(folded: &Folded) -> String {
    let names: String = folded
        .names
        .iter()
        .map(|name| format!("{name:04x}"))
        .collect();
    match &*names {
        "" => format!("{{ files = {} }}", folded.files),
        names => format!("{{ files = {}, names = \"{names}\" }}", folded.files),
    }
}

/// The short hashes that a text holds; `None` where it is none.
pub(super) fn names(text: &str) -> Option<Vec<u16>> {
    let mut names = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while !rest.is_empty() {
        let (name, behind) = rest.split_at_checked(4)?;
        names.push(u16::from_str_radix(name, 16).ok()?);
        rest = behind;
    }
    names.sort_unstable();
    Some(names)
}

/// Bytes that are no UTF-8 as `\xNN`.
fn plain(pattern: &Pattern) -> String {
    let mut text = String::new();
    for chunk in pattern.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// The pattern a text writes down.
pub(super) fn pattern(text: &str) -> Pattern {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let code = (byte == b'\\')
            .then(|| behind.strip_prefix(b"x")?.get(..2))
            .flatten()
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match (code, byte, behind.first()) {
            (Some(code), ..) => {
                bytes.push(code);
                rest = &behind[3..];
            }
            // What a backslash stands before is not looked at again.
            (None, b'\\', Some(&next)) => {
                bytes.extend([byte, next]);
                rest = &behind[1..];
            }
            _ => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    Pattern::new(bytes)
}

fn word(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// A basic string of TOML: on one line, and good as a key too.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            // A name of an image could bring line ends; `lines` has taken them, and these go too.
            let line: String = line.chars().filter(|c| !c.is_control()).collect();
            let line = format!("# {line}");
            self.0.push_str(line.trim_end());
            self.0.push('\n');
        }
    }

    fn table(&mut self, name: &str, what: &str) {
        self.0.push('\n');
        self.comment(what);
        self.0.push_str(name);
        self.0.push('\n');
    }

    fn pair(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    /// A short list on one line, a long one an entry a line, as it is compared best.
    fn list(&mut self, key: &str, entries: &[String]) {
        let entries: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
        let length: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        match entries.len() {
            0 => {}
            _ if length < 80 => self.pair(key, &format!("[{}]", entries.join(", "))),
            _ => self.lines(key, &entries),
        }
    }

    fn patterns(&mut self, key: &str, patterns: &[Pattern]) {
        let entries: Vec<String> = patterns
            .iter()
            .map(|pattern| quoted(&plain(pattern)))
            .collect();
        match &*entries {
            [] => {}
            [one] => self.pair(key, &format!("[{one}]")),
            entries => self.lines(key, entries),
        }
    }

    fn lines(&mut self, key: &str, entries: &[String]) {
        self.0.push_str(&format!("{key} = [\n"));
        for entry in entries {
            self.0.push_str(&format!("    {entry},\n"));
        }
        self.0.push_str("]\n");
    }
}
