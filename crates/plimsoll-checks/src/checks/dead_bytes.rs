//! `dead-bytes`: what is in the layers and in no container.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::tree::Dead;
use plimsoll_model::{Evidence, ImagePath, Severity, Subject, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Keep the image small: a layer is never changed by the layers above it. What a later
    /// instruction removes or writes again stays where it was, is stored, pulled and unpacked, and
    /// nobody ever sees it. The commonest case is `RUN rm -rf` of what an earlier `RUN` fetched;
    /// the dearest is `RUN chown -R`, which writes every file a second time.
    ///
    /// The account is exact: each file body of each layer is either visible in the container or
    /// counted here, once, with the layer that holds it and the layer that hides it.
    ///
    /// ## Example
    ///
    /// A removed directory:
    ///
    /// ```image
    /// /opt/src/a  0644 300k     # finding
    /// /opt/src/b  0644 200k     # finding
    /// --- layer RUN rm -rf /opt/src
    /// /opt/src    removed
    /// ```
    ///
    /// A file that is written again:
    ///
    /// ```image
    /// /srv/data   0644 300k     # finding
    /// --- layer RUN chmod 600 /srv/data
    /// /srv/data   0600 300k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Bytes that live on under another name, empty files, and directories, which have no bytes of
    /// their own.
    ///
    /// ```image
    /// /srv/one    0644 300k
    /// /srv/two    = /srv/one
    /// /srv/empty  0644 0
    /// /srv/sub/   dir 0755
    /// --- layer
    /// /srv/one    removed
    /// /srv/empty  removed
    /// /srv/sub/   dir 0700
    /// ```
    ///
    /// ## Remedy
    ///
    /// Remove it in the `RUN` that makes it, copy with the right owner at once
    /// (`COPY --chown=...`), or build in one stage and `COPY --from` it only what is needed.
    /// `plimsoll slim IMAGE` writes an image without dead bytes.
    id: "dead-bytes",
    practice: "keep the image small",
    summary: "layers hold bytes that no container sees",
    severity: Low,
    run: run,
}

/// The largest paths that one finding lists; its message says how many there are in all.
const LISTED: usize = 100;

/// Below this many bytes, and below a hundredth of the image, it is worth knowing and no more: each
/// installation writes the package database again.
const SMALL: u64 = 1_000_000;

/// What one layer hides.
#[derive(Default)]
struct Hidden<'a> {
    dead: Vec<&'a Dead>,
    bytes: u64,
}

fn run(subject: &Look, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let mut layers: BTreeMap<u32, Hidden> = BTreeMap::new();
    for dead in &tree.dead {
        let hidden = layers.entry(dead.hidden_by).or_default();
        hidden.dead.push(dead);
        hidden.bytes = hidden.bytes.saturating_add(dead.size);
    }
    let total: u64 = tree.layers.iter().map(|layer| layer.bytes).sum();
    for (layer, mut hidden) in layers {
        let message = message(subject, layer, &hidden);
        hidden
            .dead
            .sort_by(|one, other| other.size.cmp(&one.size).then(one.path.cmp(&other.path)));
        let evidence = hidden.dead.iter().take(LISTED).map(|dead| Evidence::Path {
            path: dead.path.clone(),
            layer: dead.layer,
            size: dead.size,
        });
        let severity = if hidden.bytes < SMALL && hidden.bytes < total / 100 {
            Severity::Info
        } else {
            CHECK.severity
        };
        let remedy = "do it in the RUN that writes them, or COPY --from a build stage";
        findings.add_as(severity, message, evidence.collect(), remedy);
    }
}

/// `layer 2 (RUN rm -rf /opt/src) removes 512 kB of layer 1: 2 files below /opt/src`.
fn message(subject: &Subject, layer: u32, hidden: &Hidden) -> String {
    let removed = hidden.dead.iter().filter(|dead| dead.removed).count();
    let does = match removed {
        0 => "writes again",
        all if all == hidden.dead.len() => "removes",
        _ => "removes or writes again",
    };
    let holders: BTreeSet<u32> = hidden.dead.iter().map(|dead| dead.layer).collect();
    let bytes = text::bytes(hidden.bytes);
    let mut message = format!(
        "layer {layer}{} {does} {bytes} of {}, which stay in the image",
        instruction(subject, layer),
        layers(&holders)
    );
    let files = hidden.dead.len();
    if files > 1 {
        message.push_str(&format!(": {} files", text::count(files as u64)));
        let below = common_directory(hidden.dead.iter().map(|dead| &dead.path));
        if let Some(below) = below.filter(|below| !below.is_root()) {
            message.push_str(&format!(" below {below}"));
        }
        if files > LISTED {
            message.push_str(&format!(" (the {LISTED} largest are listed)"));
        }
    }
    message
}

