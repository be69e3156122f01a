//! `language-package-manager`: pip, npm and their kind, needed to build and not to run.

use std::collections::BTreeMap;

use plimsoll_model::ImagePath;

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Remove package managers of programming languages as well: they are needed where the image
    /// is built, not where it runs, and what installs packages is of use to an intruder. They also
    /// bring packages of their own, which scanners report and nobody updates.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/local/lib/node_modules/npm/bin/npm-cli.js  0755 "#!/usr/bin/env node\n"  # finding
    /// /usr/local/bin/npm     -> ../lib/node_modules/npm/bin/npm-cli.js              # finding
    /// ```
    ///
    /// `python -m pip` needs no program of its own:
    ///
    /// ```image
    /// /usr/lib/python3/dist-packages/pip/__main__.py  0644 1k   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// What they installed: the packages the application imports.
    ///
    /// ```image
    /// /usr/lib/python3/dist-packages/flask/__main__.py  0644 1k
    /// /srv/node_modules/express/index.js                0644 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Install in a build stage, and copy only the result into the final one
    /// (`COPY --from=build /venv /venv`).
    id: "language-package-manager",
    practice: "remove package managers of programming languages",
    summary: "a package manager of a programming language is in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// The managers, and the names of their programs; pip's may bear a version.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    ("bundler", &["bundle", "bundler"]),
    ("cargo", &["cargo"]),
    ("composer", &["composer", "composer.phar"]),
    ("conda", &["conda", "mamba", "micromamba"]),
    ("cpan", &["cpan", "cpanm"]),
    ("gem", &["gem"]),
    ("luarocks", &["luarocks"]),
    ("maven and gradle", &["gradle", "mvn"]),
    ("npm", &["corepack", "npm", "npx"]),
    ("pear", &["pear", "pecl"]),
    ("pip", &["easy_install", "pip"]),
    ("pipenv", &["pipenv"]),
    ("poetry", &["poetry"]),
    ("uv", &["uv", "uvx"]),
    ("yarn and pnpm", &["pnpm", "yarn", "yarnpkg"]),
];

/// Ends of paths of modules that do the work without a program.
const MODULES: &[(&str, &str)] = &[
    ("npm", "/node_modules/npm/bin/npm-cli.js"),
    ("pip", "/dist-packages/pip/__main__.py"),
    ("pip", "/site-packages/pip/__main__.py"),
];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let found = programs::by_family(look, FAMILIES, programs::without_version);
    let mut by_family: BTreeMap<&str, Vec<ImagePath>> = BTreeMap::new();
    for (family, names) in found {
        by_family.insert(FAMILIES[family].0, names);
    }
    for (path, _) in tree.iter().filter(|(_, node)| node.is_file()) {
        let module = MODULES
            .iter()
            .find(|(_, end)| path.as_bytes().ends_with(end.as_bytes()));
        if let Some((family, _)) = module {
            by_family.entry(family).or_default().push(path.clone());
        }
    }
    for (family, mut names) in by_family {
        names.sort();
        names.dedup();
        let evidence = names.iter().map(|name| programs::evidence(tree, name));
        findings.add(
            format!("{family} can install packages: {}", programs::some(&names)),
            evidence.collect(),
            "COPY --from=build what it installed, in a final stage without it",
        );
    }
}
