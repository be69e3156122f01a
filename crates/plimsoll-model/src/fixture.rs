//! Images under test, written as text.
//!
//! ```text
//! /bin/busybox  0755 800k            a regular file: octal mode, size (k = 1024 bytes)
//! /etc/motd     0644 "hello\n"       a regular file with this content (\n \t \0 \\ \" \xNN)
//! /bin/app      0755 9k .text 4k     an ELF program, its size, and the sections in it with theirs
//! /bin/app2     0755 copy /bin/app   a file of its own with the content of one above
//! /bin/sh       -> busybox           a symbolic link
//! /bin/ash      = /bin/busybox       a hard link
//! /var/lib/app/ dir 0750             a directory
//! /dev/null     char 1 3             a device
//! /srv          0755 1k 33:33        an owner, behind any of the above
//! /bin/ping     0755 1k user.a=00ff  an extended attribute, in hexadecimal, behind any of the above
//! --- layer                          from here on the next layer writes
//! /bin/dash     removed              a whiteout
//! /etc/apt      opaque               an opaque directory
//! USER root                          a line of configuration: USER, ENTRYPOINT, CMD, ENV, EXPOSE,
//!                                    WORKDIR, VOLUME, LABEL, HEALTHCHECK, STOPSIGNAL, HISTORY,
//!                                    CREATED
//! ANNOTATION a.b=c                   an annotation of the manifest
//! PACKAGE dash 0.5 libs              an installed package: name, version, section
//! PACKAGE dash owns /bin/dash        a file it owns
//! /sbin/apk     0755 70k             # finding [shell]   the line is claimed by this check
//! ```
//!
//! What is behind `# ` is a comment; one that begins with `finding` claims a finding of the checks in
//! brackets, or of the check whose page it is on. A claim on a line of configuration claims the
//! key. A line that is not understood is a panic: a test with a typing error must never pass.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use crate::config::History;
use crate::tree::Builder;
use crate::{
    Ancestor, Blob, Config, Contents, Descriptor, Digest, Entry, EntryKind, Extent, Image,
    ImagePath, Inventory, Kind, Layer, Lineage, MemoryContents, Metadata, Package, Rootfs, Subject,
};

/// An image written as text.
pub struct Fixture {
    /// The image; its layers have no bytes.
    pub image: Image,
    /// Its tree.
    pub rootfs: Rootfs,
    /// What is installed.
    pub inventory: Inventory,
    /// What it was made from.
    pub lineage: Lineage,
    /// The claims: what the evidence names (a path, or a key of the configuration), and the check;
    /// `None` for a bare `# finding`.
    pub claims: Vec<(String, Option<String>)>,
}

/// An image with which no check finds fault.
impl Default for Fixture {
    fn default() -> Self {
        let config = Config {
            architecture: "amd64".into(),
            os: "linux".into(),
            created: Some("2026-01-01T00:00:00Z".into()),
            user: "65532:65532".into(),
            entrypoint: vec!["/app".into()],
            working_dir: "/".into(),
            env: vec![format!("PATH={}", crate::config::DEFAULT_PATH)],
            exposed_ports: vec!["8080/tcp".into()],
            healthcheck: Some(["CMD", "/app", "--ping"].map(str::to_owned).to_vec()),
            ..Config::default()
        };
        let image = Image {
            name: "fixture".into(),
            digest: Digest::from_bytes([0; 32]),
            config,
            layers: Vec::new(),
            annotations: Default::default(),
        };
        let scratch = Ancestor {
            name: "scratch".into(),
            layers: Some(0),
            evidence: "one layer".into(),
        };
        let mut fixture = Self {
            image,
            rootfs: Rootfs::empty(),
            inventory: Inventory::default(),
            lineage: Lineage {
                ancestors: vec![scratch],
            },
            claims: Vec::new(),
        };
        fixture.write("/app 0755 12k\n/etc/ dir 0755\n/tmp/ dir 01777");
        fixture
    }
}

impl Fixture {
    /// [`Fixture::default`] with the lines of `text` on top, in the same layer.
    pub fn new(text: &str) -> Self {
        let mut fixture = Self::default();
        fixture.write(&format!(
            "/app 0755 12k\n/etc/ dir 0755\n/tmp/ dir 01777\n{text}"
        ));
        fixture
    }

    /// Only what `text` says: an empty tree and an empty configuration to start with.
    pub fn bare(text: &str) -> Self {
        let mut fixture = Self::default();
        fixture.image.config = Config {
            architecture: "amd64".into(),
            os: "linux".into(),
            ..Config::default()
        };
        fixture.write(text);
        fixture
    }

