//! What the user asks for: every key is on the page below.
#![doc = include_str!("recipe/page.md")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plimsoll_model::{Digest, ImagePath};
use serde::Deserialize;
use toml::Spanned;

/// Every key of a recipe, for a reader: the page of this module.
pub const PAGE: &str = include_str!("recipe/page.md");

/// What the user asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The configuration of the image.
    #[serde(default)]
    pub image: ImageSection,
    /// The layers, lowest first.
    #[serde(default)]
    pub layers: Vec<LayerSection>,
    /// Files of the recipe's own, in the order they are made.
    #[serde(default)]
    pub files: Vec<FileSection>,
    /// Where packages come from; empty for the machine's own repositories.
    #[serde(default)]
    pub repositories: Vec<RepositorySection>,
    /// The bytes of `from` files, by the name the recipe gives; see [`Recipe::attach`].
    #[serde(skip)]
    attachments: BTreeMap<String, Vec<u8>>,
}

/// `[image]`: what becomes the image's configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ImageSection {
    /// The program.
    pub entrypoint: Vec<String>,
    /// Its arguments, or the command where there is no entrypoint.
    pub cmd: Vec<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// User and group; empty for root.
    pub user: String,
    /// Working directory; empty for the root.
    pub workdir: String,
    /// Ports, `80/tcp`.
    pub expose: Vec<String>,
    /// Paths that are volumes.
    pub volumes: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The signal that ends the program.
    pub stop_signal: Option<String>,
    /// The health check in Docker's form.
    pub healthcheck: Option<Vec<String>>,
    /// Debian's word for the architecture; `amd64` where it is not said.
    pub architecture: Option<String>,
    /// The time of the image and of everything we make, in seconds since 1970.
    pub source_date: Option<i64>,
}

/// `[[layers]]`: packages that go into one layer, with their dependencies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerSection {
    /// What lock, files and history call it.
    pub name: Spanned<String>,
    /// Everything the distribution calls essential or required.
    #[serde(default)]
    pub essential: bool,
    /// Names, or `name=version`.
    #[serde(default)]
    pub packages: Vec<Spanned<String>>,
    /// Also what these packages recommend, as far as it can be installed.
    #[serde(default)]
    pub recommends: bool,
}

/// `[[files]]`: one path the recipe makes itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSection {
    /// Where.
    pub path: Spanned<String>,
    /// The content.
    pub text: Option<String>,
    /// The name of a file beside the recipe that has the content.
    pub from: Option<String>,
    /// It is a directory.
    #[serde(default)]
    pub directory: bool,
    /// It is a symbolic link to this.
    pub link: Option<String>,
    /// Octal permissions.
    pub mode: Option<Spanned<String>>,
    /// `user`, `user:group`, in names of the image or numbers.
    pub owner: Option<String>,
    /// The layer; the last where it is not said.
    pub layer: Option<Spanned<String>>,
}

/// `[[repositories]]`: where packages come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RepositorySection {
    /// The address above `dists/`.
    pub uri: String,
    /// The suite or codename below `dists/`.
    pub suite: String,
    /// The components.
    #[serde(default)]
    pub components: Vec<String>,
    /// A keyring on this machine, or an armoured public key itself.
    pub signed_by: Option<String>,
}

