//! `development-tools`: compilers and debuggers in the image.

use crate::lint::install;
use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet};

rule! {
    /// Development tools stay out of production: compilers, headers and debuggers are hundreds of megabytes
    /// that the application does not need, and what an intruder wishes for. An earlier stage builds, the
    /// last one copies the result.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt-get update && apt-get install -y --no-install-recommends gcc=4:14.2.0-1 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Not a finding
    ///
    /// In a stage that is thrown away, and taken off again in the same `RUN`.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/alpine:3.22 AS build
    /// RUN apk add --no-cache gcc=14.2.0-r6
    /// FROM docker.io/library/alpine:3.22
    /// RUN apk add --no-cache --virtual .build gcc=14.2.0-r6 && make && apk del .build
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `FROM ... AS build` for what compiles, `COPY --from=build` for the result.
    id: "development-tools",
    summary: "compilers or debuggers are installed in the final stage",
    severity: Low,
    aliases: [],
    run: run,
}

/// Packages that only developers need, by their names without a version.
const TOOLS: [&str; 36] = [
    "autoconf",
    "automake",
    "bison",
    "build-base",
    "build-essential",
    "cargo",
    "clang",
    "cmake",
    "default-jdk",
    "default-jdk-headless",
    "flex",
    "g++",
    "gcc",
    "gcc-c++",
    "gdb",
    "gfortran",
    "go",
    "golang",
    "golang-go",
    "lldb",
    "libtool",
    "linux-headers",
    "ltrace",
    "make",
    "meson",
    "musl-dev",
    "nasm",
    "ninja-build",
    "nmap",
    "pkg-config",
    "rust",
    "rustc",
    "strace",
    "tcpdump",
    "telnet",
    "valgrind",
];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs().filter(Run::ships) {
        let commands = &run.script.commands;
        let taken_off = commands.iter().any(|command| {
            let verb = install::verb(command);
            install::family(command).is_some()
                && matches!(
                    verb,
                    Some("purge" | "remove" | "autoremove" | "del" | "erase")
                )
        });
        if taken_off {
            continue;
        }
        for command in commands {
            let Some(install) = install::of(command) else {
                continue;
            };
            if !matches!(
                install.manager.family,
                "apt" | "apk" | "dnf" | "yum" | "zypper"
            ) {
                continue;
            }
            let tools: Vec<_> = install
                .packages
                .iter()
                .filter(|package| is_tool(&package.text))
                .collect();
            if let Some(first) = tools.first() {
                let names: Vec<&str> = tools.iter().take(4).map(|package| &*package.text).collect();
                let more = match tools.len() > names.len() {
                    true => format!(" and {} more", tools.len() - names.len()),
                    false => String::new(),
                };
                hits.add(
                    first.span.clone(),
                    format!("the image keeps {}{more}", names.join(", ")),
                    "FROM ... AS build for what compiles, COPY --from=build for the result",
                );
            }
        }
    }
}

fn is_tool(package: &str) -> bool {
    let name = package
        .split(['=', '~', '<', '>'])
        .next()
        .unwrap_or_default();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    TOOLS.contains(&name)
        || TOOLS.contains(&stem)
        || name.ends_with("-dev")
        || name.ends_with("-devel")
        || name.ends_with("-dbg")
        || name.ends_with("-dbgsym")
        || name.starts_with("openjdk-") && name.contains("-jdk")
}
