//! The command line of `db`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What to do with the advisories of this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Fetch what is new: for an image, for what is named, or for all that is there already.
    Update(Update),
    /// Compile feeds that lie on this machine: files, directories, databases and reports of other
    /// scanners.
    Build(Build),
    /// What is there, how old it is, and what it has.
    Status(Status),
    /// Write all of it into one file, for machines without a network.
    Export(Export),
    /// Read such a file.
    Import {
        /// The file that `db export` wrote.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The image to fetch for: the advisories of its distribution release, of the languages in it and
    /// of applications, and the marks of what is exploited.
    pub(crate) image: Option<String>,
    /// Fetch for this distribution release or ecosystem: `debian:12`, `alpine:3.22`, `pypi`,
    /// `bitnami` (applications), `kev`, `epss`, or `official-images` (which tags of Docker's official
    /// images are still rebuilt); may be given several times.
    #[arg(long = "for", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// `URL`: where slices are served that `db build --output` made [env: PLIMSOLL_DB_MIRROR].
    /// `NAME=URL`: where the feed called `debian`, `alpine`, `wolfi`, `chainguard`, `osv`, `kev` or
    /// `epss` is served, in place of its publisher's address, or `official-images`: the directory
    /// `library` of their repository; may be given several times.
    #[arg(long = "mirror", value_name = "[NAME=]URL")]
    pub(crate) mirrors: Vec<String>,
    /// Which of the image's several platforms: `linux/arm64`.
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// Write the slices and their list into this directory instead, to be served to others: they fetch a
    /// megabyte or two with `--mirror` where the publisher's file has 75.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// A file or a directory of feeds; may be given several times (`plimsoll list feeds` has the
    /// kinds).
    #[arg(long, value_name = "PATH", required = true)]
    pub(crate) from: Vec<PathBuf>,
    /// What data are about that do not say so themselves: `debian:10`.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// Only make these slices; may be given several times.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) only: Vec<String>,
    /// The day the data are of, where they do not say: `2026-11-29`.
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
    /// Write the slices and their list into this directory instead, to be served to others.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write: a zip archive.
    pub(crate) file: PathBuf,
    /// Only these slices, or `official-images`; may be given several times.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) only: Vec<String>,
}
