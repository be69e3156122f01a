//! Go programs, by the build information the linker puts into them.

use std::io;

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, KnownBy, Package};

use super::{Reading, database, wanted};
use crate::elf::Elf;

database! {
    /// Go modules in programs: since Go 1.13 the linker writes the version of Go and all modules, with
    /// their versions, into every program (`runtime/debug.BuildInfo`), stripped or not. Both forms are
    /// read: since Go 1.18 the words themselves, before that pointers to them.
    ///
    /// The standard library is the module `stdlib` with Go's version. A program that was built without
    /// modules is known by its import path. A main module that was not
    /// built from a release (`(devel)`) has the version its commit gives it, if that was written down,
    /// else the one the linker was told to put into a variable, else none.
    ///
    /// ## Example
    ///
    /// ```image
    /// /app 0755 "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0@\0\0\0\0\0\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08go1.22.1Z0123456789abcdefpath\tx.org/a\nmod\tx.org/a\t(devel)\t\ndep\ty.org/b\tv1.0.0\th1:x\n0123456789abcdef"
    /// ```
    ///
    /// ```packages
    /// stdlib 1.22.1 /app
    /// x.org/a  /app
    /// y.org/b v1.0.0
    /// ```
    id: "go-build-info",
    ecosystem: ecosystem::GOLANG,
    wants: &["**/*"],
    needles: &[wanted::GO],
    read: read,
    link: None,
}

/// The header of the build information; its size and alignment too.
const HEADER: usize = 32;
/// More about modules is not read; Kubernetes has a tenth of it.
const MAX_MODULES: u64 = 4 << 20;
/// What lies around the list of modules, so that it can be found in a core dump.
const MARK: usize = 16;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        match build_info(reading, path) {
            Ok(Some((version, modules))) => {
                for package in packages(path, &version, &modules) {
                    reading.add(package);
                }
            }
            // The compiler itself has the words in it that it looks for.
            Ok(None) => {}
            Err(error) => {
                let message = format!("has build information of Go that cannot be read: {error}");
                reading.problem(path, message);
            }
        }
    }
}

/// The version of Go and the list of modules.
fn build_info(reading: &Reading<'_>, path: &ImagePath) -> io::Result<Option<(String, String)>> {
    let elf = Elf::open(reading.rootfs, path)?;
    let Some(start) = start(reading, &elf, path)? else {
        return Ok(None);
    };
    let header = elf.read(start, HEADER as u64)?;
    let (pointer, flags) = (usize::from(header[14]), header[15]);
    if flags & 2 != 0 {
        let size = reading.rootfs.tree.get(path).map_or(0, |node| node.size());
        let from = start + HEADER as u64;
        let rest = elf.read(from, (size - from).min(MAX_MODULES))?;
        let mut rest = rest.as_slice();
        let version = counted(&mut rest)?;
        let modules = counted(&mut rest)?;
        return Ok(Some((text(version), text(unmarked(modules)))));
    }
    if pointer != elf.pointer_size() {
        return Err(io::Error::other("its pointers have an odd size"));
    }
    // Pointers to headers of strings: where they lie, and how long they are.
    let string = |at: usize| -> io::Result<Vec<u8>> {
        let number = |bytes: &[u8], at: usize| match pointer {
            8 => elf.long(bytes, at),
            _ => u64::from(elf.word(bytes, at)),
        };
        let header = elf.at_address(number(&header, at), 2 * pointer as u64)?;
        let (data, length) = (number(&header, 0), number(&header, pointer));
        if length == 0 {
            return Ok(Vec::new());
        }
        elf.at_address(data, length.min(MAX_MODULES))
    };
    let (version, modules) = (string(16)?, string(16 + pointer)?);
    Ok(Some((text(&version), text(unmarked(&modules)))))
}

/// Where the build information begins: its own section, else the first of aligned magic words in
/// what is loaded to be written.
fn start(reading: &Reading<'_>, elf: &Elf<'_>, path: &ImagePath) -> io::Result<Option<u64>> {
    if let Ok(Some((offset, size))) = elf.section(".go.buildinfo")
        && size >= HEADER as u64
        && elf.read(offset, HEADER as u64)?.starts_with(wanted::GO)
    {
        return Ok(Some(offset));
    }
    let mut file = reading.rootfs.open(path)?;
    let mut found = None;
    let mut read = 0_u64;
    let mut last = 0;
    crate::windows::each(&mut file, |window| {
        // Windows overlap by what is not new in them.
        let base = read - last;
        let hits = memchr::memmem::find_iter(window, wanted::GO);
        let aligned = hits.map(|hit| base + hit as u64).find(|at| at % 16 == 0);
        found = found.or(aligned);
        read = base + window.len() as u64;
        last = window.len().min(crate::windows::OVERLAP) as u64;
        found.is_none()
    })?;
    Ok(found)
}

/// A length in the form of `binary.Uvarint`, and so many bytes.
fn counted<'a>(bytes: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let mut length = 0_usize;
    for shift in (0..35).step_by(7) {
        let (&first, rest) = bytes.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
        *bytes = rest;
        length |= usize::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            let (value, rest) = bytes
                .split_at_checked(length)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            *bytes = rest;
            return Ok(value);
        }
    }
    Err(io::Error::other("a length is too long"))
}

