//! The verbs that show, take out and move what is in an image.

use std::path::PathBuf;

use clap::Args;

use super::Compress;

/// Which image, and which layer of it.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The image.
    pub(crate) image: String,
    /// This layer alone, with what it takes away; the lowest is 0 [default: all layers, merged].
    #[arg(long, value_name = "N")]
    pub(crate) layer: Option<u32>,
    /// Which of several platforms: `linux/arm64` [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tree {
    #[command(flatten)]
    pub(crate) of: Of,
    /// Where to begin.
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// How many directories deep.
    #[arg(short, long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Directories alone.
    #[arg(long)]
    pub(crate) directories: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

const EXPLORE: &str = "\
Example: what the fourth layer of an archive did, and why slim keeps it
  plimsoll explore web.tar --layer 3 --plan web.plan.json

Without a terminal, `plimsoll tree`, `ls` and `inspect --json` say the same.";

#[derive(Debug, Clone, Args)]
#[command(after_help = EXPLORE)]
pub(crate) struct Explore {
    /// The image.
    pub(crate) image: String,
    /// Begin with what this layer did; the lowest is 0 [default: all layers, merged].
    #[arg(long, value_name = "N")]
    pub(crate) layer: Option<u32>,
    /// Which of several platforms: `linux/arm64` [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// The plan, if it was written with `slim --plan`: why each file stays [default: the one in the
    /// cache].
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) of: Of,
    /// The directory, or a file; links to directories are followed.
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// With everything below.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cat {
    #[command(flatten)]
    pub(crate) of: Of,
    /// The files; links are followed inside the image.
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// As JSON: path, size, digest and the bytes in base64.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Extract {
    #[command(flatten)]
    pub(crate) of: Of,
    /// What to take out; a directory comes with all that is in it [default: everything].
    pub(crate) paths: Vec<String>,
    /// A new or empty directory, a tar file (`x.tar`), or `-` for a tar on standard output.
    #[arg(short, long, value_name = "TARGET")]
    pub(crate) output: PathBuf,
    /// Files get the owners, modes and attributes they have in the image (needs root); a tar always
    /// has them.
    #[arg(long)]
    pub(crate) same_owner: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The image.
    pub(crate) source: String,
    /// Where to: docker://[HOST/]NAME[:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG],
    /// docker-archive:FILE[:NAME], dir:DIR, docker-daemon:NAME[:TAG], podman:NAME[:TAG],
    /// containers-storage:NAME[:TAG] (by the hand of skopeo).
    pub(crate) target: String,
    /// Every platform of an index, and the index itself.
    #[arg(long, conflicts_with = "platform")]
    pub(crate) all: bool,
    /// Which of several platforms: `linux/arm64` [default: linux on this machine's architecture].
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// How layers that are not compressed are compressed.
    #[arg(long, value_enum, default_value_t = Compress::Gzip)]
    pub(crate) compression: Compress,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    /// The image, in a registry.
    pub(crate) image: String,
    /// The file.
    pub(crate) file: PathBuf,
    /// What it is, as a media type [default: told from its content].
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Referrers {
    /// The image, in a registry.
    pub(crate) image: String,
    /// Only those of this type.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Write what the only one of them holds to this file.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
