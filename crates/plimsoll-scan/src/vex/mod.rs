//! VEX documents: somebody who knows a product says which vulnerabilities it has, and which it has
//! not, although a package of it does.
//!
//! Read are OpenVEX 0.2 and CSAF 2.0. A statement counts for a package when it names the package, or
//! the image and (if it names any) the package as a part of it.

mod csaf;
mod openvex;
mod purl;

use std::fmt;

use plimsoll_model::vulnerability::Quiet;
use plimsoll_model::{ScanFacts, Vulnerability};
use purl::Purl;
use serde_json::Value;

/// A VEX document, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vex {
    /// What it is called in reports.
    pub name: String,
    statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Statement {
    /// The names of the vulnerability.
    ids: Vec<String>,
    products: Vec<Product>,
    /// `not_affected`, `affected`, `fixed`, `under_investigation`: the words of OpenVEX.
    status: &'static str,
    /// Why it is not affected, in the words of OpenVEX; may be empty.
    justification: String,
    /// The same in words of their own; may be empty.
    reason: String,
    /// When it was made: of two about the same the later counts.
    time: String,
}

/// What a statement is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Product {
    /// Its names: package URLs, references, digests.
    names: Vec<String>,
    /// Only these parts of it; all if empty.
    parts: Vec<String>,
}

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexError(String);

impl fmt::Display for VexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VexError {}

/// The names an image goes by.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImageNames<'a> {
    /// As the user wrote it.
    pub name: &'a str,
    /// The digest of its manifest (`sha256:...`); may be empty.
    pub digest: &'a str,
}

/// The statuses that take a vulnerability out of the count.
const QUIET: [&str; 2] = ["not_affected", "fixed"];

impl Vex {
    /// Reads a document of either kind.
    ///
    /// # Errors
    /// When it is no JSON, or neither OpenVEX nor a VEX profile of CSAF.
    pub fn parse(name: &str, text: &[u8]) -> Result<Self, VexError> {
        let value: Value = serde_json::from_slice(text)
            .map_err(|error| VexError(format!("is no JSON: {error}")))?;
        let openvex = value.get("@context").and_then(|it| it.as_str());
        let mut statements = if openvex.is_some_and(|it| it.contains("openvex")) {
            openvex::read(&value)?
        } else if value.pointer("/document/csaf_version").is_some() {
            csaf::read(&value)?
        } else {
            return Err(VexError("is neither OpenVEX nor CSAF".to_owned()));
        };
        // The last one said counts; those without a time come in the order of the document.
        statements.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(Self {
            name: name.to_owned(),
            statements,
        })
    }

    /// How many statements it makes.
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether it makes none.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Takes out of `facts` what the document says the image does not have.
    pub fn apply(&self, facts: &mut ScanFacts, image: ImageNames<'_>) {
        let all = std::mem::take(&mut facts.vulnerabilities);
        for vulnerability in all {
            let mut said = self.statements.iter().rev();
            match said.find(|statement| statement.is_about(&vulnerability, image)) {
                Some(statement) if QUIET.contains(&statement.status) => facts.quiet.push(Quiet {
                    vulnerability,
                    by: self.name.clone(),
                    status: statement.status.to_owned(),
                    reason: statement.reason.clone(),
                    justification: statement.justification.clone(),
                    until: None,
                }),
                _ => facts.vulnerabilities.push(vulnerability),
            }
        }
    }
}

impl Statement {
    fn is_about(&self, vulnerability: &Vulnerability, image: ImageNames<'_>) -> bool {
        let same = |id: &String| self.ids.iter().any(|own| own.eq_ignore_ascii_case(id));
        (same(&vulnerability.id) || vulnerability.aliases.iter().any(same))
            && self
                .products
                .iter()
                .any(|product| product.is(vulnerability, image))
    }
}

impl Product {
    fn is(&self, vulnerability: &Vulnerability, image: ImageNames<'_>) -> bool {
        let package = &vulnerability.package;
        let is_package = |name: &String| Purl::parse(name).is_some_and(|purl| purl.names(package));
        let parts = self.parts.is_empty() || self.parts.iter().any(is_package);
        self.names
            .iter()
            .any(|name| is_package(name) || is_image(name, image))
            && parts
    }
}

/// Whether `name` is one of the image: its reference, its digest, or a package URL of type `oci` or
/// `docker` with its name (and digest, where one is given).
fn is_image(name: &str, image: ImageNames<'_>) -> bool {
    if name.is_empty() {
        return false;
    }
    if name == image.name || !image.digest.is_empty() && name == image.digest {
        return true;
    }
    let Some(purl) = Purl::parse(name) else {
        return false;
    };
    if !matches!(purl.kind.as_str(), "oci" | "docker") {
        return false;
    }
    if purl.version.starts_with("sha256:") && !image.digest.is_empty() {
        return purl.version == image.digest;
    }
    // `oci:dir:tag`, `registry/name:tag@digest`: the name behind the last slash.
    let own = image.name.split('@').next().unwrap_or_default();
    let own = own.rsplit('/').next().unwrap_or(own);
    let (own, tag) = own.rsplit_once(':').unwrap_or((own, ""));
    let asked = if purl.version.is_empty() {
        purl.qualifier("tag")
    } else {
        &purl.version
    };
    own == purl.name && (asked.is_empty() || asked == tag)
}

/// The text under `key`; empty where there is none.
fn text(value: &Value, key: &str) -> String {
    let text = value.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// What is listed under `key`.
fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests;
