//! The profile as a file: what slim knows of an image, for people to review and for `slim --profile`.
//!
//! TOML, `schema = "plimsoll.profile/1"`; written by hand rather than by a serialiser, because it has
//! comments and an order that reads well. The same slim gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use clap::ValueEnum;
use plimsoll_slim::{Folded, Group, Others, Pattern, Profile, Source};
use serde::Deserialize;

use crate::cli::{Compress, Layers, Level, SlimOptions};
use crate::failure::{Failure, Result};

mod text;

const SCHEMA: &str = "plimsoll.profile/1";
/// Bytes of such a file.
const LONGEST: u64 = 64 << 20;

/// The page of the file, for `explain profile`.
pub(crate) const PAGE: &str = include_str!("profile_file/page.md");

/// A profile, and what it was written about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileFile {
    /// The image: name, digest, platform.
    pub(crate) image: (String, String, String),
    /// What is remembered of it.
    pub(crate) source: Source,
    /// The options that decide about the result.
    pub(crate) made: Made,
    /// What was asked.
    pub(crate) proof: Proof,
    /// What runs taught.
    pub(crate) profile: Profile,
}

/// The options that decide about the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) level: Level,
    pub(crate) layers: Layers,
    pub(crate) compression: Compress,
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) keep_packages: Vec<String>,
}

/// What was asked of the image, and what the result was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The digest of the result.
    pub(crate) result: String,
    /// What it answered as the original does; empty if nothing was proved.
    pub(crate) verified_by: Vec<String>,
    /// The probes, as the command line takes them.
    pub(crate) probes: Vec<String>,
    /// The lists of arguments.
    pub(crate) args: Vec<String>,
}

impl Made {
    /// Those of a slim.
    pub(crate) fn of(options: &SlimOptions) -> Self {
        Self {
            level: options.level,
            layers: options.layers,
            compression: options.compression,
            include: options.includes.clone(),
            exclude: options.excludes.clone(),
            keep_packages: options.keep_packages.clone(),
        }
    }
}

impl ProfileFile {
    /// The options of a slim by this profile: its own, and what the user adds.
    pub(crate) fn options(&self, given: &SlimOptions) -> SlimOptions {
        let both = |file: &[String], given: &[String]| {
            let mut all = file.to_vec();
            all.extend(given.iter().filter(|new| !file.contains(new)).cloned());
            all
        };
        let or = |given: &[String], file: &[String]| match given {
            [] => file.to_vec(),
            given => given.to_vec(),
        };
        SlimOptions {
            level: self.made.level,
            layers: self.made.layers,
            compression: self.made.compression,
            includes: both(&self.made.include, &given.includes),
            excludes: both(&self.made.exclude, &given.excludes),
            keep_packages: both(&self.made.keep_packages, &given.keep_packages),
            probes: or(&given.probes, &self.proof.probes),
            arguments: or(&given.arguments, &self.proof.args),
            ..given.clone()
        }
    }