    /// What a check may look at.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            image: &self.image,
            rootfs: &self.rootfs,
            inventory: &self.inventory,
            lineage: &self.lineage,
        }
    }

    fn write(&mut self, text: &str) {
        let mut contents = Bodies::default();
        let mut builder = Builder::default();
        let mut layer = builder.begin_layer();
        for line in text.lines() {
            let (fact, comment) = split_comment(line);
            let fact = fact.trim();
            if fact.is_empty() {
                continue;
            }
            if fact.starts_with("---") {
                layer = builder.begin_layer();
                continue;
            }
            let (first, rest) = fact.split_once(char::is_whitespace).unwrap_or((fact, ""));
            let rest = rest.trim();
            if let Some(claim) = comment.trim().strip_prefix("finding") {
                let at = first.trim_end_matches('/');
                for check in claim.trim().trim_matches(['[', ']']).split(',') {
                    let check = Some(check.trim().to_owned()).filter(|check| !check.is_empty());
                    self.claims.push((at.to_owned(), check));
                }
            }
            if first.starts_with('/') {
                let entry = entry(first, rest, layer, &mut contents)
                    .unwrap_or_else(|| panic!("fixture line not understood: {line}"));
                let applied = builder.apply(entry);
                applied.unwrap_or_else(|why| panic!("fixture line refused ({why}): {line}"));
            } else if first == "PACKAGE" {
                self.package(rest, line);
            } else if first == "ANNOTATION" {
                let Some((name, value)) = rest.split_once('=') else {
                    panic!("fixture line not understood: {line}");
                };
                let annotations = &mut self.image.annotations;
                annotations.insert(name.to_owned(), value.to_owned());
            } else {
                set(&mut self.image.config, first, rest)
                    .unwrap_or_else(|| panic!("fixture line not understood: {line}"));
            }
        }
        let tree = builder.finish();
        self.image.layers = (0..tree.layers.len())
            .map(|index| stub_layer(index as u8))
            .collect();
        self.rootfs = Rootfs {
            tree,
            contents: Arc::new(contents),
        };
    }

    fn package(&mut self, rest: &str, line: &str) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match words[..] {
            [name, "owns", path] => {
                let package = self
                    .inventory
                    .packages
                    .iter_mut()
                    .find(|owner| owner.name == name);
                let package = package.unwrap_or_else(|| panic!("no such package yet: {line}"));
                package.files.push(ImagePath::new(path));
            }
            [name, version] | [name, version, _] => self.inventory.packages.push(Package {
                ecosystem: "deb",
                name: name.into(),
                version: version.into(),
                section: words.get(2).copied().unwrap_or_default().into(),
                priority: "optional".into(),
                record: format!(
                    "Package: {name}\nStatus: install ok installed\nVersion: {version}\n"
                ),
                ..Package::default()
            }),
            _ => panic!("fixture line not understood: {line}"),
        }
    }
}

/// The fact and the comment behind it; a `#` inside quotes is none.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (index, character) in line.char_indices() {
        match character {
            '"' if !line[..index].ends_with('\\') => quoted = !quoted,
            '#' if !quoted && (index == 0 || line[..index].ends_with(' ')) => {
                return (&line[..index], &line[index + 1..]);
            }
            _ => {}
        }
    }
    (line, "")
}

/// The bodies of the files; who is a copy of whom is known by their fingerprints, and nothing else
/// has one.
#[derive(Default)]
struct Bodies {
    memory: MemoryContents,
    /// Where the body of each path lies, and its size.
    paths: BTreeMap<ImagePath, (Extent, u64)>,
    /// By the offset of a body.
    prints: BTreeMap<u64, u64>,
}

impl Bodies {
    fn add(&mut self, path: &str, layer: u32, body: Vec<u8>) -> EntryKind {
        let size = body.len() as u64;
        let at = Extent {
            layer,
            ..self.memory.add(body)
        };
        self.paths.insert(ImagePath::new(path), (at, size));
        EntryKind::Node(Kind::File { size, at })
    }

    fn copy(&mut self, path: &str, layer: u32, of: &str) -> Option<EntryKind> {
        let (at, size) = *self.paths.get(&ImagePath::new(of))?;
        let mut body = Vec::new();
        let read = self.memory.open(at, size).ok()?.read_to_end(&mut body);
        read.ok()?;
        let copy = self.add(path, layer, body);
        if let EntryKind::Node(Kind::File { at: own, .. }) = copy {
            let print = *self.prints.entry(at.offset).or_insert(at.offset);
            self.prints.insert(own.offset, print);
        }
        Some(copy)
    }
}

