//! What stays is as it was: the headers of kept paths before and after, layer by layer, all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use plimsoll_image::{Compression, Sink, WriteOptions};
use plimsoll_model::{Ancestor, ImagePath, Lineage, Observations, Subject};
use plimsoll_slim::{Layers, Level, Request};

use crate::images::layout;

/// A member of a layer, as its headers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    kind: u8,
    mode: u64,
    uid: u64,
    gid: u64,
    /// Seconds, and the fraction as written.
    mtime: String,
    device: (u64, u64),
    /// The target of a symbolic link.
    target: Vec<u8>,
    /// `SCHILY.xattr.*` records.
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    body: Vec<u8>,
}

/// A tar with everything a header can say.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn add(&mut self, name: &str, header: &Header, link: &[u8], pax: bool) {
        if pax {
            let mut records = record("mtime", header.mtime.as_bytes());
            for (name, value) in &header.xattrs {
                let name = format!("SCHILY.xattr.{}", String::from_utf8_lossy(name));
                records.extend(record(&name, value));
            }
            self.block("pax", b'x', (0o644, 0, 0, 0), b"", (0, 0), &records);
        }
        let seconds: u64 = header.mtime.split('.').next().unwrap().parse().unwrap();
        let numbers = (header.mode, header.uid, header.gid, seconds);
        let (kind, body) = (header.kind, &header.body);
        self.block(name, kind, numbers, link, header.device, body);
    }

    fn block(
        &mut self,
        name: &str,
        kind: u8,
        (mode, uid, gid, mtime): (u64, u64, u64, u64),
        link: &[u8],
        device: (u64, u64),
        body: &[u8],
    ) {
        let mut block = [0; 512];
        let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(
            100,
            format!("{mode:07o}\0{uid:07o}\0{gid:07o}\0").as_bytes(),
        );
        put(
            124,
            format!("{:011o}\0{mtime:011o}\0", body.len()).as_bytes(),
        );
        put(148, b"        ");
        put(156, &[kind]);
        put(157, link);
        put(257, b"ustar\x0000");
        put(
            329,
            format!("{:07o}\0{:07o}\0", device.0, device.1).as_bytes(),
        );
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&block);
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// `LENGTH KEY=VALUE\n`, the length counting itself (POSIX `pax`).
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length += 1;
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// The members of a tar, written independently of the reader under test; hard links take the
/// header of the file they name. Answers also which names belong to one file.
#[derive(Default)]
struct Reader {
    members: BTreeMap<String, Header>,
    /// Name, and the first name of the same file.
    links: BTreeMap<String, String>,
}

impl Reader {
    fn read(&mut self, tar: &[u8]) {
        let mut at = 0;
        let mut pax: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        while tar[at..at + 512].iter().any(|&byte| byte != 0) {
            let block = &tar[at..at + 512];
            let text = |from: usize, to: usize| {
                let field = block[from..to].split(|&byte| byte == 0);
                field.into_iter().next().unwrap().to_vec()
            };
            let number = |from: usize, to: usize| {
                let digits = String::from_utf8(text(from, to)).unwrap();
                u64::from_str_radix(digits.trim(), 8).unwrap_or(0)
            };
            let size = number(124, 136) as usize;
            let body = &tar[at + 512..at + 512 + size];
            at += 512 + size.next_multiple_of(512);
            if block[156] == b'x' {
                pax = records(body);
                continue;
            }
            let said = std::mem::take(&mut pax);
            let name = said.get("path").cloned().unwrap_or_else(|| text(0, 100));
            let name = String::from_utf8(name).unwrap();
            let name = name
                .trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned();
            let link = said.get("linkpath").cloned();
            let link = link.unwrap_or_else(|| text(157, 257));
            let whole = said.get("mtime").cloned();
            let whole = whole.map(|mtime| String::from_utf8(mtime).unwrap());
            let xattrs = said.iter().filter_map(|(key, value)| {
                let name = key.strip_prefix("SCHILY.xattr.")?;
                Some((name.as_bytes().to_vec(), value.clone()))
            });
            let mut header = Header {
                kind: block[156],
                mode: number(100, 108),
                uid: number(108, 116),
                gid: number(116, 124),
                mtime: whole.unwrap_or_else(|| number(136, 148).to_string()),
                device: (number(329, 337), number(337, 345)),
                target: link.clone(),
                xattrs: xattrs.collect(),
                body: body.to_vec(),
            };
            let mut first = name.clone();
            if header.kind == b'1' {
                let file = String::from_utf8(link).unwrap();
                let file = file.trim_start_matches("./").to_owned();
                header = self.members[&file].clone();
                first = self.links[&file].clone();
            }
            self.links.insert(name.clone(), first);
            self.members.insert(name, header);
        }
    }

