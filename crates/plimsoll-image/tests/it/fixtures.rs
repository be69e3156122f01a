//! Images other tools made, beside the checkout: each is read or refused as the tables of the page
//! that lies with them say. The page is read as it is, so that a row added there is a case here.

use std::path::{Path, PathBuf};

use plimsoll_image::{Error, Options, Ownership, Platform, open, unpack};
use plimsoll_model::{ImagePath, Kind};

use crate::make::{Layout, Tar, listing, opened, refused};

/// Where they are, if they are.
fn fixtures() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: there are no fixtures beside this checkout");
    None
}

/// A row of a table: the things it is about, and what a correct reader does with them.
struct Row {
    names: Vec<String>,
    expected: String,
}

/// The rows below the headline that begins like that.
fn rows(page: &str, headline: &str) -> Vec<Row> {
    let lines = page
        .lines()
        .skip_while(|line| !line.starts_with(&format!("## {headline}")));
    let lines = lines.skip(1).take_while(|line| !line.starts_with("## "));
    let cells = lines.filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        (cells.len() >= 3 && !line.starts_with("| file") && !line.starts_with("| directory"))
            .then_some(cells)
    });
    let row = |cells: Vec<&str>| Row {
        names: cells[0].split(", ").map(str::to_owned).collect(),
        expected: cells[2].to_owned(),
    };
    cells.map(row).collect()
}

/// What the tree must be in the end, as far as a row says so.
#[derive(Debug, Default, PartialEq, Eq)]
struct Final {
    files: Option<u64>,
    directories: Option<u64>,
    links: Option<u64>,
    bytes: Option<u64>,
}

impl Final {
    fn of(text: &str) -> Self {
        let before = |unit: &str| {
            let words: Vec<&str> = text
                .split([' ', '(', ')'])
                .filter(|word| !word.is_empty())
                .collect();
            words.windows(2).find_map(|pair| {
                let found = pair[1].trim_end_matches([',', ';', '.', ':']);
                let fits = match unit {
                    "B" => found == "B",
                    unit => found.starts_with(unit),
                };
                match pair[0] {
                    _ if !fits => None,
                    "no" => Some(0),
                    number => number.replace(',', "").parse().ok(),
                }
            })
        };
        Self {
            files: before("file"),
            directories: before("director"),
            links: before("link"),
            bytes: before("B"),
        }
    }

    fn check(&self, name: &str, image: &plimsoll_image::Opened) {
        let tree = &image.rootfs.tree;
        let count = |kind: fn(&Kind) -> bool| {
            let paths = tree.iter().filter(|(path, _)| !path.is_root());
            paths.filter(|(_, node)| kind(&node.kind)).count() as u64
        };
        let found = Self {
            files: self
                .files
                .map(|_| count(|kind| matches!(kind, Kind::File { .. }))),
            directories: self
                .directories
                .map(|_| count(|kind| matches!(kind, Kind::Dir))),
            links: self
                .links
                .map(|_| count(|kind| matches!(kind, Kind::Symlink(_)))),
            bytes: self.bytes.map(|_| tree.live_bytes()),
        };
        assert_eq!(found, *self, "{name}");
    }
}

/// The kinds of refusal a row names.
fn kinds(text: &str) -> Vec<&'static str> {
    const KINDS: [&str; 6] = [
        "not an image",
        "malformed",
        "missing",
        "mismatch",
        "ambiguous",
        "unsupported",
    ];
    let text = text.to_ascii_lowercase();
    KINDS
        .into_iter()
        .filter(|kind| text.contains(kind))
        .collect()
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::NotAnImage { .. } => "not an image",
        Error::Malformed { .. } => "malformed",
        Error::Missing { .. } => "missing",
        Error::Mismatch { .. } => "mismatch",
        Error::Ambiguous { .. } => "ambiguous",
        Error::Unsupported { .. } => "unsupported",
        _ => "another error",
    }
}

#[test]
fn images_are_read_or_refused_as_their_page_says() {
    let Some(fixtures) = fixtures() else { return };
    let page = std::fs::read_to_string(fixtures.join("README.md")).unwrap();
    let mut judged = 0;
    for folder in [
        "docker-archive",
        "oci-archive",
        "oci-layout",
        "not-an-image",
    ] {
        let rows = rows(&page, folder);
        assert!(!rows.is_empty(), "no table for {folder}");
        for row in rows {
            for (number, name) in row.names.iter().enumerate() {
                let path = fixtures.join(folder).join(name);
                assert!(path.exists(), "{} is not there", path.display());
                // By the path alone, and by the name of the kind.
                let mut names = vec![path.display().to_string()];
                if folder != "not-an-image" {
                    let scheme = if folder == "oci-layout" {
                        "oci"
                    } else {
                        folder
                    };
                    names.push(format!("{scheme}:{}", path.display()));
                }
                for name in names {
                    judge(&name, &row.expected, number);
                    judged += 1;
                }
            }
        }
    }
    assert!(judged > 80, "only {judged} were judged");
}

