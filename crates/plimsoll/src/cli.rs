//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_scan::Date;

pub(crate) mod db;
mod files;
mod places;

pub(crate) use files::{
    Attach, Cat, Copy, Explore, Extract, List as ListFiles, Of, Referrers, Tree,
};
pub(crate) use places::Registry;

const AFTER: &str = "\
An IMAGE is a path (an OCI layout `DIR` or `DIR:TAG`, an archive of `docker save`, a root file
system), a name in a registry (`httpd:2.4`, `localhost:5000/app`), or says what it is: docker://NAME,
docker-daemon:NAME, podman:NAME, containers-storage:NAME, oci:DIR:TAG, oci-archive:FILE,
docker-archive:FILE, dir:DIR, tar:FILE.

Exit codes: 0 fine; 1 findings over the line; 2 wrong usage, or the world failed;
3 something could not be judged; 4 the slimmed image did not pass its probes.";

/// Draws the load line for container images: how overloaded one is, takes the load off, proves
/// that it still works.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Say only what was asked for, and errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Directory for what is fetched and for plans [default: $PLIMSOLL_CACHE or the user's cache].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) registry: Registry,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// The whole walk with real data: compose a web server's image, inspect it, slim it, compare.
    Demo(Demo),
    /// What is in an image, where it comes from, and what should not be in it.
    Inspect(Inspect),
    /// What is installed in an image, as a bill of materials: CycloneDX, SPDX, JSON or text.
    Sbom(Sbom),
    /// Whether an image keeps to the policy of a plimsoll.toml; the exit code answers.
    Check(Check),
    /// What is known to be wrong with what is in an image, and what could not be judged.
    Scan(Scan),
    /// What is wrong in Dockerfiles, each with its place, and what mends it.
    Lint(Lint),
    /// A smaller image that still works, and is seen working.
    Slim(Slim),
    /// An image from distribution packages, by a recipe; no Docker, no root.
    Build(Build),
    /// Why a path of a slimmed image is there, or why it is not.
    #[command(visible_alias = "why-not")]
    Why(Why),
    /// What differs between the files of two images, by directory and by package.
    Diff(Diff),
    /// The files of an image, or of one layer, as a tree with sizes.
    Tree(Tree),
    /// An image in the terminal, layer by layer and file by file; `?` shows the keys.
    Explore(Explore),
    /// The files of one directory: mode, owner, size, time, layer.
    Ls(ListFiles),
    /// A file's bytes, on standard output.
    Cat(Cat),
    /// Files of an image, or of one layer, into a directory or a tar file.
    Extract(Extract),
    /// An image from one place to another, byte for byte: pull, push, convert.
    Copy(Copy),
    /// Push a file (an SBOM, a report) to a registry, as something that refers to an image there.
    Attach(Attach),
    /// What refers to an image in a registry: SBOMs, reports, signatures.
    Referrers(Referrers),
    /// Parent, base, scratch: what an image (or what a Dockerfile makes) was made from, and how we know.
    Lineage(Look),
    /// What is known about vulnerabilities, on this machine: fetch, compile, list, carry over.
    Db(db::Db),
    /// The page of a check, a follower, a probe ... (see `list`), or of `recipe`, `config` or `profile`.
    Explain {
        /// Its identifier: `shell`, `elf`, `http`.
        id: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// What plimsoll knows: its tables.
    List {
        /// Which table; all of them if not said.
        table: Option<Table>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The tables that grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    Checks,
    Databases,
    Emulations,
    Feeds,
    Followers,
    Formats,
    Probes,
    Rules,
    Sources,
}

/// The formats of verbs that know what is installed.
const BILLS: &str = "How to print: `text`, `json`, `markdown`, `sarif`, `github`, `junit`; of one image also \
    `cyclonedx`, `spdx`";
/// The formats of the verb that knows what is wrong with it.
const OF_A_SCAN: &str = "How to print: `text`, `json`, `markdown`, `sarif`, `github`, `junit`, `cyclonedx`, \
    `spdx`, `openvex`";

#[derive(Debug, Args)]
pub(crate) struct Look {
    /// The image.
    pub(crate) image: String,
    /// Which of several platforms: `linux/arm64` [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// How to print: `text`, `json`, `markdown`, `sarif`, `github`, `junit`.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,
    /// The same as --format json.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sbom {
    /// The image, or a bill of materials of one (CycloneDX or SPDX 2, as JSON; `sbom:FILE` says so).
    pub(crate) image: String,
    /// Which of several platforms: `linux/arm64` [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// How to print: `cyclonedx`, `spdx`, `json`, `text`.
    #[arg(long, value_name = "FORMAT", default_value = "cyclonedx")]
    pub(crate) format: String,
    /// The same as --format json.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(mut_arg("format", |format| format.help(BILLS)))]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) look: Look,
    /// Another image, to set beside it: what it has that the first has not, and the other way round.
    pub(crate) other: Option<String>,
    /// Also write the report as a page to look at, with a map of every byte: one file that asks no
    /// network for anything.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// What the image is for: tools to work with weigh little in an image for development.
    #[arg(long = "env", value_name = "ENVIRONMENT", value_enum, default_value_t = Environment::Production)]
    pub(crate) environment: Environment,
    /// End with exit code 1 if there is a finding of this severity or above; of two images, one that
    /// only the second has.
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical"])]
    pub(crate) fail_on: Option<String>,
}

#[derive(Debug, Args)]
#[command(mut_arg("format", |format| format.help(BILLS)))]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) look: Look,
    /// The policy, a TOML file (`plimsoll explain config` has every key) [default: plimsoll.toml in
    /// this directory, if there is one].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What the image is for [default: what the policy says, else production].
    #[arg(long = "env", value_name = "ENVIRONMENT", value_enum)]
    pub(crate) environment: Option<Environment>,
    /// Findings of this severity or above are over the line [default: what the policy says, else
    /// high].
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical", "none"])]
    pub(crate) fail_on: Option<String>,
    /// The day to judge by: how old the data are, which releases are over, which exceptions still hold
    /// [default: today].
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<Date>,
    /// What the image must not be worse than: a file that --write-baseline made (its name ends in
    /// .json), or an image.
    #[arg(long, value_name = "FILE|IMAGE")]
    pub(crate) baseline: Option<String>,
    /// Write what this image is like, to hold the next one against.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// Also write the report to a file, in any format, as often as given: sarif=plimsoll.sarif.
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    pub(crate) reports: Vec<String>,
    /// Also write the report as a page to look at, with a map of every byte and what is known about
    /// vulnerabilities: one file that asks no network for anything.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Environment {
    #[value(alias = "prod")]
    Production,
    #[value(alias = "dev")]
    Development,
}