    /// The other names among `kept` of the file `name` is.
    fn same_file(&self, name: &str, kept: &BTreeSet<String>) -> BTreeSet<String> {
        let first = &self.links[name];
        let others = self.links.iter().filter(|(_, other)| *other == first);
        let others = others.map(|(name, _)| name.clone());
        others.filter(|name| kept.contains(name)).collect()
    }
}

fn records(mut bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    while let Some(space) = bytes.iter().position(|&byte| byte == b' ') {
        let length: usize = std::str::from_utf8(&bytes[..space])
            .unwrap()
            .parse()
            .unwrap();
        let record = &bytes[space + 1..length - 1];
        let equals = record.iter().position(|&byte| byte == b'=').unwrap();
        let key = String::from_utf8(record[..equals].to_vec()).unwrap();
        records.insert(key, record[equals + 1..].to_vec());
        bytes = &bytes[length..];
    }
    records
}

/// Two layers with every kind of member, every number of its own: so that one that is lost or
/// taken from somewhere else is seen.
fn layers() -> Vec<Vec<u8>> {
    let mut count = 0_u64;
    let mut header = |kind: u8, mode: u64| {
        count += 1;
        Header {
            kind,
            mode,
            uid: 1000 + count,
            gid: 2000 + count,
            mtime: (1_500_000_000 + count).to_string(),
            device: (0, 0),
            target: Vec::new(),
            xattrs: BTreeMap::new(),
            body: match kind {
                b'0' => format!("content {count}").into_bytes(),
                _ => Vec::new(),
            },
        }
    };
    // Version 2 of `struct vfs_cap_data` (`capabilities(7)`): cap_net_bind_service.
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    let (mut base, mut application) = (Writer::default(), Writer::default());
    for directory in ["etc", "usr", "usr/bin", "var", "var/empty", "srv"] {
        base.add(directory, &header(b'5', 0o755), b"", false);
    }
    base.add("etc/os-release", &header(b'0', 0o644), b"", false);
    let mut timed = header(b'0', 0o600);
    timed.mtime = "1600000000.123456789".to_owned();
    let user = (b"user.note".to_vec(), b"a=b\nc\0d".to_vec());
    timed.xattrs.extend([user]);
    base.add("etc/timed", &timed, b"", true);
    let mut capable = header(b'0', 0o755);
    let name = b"security.capability".to_vec();
    capable.xattrs.insert(name, capability);
    base.add("usr/bin/capable", &capable, b"", true);
    base.add("usr/bin/setuid", &header(b'0', 0o6755), b"", false);
    base.add("usr/bin/link", &header(b'2', 0o777), b"capable", false);
    let mut device = header(b'3', 0o620);
    device.device = (1, 3);
    base.add("srv/null", &device, b"", false);
    base.add("srv/pipe", &header(b'6', 0o640), b"", false);
    base.add("srv/first", &header(b'0', 0o444), b"", false);
    base.add("srv/second", &header(b'1', 0o444), b"srv/first", false);
    // The application writes directories of the base again, replaces a file, adds a name of one.
    application.add("etc", &header(b'5', 0o700), b"", false);
    application.add("var", &header(b'5', 0o2775), b"", false);
    application.add("etc/timed", &timed, b"", true);
    application.add("srv/third", &header(b'1', 0o444), b"srv/first", false);
    application.add("srv/sticky", &header(b'5', 0o1777), b"", false);
    application.add("srv/sticky/file", &header(b'0', 0o640), b"", false);
    application.add("usr/bin/app", &header(b'0', 0o755), b"", false);
    vec![base.finish(), application.finish()]
}