fn judge(name: &str, expected: &str, number: usize) {
    if expected.starts_with("refuse") {
        let error = refused(name);
        let kinds = kinds(expected);
        assert!(
            kinds.contains(&kind(&error)),
            "{name}: {error}: not one of {kinds:?}"
        );
        return;
    }
    if expected.starts_with("ambiguous") {
        let error = refused(name);
        assert_eq!(kind(&error), "ambiguous", "{name}: {error}");
        // Whatever it lists can be chosen.
        let Error::Ambiguous { choices, .. } = error else {
            return;
        };
        for choice in choices {
            opened(&format!("{name}:{choice}"));
        }
        return;
    }
    assert!(expected.starts_with("accept"), "{name}: {expected}");
    let image = opened(name);
    let finals: Vec<&str> = match expected.split_once("final") {
        Some((_, text)) => text.split(';').collect(),
        None => return,
    };
    let text = finals
        .get(number)
        .or(finals.first())
        .copied()
        .unwrap_or_default();
    Final::of(text).check(name, &image);
}

#[test]
fn single_layers_are_read_as_their_page_says() {
    let Some(fixtures) = fixtures() else { return };
    let page = std::fs::read_to_string(fixtures.join("README.md")).unwrap();
    let mut judged = 0;
    for row in rows(&page, "layer/") {
        for name in &row.names {
            let image = opened(&format!(
                "tar:{}",
                fixtures.join("layer").join(name).display()
            ));
            if let Some(text) = row.expected.strip_prefix("accept: ")
                && !text.contains("opaque")
                && !text.contains("var/run")
                // Its only directory is the root, which is no path of its own here.
                && name != "no-trailer.tar"
            {
                Final::of(text).check(name, &image);
            }
            judged += 1;
        }
    }
    assert!(judged >= 9, "only {judged} were judged");
    let layer = |name: &str| format!("tar:{}", fixtures.join("layer").join(name).display());
    let whiteouts = opened(&layer("whiteouts.tar"));
    assert_eq!(whiteouts.rootfs.tree.layers[0].whiteouts, 2);
    let twice = opened(&layer("entries-twice.tar")).rootfs.tree;
    assert!(twice.get("/var/run").unwrap().is_dir());
    assert!(twice.contains("/var/run/console/algo.txt") && twice.contains("/run/logs/log.txt"));
    let odd = opened(&layer("name-not-utf8.tar")).rootfs.tree;
    assert!(odd.iter().any(|(path, _)| path.as_bytes().contains(&0xfd)));
    // Nothing is written outside, whatever the links say.
    let place = tempfile::tempdir().unwrap();
    let before = listing(place.path());
    let inside = place.path().join("inside");
    for name in ["escape.tar", "entries-twice.tar"] {
        unpack(&opened(&layer(name)).rootfs, &inside, Ownership::Mine).unwrap();
        let outside = listing(place.path());
        assert!(
            outside.iter().all(|path| path.starts_with("inside")),
            "{before:?} {outside:?}"
        );
        assert!(!std::env::temp_dir().join("poc.txt").exists());
        std::fs::remove_dir_all(&inside).unwrap();
    }
}