impl Contents for Bodies {
    fn open(&self, at: Extent, size: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        self.memory.open(at, size)
    }

    fn fingerprint(&self, at: Extent, _size: u64) -> Option<u64> {
        let offset = at.offset;
        self.prints.get(&offset).copied()
    }
}

/// A program of `size` bytes with these sections and nothing in them: little-endian, 64 bits, the
/// section table last, as linkers write it (System V ABI, "Sections").
fn program(size: usize, sections: &[(&str, usize)]) -> Option<Vec<u8>> {
    const HEADER: usize = 64;
    let mut names = b"\0.shstrtab\0".to_vec();
    let mut rows = vec![[0_u64; 5]];
    let mut at = HEADER;
    for (name, length) in sections {
        let (kind, flags) = match *name {
            ".symtab" => (2, 0),
            ".strtab" => (3, 0),
            ".text" => (1, 6),
            _ => (1, 0),
        };
        rows.push([names.len() as u64, kind, flags, at as u64, *length as u64]);
        names.extend_from_slice(name.as_bytes());
        names.push(0);
        at += length;
    }
    let table = size.checked_sub((rows.len() + 1) * HEADER)?;
    let strings = table.checked_sub(names.len()).filter(|end| at <= *end)?;
    rows.push([1, 3, 0, strings as u64, names.len() as u64]);
    let mut body = b"\x7fELF\x02\x01\x01".to_vec();
    body.resize(size, 0);
    let mut put = |at: usize, bytes: &[u8]| {
        let place = body.get_mut(at..at + bytes.len())?;
        place.copy_from_slice(bytes);
        Some(())
    };
    // e_type (ET_DYN), e_machine (x86-64), e_version; e_shoff; e_shentsize, e_shnum, e_shstrndx.
    put(16, &[3, 0, 62, 0, 1])?;
    put(40, &(table as u64).to_le_bytes())?;
    let last = u8::try_from(rows.len() - 1).ok()?;
    put(58, &[64, 0, last + 1, 0, last])?;
    put(strings, &names)?;
    for (index, [name, kind, flags, offset, length]) in rows.into_iter().enumerate() {
        let row = table + index * HEADER;
        put(row, &u32::try_from(name).ok()?.to_le_bytes())?;
        put(row + 4, &u32::try_from(kind).ok()?.to_le_bytes())?;
        put(row + 8, &flags.to_le_bytes())?;
        put(row + 24, &offset.to_le_bytes())?;
        put(row + 32, &length.to_le_bytes())?;
        // A symbol table is followed by its strings.
        let link = if kind == 2 { index as u32 + 1 } else { 0 };
        put(row + 40, &link.to_le_bytes())?;
    }
    Some(body)
}