fn slimmed(image: &str, scratch: &Path, cut: Layers) -> (Reader, BTreeSet<String>) {
    let options = plimsoll_image::Options {
        spool: Some(scratch),
        ..plimsoll_image::Options::default()
    };
    let opened = plimsoll_image::open(image, &options).unwrap();
    assert!(opened.problems.is_empty(), "{:?}", opened.problems);
    let inventory = plimsoll_packages::databases::inventory(&opened.rootfs);
    let include = [
        "/etc/timed",
        "/usr/bin/capable",
        "/usr/bin/setuid",
        "/srv/**",
    ];
    let lineage = Lineage {
        ancestors: vec![Ancestor {
            name: "base".to_owned(),
            layers: Some(1),
            evidence: "the test says so".to_owned(),
        }],
    };
    let request = Request {
        subject: Subject {
            image: &opened.image,
            rootfs: &opened.rootfs,
            inventory: &inventory,
            lineage: &lineage,
        },
        observations: &Observations::default(),
        level: Level::App,
        include: &include.map(str::to_owned),
        exclude: &[],
        keep_packages: &[],
        baked: &[],
        layers: cut,
        known: None,
    };
    let plan = plimsoll_slim::plan(&request);
    let draft = plimsoll_slim::draft(&request, &plan);
    let out = scratch.join(format!("{cut:?}"));
    let sink = Sink::OciLayout {
        dir: out.clone(),
        tag: None,
    };
    let options = WriteOptions {
        compression: Compression::None,
        ..WriteOptions::default()
    };
    let written = plimsoll_image::write(&draft, &sink, &options).unwrap();
    let expected = if cut == Layers::Single { 1 } else { 2 };
    assert_eq!(written.layers.len(), expected, "{cut:?}");
    let mut reader = Reader::default();
    for layer in &written.layers {
        let blob = out.join("blobs/sha256").join(layer.digest.hex());
        reader.read(&fs::read(blob).unwrap());
    }
    let kept = plan.keep.keys().filter(|path| !path.is_root());
    let kept = kept.map(|path: &ImagePath| String::from_utf8_lossy(path.relative()).into_owned());
    (reader, kept.collect())
}

#[test]
fn every_kept_path_has_the_header_it_had() {
    let scratch = tempfile::tempdir().unwrap();
    let layers = layers();
    let mut before = Reader::default();
    for layer in &layers {
        before.read(layer);
    }
    let config = serde_json::json!({ "Entrypoint": ["/usr/bin/app"] });
    let image = layout(&scratch.path().join("image"), &config, &layers);
    for cut in [Layers::Single, Layers::Split, Layers::Origin] {
        let (after, kept) = slimmed(&image, scratch.path(), cut);
        assert_eq!(
            kept.len(),
            before.members.len(),
            "all of it stays: {kept:?}"
        );
        for name in &kept {
            assert_eq!(
                after.members.get(name),
                before.members.get(name),
                "{name}, {cut:?}"
            );
            assert_eq!(
                after.same_file(name, &kept),
                before.same_file(name, &kept),
                "{name}, {cut:?}"
            );
        }
        let names: Vec<&String> = after.members.keys().collect();
        let whiteout = names.iter().any(|name| name.contains(".wh."));
        assert!(!whiteout && names.len() == kept.len(), "{names:?}");
    }
}
