//! The fields of a `package.json` that are used, kept small.
//!
//! All manifests of an image stay known while it is looked at, and a megabyte of JSON can take
//! thirty in memory: so only what decides which files are loaded is kept, and of one manifest no
//! more than a limit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::known::Learned;

/// How much of one manifest is kept, in bytes as [`Budget::take`] counts them. The largest of real
/// packages list a few thousand files.
const LIMIT: usize = 1 << 20;
/// What a thing costs beside its text.
const ENTRY: usize = 64;
/// Deeper conditions are not followed.
const DEPTH_LIMIT: u32 = 16;
/// Conditions that hold in browsers, compilers and other runtimes only.
const ELSEWHERE: &[&str] = &[
    "browser",
    "bun",
    "deno",
    "react-native",
    "types",
    "worker",
    "workerd",
];

/// The fields that are used; a field of another type than it should have is as if it were missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(super) name: Option<Box<str>>,
    pub(super) main: Option<Box<str>>,
    pub(super) module: Option<Box<str>>,
    /// The names in each of the lists of [`DEPENDENCIES`].
    pub(super) dependencies: [Vec<Box<str>>; DEPENDENCIES.len()],
    /// Whether `os`, `cpu` or `libc` is there.
    pub(super) is_for_a_platform: bool,
    pub(super) exports: Target,
    pub(super) imports: Target,
    /// Whether it says more than is kept.
    pub(super) is_cut: bool,
}

/// The lists of packages that are needed at run time.
const DEPENDENCIES: [&str; 3] = ["dependencies", "optionalDependencies", "peerDependencies"];

/// What `exports` or `imports` gives for a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    #[default]
    Nothing,
    File(Box<str>),
    Ways(Vec<Target>),
    /// Names or conditions, in order; none for browsers and for compilers.
    Named(Vec<(Box<str>, Target)>),
}

impl Learned for Fields {
    fn weight(&self) -> usize {
        let single = [&self.name, &self.main, &self.module].into_iter().flatten();
        let texts = single.chain(self.dependencies.iter().flatten());
        let texts: usize = texts.map(|text| text.len() + ENTRY).sum();
        size_of::<Self>() + texts + self.exports.weight() + self.imports.weight()
    }
}

impl Target {
    fn weight(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::File(text) => text.len(),
            Self::Ways(ways) => ways.iter().map(|way| way.weight() + ENTRY).sum(),
            Self::Named(ways) => {
                let ways = ways.iter();
                ways.map(|(name, way)| name.len() + way.weight() + ENTRY)
                    .sum()
            }
        }
    }
}

impl Fields {
    /// Reads a manifest; what is none is empty.
    pub(crate) fn parse(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

/// Reads field by field: of one that is there twice the last counts, as for Node.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        let mut budget = Budget(LIMIT);
        while let Some(key) = map.next_key::<String>()? {
            let list = DEPENDENCIES.iter().position(|list| *list == key);
            match (key.as_str(), list) {
                ("name", _) => fields.name = budget.text(map.next_value()?),
                ("main", _) => fields.main = budget.text(map.next_value()?),
                ("module", _) => fields.module = budget.text(map.next_value()?),
                ("exports", _) => fields.exports = budget.target(map.next_value()?, 0),
                ("imports", _) => fields.imports = budget.target(map.next_value()?, 0),
                ("os" | "cpu" | "libc", _) => {
                    fields.is_for_a_platform = true;
                    map.next_value::<IgnoredAny>()?;
                }
                (_, Some(list)) => {
                    let names = budget.names(map.next_value()?);
                    if let Some(list) = fields.dependencies.get_mut(list) {
                        *list = names;
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        fields.is_cut = budget.0 == 0;
        Ok(fields)
    }
}

/// How much more may be kept.
struct Budget(usize);

impl Budget {
    /// Whether there is room for a thing with this text; once there is none, there is none for
    /// anything.
    fn take(&mut self, text: &str) -> bool {
        self.0 = self.0.saturating_sub(ENTRY + text.len());
        self.0 > 0
    }

    fn text(&mut self, value: Value) -> Option<Box<str>> {
        match value {
            Value::String(text) if self.take(&text) => Some(text.into()),
            _ => None,
        }
    }

    fn names(&mut self, value: Value) -> Vec<Box<str>> {
        let Value::Object(list) = value else {
            return Vec::new();
        };
        let names = list.into_iter().map(|(name, _)| name);
        let names = names.take_while(|name| self.take(name));
        names.map(String::into_boxed_str).collect()
    }

    fn target(&mut self, value: Value, depth: u32) -> Target {
        if depth > DEPTH_LIMIT {
            return Target::Nothing;
        }
        match value {
            Value::String(text) if self.take(&text) => Target::File(text.into()),
            Value::Array(ways) => {
                let mut kept = Vec::new();
                for way in ways {
                    if !self.take("") {
                        break;
                    }
                    kept.push(self.target(way, depth + 1));
                }
                Target::Ways(kept)
            }
            Value::Object(map) => {
                let mut kept = Vec::new();
                for (name, way) in map {
                    if ELSEWHERE.contains(&name.as_str()) {
                        continue;
                    }
                    if !self.take(&name) {
                        break;
                    }
                    kept.push((name.into(), self.target(way, depth + 1)));
                }
                Target::Named(kept)
            }
            _ => Target::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_is_not_kept() {
        let junk = "[[],{}],".repeat(10_000);
        let text = format!(
            r#"{{"name":"a","scripts":[{junk}1],"main":"x","main":"m","exports":{{"types":[{junk}1],"default":"./y"}},"dependencies":{{"b":[{junk}1]}}}}"#
        );
        let plain =
            r#"{"name":"a","main":"m","exports":{"default":"./y"},"dependencies":{"b":"1"}}"#;
        let fields = Fields::parse(text.as_bytes());
        assert_eq!(fields, Fields::parse(plain.as_bytes()));
        assert_eq!(fields.main.as_deref(), Some("m"));
        assert!(!fields.is_cut);
    }

    #[test]
    fn no_more_than_a_limit_is_kept() {
        let ways = "[],".repeat(200_000);
        let text = format!(r##"{{"main":"m","exports":[{ways}1],"imports":{{"#a":"./a"}}}}"##);
        let fields = Fields::parse(text.as_bytes());
        let Target::Ways(kept) = &fields.exports else {
            panic!("{:?}", fields.exports);
        };
        assert!(kept.len() <= LIMIT / ENTRY, "{}", kept.len());
        assert_eq!(fields.main.as_deref(), Some("m"));
        assert!(fields.is_cut);
    }

    #[test]
    fn a_field_of_another_type_is_missing() {
        let text = r#"{"name":7,"main":null,"exports":5,"dependencies":[1],"imports":true}"#;
        assert_eq!(Fields::parse(text.as_bytes()), Fields::default());
        assert_eq!(Fields::parse(b"[1"), Fields::default());
        assert_eq!(Fields::parse(b"[]"), Fields::default());
        assert!(Fields::parse(br#"{"cpu":null}"#).is_for_a_platform);
    }
}
