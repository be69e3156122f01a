//! Bills of materials that others wrote (or plimsoll), read as an inventory: CycloneDX and SPDX 2, as
//! JSON.
//!
//! A component is a package by its package URL; without one it is a product of its name and version.
//! What does not fit is a problem: a component without a name, a need for something that is not
//! listed, things that contain or need each other in a ring.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::package::ecosystem;
use plimsoll_model::{Evidence, Inventory, KnownBy, OsRelease, Package, PackageId, Problem};
use serde_json::Value;

/// More components than this are not read.
const MAX_COMPONENTS: usize = 500_000;
/// Components in components deeper than this are not read.
const MAX_DEPTH: usize = 64;
/// Problems of one kind that are told one by one.
const TOLD: usize = 20;

/// What a bill of materials says.
#[derive(Debug, Clone, Default)]
pub struct Sbom {
    /// `CycloneDX 1.6`, `SPDX-2.3`.
    pub format: String,
    /// The name of what it is about; empty where it does not say.
    pub name: String,
    /// Its version: the digest of an image, where the document is about one.
    pub version: String,
    /// The time it was made, as written.
    pub created: Option<String>,
    /// The components, as packages.
    pub inventory: Inventory,
}

/// What kind of bill of materials in JSON bytes begin as, as a phrase; `None` where they do not.
pub fn kind(head: &[u8]) -> Option<&'static str> {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    if !text.starts_with(b"{") {
        return None;
    }
    if has(b"\"bomFormat\"") || has(b"cyclonedx.org/schema") {
        return Some("a CycloneDX document");
    }
    has(b"\"spdxVersion\"").then_some("an SPDX document")
}