#[test]
fn what_the_pages_say_of_single_images_holds() {
    let Some(fixtures) = fixtures() else { return };
    let name = |path: &str| fixtures.join(path).display().to_string();
    let cycle = opened(&name("docker-archive/symlink-cycle.tar"));
    let links = cycle
        .rootfs
        .tree
        .iter()
        .filter(|(_, node)| matches!(node.kind, Kind::Symlink(_)));
    for (path, _) in links {
        assert!(cycle.rootfs.tree.resolve(path).is_err(), "{path}");
    }
    let deep = opened(&name("docker-archive/symlink-depth-exceeded.tar"));
    let links = deep
        .rootfs
        .tree
        .iter()
        .filter(|(_, node)| matches!(node.kind, Kind::Symlink(_)));
    for (path, _) in links {
        let end = deep.rootfs.tree.resolve(path).unwrap().path;
        assert!(deep.rootfs.tree.get(&end).unwrap().is_file());
    }
    let attack = opened(&name("docker-archive/symlink-attack.tar"));
    let links = attack
        .rootfs
        .tree
        .iter()
        .filter(|(_, node)| matches!(node.kind, Kind::Symlink(_)));
    for (path, _) in links {
        assert!(attack.rootfs.open(path).is_err(), "{path} must dangle");
    }
    let hidden = opened(&name("docker-archive/mode-000.tar"));
    let (path, node) = hidden
        .rootfs
        .tree
        .iter()
        .find(|(_, node)| node.is_file())
        .unwrap();
    assert_eq!(node.meta.mode, 0);
    assert_eq!(hidden.rootfs.read(path, 100).unwrap().len(), 17);
    let setuid = opened(&name("docker-archive/opaque-setuid.tar"));
    let special = setuid.rootfs.tree.iter();
    let special = special.filter(|(_, node)| node.is_file() && node.meta.mode & 0o6000 != 0);
    assert_eq!(special.count(), 2);
    let history = opened(&name("docker-archive/empty-layer-history.tar"));
    assert_eq!(
        (
            history.image.layers.len(),
            history.image.config.history.len()
        ),
        (1, 2)
    );
    let linked = opened(&format!(
        "{}:test_image_3",
        name("docker-archive/layer-symlink.tar")
    ));
    assert_eq!(linked.image.layers.len(), 2);
    // The platform that is asked for, and what is there instead.
    for architecture in ["amd64", "arm64"] {
        let options = Options {
            platform: Some(Platform::parse(architecture).unwrap()),
            ..Options::default()
        };
        let image = open(&name("oci-layout/multi-platform"), &options)
            .ok()
            .unwrap();
        let file = ImagePath::new(format!("linux/{architecture}/README.md"));
        assert!(image.rootfs.tree.contains(&file));
        let top = open(&name("oci-layout/lineage-top"), &options)
            .ok()
            .unwrap();
        let base = open(&name("oci-layout/lineage-base"), &options)
            .ok()
            .unwrap();
        assert_eq!(top.image.layers[0].diff_id, base.image.layers[0].diff_id);
    }
    let options = Options {
        platform: Some(Platform::parse("linux/amd64").unwrap()),
        ..Options::default()
    };
    let error = open(&name("oci-archive/gzip.tar"), &options)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("only linux/arm64"), "{error}");
    for choice in 1..=4 {
        opened(&format!("{}:{choice}", name("oci-layout/nested-index")));
    }
    let error = refused(&name("oci-layout/helm-chart")).to_string();
    assert!(error.contains("a Helm chart"), "{error}");
    let error = refused(&name("oci-layout/platforms-missing")).to_string();
    assert!(error.contains("sha256:"), "{error}");
}

#[test]
fn archives_of_several_gzip_members_are_read_past_the_first() {
    let Some(fixtures) = fixtures() else { return };
    for (file, member) in [
        ("apk/alpine-baselayout-3.4.0-r0.apk", "/dev/pts"),
        ("apk/hello-wolfi-2.12.1-r0.apk", "/usr/bin/hello"),
        ("apk/APKINDEX-3.17-aarch64.tar.gz", "/APKINDEX"),
    ] {
        let tree = opened(&format!("tar:{}", fixtures.join(file).display()))
            .rootfs
            .tree;
        assert!(tree.contains(member), "{member} of {file}");
    }
    let scripts = opened(&format!(
        "tar:{}",
        fixtures.join("apk/scripts.tar").display()
    ));
    assert!(scripts.rootfs.tree.file_count() > 0);
}

#[test]
fn configurations_of_real_images_are_read_and_kept() {
    let Some(fixtures) = fixtures() else { return };
    let plain = Tar::default().file("x", "").done();
    let mut judged = 0;
    for entry in std::fs::read_dir(fixtures.join("metadata"))
        .unwrap()
        .flatten()
    {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with("config-") {
            continue;
        }
        let text = std::fs::read(entry.path()).unwrap();
        let mut config: serde_json::Value = serde_json::from_slice(&text).unwrap();
        // With the layers there are: the real ones are not beside it.
        let made = crate::make::config(&[&plain]);
        config["rootfs"] = made["rootfs"].clone();
        let mut layout = Layout::new();
        let image = layout.image(&config, std::slice::from_ref(&plain));
        layout.list(image, None);
        let image = opened(&layout.done()).image;
        let kept: serde_json::Value = serde_json::from_slice(&image.config.raw).unwrap();
        assert_eq!(kept, config, "{name}");
        let steps = config["history"].as_array().map_or(0, Vec::len);
        assert_eq!(image.config.history.len(), steps, "{name}");
        judged += 1;
    }
    assert!(judged >= 7, "only {judged} were judged");
}
