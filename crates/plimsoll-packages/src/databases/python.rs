//! Python distributions, by what their installers leave beside them.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{FileDigest, ImagePath, KnownBy, Package};

use super::{Reading, database};
use crate::{mail, zip};

database! {
    /// Python distributions, as pip, Debian and setuptools install them: a directory
    /// `NAME-VERSION.dist-info` with `METADATA` and a list of files `RECORD` (PyPA, *Recording installed
    /// projects*), or the older `.egg-info` (a directory with `PKG-INFO`, or that file alone), or an egg
    /// as a directory or an archive. What `pip install -e` links is found where it lies, by the
    /// `.egg-info` there.
    ///
    /// Copies that a package carries inside itself count too, where their metadata came along
    /// (`setuptools/_vendor`): nobody lists them, and they age like all others.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/lib/python3.11/site-packages/demo-1.2.dist-info/METADATA 0644 "Metadata-Version: 2.1\nName: Demo\nVersion: 1.2\n\nWords.\n"
    /// /usr/lib/python3.11/site-packages/demo-1.2.dist-info/RECORD 0644 "demo.py,sha256=x,3\ndemo-1.2.dist-info/RECORD,,\n"
    /// /usr/lib/python3.11/site-packages/demo.py 0644 1k
    /// ```
    ///
    /// ```packages
    /// Demo 1.2 /usr/lib/python3.11/site-packages/demo-1.2.dist-info/RECORD /usr/lib/python3.11/site-packages/demo.py
    /// ```
    id: "python",
    ecosystem: ecosystem::PYPI,
    wants: &[
        "**/*.dist-info/METADATA",
        "**/*.dist-info/RECORD",
        "**/*.egg-info/PKG-INFO",
        "**/*.egg-info/installed-files.txt",
        "**/EGG-INFO/PKG-INFO",
        "**/*.egg-info",
        "**/*.egg",
    ],
    read: read,
    link: None,
}

/// Longer metadata is not read. The longest seen carry a changelog and have half a megabyte.
const METADATA: u64 = 8 << 20;
/// Longer lists of files are not read.
const LIST: u64 = 64 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        let name = path.file_name();
        if matches!(name, b"RECORD" | b"installed-files.txt") {
            continue;
        }
        let metadata = if name.ends_with(b".egg") {
            match egg(reading, path) {
                Some(metadata) => metadata,
                None => continue,
            }
        } else {
            match reading.file(path, METADATA) {
                Some(metadata) => metadata,
                None => continue,
            }
        };
        let Some(mut package) = package(&metadata) else {
            reading.problem(path, "has no Name");
            continue;
        };
        if package.version.is_empty() {
            let message = format!("has no Version of {}", package.name);
            reading.problem(path, message);
        }
        files(reading, path, &mut package);
        package.database = Some(path.clone());
        if name.ends_with(b".egg") {
            package.inside = "EGG-INFO/PKG-INFO".to_owned();
        }
        reading.add(package);
    }
}

/// The metadata in a zipped egg.
fn egg(reading: &mut Reading<'_>, path: &ImagePath) -> Option<Vec<u8>> {
    let found = zip::open(reading.rootfs, path).and_then(|archive| {
        let entry = archive.find("EGG-INFO/PKG-INFO");
        entry.map(|entry| archive.read(entry, METADATA)).transpose()
    });
    match found {
        Ok(metadata) => metadata,
        Err(error) => {
            reading.problem(path, format!("cannot be read: {error}"));
            None
        }
    }
}

/// What a file of headers says (PyPA, *Core metadata specifications*).
fn package(metadata: &[u8]) -> Option<Package> {
    let text = String::from_utf8_lossy(metadata);
    let mut package = Package {
        ecosystem: ecosystem::PYPI,
        known_by: KnownBy::Metadata,
        ..Package::default()
    };
    let mut licence = None;
    for (name, value) in mail::headers(&text) {
        let set = |field: &mut String| {
            if field.is_empty() {
                value.clone_into(field);
            }
        };
        match &*name.to_ascii_lowercase() {
            "name" => set(&mut package.name),
            "version" => set(&mut package.version),
            "author" | "author-email" | "maintainer" => set(&mut package.vendor),
            "license-expression" => package.licences = vec![value],
            // Some write the whole text of the licence here.
            "license" if !value.contains('\n') && value.len() < 200 => licence = Some(value),
            _ => {}
        }
    }
    if package.licences.is_empty() {
        let known = licence.filter(|licence| !licence.is_empty() && licence != "UNKNOWN");
        package.licences.extend(known);
    }
    (!package.name.is_empty()).then_some(package)
}