    /// Writes it to `path`, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let failed = |error: std::io::Error| {
            Failure::because(
                format_args!("cannot write the profile {}", path.display()),
                &error,
            )
        };
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(parent.unwrap_or(Path::new(".")))
            .map_err(failed)?;
        file.write_all(self.text().as_bytes()).map_err(failed)?;
        let kept = file.persist(path);
        kept.map(drop).map_err(|error| failed(error.error))
    }

    /// Reads one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let what = format!("cannot read the profile {}", path.display());
        let file = fs::File::open(path).map_err(|error| Failure::because(&what, &error))?;
        let mut toml = String::new();
        file.take(LONGEST + 1)
            .read_to_string(&mut toml)
            .map_err(|error| Failure::because(&what, &error))?;
        if toml.len() as u64 > LONGEST {
            return Err(Failure::new(format!("{what}: more than {LONGEST} bytes")));
        }
        parse(&toml).map_err(|why| {
            Failure::new(what)
                .details(why.lines().map(str::to_owned))
                .hint("plimsoll explain profile has every key")
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    image: Image,
    slim: Slim,
    #[serde(default)]
    proof: ProofTable,
    #[serde(default)]
    observed: Vec<Observed>,
    #[serde(default)]
    missed: Missed,
    #[serde(default)]
    folded: BTreeMap<String, FoldedTable>,
    #[serde(default)]
    packages: BTreeMap<String, String>,
    #[serde(default)]
    ashore: Ashore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    name: String,
    digest: String,
    platform: String,
    #[serde(default)]
    base: Vec<String>,
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    cmd: Vec<String>,
    #[serde(default)]
    healthcheck: Vec<String>,
    #[serde(default)]
    user: String,
    #[serde(default)]
    working_dir: String,
    #[serde(default)]
    ports: Vec<String>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slim {
    level: String,
    layers: String,
    compression: String,
    was_run: bool,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    keep_packages: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProofTable {
    result: String,
    verified_by: Vec<String>,
    probes: Vec<String>,
    args: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Observed {
    during: String,
    by: String,
    run: Vec<String>,
    open: Vec<String>,
    link: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Missed {
    open: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FoldedTable {
    files: u64,
    #[serde(default)]
    names: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ashore {
    packages: u64,
    hash: String,
}

fn parse(toml: &str) -> std::result::Result<ProfileFile, String> {
    let file: File = toml::from_str(toml).map_err(|error| error.to_string())?;
    if file.schema != SCHEMA {
        let schema = file.schema;
        return Err(format!("its schema is {schema:?}, expected {SCHEMA:?}"));
    }
    let Image {
        name,
        digest,
        platform,
        base,
        entrypoint,
        cmd,
        healthcheck,
        user,
        working_dir,
        ports,
        volumes,
        env,
    } = file.image;
    let source = Source {
        base,
        entrypoint,
        cmd,
        healthcheck,
        user,
        working_dir,
        ports,
        volumes,
        env,
        packages: file.packages,
        others: Others {
            count: file.ashore.packages,
            hash: match &*file.ashore.hash {
                "" => 0,
                hex => u64::from_str_radix(hex, 16)
                    .map_err(|_| format!("ashore.hash is {hex:?}, and no number of base 16"))?,
            },
        },
    };
    let folded = file.folded.iter().map(|(pattern, folded)| {
        let folded = Folded {
            files: folded.files,
            names: text::names(&folded.names)
                .ok_or_else(|| format!("folded.{pattern:?}: names is no list of short hashes"))?,
        };
        Ok((text::pattern(pattern), folded))
    });
    let profile = Profile {
        groups: file.observed.iter().map(group).collect(),
        missed: patterns(&file.missed.open),
        folded: folded.collect::<std::result::Result<_, String>>()?,
        was_run: file.slim.was_run,
    };
    let made = Made {
        level: word("slim.level", &file.slim.level)?,
        layers: word("slim.layers", &file.slim.layers)?,
        compression: word("slim.compression", &file.slim.compression)?,
        include: file.slim.include,
        exclude: file.slim.exclude,
        keep_packages: file.slim.keep_packages,
    };
    let proof = Proof {
        result: file.proof.result,
        verified_by: file.proof.verified_by,
        probes: file.proof.probes,
        args: file.proof.args,
    };
    Ok(ProfileFile {
        image: (name, digest, platform),
        source,
        made,
        proof,
        profile,
    })
}

fn group(observed: &Observed) -> Group {
    Group {
        during: observed.during.clone(),
        by: observed.by.clone(),
        run: patterns(&observed.run),
        open: patterns(&observed.open),
        link: patterns(&observed.link),
    }
}

fn patterns(texts: &[String]) -> Vec<Pattern> {
    texts.iter().map(|text| text::pattern(text)).collect()
}

fn word<T: ValueEnum>(key: &str, text: &str) -> std::result::Result<T, String> {
    T::from_str(text, false).map_err(|why| format!("{key}: {why}"))
}

#[cfg(test)]
mod tests;
