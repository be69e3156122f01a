//! Build stages: what each begins from, which of them make up the image, and the variables that are
//! known in them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::expand::{self, Expanded};
use super::{Dockerfile, Instruction, Keyword, Word};

/// Most bytes of words that are expanded in one file.
const MAX_EXPANDED: usize = 64 << 20;
/// Most stages whose variables are followed.
const MAX_STAGES: usize = 1000;
/// Most instructions that are walked to know the variables of all stages.
const MAX_STEPS: usize = 2_000_000;

/// Variables a builder sets for `FROM`, and for a stage that asks by `ARG`.
pub const PLATFORM_ARGS: [&str; 9] = [
    "BUILDARCH",
    "BUILDOS",
    "BUILDPLATFORM",
    "BUILDVARIANT",
    "TARGETARCH",
    "TARGETOS",
    "TARGETPLATFORM",
    "TARGETSTAGE",
    "TARGETVARIANT",
];

/// Variables that need no `ARG`.
pub const BUILDER_ARGS: [&str; 11] = [
    "ALL_PROXY",
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SOURCE_DATE_EPOCH",
    "all_proxy",
    "ftp_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// What a stage begins from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An earlier stage, by its number.
    Stage(usize),
    /// An image, with its variables expanded by their defaults.
    Image(String),
    /// What cannot be said from the file alone, and why.
    Unknown(String),
}

/// A build stage.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its number, from 0.
    pub index: usize,
    /// The number of its `FROM` among the instructions.
    pub from: usize,
    /// Its name in small letters, where it has one.
    pub name: Option<String>,
    /// What it begins from.
    pub base: Base,
    /// Its instructions, `FROM` included.
    pub instructions: Range<usize>,
    /// Whether its files are in the image: it is the last one, or an ancestor of that.
    pub ships: bool,
    /// The stage at the bottom of it, which begins from no other.
    pub root: usize,
}

/// The stages of a file and the variables before them.
#[derive(Debug, Clone)]
pub struct Stages {
    /// The stages in order.
    pub all: Vec<Stage>,
    /// `ARG`s before the first `FROM`, by name, with their defaults expanded.
    pub globals: BTreeMap<String, Option<String>>,
    names: BTreeMap<String, Vec<usize>>,
    expanded: Cell<usize>,
    steps: Cell<usize>,
}

/// Variables known at a place.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Name and value; no value for an `ARG` that has none unless the builder is told one.
    pub variables: BTreeMap<String, Option<String>>,
    /// Whether other variables may be set: the base image is not known here.
    pub open: bool,
}

/// Bases that set `PATH` and no other variable.
const PLAIN: [&str; 12] = [
    "almalinux",
    "alpine",
    "amazonlinux",
    "archlinux",
    "busybox",
    "centos",
    "clearlinux",
    "debian",
    "fedora",
    "opensuse/leap",
    "rockylinux",
    "ubuntu",
];

impl Stages {
    /// The stages of a file.
    pub fn of(file: &Dockerfile) -> Self {
        let mut stages = Self {
            all: Vec::new(),
            globals: BTreeMap::new(),
            names: BTreeMap::new(),
            expanded: Cell::new(0),
            steps: Cell::new(0),
        };
        for (index, instruction) in file.instructions.iter().enumerate() {
            match instruction.kind {
                Some(Keyword::Arg) if stages.all.is_empty() => {
                    stages.global(instruction, file.escape);
                }
                Some(Keyword::From) => {
                    if let Some(last) = stages.all.last_mut() {
                        last.instructions.end = index;
                    }
                    let number = stages.all.len();
                    let base = stages.base(instruction, file.escape);
                    let name = match instruction.words() {
                        [_, _, name, ..] => Some(name.text.to_lowercase()),
                        _ => None,
                    };
                    if let Some(name) = &name {
                        stages.names.entry(name.clone()).or_default().push(number);
                    }
                    let root = match base {
                        Base::Stage(below) => stages.all[below].root,
                        _ => number,
                    };
                    stages.all.push(Stage {
                        index: number,
                        from: index,
                        name,
                        base,
                        instructions: index..file.instructions.len(),
                        ships: false,
                        root,
                    });
                }
                _ => {}
            }
        }
        let mut next = stages.all.len().checked_sub(1);
        while let Some(index) = next {
            stages.all[index].ships = true;
            next = match stages.all[index].base {
                Base::Stage(below) => Some(below),
                _ => None,
            };
        }
        stages
    }