/// `800` or `12k`.
fn amount(word: &str) -> Option<usize> {
    let (digits, unit) = match word.strip_suffix('k') {
        Some(digits) => (digits, 1024),
        None => (word, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

fn entry(path: &str, rest: &str, layer: u32, contents: &mut Bodies) -> Option<Entry> {
    let mut rest = rest;
    let mut meta = Metadata::with_mode(0o755);
    // An extended attribute, if the last word is one; then an owner, likewise.
    if let Some((before, last)) = rest.rsplit_once(char::is_whitespace)
        && let Some((name, value)) = last.split_once('=')
        && name.contains('.')
        && let Some(value) = hexadecimal(value)
    {
        let attributes = BTreeMap::from([(name.as_bytes().to_vec(), value)]);
        meta.xattrs = Some(Arc::new(attributes));
        rest = before.trim();
    }
    if let Some((before, last)) = rest.rsplit_once(char::is_whitespace)
        && let Some((uid, gid)) = last.split_once(':')
        && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
    {
        (meta.uid, meta.gid) = (uid, gid);
        rest = before.trim();
    }
    let mode = |word: &str| u32::from_str_radix(word, 8).ok();
    let kind = if let Some((first, quoted)) = rest.split_once(' ')
        && let Some(quoted) = quoted.trim().strip_prefix('"')
    {
        meta.mode = mode(first)?;
        let body = unescape(quoted.strip_suffix('"')?)?;
        contents.add(path, layer, body)
    } else {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match words[..] {
            ["->", target] => EntryKind::Node(Kind::Symlink(target.as_bytes().into())),
            ["=", target] => EntryKind::Hardlink(ImagePath::new(target)),
            ["removed"] => EntryKind::Whiteout,
            ["opaque"] => EntryKind::Opaque,
            ["dir", bits] => {
                meta.mode = mode(bits)?;
                EntryKind::Node(Kind::Dir)
            }
            ["char", major, minor] => {
                let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
                EntryKind::Node(Kind::Device {
                    block: false,
                    major,
                    minor,
                })
            }
            ["fifo"] => EntryKind::Node(Kind::Fifo),
            [bits, "copy", of] => {
                meta.mode = mode(bits)?;
                contents.copy(path, layer, of)?
            }
            [bits, size] => {
                meta.mode = mode(bits)?;
                contents.add(path, layer, vec![0; amount(size)?])
            }
            [bits, size, ref sections @ ..] if sections.len() % 2 == 0 => {
                meta.mode = mode(bits)?;
                let pairs = sections.chunks_exact(2);
                let sections = pairs.map(|pair| Some((pair[0], amount(pair[1])?)));
                let sections = sections.collect::<Option<Vec<_>>>()?;
                contents.add(path, layer, program(amount(size)?, &sections)?)
            }
            _ => return None,
        }
    };
    Some(Entry {
        path: ImagePath::new(path),
        kind,
        meta,
    })
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'x' => {
                let pair = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

fn set(config: &mut Config, key: &str, value: &str) -> Option<()> {
    let words = || {
        value
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    match key {
        "USER" => config.user = value.trim_matches('"').to_owned(),
        "ENTRYPOINT" => config.entrypoint = words(),
        "CMD" => config.cmd = words(),
        "ENV" => config.env.push(value.to_owned()),
        "EXPOSE" => config.exposed_ports = words(),
        "CREATED" => config.created = Some(value.to_owned()),
        "WORKDIR" => config.working_dir = value.to_owned(),
        "VOLUME" => config.volumes = words(),
        "STOPSIGNAL" => config.stop_signal = Some(value.to_owned()),
        "HEALTHCHECK" => config.healthcheck = Some(words()),
        "HISTORY" => config.history.push(History {
            created_by: Some(value.to_owned()),
            ..History::default()
        }),
        "LABEL" => {
            let (name, text) = value.split_once('=')?;
            config.labels.insert(name.to_owned(), text.to_owned());
        }
        _ => return None,
    }
    Some(())
}

fn stub_layer(index: u8) -> Layer {
    let digest = Digest::from_bytes([index; 32]);
    let empty: Arc<[u8]> = Arc::from(Vec::new());
    let descriptor = Descriptor {
        media_type: String::new(),
        digest,
        size: 0,
    };
    let blob = Blob {
        descriptor,
        bytes: Arc::new(empty),
    };
    Layer {
        blob,
        diff_id: digest,
        uncompressed_size: 0,
        created_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_understood() {
        let fixture = Fixture::bare(
            r#"/bin/busybox 0755 1k 3:4
               /bin/sh -> busybox   # finding [shell]
               /bin/ash = /bin/busybox
               /etc/motd 0644 "a # b\n"
               /d/ dir 01777
               /bin/ping 0755 1k 5:6 user.a=00ff
               USER root   # finding
               PACKAGE dash 0.5 shells
               PACKAGE dash owns /bin/dash
               --- layer
               /d removed"#,
        );
        let tree = &fixture.rootfs.tree;
        assert_eq!(tree.get("/bin/busybox").unwrap().meta.uid, 3);
        assert_eq!(
            tree.get("/bin/ash").unwrap().inode,
            tree.get("/bin/busybox").unwrap().inode
        );
        assert_eq!(
            fixture.rootfs.read(&"/etc/motd".into(), 99).unwrap(),
            b"a # b\n"
        );
        assert!(!tree.contains("/d"));
        let ping = &tree.get("/bin/ping").unwrap().meta;
        assert_eq!((ping.uid, ping.gid), (5, 6));
        assert_eq!(ping.xattrs.as_ref().unwrap()[&b"user.a"[..]], [0, 0xff]);
        assert_eq!(fixture.image.config.user, "root");
        assert_eq!(fixture.inventory.packages[0].files, ["/bin/dash".into()]);
        let claims: Vec<_> = fixture
            .claims
            .iter()
            .map(|(at, check)| (at.as_str(), check.as_deref()))
            .collect();
        assert_eq!(claims, [("/bin/sh", Some("shell")), ("USER", None)]);
    }

    #[test]
    #[should_panic(expected = "fixture line not understood")]
    fn a_typing_error_never_passes() {
        Fixture::new("/bin/sh 0755");
    }
}
