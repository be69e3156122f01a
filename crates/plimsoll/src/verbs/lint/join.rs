//! A Dockerfile beside the image that was built from it: which line made which layer, and what of
//! its bytes is dead weight.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_checks::Environment;
use plimsoll_checks::dockerfile::stages::Stages;
use plimsoll_checks::dockerfile::{Dockerfile, Instruction, Keyword};
use plimsoll_checks::lint;
use plimsoll_model::{Evidence, Finding, Image, ImagePath, Report, text};

use super::Linted;
use crate::session::Opened;
use crate::verbs::inspect;

/// What nobody needs, by where it lies; the rules whose findings it belongs to.
const WEIGHTS: &[(&str, &[&str], &[&str])] = &[
    (
        "lists of packages",
        &[
            "/var/lib/apt/lists/",
            "/var/cache/apk/",
            "/var/lib/pacman/sync/",
        ],
        &["package-lists", "update-alone"],
    ),
    (
        "packages as fetched",
        &[
            "/var/cache/apt/",
            "/var/cache/dnf/",
            "/var/cache/yum/",
            "/var/cache/libdnf5/",
            "/var/cache/zypp/",
        ],
        &["package-lists"],
    ),
    (
        "caches",
        &[
            "/root/.cache/",
            "/root/.npm/",
            "/root/.cargo/registry/",
            "/usr/local/share/.cache/",
        ],
        &["download-cache"],
    ),
    (
        "temporary files",
        &["/tmp/", "/var/tmp/"],
        &["download-left", "deleted-later"],
    ),
    (
        "documentation",
        &["/usr/share/doc/", "/usr/share/man/", "/usr/share/info/"],
        &["recommended-packages"],
    ),
    (
        "translations",
        &["/usr/share/locale/"],
        &["recommended-packages"],
    ),
    ("headers", &["/usr/include/"], &["development-tools"]),
];

/// What one layer holds.
#[derive(Default)]
struct Layer {
    bytes: u64,
    hidden: u64,
    /// Bytes and the first path, by the number of the weight.
    weights: BTreeMap<usize, (u64, Option<ImagePath>)>,
}

/// Adds to a report on a file what the image built from it shows.
pub(super) fn join(linted: &Linted, opened: &Opened, report: &mut Report) {
    let Ok(file) = &linted.file else { return };
    let made = makers(file, &opened.image);
    if made.is_empty() {
        report.notes.push(format!(
            "no layer of {} can be told to come from {}: was it built from it?",
            opened.image.name, linted.name
        ));
    }
    let layers = layers(opened);
    let lines: BTreeMap<usize, u32> = made
        .iter()
        .map(|(&layer, &index)| (index, layer))
        .map(|(i, l)| (i, l as u32))
        .collect();
    for (hit, finding) in linted.hits.iter().zip(&mut report.findings) {
        let index = file
            .instructions
            .partition_point(|one| one.span.start <= hit.span.start)
            .saturating_sub(1);
        if let Some(&layer) = lines.get(&index) {
            weigh(finding, layer, &layers[layer as usize]);
        }
    }
    for (&index, &layer) in &lines {
        report.notes.push(sentence(
            file,
            index,
            layer,
            &layers[layer as usize],
            &linted.name,
        ));
    }
    let image = inspect::report(opened, Environment::Production);
    let first = made.keys().next().copied();
    let from = Stages::of(file)
        .all
        .iter()
        .find(|stage| stage.ships)
        .map(|stage| stage.from);
    for mut finding in image.findings {
        let layer = finding.evidence.iter().filter_map(layer_of).max();
        let index = layer.and_then(|layer| {
            let layer = layer as usize;
            let own = made.get(&layer).copied();
            own.or_else(|| from.filter(|_| first.is_some_and(|first| layer < first)))
        });
        if let Some(index) = index {
            let instruction = &file.instructions[index];
            let span = instruction.source(&instruction.keyword.at);
            let source = lint::source(file, &span, &linted.name);
            finding.evidence.insert(0, Evidence::Source(source));
        }
        report.findings.push(finding);
    }
    report.rules.extend(image.rules);
    report.rules.sort_by_key(|rule| rule.id);
    report.rules.dedup_by_key(|rule| rule.id);
    report.problems.extend(image.problems);
    report.notes.extend(image.notes);
}

fn layer_of(evidence: &Evidence) -> Option<u32> {
    match evidence {
        Evidence::Path { layer, .. } | Evidence::Layer(layer) => Some(*layer),
        _ => None,
    }
}

/// The layers, by number, and the instruction that made each. The file is followed from its end,
/// because what is below is the base's.
fn makers(file: &Dockerfile, image: &Image) -> BTreeMap<usize, usize> {
    let stages = Stages::of(file);
    let shipped = stages.all.iter().filter(|stage| stage.ships);
    let candidates: Vec<usize> = shipped
        .flat_map(|stage| stage.instructions.clone())
        .collect();
    let mut made = BTreeMap::new();
    let mut end = candidates.len();
    for (layer, one) in image.layers.iter().enumerate().rev() {
        let Some(created_by) = one.created_by.as_deref() else {
            continue;
        };
        let found = candidates[..end]
            .iter()
            .rposition(|&index| made_by(&file.instructions[index], created_by));
        if let Some(at) = found {
            made.insert(layer, candidates[at]);
            end = at;
        }
    }
    made
}

