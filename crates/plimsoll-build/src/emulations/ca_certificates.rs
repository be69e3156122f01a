//! The bundle of certificate authorities.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::ImagePath;

use super::emulation;
use crate::shell::{Shell, Stop};

emulation! {
    /// Programs that speak TLS look for the authorities they trust in
    /// `/etc/ssl/certs/ca-certificates.crt`, or by hash in `/etc/ssl/certs`.
    ///
    /// The `config` and `postinst` of `ca-certificates` are replaced as a whole:
    /// `/etc/ca-certificates.conf` lists every certificate the package ships, then
    /// `update-ca-certificates(8)` does its work: the certificates that file names (lines with `!`
    /// excepted), and those below `/usr/local/share/ca-certificates`, are linked as
    /// `/etc/ssl/certs/NAME.pem`, joined in the bundle, and linked by the hash of their subject
    /// (`openssl-rehash(1)`: SHA-1 of the canonical name, `HASH.0`, `HASH.1` for another
    /// certificate of the same name). Hooks in `/etc/ca-certificates/update.d` are reported.
    id: "ca-certificates",
    commands: &["update-ca-certificates"],
    scripts: &[("ca-certificates", "config"), ("ca-certificates", "postinst")],
    run: run,
}

const SHIPPED: &str = "/usr/share/ca-certificates";
const LOCAL: &str = "/usr/local/share/ca-certificates";
const CONF: &str = "/etc/ca-certificates.conf";
const CERTS: &str = "/etc/ssl/certs";

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    if words[0] == "config" {
        return Ok(0);
    }
    let result = if words[0] == "postinst" {
        configure(shell).and_then(|()| update(shell))
    } else {
        update(shell)
    };
    result
        .map(|()| 0)
        .map_err(|error| shell.stop(error.to_string()))
}

/// Every file below a directory whose name ends in `.crt`, sorted.
fn certificates(shell: &Shell<'_>, directory: &str) -> Vec<ImagePath> {
    let Some(real) = shell.stage.real(&directory.into()) else {
        return Vec::new();
    };
    let below = shell.stage.tree().subtree(&real);
    below
        .filter(|(path, _)| path.as_bytes().ends_with(b".crt") && shell.stage.is_file(path))
        .map(|(path, _)| path.clone())
        .collect()
}

fn configure(shell: &mut Shell<'_>) -> std::io::Result<()> {
    if shell.stage.node(&LOCAL.into()).is_none() {
        let above = shell
            .stage
            .node(&"/usr/local".into())
            .map(|node| node.meta.clone());
        shell.stage.make_dir(
            &LOCAL.into(),
            above.as_ref().map_or(0o755, |meta| meta.mode),
        )?;
        if let Some(above) = above {
            shell
                .stage
                .change(&LOCAL.into(), true, |meta| meta.gid = above.gid)?;
        }
    }
    if shell.stage.is_file(&CONF.into()) {
        return Ok(());
    }
    let mut text = String::from(
        "# The certificates below /usr/share/ca-certificates to be trusted, one a line.\n\
         # A line that begins with ! is not trusted. update-ca-certificates(8) reads this file.\n",
    );
    for path in certificates(shell, SHIPPED) {
        if let Some(name) = path.as_bytes().strip_prefix(SHIPPED.as_bytes()) {
            text += String::from_utf8_lossy(&name[1..]).as_ref();
            text.push('\n');
        }
    }
    shell.stage.write(&CONF.into(), text.as_bytes(), 0o644)
}

fn update(shell: &mut Shell<'_>) -> std::io::Result<()> {
    let conf = shell.stage.read_text(&CONF.into());
    let named = conf
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    let mut trusted: BTreeSet<ImagePath> = named
        .map(|line| ImagePath::new(SHIPPED).join(line))
        .filter(|path| shell.stage.is_file(path))
        .collect();
    trusted.extend(certificates(shell, LOCAL));
    shell.stage.make_dir(&CERTS.into(), 0o755)?;
    let mut bundle = Vec::new();
    let mut hashes: BTreeMap<u32, Vec<(Vec<u8>, String)>> = BTreeMap::new();
    for path in trusted {
        let pem = shell.stage.read(&path)?;
        let name = String::from_utf8_lossy(path.file_name()).into_owned();
        let name = name.strip_suffix(".crt").unwrap_or(&name);
        let name: String = name
            .chars()
            .map(|character| match character {
                ' ' | ',' => '_',
                '(' | ')' => '=',
                other => other,
            })
            .collect();
        let link = format!("{name}.pem");
        shell
            .stage
            .symlink(&ImagePath::new(CERTS).join(&link), path.as_bytes())?;
        bundle.extend_from_slice(&pem);
        if !pem.ends_with(b"\n") {
            bundle.push(b'\n');
        }
        match decode(&pem).and_then(|der| Some((subject_hash(&der)?, der))) {
            Some((hash, der)) => hashes.entry(hash).or_default().push((der, link)),
            None => shell.report(format!("{path} is no certificate that can be hashed")),
        }
    }
    for (hash, mut links) in hashes {
        links.sort_by(|a, b| a.1.cmp(&b.1));
        links.dedup_by(|a, b| a.0 == b.0);
        for (index, (_, link)) in links.into_iter().enumerate() {
            let path = ImagePath::new(CERTS).join(format!("{hash:08x}.{index}"));
            shell.stage.symlink(&path, link.as_bytes())?;
        }
    }
    shell.stage.write(
        &format!("{CERTS}/ca-certificates.crt").as_str().into(),
        &bundle,
        0o644,
    )?;
    for hook in shell.stage.list(&"/etc/ca-certificates/update.d".into()) {
        shell.report(format!("the hook {hook} is not emulated"));
    }
    Ok(())
}