impl From<Environment> for plimsoll_checks::Environment {
    fn from(environment: Environment) -> Self {
        match environment {
            Environment::Production => Self::Production,
            Environment::Development => Self::Development,
        }
    }
}

/// Days after which advisories are stale: feeds are made anew every day.
pub(crate) const MAX_AGE: i64 = 7;

#[derive(Debug, Args)]
#[command(mut_arg("format", |format| format.help(OF_A_SCAN)))]
pub(crate) struct Scan {
    /// The image may also be a list of packages: JSON, or `NAME VERSION` one a line.
    #[command(flatten)]
    pub(crate) look: Look,
    /// Another image, or list of packages, to set beside it.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) against: Option<String>,
    /// Directory of the advisories [default: in the cache].
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<PathBuf>,
    /// End with exit code 1 if something of this severity or above is known; what the vendor calls
    /// unimportant does not count. With 3 if nothing is and something has no severity.
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical"])]
    pub(crate) fail_on: Option<String>,
    /// What is ignored, with the reason: `CVE-2026-1 until=2026-12-31 package=zlib* # why`, one a line,
    /// or `[[ignore]]` tables of TOML; may be given several times [default: plimsoll.ignore in this
    /// directory, if there is one].
    #[arg(long, value_name = "FILE")]
    pub(crate) ignore: Vec<PathBuf>,
    /// A VEX document (OpenVEX or CSAF) that says what the image does not have; may be given several
    /// times.
    #[arg(long, value_name = "FILE")]
    pub(crate) vex: Vec<PathBuf>,
    /// Advisories older than this are stale, and a scan with them is incomplete.
    #[arg(long, value_name = "DAYS", default_value_t = MAX_AGE)]
    pub(crate) max_age: i64,
    /// The day to judge by: how old the data are, which releases are over, which exceptions still hold
    /// [default: today].
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<Date>,
    /// Also ask the distribution's archive (--mirror, else this machine's) what it offers today, and which
    /// fixes an upgrade would bring by the packages' own changelogs: needs no advisories.
    #[arg(long)]
    pub(crate) archive: bool,
    #[command(flatten)]
    pub(crate) mirror: Mirror,
    /// The distribution release, where the image or the list does not say it, or says it wrongly.
    #[arg(long, value_name = "NAME:RELEASE")]
    pub(crate) distro: Option<String>,
    /// Also write the report as a page to look at, with what the checks find and a map of every byte: one
    /// file that asks no network for anything.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Dockerfiles; `-` is standard input; of a directory every Dockerfile and Containerfile in it.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The image that was built from the file (one file then): what each line made of it is said,
    /// and findings in the image point at the line they come from.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// Which of several platforms of --image [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH", requires = "image")]
    pub(crate) platform: Option<String>,
    /// Leave these rules out, by our names or others': `package-lists`, `DL3008`.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Show, as a diff, what can be mended without asking; nothing is written.
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: write it, and report what is left.
    #[arg(long, requires = "fix")]
    pub(crate) write: bool,
    /// How to print: `text`, `json`, `sarif` ... (`plimsoll list formats`).
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,
    /// The same as --format json.
    #[arg(long)]
    pub(crate) json: bool,
    /// End with exit code 1 if there is a finding of this severity or above.
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "low", "medium", "high", "critical"])]
    pub(crate) fail_on: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Slim {
    #[command(flatten)]
    pub(crate) look: Look,
    /// Where to write: oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], dir:DIR, into a
    /// registry: docker://[HOST/]NAME[:TAG], or into an engine or a store of this machine:
    /// docker-daemon:NAME[:TAG], podman:NAME[:TAG], containers-storage:NAME[:TAG]
    /// [default: oci:NAME-slim in this directory, with the image's tag: httpd:2.4 gives
    /// oci:httpd-slim:2.4].
    #[arg(short, long, value_name = "TARGET")]
    pub(crate) output: Option<String>,
    /// What is asked of the image, as a TOML file (`plimsoll explain config` has every key)
    /// [default: plimsoll.toml in this directory, if there is one].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: SlimOptions,
}