/// The files of a distribution: those its list names, beside the directory of the metadata.
fn files(reading: &mut Reading<'_>, metadata: &ImagePath, package: &mut Package) {
    let Some(directory) = metadata.parent() else {
        return;
    };
    let Some(site) = directory.parent() else {
        return;
    };
    if metadata.file_name() == b"METADATA" {
        let Some(record) = reading.optional(&directory.join("RECORD"), LIST) else {
            return;
        };
        for (path, digest) in record.split(|&byte| byte == b'\n').filter_map(recorded) {
            let path = site.join(path);
            if let Some(digest) = digest {
                package.digests.insert(path.clone(), digest);
            }
            package.files.push(path);
        }
    } else if metadata.file_name() == b"PKG-INFO" {
        let list = reading.optional(&directory.join("installed-files.txt"), LIST);
        let list = list.unwrap_or_default();
        let lines = list.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let paths = lines.filter(|line| !line.is_empty());
        package.files.extend(paths.map(|path| directory.join(path)));
        package.files.push(metadata.clone());
    } else {
        package.files.push(metadata.clone());
    }
    package.files.sort();
    package.files.dedup();
}

/// A line of `RECORD`: path, digest and size, separated by commas; a path with a comma or a quote
/// in quotes.
fn recorded(line: &[u8]) -> Option<(Vec<u8>, Option<FileDigest>)> {
    use base64::Engine as _;
    let line = line.trim_ascii();
    let (path, rest) = if let Some(quoted) = line.strip_prefix(b"\"") {
        let end = quoted.windows(2).position(|pair| pair == b"\",")?;
        let path = String::from_utf8_lossy(&quoted[..end]).replace("\"\"", "\"");
        (path.into_bytes(), &quoted[end + 2..])
    } else {
        let comma = line.iter().position(|&byte| byte == b',')?;
        (line[..comma].to_vec(), &line[comma + 1..])
    };
    let digest = rest.split(|&byte| byte == b',').next().unwrap_or_default();
    let digest = digest.strip_prefix(b"sha256=").and_then(|text| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
        FileDigest::from_bytes(&bytes.ok()?)
    });
    (!path.is_empty()).then_some((path, digest))
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    #[test]
    fn distributions_are_found_in_every_form() {
        let fixture = Fixture::bare(
            "/usr/lib/python3/dist-packages/one-1.egg-info 0644 \"Name: one\\nVersion: 1\\n\"
             /usr/lib/python3/dist-packages/two-2.egg-info/PKG-INFO 0644 \"Name: two\\nVersion: 2\\nLicense: MIT\\n\"
             /usr/lib/python3/dist-packages/two-2.egg-info/installed-files.txt 0644 \"../two.py\\nPKG-INFO\\n\"
             /srv/three.egg/EGG-INFO/PKG-INFO 0644 \"Name: three\\n\"
             /srv/four.dist-info/METADATA 0644 \"Version: 4\\n\"
             /srv/five.dist-info/METADATA 0644 \"Name: five\\nVersion: xxx\\nLicense-Expression: MIT OR Apache-2.0\\n\"
             /srv/five.dist-info/RECORD 0644 \"\\\"a,\\\"\\\"b.py\\\",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\\n../../bin/five,,\\n\"",
        );
        let inventory = crate::databases::inventory(&fixture.rootfs);
        let found: Vec<_> = inventory
            .packages
            .iter()
            .map(|package| (&*package.name, &*package.version, package.files.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("five", "xxx", 2),
                ("one", "1", 1),
                ("three", "", 1),
                ("two", "2", 2)
            ]
        );
        assert_eq!(inventory.packages[0].licences, ["MIT OR Apache-2.0"]);
        let files: Vec<String> = inventory.packages[0]
            .files
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(files, ["/bin/five", "/srv/a,\"b.py"]);
        assert_eq!(inventory.packages[0].digests.len(), 1);
        let problems: Vec<String> = inventory.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