    fn global(&mut self, instruction: &Instruction, escape: char) {
        for pair in instruction.pairs() {
            let value = pair.value.as_ref().and_then(|value| {
                let known = |name: &str| self.globals.get(name).cloned().flatten();
                self.expand_with(value, escape, &known).ok()
            });
            let value = value.map(|value| value.text);
            self.globals.insert(pair.key.text.clone(), value);
        }
    }

    fn base(&self, instruction: &Instruction, escape: char) -> Base {
        let Some(word) = instruction.words().first() else {
            return Base::Unknown("FROM has no argument".to_owned());
        };
        let known = |name: &str| self.global_value(name);
        let text = match self.expand_with(word, escape, &known) {
            Ok(expanded) => {
                let unset = |name: &&String| match self.globals.get(*name) {
                    Some(value) => value.is_none(),
                    None => !PLATFORM_ARGS.contains(&&***name),
                };
                let mut named = expanded.used.iter().chain(&expanded.missing);
                match named.find(unset) {
                    Some(name) if !is_reference(&expanded.text) => {
                        return Base::Unknown(format!("ARG {name} has no default"));
                    }
                    _ => expanded.text,
                }
            }
            Err(why) => return Base::Unknown(why),
        };
        let same = self.names.get(&text.to_lowercase());
        if let Some(&stage) = same.and_then(|stages| stages.last()) {
            return Base::Stage(stage);
        }
        match &*text {
            "scratch" => Base::Scratch,
            "" => Base::Unknown("FROM is empty".to_owned()),
            _ => Base::Image(text),
        }
    }

    /// The value of a variable in `FROM`.
    pub fn global_value(&self, name: &str) -> Option<String> {
        match self.globals.get(name) {
            Some(value) => Some(value.clone().unwrap_or_default()),
            None if PLATFORM_ARGS.contains(&name) => Some(platform_value(name).to_owned()),
            None => None,
        }
    }

    /// The stage that holds an instruction, by the instruction's number.
    pub fn holding(&self, instruction: usize) -> Option<&Stage> {
        let after = self.all.partition_point(|stage| stage.from <= instruction);
        self.all.get(after.checked_sub(1)?)
    }

    /// The earlier stage that `--from` or `from=` names at a place, by name or by number.
    pub fn named(&self, name: &str, before: usize) -> Option<&Stage> {
        let same = self.names.get(&name.to_lowercase());
        let by_name = same.and_then(|stages| {
            let earlier = stages.partition_point(|&stage| stage < before);
            stages.get(earlier.checked_sub(1)?)
        });
        match by_name {
            Some(&stage) => self.all.get(stage),
            None => {
                let number: usize = name.parse().ok()?;
                self.all[..before.min(self.all.len())].get(number)
            }
        }
    }

    /// What the stage at the bottom of a stage begins from.
    pub fn root(&self, stage: &Stage) -> &Base {
        &self.all[stage.root].base
    }

    /// Whether a stage is of Windows, by the name of what it begins from.
    pub fn is_windows(&self, stage: &Stage) -> bool {
        match self.root(stage) {
            Base::Image(name) => name.contains("windows") || name.contains("nanoserver"),
            _ => false,
        }
    }

    /// Expands a word by the variables of a place, within the limit of the file.
    ///
    /// # Errors
    ///
    /// When the word is not understood, or the file asks for more than the limit.
    pub fn expand(
        &self,
        word: &Word,
        escape: char,
        environment: &Environment,
    ) -> Result<Expanded, String> {
        let known = |name: &str| {
            let value = environment.variables.get(name)?;
            Some(value.clone().unwrap_or_default())
        };
        self.expand_with(word, escape, &known)
    }

    /// Expands a word of a `FROM` or of an `ARG` before it.
    ///
    /// # Errors
    ///
    /// As [`Self::expand`].
    pub fn expand_global(&self, word: &Word, escape: char) -> Result<Expanded, String> {
        self.expand_with(word, escape, &|name| self.global_value(name))
    }

