//! `diff`: two images side by side, by directory and by package.

use serde_json::Value;

use crate::images::{Tar, layout, plimsoll, text};

const STATUS: &str = "Package: tool\nStatus: install ok installed\nVersion: VERSION\n\
    Architecture: amd64\n\nPackage: gone\nStatus: install ok installed\nVersion: 1\n\
    Architecture: amd64\n\nPackage: part\nStatus: install ok installed\nVersion: 1\n\
    Architecture: amd64\n\nPackage: same\nStatus: install ok installed\nVersion: 1\n\
    Architecture: amd64\n";

/// What both images begin with: a database that says that much.
fn database(version: &str, without: &[&str]) -> Tar {
    let status = STATUS.replace("VERSION", version);
    let stanzas = status.split("\n\n").filter(|stanza| {
        let is_gone = |name: &&&str| stanza.starts_with(&format!("Package: {name}\n"));
        !without.iter().any(|name| is_gone(&name))
    });
    let status = stanzas.collect::<Vec<_>>().join("\n\n");
    let lists = [
        ("tool", "/usr/bin/tool\n"),
        ("gone", "/usr/bin/gone\n/usr/bin/link\n"),
        ("part", "/usr/lib/part.so\n/usr/lib/other.so\n"),
        ("same", "/etc/same\n"),
    ];
    let mut tar = Tar::default().file("var/lib/dpkg/status", 0o644, status.as_bytes());
    for (name, list) in lists {
        let path = format!("var/lib/dpkg/info/{name}.list");
        tar = tar.file(&path, 0o644, list.as_bytes());
    }
    tar.file("etc/same", 0o644, b"same")
}

fn diff(one: Tar, two: Tar) -> (Value, String) {
    let scratch = tempfile::tempdir().unwrap();
    let config = serde_json::json!({ "Entrypoint": ["/x"] });
    let one = layout(&scratch.path().join("one"), &config, &[one.finish()]);
    let two = layout(&scratch.path().join("two"), &config, &[two.finish()]);
    let json = plimsoll(scratch.path(), &["diff", &one, &two, "--json"]);
    assert_eq!(json.status.code(), Some(0), "{}", text(&json));
    let printed = plimsoll(scratch.path(), &["diff", &one, &two]);
    let value: Value = serde_json::from_slice(&json.stdout).unwrap();
    (
        value["diff"].clone(),
        String::from_utf8_lossy(&printed.stdout).into_owned(),
    )
}

#[test]
fn files_and_packages_are_added_removed_changed_or_partial() {
    let before = database("1", &[])
        .file("usr/bin/tool", 0o755, b"version one")
        .file("usr/bin/gone", 0o755, b"0123456789")
        .symlink("usr/bin/link", "gone")
        .file("usr/lib/part.so", 0o644, b"stays")
        .file("usr/lib/other.so", 0o644, b"goes")
        .file("srv/mode", 0o644, b"mode");
    let after = database("2", &["gone"])
        .file("usr/bin/tool", 0o755, b"version two")
        // A link alone is no package.
        .symlink("usr/bin/link", "gone")
        .file("usr/lib/part.so", 0o644, b"stays")
        .file("srv/mode", 0o600, b"mode")
        .file("srv/new", 0o644, b"12345");
    let (diff, printed) = diff(before, after);
    let total = &diff["total"];
    assert_eq!(
        [&total["added"], &total["removed"], &total["changed"]],
        [1, 2, 3],
        "{diff:#}"
    );
    let row = |list: &str, name: &str| {
        let rows = diff[list].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("{name} in {diff:#}")).clone()
    };
    let bin = row("directories", "/usr/bin");
    assert_eq!([&bin["before_bytes"], &bin["after_bytes"]], [21, 11]);
    assert_eq!([&bin["removed"], &bin["changed"]], [1, 1]);
    assert_eq!(row("directories", "/srv")["changed"], 1, "the mode counts");
    for (name, fate) in [
        ("tool", "changed"),
        ("gone", "removed"),
        ("part", "partial"),
    ] {
        assert_eq!(row("packages", name)["fate"], fate, "{diff:#}");
    }
    assert_eq!(diff["same_packages"], 1);
    assert_eq!(row("packages", "tool")["after"], "2");
    assert_eq!(diff["unowned"]["added"], 1);
    assert!(
        printed.contains("1 files added, 2 removed, 3 changed")
            && printed.contains("0 added, 1 removed, 1 changed, 1 partial, 1 the same")
            && printed.contains("1 -> 2"),
        "{printed}"
    );
}

#[test]
fn an_image_does_not_differ_from_itself() {
    let image = || database("1", &[]).file("usr/bin/tool", 0o755, b"x");
    let (diff, printed) = diff(image(), image());
    assert_eq!(diff["directories"], serde_json::json!([]));
    assert_eq!(diff["packages"], serde_json::json!([]));
    assert!(printed.contains("no file but for its time"), "{printed}");
}