/// What `slim` and `demo` share.
#[derive(Debug, Clone, Args)]
pub(crate) struct SlimOptions {
    /// What must go on working; may be given several times. `http:/PATH` on the exposed port or
    /// `http://:8080/PATH`, also https:, with `-X POST -H 'A: b' -d BODY status=200 crawl=50` behind
    /// it; `tcp:PORT send="PING\r\n" expect=+PONG`; `cmd:COMMAND`, run by this machine's shell inside
    /// the image's network, good if it exits with 0; `exec:PROGRAM ARGUMENTS`, run inside the image;
    /// `plimsoll explain http` says more [default: whatever answers on the exposed ports].
    #[arg(short, long = "probe", value_name = "PROBE")]
    pub(crate) probes: Vec<String>,
    /// How much stays: `package` keeps every package whole of which anything is needed, `app` the
    /// application's own packages and files, `file` only what has a reason of its own.
    #[arg(long, value_enum, default_value_t = Level::App)]
    pub(crate) level: Level,
    /// Keep all of this package (a name or a glob), with what its files need.
    #[arg(long = "keep-package", value_name = "GLOB")]
    pub(crate) keep_packages: Vec<String>,
    /// Also start the image with these arguments in the place of its own and run it to its end, as
    /// often as given; words are quoted as in a shell: --args "--version" --args "convert 'a b'".
    #[arg(long = "args", value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
    /// Keep this path (a glob; a directory means all of it), whatever the plan says.
    #[arg(long = "include", value_name = "GLOB")]
    pub(crate) includes: Vec<String>,
    /// Leave this path (a glob) ashore, needed or not: the probes say whether that was right.
    #[arg(long = "exclude", value_name = "GLOB")]
    pub(crate) excludes: Vec<String>,
    /// Start nothing: slim by reading alone, for another architecture. Nothing is verified then (exit
    /// code 3).
    #[arg(long, conflicts_with_all = ["keep_failed"])]
    pub(crate) no_run: bool,
    /// Start the server itself: what the entry script prepares is baked into the image, and the
    /// script, its shell and its helpers are left ashore. Refused, with the reason, where the script
    /// does at each start what depends on that start.
    #[arg(long, conflicts_with_all = ["no_run"])]
    pub(crate) direct_entry: bool,
    /// With --direct-entry: the value that the image gives this variable (a name or a glob; `*` for
    /// all) is final, and what the entry script makes of it may be baked.
    #[arg(long = "freeze", value_name = "VARIABLE", requires = "direct_entry")]
    pub(crate) frozen: Vec<String>,
    /// Write the slimmed image even if it does not pass its probes (the exit code stays 4).
    #[arg(long)]
    pub(crate) keep_failed: bool,
    /// Seconds the image may take until it answers its probes.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) start_timeout: u64,
    /// How much memory all processes of the image together may use, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(16..=16_777_216))]
    pub(crate) memory: u64,
    /// How layers are compressed.
    #[arg(long, value_enum, default_value_t = Compress::Gzip)]
    pub(crate) compression: Compress,
    /// How the result is cut: `single`, one layer; `split`, base and application, so that images of
    /// one base share a layer; `origin`, one for each layer of the original.
    #[arg(long, value_enum, default_value_t = Layers::Split)]
    pub(crate) layers: Layers,
    /// Write the plan (every kept path with its reasons) to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Write bills of materials of the image before and after into this directory, as CycloneDX and
    /// SPDX.
    #[arg(long, value_name = "DIR")]
    pub(crate) sbom: Option<PathBuf>,
    /// Write the report as a page to look at, with a map of every byte of both images and why each is
    /// kept: one file that asks no network for anything.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) profile: ProfileOptions,
}