/// What a [`FileSection`] makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind<'a> {
    Bytes(&'a [u8]),
    Directory,
    Link(&'a str),
}

/// Why a text is not a recipe: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeError {
    /// The line, counted from 1; 0 where it is about the whole recipe.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where there is nothing to add.
    pub hint: String,
}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for RecipeError {}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// When the text is no TOML, has a key that is not known, or says something impossible.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text).map_err(|error| {
            let message = error
                .message()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            let hint = if message.contains("unknown field") {
                "the page of the recipe lists every key"
            } else {
                ""
            };
            RecipeError {
                line: error.span().map_or(0, |span| line_of(text, span.start)),
                message,
                hint: hint.to_owned(),
            }
        })?;
        recipe.validate(text)?;
        Ok(recipe)
    }

    /// Debian's word for the architecture of the image.
    pub fn architecture(&self) -> &str {
        self.image.architecture.as_deref().unwrap_or("amd64")
    }

    /// The files beside the recipe that it names; each must be given with [`Recipe::attach`].
    pub fn attachments_needed(&self) -> BTreeSet<&str> {
        self.files
            .iter()
            .filter_map(|file| file.from.as_deref())
            .collect()
    }

    /// Hands in the bytes of a file that the recipe names with `from`.
    pub fn attach(&mut self, name: &str, bytes: Vec<u8>) {
        self.attachments.insert(name.to_owned(), bytes);
    }

    /// A digest of what the recipe asks of the package repositories: equal for two recipes for
    /// which one lock serves.
    pub fn packages_digest(&self) -> Digest {
        use sha2::{Digest as _, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(self.architecture());
        for layer in &self.layers {
            let facts = format!(
                "\n[{}] essential={} recommends={}",
                layer.name.get_ref(),
                layer.essential,
                layer.recommends
            );
            hasher.update(facts);
            for package in &layer.packages {
                hasher.update(format!("\n{}", package.get_ref()));
            }
        }
        Digest::from_bytes(hasher.finalize().into())
    }

    /// The index of the layer a file goes into.
    pub(crate) fn layer_of(&self, file: &FileSection) -> usize {
        let last = self.layers.len().saturating_sub(1);
        file.layer.as_ref().map_or(last, |name| {
            self.layers
                .iter()
                .position(|layer| layer.name.get_ref() == name.get_ref())
                .unwrap_or(last)
        })
    }

    /// What a file section makes.
    pub(crate) fn kind_of<'a>(
        &'a self,
        file: &'a FileSection,
    ) -> Result<FileKind<'a>, RecipeError> {
        if let Some(text) = &file.text {
            return Ok(FileKind::Bytes(text.as_bytes()));
        }
        if let Some(link) = &file.link {
            return Ok(FileKind::Link(link));
        }
        let Some(name) = &file.from else {
            return Ok(FileKind::Directory);
        };
        self.attachments
            .get(name)
            .map(|bytes| FileKind::Bytes(bytes))
            .ok_or_else(|| RecipeError {
                line: 0,
                message: format!("the file `{name}` was not given"),
                hint: "`from` names a file beside the recipe".into(),
            })
    }

    fn validate(&self, text: &str) -> Result<(), RecipeError> {
        let error = |at: usize, message: String, hint: &str| {
            Err(RecipeError {
                line: line_of(text, at),
                message,
                hint: hint.to_owned(),
            })
        };
        if self.layers.is_empty() {
            return Err(RecipeError {
                line: 0,
                message: "the recipe has no layer".into(),
                hint: "add [[layers]] with a name and packages".into(),
            });
        }
        let mut names = BTreeSet::new();
        for layer in &self.layers {
            let at = layer.name.span().start;
            if layer.name.get_ref().is_empty() {
                return error(at, "a layer has no name".into(), "");
            }
            if !names.insert(layer.name.get_ref()) {
                let message = format!("a second layer `{}`", layer.name.get_ref());
                return error(at, message, "names of layers are unique");
            }
            if !layer.essential && layer.packages.is_empty() {
                let message = format!("layer `{}` has no package", layer.name.get_ref());
                return error(at, message, "name some, or set essential = true");
            }
            for package in &layer.packages {
                if !is_request(package.get_ref()) {
                    let message = format!("`{}` is not a package", package.get_ref());
                    return error(
                        package.span().start,
                        message,
                        "a name in lower case, or name=version",
                    );
                }
            }
        }
        for file in &self.files {
            let at = file.path.span().start;
            let path = file.path.get_ref();
            let normal = ImagePath::new(path);
            if !path.starts_with('/') || normal.is_root() || path.split('/').any(|p| p == "..") {
                let message = format!("`{path}` is not an absolute path below the root");
                return error(at, message, "");
            }
            let kinds = [
                file.text.is_some(),
                file.from.is_some(),
                file.directory,
                file.link.is_some(),
            ];
            if kinds.iter().filter(|&&kind| kind).count() != 1 {
                let message = format!("`{path}` is not exactly one thing");
                return error(
                    at,
                    message,
                    "give one of text, from, directory = true, link",
                );
            }
            if let Some(mode) = &file.mode
                && parse_mode(mode.get_ref()).is_none()
            {
                let message = format!("`{}` is not a mode", mode.get_ref());
                return error(mode.span().start, message, "octal, as in \"0644\"");
            }
            if let Some(layer) = &file.layer
                && !names.contains(layer.get_ref())
            {
                let message = format!("there is no layer `{}`", layer.get_ref());
                return error(layer.span().start, message, "");
            }
        }
        Ok(())
    }
}

impl FileSection {
    /// The permissions asked for, or the usual ones.
    pub(crate) fn mode(&self) -> u32 {
        let asked = self
            .mode
            .as_ref()
            .and_then(|mode| parse_mode(mode.get_ref()));
        asked.unwrap_or(if self.directory { 0o755 } else { 0o644 })
    }
}

fn parse_mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777 && !text.starts_with('+'))
}

/// Whether `text` is a package name (Debian policy 5.6.7), alone or with `=version`.
fn is_request(text: &str) -> bool {
    let (name, version) = match text.split_once('=') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
        && version.is_none_or(|version| !version.is_empty())
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests;
