//! What an extension module imports: names of modules among its constants.
//!
//! Compiled code imports by `PyImport_ImportModule("package._part")` and its like (Python/C API,
//! "Importing Modules"). C ends such names with a zero byte; Rust puts one string behind the other,
//! so there only names are found that begin with the extension's own package.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::known::{Learned, weight_of};

/// Longer names are none of modules.
const LONGEST: usize = 120;
/// More names than this are not taken from one file.
const LIMIT: usize = 20_000;

/// The words of an extension module that may be names of modules.
pub(crate) struct Names(pub(crate) BTreeSet<String>);

impl Names {
    /// Those in `bytes`, an extension of `package`.
    pub(crate) fn of(bytes: &[u8], package: &str) -> Self {
        Self(names(bytes, package))
    }
}

impl Learned for Names {
    fn weight(&self) -> usize {
        weight_of(&self.0)
    }
}

/// The words in `bytes` that may be names of modules: whole strings that are identifiers with or
/// without dots between them, and whatever begins with `package` and a dot.
fn names(bytes: &[u8], package: &str) -> BTreeSet<String> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let mut names = BTreeSet::new();
    let mut insert = |word: &[u8]| {
        if let Ok(word) = std::str::from_utf8(word)
            && names.len() < LIMIT
        {
            names.insert(word.trim_end_matches('.').to_owned());
        }
    };
    for word in bytes.split(|&byte| byte == 0) {
        let starts = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
        if (3..=LONGEST).contains(&word.len())
            && word.first().is_some_and(starts)
            && word.iter().all(is_part)
        {
            insert(word);
        }
    }
    let own = format!("{package}.");
    for at in memmem::find_iter(bytes, own.as_bytes()) {
        let rest = &bytes[at..bytes.len().min(at + LONGEST)];
        let end = rest.iter().position(|byte| !is_part(byte));
        insert(&rest[..end.unwrap_or(rest.len())]);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_strings_and_names_of_the_own_package_are_found() {
        let bytes = b"\0decimal\0Not a name\0num._core._methods\0x\0\
            cannotnum.linalg.lapacknum.fft and more\0other.thing!\0";
        let found = names(bytes, "num");
        let expected = [
            "decimal",
            "num._core._methods",
            "num.fft",
            "num.linalg.lapacknum.fft",
        ];
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            expected
        );
    }
}