fn unmarked(modules: &[u8]) -> &[u8] {
    match modules.len().checked_sub(2 * MARK) {
        Some(length) => &modules[MARK..MARK + length],
        None => &[],
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn packages(path: &ImagePath, go: &str, modules: &str) -> Vec<Package> {
    let module = |name: &str, version: &str| Package {
        ecosystem: ecosystem::GOLANG,
        name: name.to_owned(),
        version: version.to_owned(),
        known_by: KnownBy::BuildInfo,
        database: Some(path.clone()),
        ..Package::default()
    };
    // `go1.22.1 X:nocoverageredesign`, `devel go1.23-0123456 Mon Jan ...`.
    let version = go
        .split_whitespace()
        .find_map(|word| word.strip_prefix("go"));
    let mut found = vec![Package {
        files: vec![path.clone()],
        ..module("stdlib", version.unwrap_or(go))
    }];
    let mut settings = Vec::new();
    let mut program = "";
    for line in modules.lines() {
        let mut words = line.split('\t');
        let kind = words.next().unwrap_or_default();
        let (name, version) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        match kind {
            "path" => program = name,
            "mod" => found.push(Package {
                files: vec![path.clone()],
                ..module(name, version)
            }),
            "dep" => found.push(module(name, version)),
            // What the line before is replaced by; a directory has no version of its own.
            "=>" if !version.is_empty() && !name.starts_with('.') => {
                let replaced = found.pop().unwrap_or_default();
                found.push(Package {
                    files: replaced.files,
                    ..module(name, version)
                });
            }
            "build" => settings.extend(name.split_once('=')),
            _ => {}
        }
    }
    // Without modules (as Debian builds) only the path of the program tells what it is. Programs of Go
    // itself have paths without a host, and the standard library stands for them.
    let has_main = modules.lines().any(|line| line.starts_with("mod\t"));
    let host = program.split('/').next().unwrap_or_default();
    if !has_main && host.contains('.') {
        found.push(Package {
            files: vec![path.clone()],
            ..module(program, "(devel)")
        });
    }
    for package in found
        .iter_mut()
        .filter(|package| package.version == "(devel)")
    {
        package.version = unreleased(&settings).unwrap_or_default();
    }
    found
}

/// The version of a module that was built from a checkout: a pseudo-version of its commit (Go
/// modules reference, "Pseudo-versions"), else what `-ldflags -X ...version=` was told.
fn unreleased(settings: &[(&str, &str)]) -> Option<String> {
    let setting = |name: &str| {
        settings
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    };
    let told = setting("-ldflags").and_then(|flags| {
        flags.split([' ', '"', '\'']).find_map(|word| {
            let (variable, value) = word.split_once('=')?;
            let value_begins = value
                .trim_start_matches('v')
                .starts_with(|first: char| first.is_ascii_digit());
            (variable.to_ascii_lowercase().ends_with("version")
                && value_begins
                && value.contains('.'))
            .then(|| value.to_owned())
        })
    });
    told.or_else(|| {
        let (revision, time) = (setting("vcs.revision")?, setting("vcs.time")?);
        let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
        let revision = revision.get(..12)?;
        (digits.len() == 14).then(|| format!("v0.0.0-{digits}-{revision}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(modules: &str) -> Vec<String> {
        let packages = packages(&ImagePath::new("/app"), "go1.19.8", modules);
        let lines = packages.iter().map(|package| {
            let owns = if package.files.is_empty() {
                ""
            } else {
                " /app"
            };
            format!("{} {}{owns}", package.name, package.version)
        });
        lines.collect()
    }

    #[test]
    fn a_program_without_modules_is_known_by_its_path() {
        let build = "build\t-compiler=gc\nbuild\tCGO_ENABLED=1\n";
        let gosu = format!("path\tgithub.com/tianon/gosu\n{build}");
        assert_eq!(
            found(&gosu),
            ["stdlib 1.19.8 /app", "github.com/tianon/gosu  /app"]
        );
        let flags = format!("{gosu}build\t-ldflags=\"-X main.Version=1.14\"\n");
        assert_eq!(found(&flags)[1], "github.com/tianon/gosu 1.14 /app");
        for own in ["cmd/gofmt", "command-line-arguments", ""] {
            assert_eq!(
                found(&format!("path\t{own}\n{build}")),
                ["stdlib 1.19.8 /app"],
                "{own}"
            );
        }
    }

    #[test]
    fn a_module_that_is_replaced_is_what_replaces_it() {
        let modules = "path\tx.org/a/cmd\nmod\tx.org/a\t(devel)\t\n=>\ty.org/fork\tv1.2.3\th1:x\n\
                       dep\tx.org/b\tv1.0.0\n=>\t./b\t\ndep\tx.org/c\tv1.0.0\n=>\tx.org/d\tv2.0.0\th1:x\n";
        assert_eq!(
            found(modules),
            [
                "stdlib 1.19.8 /app",
                "y.org/fork v1.2.3 /app",
                "x.org/b v1.0.0",
                "x.org/d v2.0.0"
            ]
        );
    }
}
