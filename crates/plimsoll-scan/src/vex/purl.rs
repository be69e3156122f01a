//! Package URLs as they stand in VEX documents.

use plimsoll_model::vulnerability::Affected;

/// A package URL, taken apart and decoded.
pub(super) struct Purl {
    pub(super) kind: String,
    namespace: String,
    pub(super) name: String,
    /// Empty means any.
    pub(super) version: String,
    qualifiers: Vec<(String, String)>,
}

impl Purl {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next()?;
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        // A version may hold a colon but no slash; a scope of npm begins with `@`.
        let (path, version) = match path.rsplit_once('@') {
            Some((path, version)) if !version.contains('/') && !path.is_empty() => (path, version),
            _ => (path, ""),
        };
        let (kind, path) = path.split_once('/')?;
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let qualifiers = qualifiers.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_ascii_lowercase(), decode(value)))
        });
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: decode(namespace),
            name: decode(name),
            version: decode(version),
            qualifiers: qualifiers.collect(),
        })
    }

    pub(super) fn qualifier(&self, key: &str) -> &str {
        let mut pairs = self.qualifiers.iter();
        let found = pairs.find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value)
    }

    /// Whether it names this installed package, or its source package (`arch=source`). What it does not
    /// say does not matter.
    pub(super) fn names(&self, package: &Affected) -> bool {
        let Some(own) = Self::parse(&package.purl) else {
            return false;
        };
        if self.kind != own.kind || !self.namespace.eq_ignore_ascii_case(&own.namespace) {
            return false;
        }
        let is_source = self.qualifier("arch") == "source";
        let (name, version) = if is_source {
            (package.source.as_str(), package.source_version.as_str())
        } else {
            (own.name.as_str(), own.version.as_str())
        };
        let same = |key: &str| {
            let (asked, own) = (self.qualifier(key), own.qualifier(key));
            asked.is_empty() || own.is_empty() || asked == own
        };
        self.name == name
            && (self.version.is_empty()
                || self.version == version
                || self.version == package.version)
            && (is_source || same("arch"))
            && same("distro")
    }
}

/// Percent-encoding undone; what is not UTF-8 is replaced.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        match (first, behind) {
            (b'%', [high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                let value = hex(high).unwrap_or(0) * 16 + hex(low).unwrap_or(0);
                bytes.push(value as u8);
                rest = after;
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