/// Reads a bill of materials.
///
/// # Errors
/// Says why it is none that can be read.
pub fn read(bytes: &[u8]) -> Result<Sbom, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let json: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let mut reader = Reader::default();
    if json.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX") {
        reader.cyclonedx(&json);
    } else if let Some(version) = json.get("spdxVersion").and_then(Value::as_str) {
        if !version.starts_with("SPDX-2.") {
            return Err(format!(
                "it is {}, and only SPDX 2 is read",
                version.escape_debug()
            ));
        }
        reader.spdx(&json, version);
    } else {
        return Err("it is neither CycloneDX nor SPDX 2, as JSON".to_owned());
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    sbom: Sbom,
    /// Reference → package, in the order read.
    ids: BTreeMap<String, usize>,
    /// What names something that is no package: the image, the distribution.
    others: BTreeSet<String>,
    needs: Vec<(String, String)>,
    contains: Vec<(String, String)>,
    told: BTreeMap<&'static str, usize>,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

impl Reader {
    fn problem(&mut self, kind: &'static str, message: String) {
        let count = self.told.entry(kind).or_default();
        *count += 1;
        if *count <= TOLD {
            self.sbom.inventory.problems.push(Problem {
                message,
                evidence: Evidence::Image,
            });
        }
    }

    fn cyclonedx(&mut self, json: &Value) {
        self.sbom.format = format!("CycloneDX {}", text(json, "specVersion"));
        let nothing = Value::Null;
        let metadata = json.get("metadata").unwrap_or(&nothing);
        let about = metadata.get("component").unwrap_or(&nothing);
        text(about, "name").clone_into(&mut self.sbom.name);
        text(about, "version").clone_into(&mut self.sbom.version);
        self.sbom.created = metadata
            .get("timestamp")
            .and_then(Value::as_str)
            .map(str::to_owned);
        self.others.insert(text(about, "bom-ref").to_owned());
        for problem in list(metadata, "properties") {
            if text(problem, "name") == "plimsoll:problem" {
                let message = format!("the bill of materials says: {}", text(problem, "value"));
                self.problem("said", message);
            }
        }
        if !json.get("components").is_none_or(Value::is_array) {
            self.problem("shape", "`components` is no list".to_owned());
        }
        self.components(list(json, "components"), None, 0);
        self.components(list(about, "components"), None, 0);
        for row in list(json, "dependencies") {
            let from = text(row, "ref");
            let needs = list(row, "dependsOn").iter().filter_map(Value::as_str);
            self.needs
                .extend(needs.map(|to| (from.to_owned(), to.to_owned())));
        }
    }

    fn components(&mut self, components: &[Value], above: Option<&str>, depth: usize) {
        if depth > MAX_DEPTH {
            self.problem(
                "depth",
                format!("components are more than {MAX_DEPTH} deep; those below are not read"),
            );
            return;
        }
        for component in components {
            let (name, version) = (text(component, "name"), text(component, "version"));
            let reference = match text(component, "bom-ref") {
                "" => format!("{name}@{version}"),
                reference => reference.to_owned(),
            };
            if let Some(above) = above {
                self.contains.push((above.to_owned(), reference.clone()));
            }
            let kind = text(component, "type");
            if kind == "operating-system" {
                self.others.insert(reference);
                self.release(name, version, text(component, "description"));
                continue;
            }
            if name.is_empty() {
                self.problem(
                    "name",
                    format!("a component has no name: `{}`", reference.escape_debug()),
                );
                continue;
            }
            // Files are no packages; machines and data neither.
            let is_package = matches!(
                kind,
                "library" | "application" | "framework" | "container" | "platform" | ""
            );
            if is_package || !text(component, "purl").is_empty() {
                let full = match text(component, "group") {
                    "" => name.to_owned(),
                    group => format!("{group}/{name}"),
                };
                let mut package = self.package(text(component, "purl"), &full, version);
                text(component, "publisher").clone_into(&mut package.vendor);
                for licence in list(component, "licenses") {
                    let said = licence.get("license").unwrap_or(&Value::Null);
                    let words = [
                        text(licence, "expression"),
                        text(said, "id"),
                        text(said, "name"),
                    ];
                    let first = words.into_iter().find(|word| !word.is_empty());
                    package.licences.extend(first.map(str::to_owned));
                }
                self.properties(&mut package, list(component, "properties"));
                self.add(reference.clone(), package);
            } else {
                self.others.insert(reference.clone());
            }
            self.components(list(component, "components"), Some(&reference), depth + 1);
        }
    }

    /// What the properties of plimsoll and of Syft say that a package URL does not.
    fn properties(&mut self, package: &mut Package, properties: &[Value]) {
        for property in properties {
            let value = text(property, "value").to_owned();
            match text(property, "name") {
                "plimsoll:architecture" => package.architecture = value,
                "plimsoll:source" | "syft:metadata:source"
                    if !value.is_empty() && value != package.name =>
                {
                    package.source = Some(value);
                }
                "plimsoll:source-version" | "syft:metadata:sourceVersion" if !value.is_empty() => {
                    package.source_version = Some(value);
                }
                _ => {}
            }
        }
    }

    fn spdx(&mut self, json: &Value, version: &str) {
        version.clone_into(&mut self.sbom.format);
        text(json, "name").clone_into(&mut self.sbom.name);
        let nothing = Value::Null;
        let info = json.get("creationInfo").unwrap_or(&nothing);
        self.sbom.created = info
            .get("created")
            .and_then(Value::as_str)
            .map(str::to_owned);
        self.others.insert("SPDXRef-DOCUMENT".to_owned());
        if !json.get("packages").is_none_or(Value::is_array) {
            self.problem("shape", "`packages` is no list".to_owned());
        }
        let relations = list(json, "relationships");
        let described = relations
            .iter()
            .filter(|row| text(row, "relationshipType") == "DESCRIBES");
        let mut described: BTreeSet<&str> = described
            .map(|row| text(row, "relatedSpdxElement"))
            .collect();
        described.extend(
            list(json, "documentDescribes")
                .iter()
                .filter_map(Value::as_str),
        );
        for package in list(json, "packages") {
            let reference = text(package, "SPDXID").to_owned();
            let (name, version) = (text(package, "name"), text(package, "versionInfo"));
            let references = list(package, "externalRefs").iter();
            let mut urls = references.filter(|it| text(it, "referenceType") == "purl");
            let url = urls.next().map_or("", |it| text(it, "referenceLocator"));
            let purpose = text(package, "primaryPackagePurpose");
            if purpose == "OPERATING-SYSTEM" || purpose == "OPERATING_SYSTEM" {
                self.others.insert(reference);
                self.release(name, version, "");
                continue;
            }
            if purpose == "CONTAINER" || described.contains(reference.as_str()) && url.is_empty() {
                // What the document is about is no part of itself.
                version.clone_into(&mut self.sbom.version);
                name.clone_into(&mut self.sbom.name);
                self.others.insert(reference);
                continue;
            }
            if name.is_empty() {
                self.problem(
                    "name",
                    format!("a package has no name: `{}`", reference.escape_debug()),
                );
                continue;
            }
            let mut found = self.package(url, name, version);
            let supplier = text(package, "supplier").split_once(": ");
            found.vendor = supplier.map_or_else(String::new, |(_, name)| name.to_owned());
            let licence = text(package, "licenseDeclared");
            if !matches!(licence, "" | "NOASSERTION" | "NONE") {
                found.licences.push(licence.to_owned());
            }
            self.add(reference, found);
        }
        for file in list(json, "files") {
            self.others.insert(text(file, "SPDXID").to_owned());
        }
        for row in relations {
            let (from, to) = (
                text(row, "spdxElementId").to_owned(),
                text(row, "relatedSpdxElement").to_owned(),
            );
            match text(row, "relationshipType") {
                "DEPENDS_ON" => self.needs.push((from, to)),
                "DEPENDENCY_OF" => self.needs.push((to, from)),
                "CONTAINS" => self.contains.push((from, to)),
                "CONTAINED_BY" => self.contains.push((to, from)),
                _ => {}
            }
        }
    }

    fn release(&mut self, name: &str, version: &str, pretty: &str) {
        let release = OsRelease {
            id: name.to_lowercase(),
            version_id: version.to_owned(),
            pretty_name: match pretty {
                "" => format!("{name} {version}"),
                pretty => pretty.to_owned(),
            },
            name: name.to_owned(),
            ..OsRelease::default()
        };
        self.sbom.inventory.release.get_or_insert(release);
    }

    /// The package a component is.
    fn package(&mut self, url: &str, name: &str, version: &str) -> Package {
        let mut package = Package {
            ecosystem: ecosystem::GENERIC,
            name: name.to_owned(),
            version: version.to_owned(),
            known_by: KnownBy::Sbom,
            ..Package::default()
        };
        if url.is_empty() {
            return package;
        }
        let Some(parts) = Url::parse(url) else {
            self.problem(
                "purl",
                format!("{name} has no sound package URL: `{}`", url.escape_debug()),
            );
            return package;
        };
        let Some(ecosystem) = known(&parts.kind) else {
            return package;
        };
        package.ecosystem = ecosystem;
        let joined = |separator: &str| match parts.namespace.as_str() {
            "" => parts.name.clone(),
            namespace => format!("{namespace}{separator}{}", parts.name),
        };
        package.name = match ecosystem {
            ecosystem::MAVEN => joined(":"),
            ecosystem::NPM | ecosystem::GOLANG | ecosystem::COMPOSER => joined("/"),
            _ => parts.name.clone(),
        };
        if !parts.version.is_empty() {
            package.version.clone_from(&parts.version);
        }
        let qualifier = |key: &str| parts.qualifiers.get(key).map_or("", String::as_str);
        if ecosystem::is_distribution(ecosystem) {
            qualifier("arch").clone_into(&mut package.architecture);
            if ecosystem == ecosystem::RPM && !matches!(qualifier("epoch"), "" | "0") {
                package.version = format!("{}:{}", qualifier("epoch"), package.version);
            }
            let upstream = qualifier("upstream");
            if let Some((source, version)) = crate::rpm::source(upstream) {
                package.source = Some(source);
                package.source_version = Some(version);
            } else if !upstream.is_empty() {
                let (source, version) = upstream.split_once('@').unwrap_or((upstream, ""));
                package.source = (source != package.name).then(|| source.to_owned());
                package.source_version =
                    Some(version.to_owned()).filter(|version| !version.is_empty());
            }
            package
                .source_version
                .take_if(|version| *version == package.version);
            let distro = qualifier("distro");
            if !distro.is_empty() && self.sbom.inventory.release.is_none() {
                let (id, version) = distro.split_once('-').unwrap_or((distro, ""));
                self.release(id, version, "");
            }
        }
        package
    }

    fn add(&mut self, reference: String, package: Package) {
        let packages = &mut self.sbom.inventory.packages;
        if packages.len() >= MAX_COMPONENTS {
            self.problem(
                "count",
                format!("it has more than {MAX_COMPONENTS} components; the rest is not read"),
            );
            self.told.insert("count", TOLD);
            return;
        }
        if self.ids.insert(reference.clone(), packages.len()).is_some() {
            packages.push(package);
            self.problem(
                "twice",
                format!(
                    "two components have the reference `{}`",
                    reference.escape_debug()
                ),
            );
        } else {
            packages.push(package);
        }
    }

    fn finish(mut self) -> Sbom {
        let needs = std::mem::take(&mut self.needs);
        let contains = std::mem::take(&mut self.contains);
        for (edges, what) in [(&needs, "need"), (&contains, "contain")] {
            if let Some(ring) = ring(edges) {
                let names = ring.join(" -> ");
                self.problem(
                    "ring",
                    format!(
                        "components {what} each other in a ring: {}",
                        names.escape_debug()
                    ),
                );
            }
        }
        for (from, to) in needs {
            let is_known =
                |name: &String| self.ids.contains_key(name) || self.others.contains(name);
            if !is_known(&from) || !is_known(&to) {
                let missing = if is_known(&from) { &to } else { &from };
                let message = format!(
                    "a dependency names `{}`, which is not listed",
                    missing.escape_debug()
                );
                self.problem("missing", message);
                continue;
            }
            if let (Some(&from), Some(&to)) = (self.ids.get(&from), self.ids.get(&to))
                && from != to
            {
                self.sbom.inventory.packages[from]
                    .requires
                    .push(PackageId(to as u32));
            }
        }
        for (kind, count) in std::mem::take(&mut self.told) {
            if count > TOLD && kind != "count" {
                let message = format!("{} more problems of this kind ({kind})", count - TOLD);
                let problem = Problem {
                    message,
                    evidence: Evidence::Image,
                };
                self.sbom.inventory.problems.push(problem);
            }
        }
        sorted(&mut self.sbom.inventory);
        self.sbom
    }
}

/// Puts the packages into the order of every inventory.
fn sorted(inventory: &mut Inventory) {
    let mut order: Vec<usize> = (0..inventory.packages.len()).collect();
    let key = |index: &usize| {
        let package = &inventory.packages[*index];
        let rank = !ecosystem::is_distribution(package.ecosystem);
        (
            rank,
            package.ecosystem,
            &package.name,
            &package.architecture,
            &package.version,
        )
    };
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut place = vec![0_u32; order.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old] = new as u32;
    }
    let mut packages: Vec<Option<Package>> = std::mem::take(&mut inventory.packages)
        .into_iter()
        .map(Some)
        .collect();
    for old in order {
        let Some(mut package) = packages[old].take() else {
            continue;
        };
        for id in &mut package.requires {
            id.0 = place[id.0 as usize];
        }
        package.requires.sort();
        package.requires.dedup();
        inventory.packages.push(package);
    }
}

