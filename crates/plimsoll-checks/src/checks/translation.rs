//! `translation`: messages in languages nobody asked the image for.

use plimsoll_model::ImagePath;

use super::documentation::report;
use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Keep the image small: packages bring their messages in a hundred languages, and the C
    /// library the definitions of as many locales. A server speaks one.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/share/locale/               dir 0755     # finding
    /// /usr/share/locale/de/x.mo        0644 900k
    /// /usr/share/locale/fr/x.mo        0644 900k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The language the image is set to, and the locale that every program falls back on.
    ///
    /// ```image
    /// ENV LANG=de_DE.UTF-8
    /// /usr/share/locale/de/LC_MESSAGES/x.mo   0644 900k
    /// /usr/share/locale/en/LC_MESSAGES/x.mo   0644 900k
    /// /usr/share/locale/locale.alias          0644 3k
    /// /usr/lib/locale/C.utf8/LC_CTYPE         0644 360k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `path-exclude=/usr/share/locale/*` in a file below `/etc/dpkg/dpkg.cfg.d` before anything is
    /// installed; `plimsoll slim IMAGE` leaves them ashore.
    id: "translation",
    practice: "keep the image small",
    summary: "translations and locales nobody uses are in the image",
    severity: Low,
    development: Info,
    run: run,
}

const PLACES: &[&str] = &[
    "/usr/share/locale",
    "/usr/share/locale-langpack",
    "/usr/share/i18n",
    "/usr/local/share/locale",
];

fn run(look: &Look, findings: &mut Findings) {
    let config = &look.image.config;
    let names = ["LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"];
    let set = names.into_iter().filter_map(|name| config.env(name));
    let languages: Vec<&str> = set
        .flat_map(|value| value.split(':'))
        .map(language)
        .chain(["en", "C"])
        .collect();
    let tree = &look.rootfs.tree;
    let mut heaps = Heaps::default();
    for place in PLACES.iter().map(|place| ImagePath::from(*place)) {
        let depth = place.depth();
        for (path, node) in tree.subtree(&place).filter(|(_, node)| node.size() > 0) {
            let directory = path.components().nth(depth);
            let directory = directory.and_then(|name| std::str::from_utf8(name).ok());
            let is_spoken = directory.is_some_and(|name| languages.contains(&language(name)));
            let is_list = path.depth() == depth + 1;
            if !is_spoken && !is_list {
                heaps.add(place.clone(), node);
            }
        }
    }
    report(&heaps, "translations and locales", findings);
}

/// `de` of `de_DE.UTF-8@euro`.
fn language(locale: &str) -> &str {
    let end = locale.find(['_', '.', '@', '-']).unwrap_or(locale.len());
    &locale[..end]
}