/// What a slim teaches, as a file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ProfileOptions {
    /// Write what was learned to this file, to be reviewed and replayed (`plimsoll explain profile`).
    #[arg(long, value_name = "FILE")]
    pub(crate) write_profile: Option<PathBuf>,
    /// Slim by this profile, which also says the level, the layers and the compression. Nothing is
    /// run; what has drifted since it was written is a finding.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["level", "layers", "compression", "no_run"]
    )]
    pub(crate) profile: Option<PathBuf>,
    /// Add what this profile taught to what the runs of now teach; as often as given.
    #[arg(long = "merge-profile", value_name = "FILE", conflicts_with_all = ["profile", "no_run"])]
    pub(crate) merge_profiles: Vec<PathBuf>,
    /// Run the image and the result of --profile after all, and compare them.
    #[arg(long, requires = "profile")]
    pub(crate) verify: bool,
    /// End with exit code 1 if something of this severity or above has drifted.
    #[arg(long, value_name = "SEVERITY", requires = "profile", value_parser = ["info", "low", "medium", "high", "critical"])]
    pub(crate) fail_on: Option<String>,
}

/// How much stays beyond what has a reason of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Package,
    App,
    File,
}

impl From<Level> for plimsoll_slim::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Package => Self::Package,
            Level::App => Self::App,
            Level::File => Self::File,
        }
    }
}