/// The bytes of the one certificate in a PEM file (RFC 7468).
fn decode(pem: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, rest) = rest.split_once("-----END CERTIFICATE-----")?;
    if rest.contains("-----BEGIN CERTIFICATE-----") {
        return None;
    }
    let body: String = body.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(body).ok()
}

/// One element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let length = rest[..count]
            .iter()
            .fold(0, |value, &byte| value << 8 | usize::from(byte));
        (length, &rest[count..])
    };
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => der.push(length),
        _ => {
            let bytes = content.len().to_be_bytes();
            let skip = bytes.iter().take_while(|&&byte| byte == 0).count();
            der.push(0x80 | (bytes.len() - skip) as u8);
            der.extend_from_slice(&bytes[skip..]);
        }
    }
    der.extend_from_slice(content);
    der
}

/// The hash of the subject as OpenSSL computes it for the names of links: SHA-1 over the relative
/// distinguished names, every string as UTF-8, in lower case, white space collapsed
/// (`X509_NAME_hash_ex(3)`); its first four bytes, little-endian.
fn subject_hash(der: &[u8]) -> Option<u32> {
    use sha1::{Digest as _, Sha1};
    let (_, certificate, _) = element(der)?;
    let (_, mut fields, _) = element(certificate)?;
    // Version (optional), serial number, signature algorithm, issuer, validity, subject.
    if fields.first() == Some(&0xa0) {
        fields = element(fields)?.2;
    }
    for _ in 0..4 {
        fields = element(fields)?.2;
    }
    let (0x30, mut names, _) = element(fields)? else {
        return None;
    };
    let mut canonical = Vec::new();
    while !names.is_empty() {
        let (0x31, mut set, rest) = element(names)? else {
            return None;
        };
        names = rest;
        let mut members = Vec::new();
        while !set.is_empty() {
            let (0x30, pair, rest) = element(set)? else {
                return None;
            };
            set = rest;
            let (6, oid, value) = element(pair)? else {
                return None;
            };
            let (tag, value, _) = element(value)?;
            let value = match text_of(tag, value) {
                Some(text) => encode(0x0c, normal(&text).as_bytes()),
                None => encode(tag, value),
            };
            members.push(encode(0x30, &[encode(6, oid), value].concat()));
        }
        // DER: the members of a set in the order of their bytes.
        members.sort();
        canonical.extend(encode(0x31, &members.concat()));
    }
    let hash = Sha1::digest(&canonical);
    Some(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]))
}

/// The text of an ASN.1 string; `None` for what is no string.
fn text_of(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, PrintableString, IA5String, VisibleString.
        0x0c | 0x13 | 0x16 | 0x1a => Some(String::from_utf8_lossy(value).into_owned()),
        // T61String, read as Latin-1 as OpenSSL does.
        0x14 => Some(value.iter().map(|&byte| char::from(byte)).collect()),
        // BMPString.
        0x1e => {
            let units = value
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            Some(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or('\u{fffd}'))
                    .collect(),
            )
        }
        // UniversalString.
        0x1c => value
            .chunks_exact(4)
            .map(|c| char::from_u32(u32::from_be_bytes([c[0], c[1], c[2], c[3]])))
            .collect(),
        _ => None,
    }
}

fn normal(text: &str) -> String {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.join(" ").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_hash_is_openssls() {
        // A certificate's outline with the subject `C=US, O=Example  Trust, CN=Root`: the hash is
        // what `openssl x509 -noout -subject_hash` prints for such a subject.
        let string = |oid: &[u8], tag: u8, text: &str| {
            let pair = [encode(6, oid), encode(tag, text.as_bytes())].concat();
            encode(0x31, &encode(0x30, &pair))
        };
        let subject = [
            string(&[0x55, 4, 6], 0x13, "US"),
            string(&[0x55, 4, 10], 0x0c, " Example  Trust "),
            string(&[0x55, 4, 3], 0x0c, "Root"),
        ]
        .concat();
        let subject = encode(0x30, &subject);
        let empty = encode(0x30, &[]);
        let fields = [
            encode(0xa0, &encode(2, &[2])),
            encode(2, &[1]),
            empty.clone(),
            empty.clone(),
            empty,
            subject,
        ]
        .concat();
        let certificate = encode(0x30, &encode(0x30, &fields));
        assert_eq!(subject_hash(&certificate), Some(0x221e_21b4));
        assert_eq!(subject_hash(&certificate[..20]), None);
    }

    #[test]
    fn long_lengths_are_written_and_read() {
        for length in [0, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let der = encode(0x30, &content);
            assert_eq!(element(&der).unwrap(), (0x30, &content[..], &[][..]));
        }
    }
}
