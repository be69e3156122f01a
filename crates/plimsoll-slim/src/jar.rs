//! What the manifest of a Java archive names: other archives its classes are searched in.
//!
//! Source: "JAR File Specification" (main attributes, `Class-Path`; lines of 72 bytes are
//! continued by a blank). The container is a zip file, found through its central directory.

use std::io::Read;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};

use crate::known::{Learned, weight_of};

/// More entries than this are not searched for the manifest, which stands first by custom.
const ENTRY_LIMIT: usize = 100_000;
/// Longer manifests are not read: they list sums of every class, behind what is looked for.
const MANIFEST_LIMIT: u64 = 256 << 10;
/// More names than this are not read.
const NAME_LIMIT: usize = 2_000;

/// The relative places that an archive's manifest names.
pub(crate) struct ClassPath(pub(crate) Vec<String>);

impl Learned for ClassPath {
    fn weight(&self) -> usize {
        weight_of(&self.0)
    }
}

/// The relative places in `Class-Path`; none where there is no manifest or no such line.
pub(crate) fn class_path(bytes: &[u8]) -> Result<Vec<String>, String> {
    let manifest = manifest(bytes).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&manifest);
    // A continued line takes up where the one before it ended.
    let text = text.replace("\r\n", "\n").replace("\n ", "");
    let main = text.lines().take_while(|line| !line.is_empty());
    let attributes = main.filter_map(|line| line.split_once(": "));
    let names = attributes
        .filter(|(name, _)| name.eq_ignore_ascii_case("Class-Path"))
        .flat_map(|(_, value)| value.split_whitespace());
    // Other schemes lie elsewhere.
    let names = names.filter(|name| !name.contains(':'));
    Ok(names.take(NAME_LIMIT).map(str::to_owned).collect())
}

fn manifest(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let archive = ZipArchive::from_slice(bytes)?;
    let mut entries = archive.entries();
    let mut count = 0;
    while let Some(entry) = entries.next_entry()? {
        count += 1;
        if count > ENTRY_LIMIT {
            break;
        }
        if !entry
            .file_path()
            .as_ref()
            .eq_ignore_ascii_case(b"META-INF/MANIFEST.MF")
        {
            continue;
        }
        let data = archive.get_entry(entry.wayfinder())?.data();
        let mut manifest = Vec::new();
        match entry.compression_method() {
            CompressionMethod::STORE => data.take(MANIFEST_LIMIT).read_to_end(&mut manifest)?,
            CompressionMethod::DEFLATE => {
                let decoder = DeflateDecoder::new(data);
                decoder.take(MANIFEST_LIMIT).read_to_end(&mut manifest)?
            }
            _ => return Err("its manifest is compressed in a way no Java reads".into()),
        };
        return Ok(manifest);
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rawzip::{CompressionMethod, ZipArchiveWriter};

    fn jar(manifest: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut bytes);
        for (name, text) in [("A.class", "x"), ("META-INF/MANIFEST.MF", manifest)] {
            let (mut entry, config) = archive
                .new_file(name)
                .compression_method(CompressionMethod::DEFLATE)
                .start()
                .unwrap();
            let encoder =
                flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
            let mut writer = config.wrap(encoder);
            writer.write_all(text.as_bytes()).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        bytes
    }

    #[test]
    fn continued_lines_are_one_and_other_sections_are_not_read() {
        let manifest = "Manifest-Version: 1.0\r\nClass-Path: lib/a.jar ../b\r\n .jar http://x/c.jar\r\n\r\nName: A.class\r\nClass-Path: d.jar\r\n";
        assert_eq!(
            super::class_path(&jar(manifest)).unwrap(),
            ["lib/a.jar", "../b.jar"]
        );
    }

    #[test]
    fn nonsense_is_an_error_or_nothing() {
        assert!(super::class_path(b"PK\x03\x04").is_err());
        assert!(super::class_path(&jar("")).unwrap().is_empty());
        let mut broken = jar("Class-Path: a.jar");
        let middle = broken.len() / 3;
        broken[middle..middle + 8].fill(0xff);
        let _ = super::class_path(&broken);
    }
}
