//! Relationships between packages: what `Depends`, `Provides`, `Conflicts` and their kin say.
//!
//! Source: Debian policy 7.1. A field is a list of clauses divided by commas, all of which must
//! hold; a clause is a list of alternatives divided by `|`, one of which must hold.

use std::cmp::Ordering;
use std::fmt;

use crate::version;

/// How a version must compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// `<<`
    Lt,
    /// `<=`
    Le,
    /// `=`
    Eq,
    /// `>=`
    Ge,
    /// `>>`
    Gt,
}

impl Op {
    /// The writing of policy 7.1.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Lt => "<<",
            Self::Le => "<=",
            Self::Eq => "=",
            Self::Ge => ">=",
            Self::Gt => ">>",
        }
    }

    /// Whether `version` compares so with `wanted`, in Debian's order.
    pub fn holds(self, version: &str, wanted: &str) -> bool {
        let order = version::deb::compare(version, wanted);
        match self {
            Self::Lt => order == Ordering::Less,
            Self::Le => order != Ordering::Greater,
            Self::Eq => order == Ordering::Equal,
            Self::Ge => order != Ordering::Less,
            Self::Gt => order == Ordering::Greater,
        }
    }
}

/// One entry of an architecture list: `amd64`, `linux-any`, or `!i386`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Architecture {
    /// Name or wildcard.
    pub name: String,
    /// Everything but this one.
    pub negated: bool,
}

/// One package that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Relation {
    /// Name of the package.
    pub name: String,
    /// What stands behind the colon of the name: `any`, or an architecture.
    pub qualifier: Option<String>,
    /// How its version must compare, and with what.
    pub version: Option<(Op, String)>,
    /// The architectures on which the relation counts; empty means all.
    pub architectures: Vec<Architecture>,
}

/// Alternatives, in the order of preference; at least one.
pub type Clause = Vec<Relation>;

/// Reads a relationship field, which may be folded over lines.
///
/// Answers the clauses, and what could not be read (as sentences without a full stop): a clause
/// with a part that is not understood is left out as a whole, because the rest of it would ask for
/// something else.
pub fn parse(field: &str) -> (Vec<Clause>, Vec<String>) {
    let mut clauses = Vec::new();
    let mut problems = Vec::new();
    for text in field.split(',') {
        // A trailing comma is allowed by deb822(5) and harmless elsewhere.
        if text.trim_ascii().is_empty() {
            continue;
        }
        let clause: Result<Clause, String> = text.split('|').map(parse_one).collect();
        match clause {
            Ok(clause) => clauses.push(clause),
            Err(problem) => problems.push(problem),
        }
    }
    (clauses, problems)
}

fn parse_one(text: &str) -> Result<Relation, String> {
    let text = text.trim_ascii();
    let bad = |why: &str| format!("`{}`: {why}", text.escape_debug());
    let end = text
        .find(|character: char| {
            character.is_ascii_whitespace() || matches!(character, '(' | '[' | '<' | ':')
        })
        .unwrap_or(text.len());
    let name = &text[..end];
    if !is_package_name(name) {
        return Err(bad("not a package name"));
    }
    let mut relation = Relation {
        name: name.to_owned(),
        ..Relation::default()
    };
    let mut rest = &text[end..];
    if let Some(after) = rest.strip_prefix(':') {
        let end = after
            .find(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
            .unwrap_or(after.len());
        if end == 0 {
            return Err(bad("nothing behind the colon"));
        }
        relation.qualifier = Some(after[..end].to_owned());
        rest = &after[end..];
    }
    rest = rest.trim_ascii_start();
    if let Some(after) = rest.strip_prefix('(') {
        let (inside, after) = after
            .split_once(')')
            .ok_or_else(|| bad("a parenthesis without end"))?;
        relation.version = Some(parse_version(inside).ok_or_else(|| bad("not a version"))?);
        rest = after.trim_ascii_start();
    }
    if let Some(after) = rest.strip_prefix('[') {
        let (inside, after) = after
            .split_once(']')
            .ok_or_else(|| bad("a bracket without end"))?;
        relation.architectures = inside
            .split_ascii_whitespace()
            .map(|word| Architecture {
                name: word.trim_start_matches('!').to_owned(),
                negated: word.starts_with('!'),
            })
            .collect();
        rest = after.trim_ascii_start();
    }
    if rest.starts_with('<') {
        return Err(bad("build profiles have no meaning in a binary package"));
    }
    if rest.is_empty() {
        Ok(relation)
    } else {
        Err(bad("something behind the end"))
    }
}

/// As dpkg takes it: letters, digits and `-+._`, beginning with a letter or digit.
pub(crate) fn is_package_name(name: &str) -> bool {
    name.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
}

fn parse_version(text: &str) -> Option<(Op, String)> {
    let text = text.trim_ascii();
    let end = text.find(|character| !"<>=".contains(character))?;
    let op = match &text[..end] {
        "<<" => Op::Lt,
        // Policy 7.1: the old `<` and `>` mean "or equal", and dpkg still takes them.
        "<=" | "<" => Op::Le,
        // dpkg takes no sign at all for `=`.
        "=" | "" => Op::Eq,
        ">=" | ">" => Op::Ge,
        ">>" => Op::Gt,
        _ => return None,
    };
    let version = text[end..].trim_ascii();
    let one_word =
        !version.is_empty() && !version.contains(|character: char| character.is_ascii_whitespace());
    one_word.then(|| (op, version.to_owned()))
}

impl Relation {
    /// Whether a package of this name and `version` is what is asked for.
    pub fn satisfied_by_version(&self, version: &str) -> bool {
        match &self.version {
            None => true,
            Some((op, wanted)) => op.holds(version, wanted),
        }
    }

    /// Whether the relation counts on `architecture` (Debian's words, `amd64`), by its list.
    ///
    /// Wildcards are understood as far as `any`, `any-CPU`, `linux-any` and `OS-CPU` go.
    pub fn applies_to(&self, architecture: &str) -> bool {
        match self.architectures.first() {
            None => true,
            // Policy 7.1: either all are negated or none is.
            Some(first) if first.negated => !self
                .architectures
                .iter()
                .any(|listed| matches_architecture(&listed.name, architecture)),
            Some(_) => self
                .architectures
                .iter()
                .any(|listed| matches_architecture(&listed.name, architecture)),
        }
    }
}

/// Whether `architecture` is what `pattern` names (policy 11.1.1).
fn matches_architecture(pattern: &str, architecture: &str) -> bool {
    if pattern == architecture || pattern == "any" {
        return true;
    }
    // `amd64` is short for `linux-amd64`.
    let (os, cpu) = architecture
        .rsplit_once('-')
        .unwrap_or(("linux", architecture));
    match pattern.rsplit_once('-') {
        Some((want_os, want_cpu)) => {
            (want_os == "any" || want_os == os) && (want_cpu == "any" || want_cpu == cpu)
        }
        None => false,
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(qualifier) = &self.qualifier {
            write!(f, ":{qualifier}")?;
        }
        if let Some((op, version)) = &self.version {
            write!(f, " ({} {version})", op.sign())?;
        }
        if !self.architectures.is_empty() {
            let names: Vec<String> = self
                .architectures
                .iter()
                .map(|listed| format!("{}{}", if listed.negated { "!" } else { "" }, listed.name))
                .collect();
            write!(f, " [{}]", names.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
