//! dpkg's database, as dpkg itself would have left it.
//!
//! Sources: `dpkg(1)` FILES, `deb-control(5)`, `deb-conffiles(5)`, `deb-triggers(5)`; the order of the
//! fields of `status` is that of dpkg's `lib/dpkg/parse.c`.

use std::collections::BTreeMap;
use std::io;

use plimsoll_model::ImagePath;
use plimsoll_packages::deb822;

use crate::stage::Stage;
use crate::unpack::Unpacked;
use crate::world::World;

const ADMIN: &str = "/var/lib/dpkg";

/// The fields of a stanza of `status` that come in this order; all others follow as they are.
const ORDER: &[&str] = &[
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Description",
];

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The MD5 of some bytes: no security, but the format of dpkg's lists.
pub(crate) fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hex(&md5::Md5::digest(bytes))
}

/// The stanza of a package in `status`.
fn stanza(package: &Unpacked) -> String {
    let control = package.control.stanza.as_bytes();
    let mut fields: Vec<(String, String)> = Vec::new();
    if let Some(Ok(stanza)) = deb822::stanzas(control).next() {
        // The raw lines, so that folded fields stay as they are.
        for line in stanza.text().lines() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim_end());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }
    fields.push(("Status".to_owned(), "install ok installed".to_owned()));
    if !package.conffiles.is_empty() {
        let lines = package.conffiles.iter();
        let lines: String = lines
            .map(|(path, md5)| format!("\n {path} {md5}"))
            .collect();
        fields.push(("Conffiles".to_owned(), lines));
    }
    let place = |name: &str| {
        let known = ORDER
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name));
        known.unwrap_or(ORDER.len())
    };
    fields.sort_by_key(|(name, _)| place(name));
    let mut text = String::new();
    for (name, value) in fields {
        let blank = if value.starts_with('\n') || value.is_empty() {
            ""
        } else {
            " "
        };
        text += &format!("{name}:{blank}{value}\n");
    }
    text
}

/// Writes what one package leaves in `info`.
pub(crate) fn write_info(stage: &mut Stage, package: &Unpacked) -> io::Result<()> {
    let path =
        |suffix: &str| ImagePath::new(format!("{ADMIN}/info/{}.{suffix}", package.info_name));
    let mut list = String::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut bytes = Vec::new();
    for unit in &package.members {
        if !seen.insert(&unit.path) {
            continue;
        }
        if unit.path.is_root() {
            bytes.extend_from_slice(b"/.\n");
        } else {
            bytes.extend_from_slice(unit.path.as_bytes());
            bytes.push(b'\n');
        }
    }
    stage.write(&path("list"), &bytes, 0o644)?;
    let control = &package.control;
    if let Some(sums) = &control.md5sums {
        stage.write(&path("md5sums"), sums, 0o644)?;
    }
    if !control.conffiles.is_empty() {
        for conffile in &control.conffiles {
            list += &format!("{conffile}\n");
        }
        stage.write(&path("conffiles"), list.as_bytes(), 0o644)?;
    }
    for (name, script) in &control.scripts {
        stage.write(&path(name), script, 0o755)?;
    }
    for (name, bytes) in &control.files {
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let known = ["control", "md5sums", "conffiles"].contains(&name.as_str());
        if plain && !known && !control.scripts.contains_key(name) {
            stage.write(&path(name), bytes, 0o644)?;
        }
    }
    if !control.triggers.is_empty() && !control.files.contains_key("triggers") {
        let lines = control.triggers.iter();
        let text: String = lines
            .map(|line| format!("{} {}\n", line.directive, line.name))
            .collect();
        stage.write(&path("triggers"), text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// Writes what is about all packages: `status`, the lists of triggers, diversions and overrides.
pub(crate) fn write_database(
    stage: &mut Stage,
    world: &World,
    packages: &[&Unpacked],
) -> io::Result<()> {
    let mut sorted: Vec<&&Unpacked> = packages.iter().collect();
    sorted.sort_by(|a, b| {
        a.name
            .cmp(&b.name)
            .then(a.architecture.cmp(&b.architecture))
    });
    let status: Vec<String> = sorted.iter().map(|package| stanza(package)).collect();
    let mut text = status.join("\n");
    text.push('\n');
    write(stage, "status", &text)?;
    write(stage, "info/format", "1\n")?;
    write(stage, "arch", &format!("{}\n", world.architecture))?;
    write(stage, "available", "")?;
    let mut diversions = String::new();
    for (from, diversion) in &world.diversions {
        let by = if diversion.package.is_empty() {
            ":"
        } else {
            &diversion.package
        };
        diversions += &format!("{from}\n{}\n{by}\n", diversion.to);
    }
    write(stage, "diversions", &diversions)?;
    let overrides = world.overrides.iter();
    let overrides: String = overrides
        .map(|(path, (user, group, mode))| format!("{user} {group} {mode} {path}\n"))
        .collect();
    write(stage, "statoverride", &overrides)?;
    let mut files = String::new();
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for package in &sorted {
        for trigger in &package.control.triggers {
            let Some(kind) = trigger.directive.strip_prefix("interest") else {
                continue;
            };
            let mark = if kind == "-noawait" { "/noawait" } else { "" };
            let who = &package.info_name;
            if trigger.name.starts_with('/') {
                files += &format!("{} {who}{mark}\n", trigger.name);
            } else if !trigger.name.contains('/') {
                *named.entry(&trigger.name).or_default() += &format!("{who}{mark}\n");
            }
        }
    }
    write(stage, "triggers/File", &files)?;
    write(stage, "triggers/Unincorp", "")?;
    for (name, text) in named {
        write(stage, &format!("triggers/{name}"), &text)?;
    }
    Ok(())
}

/// Writes a file below the administrative directory, unless it says so already.
fn write(stage: &mut Stage, name: &str, text: &str) -> io::Result<()> {
    let path = ImagePath::new(format!("{ADMIN}/{name}"));
    if stage.read(&path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    stage.write(&path, text.as_bytes(), 0o644)
}
