//! What an image is and what it is made of.

use plimsoll_model::report::{ImageFacts, LayerRow, PackageRow};
use plimsoll_model::text::{bytes, count, instruction};
use plimsoll_model::{Ancestor, Lineage, Strangers};

use super::layout::{Column, Page, clean, short};

/// Packages that get a row of their own.
const PACKAGES: usize = 15;

/// Layers that get a row of their own: runtimes take no image with more.
const LAYERS: usize = 127;

/// Characters of an instruction that are shown.
const INSTRUCTION: usize = 120;

pub(super) fn write(facts: &ImageFacts, page: &mut Page) {
    page.heading(&clean(&facts.name));
    if facts.is_document {
        return document(facts, page);
    }
    let footprint = &facts.footprint;
    let size = format!(
        "{} in {} files, {} packages; {} to pull",
        bytes(footprint.bytes),
        count(footprint.files),
        count(footprint.packages),
        bytes(footprint.compressed)
    );
    page.fact("digest", &clean(&facts.digest));
    page.fact("platform", &clean(&facts.platform));
    page.fact(
        "created",
        &clean(facts.created.as_deref().unwrap_or("it does not say")),
    );
    page.fact("size", &size);
    page.fact("user", &clean(&facts.user));
    page.fact("command", &command(&facts.command));
    if !facts.ports.is_empty() {
        page.fact("ports", &clean(&facts.ports.join(" ")));
    }
    lineage(&facts.name, &facts.lineage, page);
    layers(&facts.layers, page);
    packages(facts, page);
    super::bytes::write(facts, page);
    strangers(facts, page);
}

/// What is known of an image of which there is no more than a document.
fn document(facts: &ImageFacts, page: &mut Page) {
    page.fact("digest", &clean(&facts.digest));
    if let Some(created) = &facts.created {
        page.fact("created", &clean(created));
    }
    let packages = count(facts.packages.len() as u64);
    page.fact("packages", &packages);
    page.fact("size", "not known: this is a document without files");
    page.heading("Packages");
    for package in &facts.packages {
        page.paragraph(2, &clean(&format!("{} {}", package.name, package.version)));
    }
}

/// The words of a command line as a shell would want them, so that they can be told apart.
fn command(words: &[String]) -> String {
    if words.is_empty() {
        return "none".to_owned();
    }
    let plain = |character: char| character.is_alphanumeric() || "-_./:=+,@%".contains(character);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", clean(word).replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// `httpd <- debian 12 (bookworm) <- scratch`, and how each step is known.
fn lineage(name: &str, lineage: &Lineage, page: &mut Page) {
    if lineage.ancestors.is_empty() {
        return;
    }
    page.heading("Lineage");
    let mut chain = clean(name);
    for ancestor in &lineage.ancestors {
        chain.push_str(" <- ");
        chain.push_str(&clean(&ancestor.name));
    }
    page.paragraph(2, &chain);
    for ancestor in &lineage.ancestors {
        page.paragraph(4, &step(ancestor));
    }
}

fn step(ancestor: &Ancestor) -> String {
    let layers = match ancestor.layers {
        None => String::new(),
        Some(0) => ", no layer".to_owned(),
        Some(1) => ", the lowest layer".to_owned(),
        Some(layers) => format!(", the lowest {layers} layers"),
    };
    format!(
        "{}{layers}: {}",
        clean(&ancestor.name),
        clean(&ancestor.evidence)
    )
}

fn layers(layers: &[LayerRow], page: &mut Page) {
    if layers.is_empty() {
        return;
    }
    page.heading("Layers");
    let shown = layers.iter().take(LAYERS).enumerate();
    let rows = shown.map(|(number, layer)| {
        vec![
            number.to_string(),
            bytes(layer.compressed),
            bytes(layer.bytes),
            count(layer.files),
            bytes(layer.dead),
            short(&clean(&instruction(&layer.created_by)), INSTRUCTION),
        ]
    });
    use Column::{Rest, Right};
    page.table(
        &[Right, Right, Right, Right, Right, Rest],
        &["layer", "stored", "bytes", "files", "dead", "made by"],
        rows.collect(),
    );
    if layers.len() > LAYERS {
        page.paragraph(2, &format!("and {} more", layers.len() - LAYERS));
    }
}

fn packages(facts: &ImageFacts, page: &mut Page) {
    let (shown, rest) = facts.packages.split_at(facts.packages.len().min(PACKAGES));
    let mut rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    if !rest.is_empty() {
        rows.push(vec![
            format!("{} more", count(rest.len() as u64)),
            String::new(),
            bytes(sum(rest, |package| package.bytes)),
            count(sum(rest, |package| package.files)),
        ]);
    }
    if facts.unowned_bytes > 0 {
        let bytes = bytes(facts.unowned_bytes);
        let name = "of no package".to_owned();
        rows.push(vec![name, String::new(), bytes, String::new()]);
    }
    if facts.dead_bytes > 0 {
        let bytes = bytes(facts.dead_bytes);
        let name = "dead: in layers, in no container".to_owned();
        rows.push(vec![name, String::new(), bytes, String::new()]);
    }
    if rows.is_empty() {
        return;
    }
    page.heading("Packages, by the bytes they occupy");
    use Column::{Left, Right};
    page.table(
        &[Left, Left, Right, Right],
        &["package", "version", "bytes", "files"],
        rows,
    );
}

fn row(package: &PackageRow) -> Vec<String> {
    vec![
        short(&clean(&package.name), 40),
        short(&clean(&package.version), 30),
        bytes(package.bytes),
        count(package.files),
    ]
}

/// Sizes are a stranger's: their sum stops at the largest number.
fn sum(packages: &[PackageRow], of: impl Fn(&PackageRow) -> u64) -> u64 {
    packages.iter().map(of).fold(0, u64::saturating_add)
}

/// Directories of strangers that get a row of their own.
const STRANGERS: usize = 10;

/// What no package owns, and packages whose files are gone.
fn strangers(facts: &ImageFacts, page: &mut Page) {
    if !facts.strangers.is_empty() {
        page.heading("Files that no package owns");
        let (shown, rest) = facts
            .strangers
            .split_at(facts.strangers.len().min(STRANGERS));
        let mut rows: Vec<Vec<String>> = shown
            .iter()
            .map(|row| {
                let directory = short(&row.directory.to_string(), 60);
                vec![directory, bytes(row.bytes), count(row.files)]
            })
            .collect();
        if !rest.is_empty() {
            let all = |of: fn(&Strangers) -> u64| rest.iter().map(of).fold(0, u64::saturating_add);
            rows.push(vec![
                format!("{} more", count(rest.len() as u64)),
                bytes(all(|row| row.bytes)),
                count(all(|row| row.files)),
            ]);
        }
        use Column::{Left, Right};
        page.table(
            &[Left, Right, Right],
            &["directory", "bytes", "files"],
            rows,
        );
    }
    if !facts.phantoms.is_empty() {
        page.heading(&format!(
            "Phantoms: listed, and none of their files is there ({})",
            facts.phantoms.len()
        ));
        let names = facts.phantoms.iter();
        let names = names.map(|(name, version)| format!("{} {}", clean(name), clean(version)));
        page.paragraph(2, &names.collect::<Vec<_>>().join(", "));
    }
}