/// Some ring of edges, its names in order, the first again at the end.
fn ring(edges: &[(String, String)]) -> Option<Vec<String>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let starts: Vec<&str> = next.keys().copied().collect();
    for start in starts {
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        let mut open: BTreeSet<&str> = BTreeSet::from([start]);
        while let Some((name, index)) = path.last().copied() {
            let to = next.get(name).and_then(|list| list.get(index)).copied();
            if let Some(last) = path.last_mut() {
                last.1 += 1;
            }
            match to {
                None => {
                    done.insert(name);
                    open.remove(name);
                    path.pop();
                }
                Some(to) if open.contains(to) => {
                    let names = path
                        .iter()
                        .map(|(name, _)| *name)
                        .skip_while(|name| *name != to);
                    return Some(names.chain([to]).map(str::to_owned).collect());
                }
                Some(to) if !done.contains(to) => {
                    open.insert(to);
                    path.push((to, 0));
                }
                Some(_) => {}
            }
        }
    }
    None
}

/// The ecosystem of a type of package URL; `None` for those plimsoll has no name for.
fn known(kind: &str) -> Option<&'static str> {
    use ecosystem::*;
    const ALL: &[&str] = &[
        APK, CARGO, COMPOSER, DEB, GEM, GENERIC, GOLANG, MAVEN, NPM, NUGET, PYPI, RPM,
    ];
    ALL.iter().find(|known| **known == kind).copied()
}