/// How the result is cut into layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layers {
    Single,
    Split,
    Origin,
}

impl From<Layers> for plimsoll_slim::Layers {
    fn from(layers: Layers) -> Self {
        match layers {
            Layers::Single => Self::Single,
            Layers::Split => Self::Split,
            Layers::Origin => Self::Origin,
        }
    }
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compress {
    Gzip,
    Zstd,
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Mirror {
    /// A package archive to use in place of the machine's own sources [env: PLIMSOLL_MIRROR].
    #[arg(long, value_name = "URI")]
    pub(crate) mirror: Option<String>,
    /// The suite of --mirror [default: the machine's own; that of the image for `scan --archive`].
    #[arg(long, value_name = "SUITE")]
    pub(crate) suite: Option<String>,
    /// The components of --mirror.
    #[arg(long = "component", value_name = "NAME", default_value = "main")]
    pub(crate) components: Vec<String>,
    /// The keys that may sign --mirror [default: the machine's archive keyrings].
    #[arg(long = "keyring", value_name = "FILE")]
    pub(crate) keyrings: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The recipe, a TOML file (`plimsoll explain recipe` has every key).
    pub(crate) recipe: PathBuf,
    /// Where to write: oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], dir:DIR, into a
    /// registry: docker://[HOST/]NAME[:TAG], or into an engine or a store of this machine:
    /// docker-daemon:NAME[:TAG], podman:NAME[:TAG], containers-storage:NAME[:TAG].
    #[arg(short, long, value_name = "TARGET")]
    pub(crate) output: String,
    /// The lock: written on the first build, obeyed on every later one [default: beside the recipe].
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// Resolve again and write the lock anew.
    #[arg(long)]
    pub(crate) update: bool,
    #[command(flatten)]
    pub(crate) mirror: Mirror,
    /// How layers are compressed.
    #[arg(long, value_enum, default_value_t = Compress::Gzip)]
    pub(crate) compression: Compress,
    /// How to print: `text`, `json`, `markdown`, `sarif`, `github`, `junit`.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,
    /// The same as --format json.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Walk this image instead of composing one.
    pub(crate) image: Option<String>,
    /// Directory for the images.
    #[arg(short, long, value_name = "DIR", default_value = "plimsoll-demo")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) mirror: Mirror,
    #[command(flatten)]
    pub(crate) options: SlimOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The one image.
    pub(crate) before: String,
    /// The other.
    pub(crate) after: String,
    /// Which of several platforms, of both [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// How to print: `text`, `json`, `markdown`, `sarif`, `github`, `junit`.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,
    /// The same as --format json.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The path inside the image: a file, a directory (summed up by reason), or a glob.
    pub(crate) path: String,
    /// The image: the slimmed one, or the one it was made from.
    pub(crate) image: String,
    /// The plan, if it was written with `slim --plan` [default: the one in the cache].
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn verbs_name_the_documents_they_make() {
        for (verb, documents) in [
            ("inspect", &["cyclonedx", "spdx"][..]),
            ("check", &["cyclonedx", "spdx"]),
            ("scan", &["cyclonedx", "spdx", "openvex"]),
            ("sbom", &["cyclonedx", "spdx"]),
            ("slim", &[]),
            ("lineage", &[]),
        ] {
            let mut command = super::Cli::command();
            let verb = command.find_subcommand_mut(verb).unwrap();
            let formats = verb.get_arguments().find(|it| it.get_id() == "format");
            let help = formats.unwrap().get_help().unwrap().to_string();
            for document in ["cyclonedx", "spdx", "openvex"] {
                let named = documents.contains(&document);
                assert_eq!(help.contains(document), named, "{verb}: {help}");
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