/// Whether a history entry is what a builder writes for this instruction.
fn made_by(instruction: &Instruction, created_by: &str) -> bool {
    let written = squeeze(&text::instruction(created_by));
    let Some(kind) = instruction.kind else {
        return false;
    };
    match kind {
        Keyword::Run => {
            if !instruction.heredocs.is_empty() {
                return written.starts_with("RUN") && written.contains("<<");
            }
            // Some builders keep the flags, some do not; the shell before it may be any.
            let end = instruction.text().map(|word| squeeze(&word.text));
            let words = || {
                instruction
                    .words()
                    .iter()
                    .map(|word| word.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let end = end.unwrap_or_else(words);
            !end.is_empty() && written.ends_with(&end)
        }
        Keyword::Copy | Keyword::Add => {
            let Some(destination) = instruction.words().last() else {
                return false;
            };
            let plain = |path: &str| {
                path.trim_matches(['"', '\'', '[', ']', ',', '/'])
                    .to_owned()
            };
            let last = written.split(' ').next_back().unwrap_or_default();
            let wanted = plain(&destination.text);
            let same = plain(last) == wanted || plain(last).ends_with(&format!("/{wanted}"));
            written.starts_with(kind.name()) && (same || wanted.contains('$'))
        }
        Keyword::Workdir => written.starts_with("WORKDIR"),
        _ => false,
    }
}

/// One blank for any number of them.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is in each layer, whether later layers hide it or not.
fn layers(opened: &Opened) -> Vec<Layer> {
    let tree = &opened.rootfs.tree;
    let mut layers: Vec<Layer> = tree
        .layers
        .iter()
        .map(|facts| Layer {
            bytes: facts.bytes,
            ..Layer::default()
        })
        .collect();
    layers.resize_with(layers.len().max(opened.image.layers.len()), Layer::default);
    let mut counted = BTreeSet::new();
    let live = tree
        .iter()
        .filter(|(_, node)| node.is_file())
        .filter(|(_, node)| counted.insert(node.inode))
        .map(|(path, node)| (path, node.layer, node.size()));
    let live: Vec<_> = live.collect();
    let dead = tree
        .dead
        .iter()
        .map(|dead| (&dead.path, dead.layer, dead.size));
    for (path, layer, size) in live.into_iter().chain(dead.clone()) {
        let Some(layer) = layers.get_mut(layer as usize) else {
            continue;
        };
        let weight = WEIGHTS.iter().position(|(_, places, _)| {
            places
                .iter()
                .any(|place| path.as_bytes().starts_with(place.as_bytes()))
        });
        if let Some(weight) = weight {
            let (bytes, first) = layer.weights.entry(weight).or_default();
            *bytes += size;
            first.get_or_insert_with(|| path.clone());
        }
    }
    for (_, layer, size) in dead {
        if let Some(layer) = layers.get_mut(layer as usize) {
            layer.hidden += size;
        }
    }
    layers
}

/// Says in a finding how many bytes it is about, where the layer shows them.
fn weigh(finding: &mut Finding, layer: u32, facts: &Layer) {
    let mut total = 0;
    for (&weight, (bytes, first)) in &facts.weights {
        let (_, _, rules) = WEIGHTS[weight];
        if rules.contains(&finding.check) && *bytes > 0 {
            total += bytes;
            finding
                .evidence
                .extend(first.iter().map(|path| Evidence::Path {
                    path: path.clone(),
                    layer,
                    size: *bytes,
                }));
        }
    }
    if total > 0 {
        let share = text::bytes(total);
        let all = text::bytes(facts.bytes);
        finding
            .message
            .push_str(&format!(": {share} of the {all} this line made"));
    }
}

/// `Dockerfile:3 made 41 MB (layer 1): 38 MB lists of packages`.
fn sentence(file: &Dockerfile, index: usize, layer: u32, facts: &Layer, name: &str) -> String {
    let instruction = &file.instructions[index];
    let line = file.position(instruction.span.start).line;
    let keyword = instruction.keyword.text.to_uppercase();
    let made = text::bytes(facts.bytes);
    let mut sentence = format!("{name}:{line} ({keyword}) made {made}, layer {layer}");
    let mut weights: Vec<_> = facts
        .weights
        .iter()
        .filter(|(_, (bytes, _))| *bytes > 0)
        .collect();
    weights.sort_by_key(|(weight, (bytes, _))| (std::cmp::Reverse(*bytes), **weight));
    let parts: Vec<String> = weights
        .iter()
        .map(|(weight, (bytes, _))| format!("{} {}", text::bytes(*bytes), WEIGHTS[**weight].0))
        .collect();
    if !parts.is_empty() {
        sentence.push_str(&format!(", of which {}", parts.join(", ")));
    }
    if facts.hidden > 0 {
        sentence.push_str(&format!(
            "; later layers hide {} of it",
            text::bytes(facts.hidden)
        ));
    }
    sentence
}