/// What made a layer, in brackets, as far as the history says so.
fn instruction(subject: &Subject, layer: u32) -> String {
    const SHOWN: usize = 50;
    let layers = &subject.image.layers;
    let made_by = layers
        .get(layer as usize)
        .and_then(|layer| layer.created_by.as_deref());
    let Some(made_by) = made_by else {
        return String::new();
    };
    let made_by = text::instruction(made_by);
    let mut shown: String = made_by.chars().take(SHOWN).collect();
    if shown.len() < made_by.len() {
        shown.push('…');
    }
    format!(" ({})", text::printable(shown.as_bytes()))
}

/// `layer 1`, `layers 0 and 2`, `layers 0, 1 and 2`, `5 layers`.
fn layers(numbers: &BTreeSet<u32>) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match &numbers[..] {
        [one] => format!("layer {one}"),
        [first @ .., last] if first.len() < 4 => format!("layers {} and {last}", first.join(", ")),
        many => format!("{} layers", many.len()),
    }
}

/// The deepest directory all paths lie in.
fn common_directory<'a>(mut paths: impl Iterator<Item = &'a ImagePath>) -> Option<ImagePath> {
    let mut common = paths.next()?.parent()?;
    for path in paths {
        while !path.starts_with(&common) {
            common = common.parent()?;
        }
    }
    Some(common)
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use super::*;

    /// The messages, and the sum of what they name.
    fn found(fixture: &Fixture) -> Vec<String> {
        let (findings, problems) = CHECK.on(&Look::plain(&fixture.subject()));
        assert_eq!(problems, []);
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn the_message_names_layers_instruction_and_directory() {
        let mut fixture = Fixture::new(
            "--- layer\n/opt/src/a 0644 300k\n/opt/src/b/c 0644 200k\n--- layer\n/opt/src removed",
        );
        fixture.image.layers[2].created_by = Some("/bin/sh -c rm -rf /opt/src".into());
        assert_eq!(
            found(&fixture),
            [
                "layer 2 (RUN rm -rf /opt/src) removes 512 kB of layer 1, which stay in the image: \
              2 files below /opt/src"
            ]
        );
    }

    #[test]
    fn removing_and_writing_again_are_told_apart() {
        let fixture = Fixture::new(
            "/a 0644 2000k\n--- layer\n/b 0644 2000k\n/a 0644 1\n--- layer\n/a 0644 2\n/b removed",
        );
        assert_eq!(
            found(&fixture),
            [
                "layer 1 writes again 2.05 MB of layer 0, which stay in the image",
                "layer 2 removes or writes again 2.05 MB of layer 1, which stay in the image: \
                 2 files",
            ]
        );
    }

    #[test]
    fn a_long_list_is_cut_and_the_message_says_so() {
        let mut text = String::new();
        for number in 0..150 {
            text.push_str(&format!("/d/{number:03} 0644 {}\n", number + 1));
        }
        let fixture = Fixture::new(&format!("{text}--- layer\n/d opaque\n/d/new 0644 1"));
        let (findings, _) = CHECK.on(&Look::plain(&fixture.subject()));
        assert_eq!(findings[0].evidence.len(), LISTED);
        assert!(
            findings[0]
                .message
                .ends_with(": 150 files below /d (the 100 largest are listed)"),
            "{}",
            findings[0].message
        );
        assert_eq!(
            findings[0].evidence[0],
            Evidence::Path {
                path: "/d/149".into(),
                layer: 0,
                size: 150
            }
        );
    }

    #[test]
    fn a_stranger_cannot_forge_lines_of_the_message() {
        let mut fixture = Fixture::new("/a 0644 9\n--- layer\n/a removed");
        let evil = "RUN x\n\x1b[2J".repeat(20);
        fixture.image.layers[1].created_by = Some(evil);
        let message = &found(&fixture)[0];
        assert!(!message.contains(char::is_control), "{message}");
        assert!(message.contains("…)"), "{message}");
    }
}
