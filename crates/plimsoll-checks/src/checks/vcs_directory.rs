//! `vcs-directory`: the history of the source, in the image of the program.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, ImagePath, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// No secrets in the image: a repository holds everything that was ever committed, passwords
    /// taken out again included, and it is often larger than the application. `COPY . .` brings it
    /// in where `.dockerignore` does not keep it out.
    ///
    /// ## Example
    ///
    /// ```image
    /// /srv/.git/        dir 0755                          # finding
    /// /srv/.git/HEAD    0644 "ref: refs/heads/main\n"
    /// ```
    ///
    /// ```image
    /// /srv/.svn/        dir 0755                          # finding
    /// /srv/.svn/wc.db   0644 90k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Files that only steer it, and a directory with its name and nothing in it.
    ///
    /// ```image
    /// /srv/.gitignore         0644 1k
    /// /srv/.gitattributes     0644 1k
    /// /srv/docs/.git/         dir 0755
    /// ```
    ///
    /// ## Remedy
    ///
    /// A line `.git` in `.dockerignore`, or `COPY` of what the application needs by name.
    id: "vcs-directory",
    practice: "no secrets in the image",
    summary: "a repository of a version control system is in the image",
    severity: Medium,
    development: Low,
    run: run,
}

/// The directory, and what is in it where it is a repository.
const REPOSITORIES: &[(&str, &[&str])] = &[
    (".bzr", &["branch-format"]),
    (".git", &["HEAD", "config", "index", "objects"]),
    (".hg", &["requires", "store", "00changelog.i"]),
    (".jj", &["repo"]),
    (".svn", &["entries", "wc.db"]),
    ("CVS", &["Entries", "Root"]),
];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let mut found: BTreeMap<&str, Vec<ImagePath>> = BTreeMap::new();
    for (path, _) in tree.iter().filter(|(_, node)| node.is_dir()) {
        let named = REPOSITORIES
            .iter()
            .find(|(name, _)| path.file_name() == name.as_bytes());
        if let Some((name, marks)) = named
            && marks.iter().any(|mark| tree.contains(path.join(mark)))
        {
            found.entry(name).or_default().push(path.clone());
        }
    }
    for (name, paths) in found {
        let size = |path: &ImagePath| tree.subtree(path).map(|(_, node)| node.size()).sum();
        let evidence: Vec<Evidence> = paths
            .iter()
            .map(|path| Evidence::Path {
                path: path.clone(),
                layer: tree.get(path).map_or(0, |node| node.layer),
                size: size(path),
            })
            .collect();
        let bytes: u64 = paths.iter().map(size).sum();
        let bytes = text::bytes(bytes);
        let message = match paths.as_slice() {
            [one] => format!("`{one}` is a repository ({bytes})"),
            many => format!("{} repositories named {name} ({bytes})", many.len()),
        };
        findings.add(message, evidence, format!("{name} in .dockerignore"));
    }
}