/// A package URL, taken apart.
struct Url {
    kind: String,
    namespace: String,
    name: String,
    version: String,
    qualifiers: BTreeMap<String, String>,
}

impl Url {
    /// By the rules of the purl specification, "How to parse a purl string".
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next()?;
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/')?;
        // A scope of npm may stand there as it is.
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, version),
            _ => (rest, ""),
        };
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let qualifiers = qualifiers.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_lowercase(), decode(value)?))
        });
        let name = decode(name)?;
        (!name.is_empty()).then_some(Self {
            kind: kind.to_lowercase(),
            namespace: decode(namespace)?,
            name,
            version: decode(version)?,
            qualifiers: qualifiers.collect(),
        })
    }
}

/// Percent-decodes; `None` for what is no UTF-8 then.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        let pair = more
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match (
            first,
            pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()),
        ) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            _ => {
                bytes.push(first);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(sbom: &Sbom) -> Vec<&str> {
        sbom.inventory
            .problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect()
    }

    #[test]
    fn components_become_packages() {
        let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5",
            "metadata": {"component": {"bom-ref": "x", "name": "web", "version": "sha256:00", "type": "container"}},
            "components": [
              {"type": "operating-system", "name": "debian", "version": "12"},
              {"type": "library", "bom-ref": "a", "name": "libc6", "version": "1:2", "purl": "pkg:deb/debian/libc6@1%3A2%2Bb1?arch=amd64&upstream=glibc%401%3A2&distro=debian-12"},
              {"type": "library", "bom-ref": "b", "group": "@x", "name": "y", "version": "3", "purl": "pkg:npm/%40x/y@3",
               "components": [{"type": "library", "bom-ref": "c", "name": "core", "version": "4", "purl": "pkg:maven/org.z/core@4"}]},
              {"type": "file", "name": "/etc/x"},
              {"type": "application", "name": "httpd", "version": "2.4.46"}],
            "dependencies": [{"ref": "x", "dependsOn": ["a"]}, {"ref": "b", "dependsOn": ["a"]}]}"#;
        let sbom = read(text.as_bytes()).unwrap();
        assert_eq!(problems(&sbom), [""; 0]);
        let packages = sbom.inventory.packages.iter();
        let packages: Vec<_> = packages
            .map(|it| (it.ecosystem, &*it.name, &*it.version))
            .collect();
        assert_eq!(
            packages,
            [
                ("deb", "libc6", "1:2+b1"),
                ("generic", "httpd", "2.4.46"),
                ("maven", "org.z:core", "4"),
                ("npm", "@x/y", "3")
            ]
        );
        let libc = &sbom.inventory.packages[0];
        assert_eq!(
            (libc.source.as_deref(), libc.source_version.as_deref()),
            (Some("glibc"), Some("1:2"))
        );
        assert_eq!(sbom.inventory.packages[3].requires, [PackageId(0)]);
        assert_eq!(sbom.inventory.release.unwrap().version_id, "12");
        assert_eq!((&*sbom.name, &*sbom.version), ("web", "sha256:00"));
    }

    #[test]
    fn packages_of_spdx_are_read() {
        let text = r#"{"spdxVersion": "SPDX-2.3", "name": "doc", "packages": [
            {"SPDXID": "SPDXRef-i", "name": "web", "versionInfo": "sha256:00", "primaryPackagePurpose": "CONTAINER"},
            {"SPDXID": "SPDXRef-a", "name": "bash", "versionInfo": "5-1.el9", "licenseDeclared": "GPL-3.0-or-later",
             "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:rpm/rocky/bash@5-1.el9?epoch=2&upstream=bash-5-1.el9.src.rpm"}]}],
            "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-i"}]}"#;
        let sbom = read(text.as_bytes()).unwrap();
        assert_eq!(problems(&sbom), [""; 0]);
        assert_eq!(sbom.name, "web");
        let [bash] = &sbom.inventory.packages[..] else {
            panic!()
        };
        assert_eq!((bash.ecosystem, &*bash.version), ("rpm", "2:5-1.el9"));
    }

    #[test]
    fn rings_and_nonsense_are_problems() {
        let ring = r#"{"bomFormat": "CycloneDX", "components": [{"type": "library", "bom-ref": "a", "name": "a"}, {"type": "library", "bom-ref": "b", "name": "b"}, {"type": "library"}],
            "dependencies": [{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "dependsOn": ["a", "lost"]}]}"#;
        let sbom = read(ring.as_bytes()).unwrap();
        let told = problems(&sbom).join("\n");
        for part in [
            "ring: a -> b -> a",
            "has no name",
            "`lost`, which is not listed",
        ] {
            assert!(told.contains(part), "{told}");
        }
        let contained = r#"{"spdxVersion": "SPDX-2.2", "packages": 7, "relationships": [
            {"spdxElementId": "a", "relationshipType": "CONTAINS", "relatedSpdxElement": "b"},
            {"spdxElementId": "b", "relationshipType": "CONTAINS", "relatedSpdxElement": "a"}]}"#;
        let told = problems(&read(contained.as_bytes()).unwrap()).join("\n");
        assert!(
            told.contains("contain each other") && told.contains("no list"),
            "{told}"
        );
        let deep = format!("{}{}", "{\"components\":[".repeat(200), "]}".repeat(200));
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"spdxVersion": "SPDX-3.0"}"#,
            deep.as_str(),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
