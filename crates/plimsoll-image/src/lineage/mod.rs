//! What an image was made from, down to scratch, each step with its evidence.
//!
//! Everything here is read from the image itself: its annotations, its history, and the os-release
//! file at its bottom. The history has no mark where a `FROM` was, so a step is only as good as its
//! evidence, which is why it is printed.

use std::collections::BTreeMap;

use plimsoll_model::os_release::OsRelease;
use plimsoll_model::text::printable;
use plimsoll_model::{Ancestor, Image, Lineage, Rootfs};

mod fingerprints;

use fingerprints::{FINGERPRINTS, VERSIONS};

/// Where builders name the image they started from (OCI image specification, `annotations.md`):
/// set for Docker's official images, and by buildah and podman.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// Names by how much they can be trusted, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// An annotation or a builder's comment names the image.
    Named,
    /// An official image's version variable.
    Version,
    /// The history says how the root file system was made, or os-release what it is.
    System,
}

/// A place between two layers where an ancestor probably ended.
#[derive(Default)]
struct Cut {
    names: Vec<(Trust, String)>,
    evidence: Vec<String>,
}

impl Cut {
    fn name(&mut self, trust: Trust, name: impl Into<String>) {
        self.names.push((trust, name.into()));
    }

    /// The best name; the last one of its kind, since later steps know better.
    fn best(&self) -> String {
        let best = self.names.iter().map(|(trust, _)| *trust).min();
        let of_best = self
            .names
            .iter()
            .rev()
            .find(|(trust, _)| Some(*trust) == best);
        of_best.map_or_else(|| "an unnamed image".to_owned(), |(_, name)| name.clone())
    }
}

/// The chain from the image's parent down to scratch, by the evidence the image carries itself.
pub fn lineage(image: &Image, rootfs: &Rootfs) -> Lineage {
    let mut cuts = cuts_of_history(image);
    let unplaced = system(image, rootfs, &mut cuts);
    let mut ancestors = Vec::new();
    if let Some(base) = annotated(image) {
        let evidence = format!("annotation {BASE_NAME}");
        // The parent is the nearest ancestor, and not the whole image.
        let total = image.layers.len();
        let by_comment = cuts.iter_mut().rev().find(|(_, cut)| {
            let name = short(&base);
            cut.names.iter().any(|(_, found)| *found == name)
        });
        let parent = match by_comment {
            Some((_, cut)) => Some(cut),
            None => cuts
                .iter_mut()
                .rev()
                .find(|(layers, _)| **layers < total)
                .map(|(_, cut)| cut),
        };
        match parent {
            Some(cut) => {
                cut.names.insert(0, (Trust::Named, short(&base)));
                cut.names
                    .retain(|(trust, name)| *trust != Trust::Named || *name == short(&base));
                cut.evidence.insert(0, evidence);
            }
            None => ancestors.push(Ancestor {
                name: short(&base),
                layers: None,
                evidence,
            }),
        }
    }
    for (layers, cut) in cuts.into_iter().rev() {
        ancestors.push(Ancestor {
            name: cut.best(),
            layers: Some(layers),
            evidence: cut.evidence.join("; "),
        });
    }
    ancestors.extend(unplaced);
    ancestors.push(Ancestor {
        name: "scratch".to_owned(),
        layers: Some(0),
        evidence: "nothing is below the lowest layer".to_owned(),
    });
    Lineage { ancestors }
}

/// Where somebody's CMD or ENTRYPOINT stood.
struct End {
    layers: usize,
    word: &'static str,
    /// The official image a variable before it betrays, and the line that sets it.
    version: Option<(String, String)>,
}