    fn expand_with(
        &self,
        word: &Word,
        escape: char,
        known: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Expanded, String> {
        if self.expanded.get() > MAX_EXPANDED {
            return Err(format!(
                "the variables of the file make more than {MAX_EXPANDED} bytes"
            ));
        }
        let expanded = expand::expand(&word.text, escape, known);
        let length = expanded
            .as_ref()
            .map_or(200_000, |expanded| expanded.text.len());
        self.expanded
            .set(self.expanded.get() + length + word.text.len());
        expanded
    }

    /// The variables a stage begins with.
    pub fn environment(&self, file: &Dockerfile, stage: &Stage) -> Environment {
        if self.all.len() > MAX_STAGES {
            return Environment {
                variables: BTreeMap::new(),
                open: true,
            };
        }
        let mut chain = Vec::new();
        let mut at = stage;
        while let Base::Stage(below) = at.base {
            at = &self.all[below];
            chain.push(at);
        }
        let walked: usize = chain.iter().map(|stage| stage.instructions.len() + 1).sum();
        self.steps.set(self.steps.get().saturating_add(walked));
        let mut environment = Environment {
            variables: BTreeMap::new(),
            open: match self.root(stage) {
                Base::Scratch => false,
                Base::Image(name) => !is_plain(name),
                _ => true,
            },
        };
        if self.steps.get() > MAX_STEPS {
            environment.open = true;
            return environment;
        }
        for name in BUILDER_ARGS.into_iter().chain(["PATH"]) {
            let value = Some(String::new());
            environment.variables.insert(name.to_owned(), value);
        }
        for below in chain.into_iter().rev() {
            for index in below.instructions.clone() {
                self.step(file, &file.instructions[index], &mut environment);
            }
        }
        environment
    }

    /// Goes past an instruction: `ENV` and `ARG` set variables.
    pub fn step(&self, file: &Dockerfile, instruction: &Instruction, into: &mut Environment) {
        match instruction.kind {
            Some(Keyword::Env) => {
                // All values of one ENV are read before any of them is set.
                let mut set = Vec::new();
                for pair in instruction.pairs() {
                    let value = pair.value.as_ref().map(|value| {
                        let expanded = self.expand(value, file.escape, into);
                        expanded.unwrap_or_default().text
                    });
                    set.push((unquoted(&pair.key.text), value));
                }
                into.variables.extend(set);
            }
            Some(Keyword::Arg) => {
                for pair in instruction.pairs() {
                    let name = unquoted(&pair.key.text);
                    let value = match &pair.value {
                        Some(value) => {
                            let expanded = self.expand(value, file.escape, into);
                            Some(expanded.unwrap_or_default().text)
                        }
                        None => self.global_value(&name),
                    };
                    into.variables.insert(name, value);
                }
            }
            _ => {}
        }
    }

    /// Names that are set somewhere in the file: what a mistyped name may mean.
    pub fn names(file: &Dockerfile) -> BTreeSet<&str> {
        let setters = file
            .instructions
            .iter()
            .filter(|instruction| matches!(instruction.kind, Some(Keyword::Arg | Keyword::Env)));
        setters
            .flat_map(|instruction| instruction.pairs())
            .map(|pair| &*pair.key.text)
            .collect()
    }
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

/// The value of a platform variable on the commonest machine: enough to read a reference.
fn platform_value(name: &str) -> &'static str {
    match name {
        "BUILDARCH" | "TARGETARCH" => "amd64",
        "BUILDOS" | "TARGETOS" => "linux",
        "BUILDPLATFORM" | "TARGETPLATFORM" => "linux/amd64",
        _ => "",
    }
}

/// Whether a base sets no variable but `PATH`.
fn is_plain(image: &str) -> bool {
    let (name, _, _) = split_reference(image);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    PLAIN.contains(&name)
}

/// Name, tag and digest of a reference.
pub fn split_reference(reference: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    match rest[slash..].find(':') {
        Some(colon) => (
            &rest[..slash + colon],
            Some(&rest[slash + colon + 1..]),
            digest,
        ),
        None => (rest, None, digest),
    }
}

/// Whether this can be the reference of an image.
pub fn is_reference(text: &str) -> bool {
    let (name, tag, digest) = split_reference(text);
    let component = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'.' | b'_' | b'-')
            })
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host), path)
        }
        _ => (None, name),
    };
    let host_fine = host.is_none_or(|host| {
        host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'[' | b']')
        })
    });
    let tag_fine = tag.is_none_or(|tag| {
        !tag.is_empty()
            && tag.len() <= 128
            && !tag.starts_with(['.', '-'])
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    });
    let digest_fine = digest.is_none_or(|digest| digest.contains(':'));
    host_fine && tag_fine && digest_fine && path.split('/').all(component)
}
