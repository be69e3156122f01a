//! `unpinned-packages`: the next build may install something else.

use crate::dockerfile::shell::Argument;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// A package without a version is whatever the repository has on the day of the build. That also
    /// brings fixes, and for distribution packages it is what most people want; where builds must be
    /// repeatable, name versions, a lock file, or a snapshot of the repository.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN pip install --no-cache-dir flask
    /// # finding
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN pip install --no-cache-dir flask==3.1.0 -r requirements.txt ./app
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// RUN gem install rack -v 3.1.0 && go install example.org/tool@v1.2.3
    /// ```
    ///
    /// ## Remedy
    ///
    /// `name=version` (apt, apk), `name==version` (pip), `name@version` (npm, go), `-v` (gem),
    /// `name-version` (yum, dnf).
    id: "unpinned-packages",
    summary: "packages are installed without a version",
    severity: Info,
    aliases: [
        "DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062",
    ],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        let Some(install) = install::of(command) else {
            continue;
        };
        let family = install.manager.family;
        let aliases: &'static [&'static str] = match family {
            "apt" => &["DL3008"],
            "pip" => &["DL3013"],
            "npm" => &["DL3016"],
            "apk" => &["DL3018"],
            "gem" => &["DL3028"],
            "yum" => &["DL3033"],
            "zypper" => &["DL3037"],
            "dnf" => &["DL3041"],
            "go" => &["DL3062"],
            _ => continue,
        };
        let versioned = family == "gem" && command.option('v', "version")
            || family == "pip" && (command.has("-c") || command.option('\0', "constraint"));
        let loose = install
            .packages
            .iter()
            .find(|package| !is_pinned(family, package));
        if let (Some(package), false) = (loose, versioned) {
            hits.add(
                package.span.clone(),
                format!("{} is installed without a version", package.text),
                "name the version, or keep a lock file",
            )
            .aliases(aliases);
        }
    }
}

fn is_pinned(family: &str, package: &Argument) -> bool {
    let text = &*package.text;
    // Variables may hold a version; files and addresses are what they are.
    if package.dynamic
        || text.contains("://")
        || text.starts_with(['.', '/', '@', '$']) && family != "npm"
    {
        return true;
    }
    match family {
        "apt" => text.contains(['=', '/']) || text.ends_with(".deb") || text.ends_with('-'),
        "apk" => {
            text.contains(['=', '<', '>', '~']) || text.starts_with('.') || text.ends_with(".apk")
        }
        "pip" => {
            text.contains(['=', '<', '>', '~', '@', '/'])
                || text.ends_with(".whl")
                || text.ends_with(".gz")
        }
        "npm" => {
            text.trim_start_matches('@').contains('@')
                || text.contains(':')
                || text.starts_with(['.', '/', '$'])
        }
        "gem" => text.contains(':') || text.ends_with(".gem"),
        "go" => text.contains('@') && !text.ends_with("@latest") || text.starts_with('.'),
        "zypper" => text.contains(['=', '<', '>', '/']) || text.ends_with(".rpm"),
        // A name may hold a dash and a digit of its own: the benefit of the doubt.
        _ => {
            text.ends_with(".rpm")
                || text.contains('/')
                || text.starts_with('@')
                || text
                    .split('-')
                    .skip(1)
                    .any(|part| part.starts_with(|c: char| c.is_ascii_digit()))
        }
    }
}
