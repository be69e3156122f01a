//! `package-lists`: what an update wrote is kept in the layer.

use crate::dockerfile::shell::Command;
use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// Keep the image small: an update writes down what the repositories have, and an installation
    /// keeps what it fetched, tens of megabytes that no container reads. What a `RUN` leaves is in
    /// its layer for good: removing it in a later `RUN` hides it and frees nothing.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl=8.14.1-2
    /// ```
    ///
    /// ```dockerfile
    /// FROM docker.io/library/alpine:3.22
    /// # finding
    /// RUN apk add curl=8.14.1-r1
    /// USER 10001
    /// ```
    ///
    /// ```dockerfile
    /// FROM docker.io/library/fedora:42
    /// # finding
    /// RUN dnf install -y curl-8.15.0
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// What cleans up in the same `RUN`, what keeps the lists in a mount, and a stage that is thrown
    /// away.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl=8.14.1-2
    /// FROM docker.io/library/debian:13.1-slim
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// RUN --mount=type=cache,target=/var/lib/apt apt-get update \
    ///     && apt-get install -y --no-install-recommends wget=1.25.0-2
    /// RUN apt-get install --update -y --no-install-recommends xz-utils=5.8.1-1; apt-get dist-clean
    /// COPY --from=build /app /app
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `rm -rf /var/lib/apt/lists/*` at the end of the same `RUN`; `apk add --no-cache`;
    /// `dnf clean all`; or a cache mount.
    id: "package-lists",
    summary: "lists of packages stay in the layer",
    severity: Low,
    aliases: ["DL3009", "DL3019", "DL3032", "DL3036", "DL3040"],
    run: run,
}

/// A family: what fills the cache, where it is, what empties it, the other names, the remedy.
struct Family {
    family: &'static str,
    fills: fn(&Command) -> bool,
    places: &'static [&'static str],
    cleans: &'static [&'static str],
    aliases: &'static [&'static str],
    remedy: &'static str,
}

const FAMILIES: &[Family] = &[
    Family {
        family: "apt",
        fills: |command| install::verb(command) == Some("update") || command.has("--update"),
        places: &["/var/lib/apt/lists"],
        cleans: &["dist-clean", "distclean"],
        aliases: &["DL3009"],
        remedy: "end the RUN with `rm -rf /var/lib/apt/lists/*`",
    },
    Family {
        family: "apk",
        fills: |command| install::of(command).is_some() && !command.has("--no-cache"),
        places: &["/var/cache/apk", "/etc/apk/cache"],
        cleans: &[],
        aliases: &["DL3019"],
        remedy: "apk add --no-cache",
    },
    Family {
        family: "dnf",
        fills: |command| install::of(command).is_some(),
        places: &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"],
        cleans: &["clean"],
        aliases: &["DL3040"],
        remedy: "end the RUN with `dnf clean all`",
    },
    Family {
        family: "yum",
        fills: |command| install::of(command).is_some(),
        places: &["/var/cache/yum", "/var/cache/dnf"],
        cleans: &["clean"],
        aliases: &["DL3032"],
        remedy: "end the RUN with `yum clean all`",
    },
    Family {
        family: "zypper",
        fills: |command| install::of(command).is_some(),
        places: &["/var/cache/zypp"],
        cleans: &["clean", "cc"],
        aliases: &["DL3036"],
        remedy: "end the RUN with `zypper clean --all`",
    },
];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs().filter(Run::ships) {
        for family in FAMILIES {
            // yum and dnf share what they leave; only apt leaves something without installing.
            let mut fills = run.script.commands.iter().filter(|command| {
                install::family(command) == Some(family.family) && (family.fills)(command)
            });
            let Some(command) = fills.next_back() else {
                continue;
            };
            if family.places.iter().any(|place| run.mounts(place)) || cleaned(&run, family) {
                continue;
            }
            let added = hits.add(
                command.span(),
                format!("{} leaves its lists and caches in the layer", family.family),
                family.remedy,
            );
            let added = added.aliases(family.aliases);
            if family.family == "apk"
                && let Some(verb) = command.arguments().iter().find(|word| word.text == "add")
            {
                added.edit(verb.span.end..verb.span.end, " --no-cache");
            }
        }
    }
}

/// Whether something in the `RUN` takes the lists away.
fn cleaned(run: &Run<'_>, family: &Family) -> bool {
    run.script.commands.iter().any(|command| {
        let removes = match command.name() {
            "rm" | "find" => command.arguments().iter().any(|argument| {
                // A pattern may end inside the directory's name: `/var/lib/apt/*`.
                let path = argument.text.trim_end_matches(['*', '/']);
                path.len() > "/var".len()
                    && family.places.iter().any(|place| {
                        path.starts_with(place) || place.starts_with(&format!("{path}/"))
                    })
            }),
            _ => false,
        };
        // `yum clean` of what dnf made, and the other way round.
        let same = match install::family(command) {
            Some("dnf" | "yum") => matches!(family.family, "dnf" | "yum"),
            Some(other) => other == family.family,
            None => false,
        };
        removes
            || (same && install::verb(command).is_some_and(|verb| family.cleans.contains(&verb)))
    })
}