/// Cuts the history shows, by the number of layers below them.
fn cuts_of_history(image: &Image) -> BTreeMap<usize, Cut> {
    let total = image.layers.len();
    let mut cuts: BTreeMap<usize, Cut> = BTreeMap::new();
    let mut layers = 0;
    // A CMD or ENTRYPOINT that was the last word so far: where a layer follows, it was somebody
    // else's last word.
    let mut ended: Option<End> = None;
    // The version variable set since then.
    let mut version: Option<(String, String)> = None;
    for step in &image.config.history {
        let text = step.created_by.as_deref().unwrap_or_default();
        if !step.empty_layer
            && let Some(end) = ended.take()
        {
            let End { layers, word, .. } = end;
            let cut = cuts.entry(layers).or_default();
            cut.evidence
                .push(format!("history: {word}, then layer {layers}"));
            if let Some((name, line)) = end.version {
                cut.name(Trust::Version, name);
                cut.evidence.push(format!("history: {line}"));
            }
        }
        if let Some(name) = step.comment.as_deref().and_then(from)
            && layers > 0
            && layers < total
        {
            let cut = cuts.entry(layers).or_default();
            cut.name(Trust::Named, short(name));
            cut.evidence
                .push(format!("history: FROM {}", printable(name.as_bytes())));
        }
        if step.empty_layer {
            let line = instruction(text);
            if layers > 0 && (line.starts_with("CMD ") || line.starts_with("ENTRYPOINT ")) {
                let word = if line.starts_with("CMD ") {
                    "CMD"
                } else {
                    "ENTRYPOINT"
                };
                let before = ended.take().and_then(|end| end.version);
                ended = Some(End {
                    layers,
                    word,
                    version: version.take().or(before),
                });
            }
            if let Some(found) = versioned(line) {
                version = Some(found);
            }
            continue;
        }
        layers += 1;
        if layers > total {
            // A history of more layers than there are is of no use.
            return BTreeMap::new();
        }
        if let Some((name, why)) = FINGERPRINTS
            .iter()
            .find_map(|fingerprint| (fingerprint.read)(text))
        {
            let cut = cuts.entry(layers).or_default();
            cut.name(Trust::System, name);
            cut.evidence.push(format!("history: {why}"));
        }
    }
    cuts
}

/// Names the lowest ancestor by its os-release; answers an ancestor of its own where the history
/// shows no place for it.
fn system(image: &Image, rootfs: &Rootfs, cuts: &mut BTreeMap<usize, Cut>) -> Option<Ancestor> {
    let (release, path) = OsRelease::of(rootfs).0?;
    if release.id.is_empty() {
        return None;
    }
    let mut name = printable(release.id.as_bytes());
    if !release.version_id.is_empty() {
        name = format!("{name} {}", printable(release.version_id.as_bytes()));
    }
    if !release.codename.is_empty() {
        name = format!("{name} ({})", printable(release.codename.as_bytes()));
    }
    let real = rootfs.tree.resolve(&path).ok()?.path;
    let layer = rootfs.tree.get(&real)?.layer;
    if let Some((_, cut)) = cuts.iter_mut().next() {
        cut.name(Trust::System, name);
        cut.evidence.push(path.to_string());
        return None;
    }
    // In an image of one layer the application lies in the same one.
    let below = (image.layers.len() > 1).then_some(layer as usize + 1);
    let evidence = match below {
        Some(_) => format!("{path}, in layer {layer}"),
        None => path.to_string(),
    };
    Some(Ancestor {
        name,
        layers: below.filter(|&below| below < image.layers.len()),
        evidence,
    })
}

/// The base an annotation names, or a label of the same name.
fn annotated(image: &Image) -> Option<String> {
    let labels = [&image.annotations, &image.config.labels];
    let mut names = labels.into_iter().filter_map(|map| map.get(BASE_NAME));
    names.find(|name| !name.is_empty()).cloned()
}

/// The image a builder's comment names: buildah writes `FROM name` on the first step of a stage,
/// and `FROM id` on the others.
fn from(comment: &str) -> Option<&str> {
    let name = comment.strip_prefix("FROM ")?.trim();
    name.contains(['/', ':']).then_some(name)
}

/// A name as people write it: without Docker's registry and namespace.
fn short(name: &str) -> String {
    let short = name
        .strip_prefix("docker.io/library/")
        .or_else(|| name.strip_prefix("docker.io/"))
        .unwrap_or(name);
    printable(short.as_bytes())
}

/// The instruction of a history step, without what builders put around it.
fn instruction(text: &str) -> &str {
    let text = text
        .strip_prefix("/bin/sh -c #(nop)")
        .unwrap_or(text)
        .trim_start();
    text.strip_suffix("# buildkit").unwrap_or(text).trim_end()
}

/// The official image a version variable betrays, and the line that sets it.
fn versioned(line: &str) -> Option<(String, String)> {
    let setting = line.strip_prefix("ENV ")?;
    let (variable, value) = setting.split_once('=')?;
    let (_, name) = VERSIONS.iter().find(|(known, _)| *known == variable)?;
    let value = value.split_whitespace().next()?;
    let line = printable(format!("ENV {variable}={value}").as_bytes());
    Some((format!("{name} {}", printable(value.as_bytes())), line))
}

#[cfg(test)]
mod tests;
