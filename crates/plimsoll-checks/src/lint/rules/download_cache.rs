//! `download-cache`: what a language's package manager fetched is kept beside what it installed.

use crate::dockerfile::Keyword;
use crate::dockerfile::shell::Command;
use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// Keep the image small: pip, npm, yarn and their kin keep what they fetched, so that the next
    /// installation is faster. In an image there is no next one.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN pip install flask==3.1.0
    /// # finding
    /// RUN npm ci
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/python:3.13-slim
    /// ENV PIP_NO_CACHE_DIR=1
    /// RUN pip install flask==3.1.0
    /// RUN --mount=type=cache,target=/root/.npm npm ci
    /// RUN yarn install --frozen-lockfile && yarn cache clean
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `pip install --no-cache-dir`; `npm ci && npm cache clean --force`; `yarn cache clean`; or
    /// `RUN --mount=type=cache,target=/root/.cache ...`, which makes builds faster as well.
    id: "download-cache",
    summary: "a package manager's cache stays in the layer",
    severity: Low,
    aliases: ["DL3042", "DL3060"],
    run: run,
}

/// Most instructions that are looked back over for a variable.
const MAX_BACK: usize = 2000;

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (run, command) in sheet.commands().filter(|(run, _)| Run::ships(run)) {
        let Some(family) = install::family(command) else {
            continue;
        };
        let verb = install::verb(command);
        let (fills, caches, variable, aliases, remedy): (_, &[&str], _, &[&str], _) = match family {
            "pip" => (
                verb == Some("install")
                    && !command.has("--no-cache-dir")
                    && !command.has("--no-cache")
                    && !command.has("--no-index"),
                &["/root/.cache/pip"],
                "PIP_NO_CACHE_DIR",
                &["DL3042"],
                "pip install --no-cache-dir",
            ),
            "npm" => (
                matches!(verb, Some("ci" | "install" | "i" | "add")),
                &["/root/.npm"],
                "NPM_CONFIG_CACHE",
                &[],
                "npm cache clean --force, in the same RUN",
            ),
            "yarn" => (
                matches!(verb, Some("install" | "add"))
                    || (verb.is_none() && !command.has("--version")),
                &[
                    "/root/.cache/yarn",
                    "/usr/local/share/.cache/yarn",
                    "/root/.yarn",
                    "/root/.cache",
                ],
                "YARN_CACHE_FOLDER",
                &["DL3060"],
                "yarn cache clean, in the same RUN",
            ),
            _ => continue,
        };
        let mounted = caches.iter().any(|cache| run.mounts(cache))
            || run.instruction.flags.iter().any(|flag| {
                let mount = flag.value.as_deref().unwrap_or_default();
                mount.contains("type=cache") && mount.contains(family)
            });
        if !fills || mounted || elsewhere(sheet, &run, command, variable) || cleaned(&run, family) {
            continue;
        }
        let added = hits.add(
            command.span(),
            format!("{family} keeps what it fetched in the layer"),
            remedy,
        );
        let added = added.aliases(match aliases {
            ["DL3042"] => &["DL3042"],
            ["DL3060"] => &["DL3060"],
            _ => &[],
        });
        if family == "pip"
            && let Some(verb) = command
                .arguments()
                .iter()
                .find(|word| word.text == "install")
        {
            added.edit(verb.span.end..verb.span.end, " --no-cache-dir");
        }
    }
}

/// Whether a variable turns the cache off or elsewhere: before the command, in the script, by `ENV`.
fn elsewhere(sheet: &Sheet<'_>, run: &Run<'_>, command: &Command, variable: &str) -> bool {
    let named = |name: &str| name.eq_ignore_ascii_case(variable);
    let exported = run.script.commands.iter().any(|other| {
        other.name() == "export"
            && other
                .arguments()
                .iter()
                .any(|word| named(word.text.split('=').next().unwrap_or("")))
    });
    let before = command.assignments.iter().any(|(name, _)| named(name));
    let before_it = sheet.file.instructions[..run.index].iter().rev();
    let set = before_it.take(MAX_BACK).any(|instruction| {
        matches!(instruction.kind, Some(Keyword::Env | Keyword::Arg))
            && instruction.pairs().iter().any(|pair| {
                let value = pair.value.as_ref().map_or("", |value| &value.text);
                named(&pair.key.text) && !matches!(value, "0" | "off" | "false" | "no")
            })
    });
    exported || before || set
}

/// Whether the same `RUN` empties the cache.
fn cleaned(run: &Run<'_>, family: &str) -> bool {
    run.script.commands.iter().any(|command| {
        let own = install::family(command) == Some(family);
        (own && command.has("cache") && (command.has("clean") || command.has("purge")))
            || (command.name() == "rm"
                && command.arguments().iter().any(|word| {
                    word.text.contains(".cache") || word.text.contains(&format!(".{family}"))
                }))
            || (command.name() == "find" && command.has("-delete") && family == "npm")
    })
}
