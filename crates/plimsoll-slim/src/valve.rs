//! What a mere name must not pull in: programs, whole system directories, documentation.

use plimsoll_model::{FileTree, ImagePath};

use crate::scene::Scene;

/// Whether `path` (free of links) is a program on the ways programs are started from.
///
/// The shell valve. A script names `/bin/sh`, a shell's configuration names `perl`, and a closure
/// that follows such names ends with the whole distribution; and what makes a container
/// comfortable for an intruder lies exactly there. So these come in only as declared roots, ELF
/// or script interpreters of what is executed, or because a run executed them.
pub(crate) fn is_program(scene: &Scene<'_>, path: &ImagePath) -> bool {
    let node = scene.tree().get(path);
    node.is_some_and(|node| node.is_executable()) && in_program_directory(scene, path)
}

/// Whether `path` lies in a directory programs are started from: a `bin` or `sbin` of the system,
/// or a directory of the image's `PATH`.
pub(crate) fn in_program_directory(scene: &Scene<'_>, path: &ImagePath) -> bool {
    let Some(parent) = path.parent() else {
        return false;
    };
    let is_bin = matches!(parent.file_name(), b"bin" | b"sbin" | b"games");
    let system = ["/usr", "/bin", "/sbin", "/lib", "/opt"];
    is_bin && system.iter().any(|top| parent.starts_with(top))
        || parent.starts_with("/usr/libexec")
        || scene.search_path().any(|directory| directory == &parent)
}

/// Directories of the system: whoever names one cannot mean all of it.
pub(crate) fn is_system(path: &ImagePath) -> bool {
    const SYSTEM: &[&str] = &[
        "/",
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib64",
        "/proc",
        "/run",
        "/sbin",
        "/sys",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/include",
        "/usr/lib",
        "/usr/lib64",
        "/usr/libexec",
        "/usr/local",
        "/usr/local/lib",
        "/usr/sbin",
        "/usr/share",
        "/usr/src",
        "/var",
        "/var/cache",
        "/var/lib",
        "/var/lib/dpkg",
        "/var/log",
        "/var/spool",
        "/var/tmp",
    ];
    let multiarch = path.parent().is_some_and(|parent| {
        matches!(parent.as_bytes(), b"/usr/lib" | b"/lib")
            && path.file_name().windows(5).any(|part| part == b"linux")
    });
    multiarch || path.as_str().is_some_and(|path| SYSTEM.contains(&path))
}

/// Directories whose name in a text says nothing about what is needed in them: those of the
/// system, and where configurations name a common home in passing.
///
/// Learned from a prototype over real configurations: each of these was named somewhere, and
/// taking it whole took far too much.
pub(crate) fn is_generic(path: &ImagePath) -> bool {
    const GENERIC: &[&str] = &[
        "/etc/alternatives",
        "/etc/apache2",
        "/etc/apt",
        "/etc/default",
        "/etc/init.d",
        "/etc/nginx",
        "/etc/ssl",
        "/home",
        "/media",
        "/mnt",
        "/opt",
        "/root",
        "/srv",
        "/usr/lib/apache2",
        "/usr/lib/apache2/modules",
        "/usr/lib/gconv",
        "/usr/lib/locale",
        "/usr/lib/ssl",
        "/usr/local/share",
        "/usr/share/apache2",
        "/usr/share/i18n",
        "/usr/share/locale",
        "/usr/share/perl",
        "/usr/share/perl5",
        "/usr/share/zoneinfo",
        "/var/mail",
        "/var/www",
    ];
    is_system(path) || path.as_str().is_some_and(|path| GENERIC.contains(&path))
}

/// Documentation, caches, logs, the history of sources and what a package manager keeps for itself:
/// never wanted for their own sake, whoever wrote them.
pub(crate) fn is_ballast(path: &ImagePath) -> bool {
    const BALLAST: &[&str] = &[
        "/lost+found",
        "/root/.cache",
        "/root/.npm",
        "/run",
        "/tmp",
        "/usr/include",
        "/usr/local/include",
        "/usr/local/man",
        "/usr/local/share/doc",
        "/usr/local/share/info",
        "/usr/local/share/locale",
        "/usr/local/share/man",
        "/usr/share/bash-completion",
        "/usr/share/bug",
        "/usr/share/doc",
        "/usr/share/doc-base",
        "/usr/share/gtk-doc",
        "/usr/share/info",
        "/usr/share/lintian",
        "/usr/share/linda",
        "/usr/share/locale",
        "/usr/share/man",
        "/usr/share/zsh",
        "/var/backups",
        "/var/cache",
        "/var/lib/apt",
        "/var/lib/dpkg",
        "/var/lib/pam",
        "/var/lib/systemd",
        "/var/lib/ucf",
        "/var/log",
        "/var/tmp",
    ];
    BALLAST.iter().any(|directory| path.starts_with(directory))
        || path.components().any(|part| part == b".cache")
        || is_of_version_control(path)
        || is_installer_of_modules(path)
        || is_for_developers(path)
}

/// The history of sources, which a `COPY . .` brings along.
pub(crate) fn is_of_version_control(path: &ImagePath) -> bool {
    path.components()
        .any(|part| matches!(part, b".git" | b".hg" | b".svn" | b".bzr"))
}

/// npm, corepack and yarn where Node's own distribution puts them: they install modules, and the
/// image is installed. An image that starts its application with `npm start` runs npm, so that it
/// has reasons of its own.
fn is_installer_of_modules(path: &ImagePath) -> bool {
    let parts: Vec<&[u8]> = path.components().collect();
    parts.windows(3).any(|part| {
        matches!(
            part,
            [b"lib", b"node_modules", b"npm" | b"corepack" | b"yarn"]
        )
    })
}

/// What only who develops with it needs of a Java home: the signatures of older releases for
/// `javac --release`, sources, modules to link new homes from; and the archive of prepared classes
/// for heaps of 32 GB and more, which only makes the start of those faster (JEP 310, JEP 341).
fn is_for_developers(path: &ImagePath) -> bool {
    let parts: Vec<&[u8]> = path.components().rev().take(2).collect();
    let is_ours = path
        .components()
        .any(|part| part == b"jvm" || part == b"java")
        || path.starts_with("/opt");
    is_ours
        && matches!(
            parts[..],
            [b"ct.sym" | b"src.zip", b"lib"] | [b"classes_nocoops.jsa", _] | [_, b"jmods"]
        )
}

/// What installing packages leaves behind unowned: keys made for one machine, archives and bundles
/// put together from other packages' files, backups of the user database, and how to install
/// more. Followers know when one of them is needed.
pub(crate) fn is_left_by_installing(path: &ImagePath) -> bool {
    const LEFT: &[&str] = &[
        "/etc/apt",
        "/etc/dpkg",
        "/etc/group-",
        "/etc/gshadow-",
        "/etc/passwd-",
        "/etc/shadow-",
        "/etc/pki/ca-trust/extracted",
        "/etc/ssl/certs",
        "/etc/ssl/private",
        "/usr/lib/locale",
        "/usr/share/mime",
        "/var/lib/ca-certificates",
        "/var/lib/misc",
        "/var/lib/python",
        "/var/lib/shells.state",
        "/var/lib/update-rc.d",
        "/var/lib/xml-core",
    ];
    LEFT.iter().any(|left| path.starts_with(left))
}

/// What a package brings for a whole machine and a container has no use for: start scripts, timers,
/// log rotation, firewall profiles. Only of packages: what the image's author put there stays.
pub(crate) fn is_for_a_machine(path: &ImagePath) -> bool {
    const MACHINE: &[&str] = &[
        "/etc/apparmor.d",
        "/etc/bash_completion.d",
        "/etc/cron.d",
        "/etc/cron.daily",
        "/etc/cron.hourly",
        "/etc/cron.monthly",
        "/etc/cron.weekly",
        "/etc/init.d",
        "/etc/logcheck",
        "/etc/logrotate.d",
        "/etc/ufw",
        "/usr/lib/systemd",
        "/usr/lib/sysusers.d",
        "/usr/lib/tmpfiles.d",
        "/lib/systemd",
        "/usr/share/vim",
        "/usr/share/apport",
    ];
    MACHINE.iter().any(|directory| path.starts_with(directory))
}

/// How large a directory may be that is taken whole because a text names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap {
    /// Regular files.
    pub(crate) files: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
}

impl Cap {
    /// For a directory that is merely named: 400 files, 5 MB.
    pub(crate) const NAMED: Self = Self {
        files: 400,
        bytes: 5_000_000,
    };
    /// For a directory that is declared to be served or worked in: content is the application.
    pub(crate) const SERVED: Self = Self {
        files: 1_000_000,
        bytes: u64::MAX,
    };

    /// What it is about the directory that forbids to take it whole on this word, if something is.
    pub(crate) fn forbids(self, tree: &FileTree, directory: &ImagePath) -> Option<String> {
        if self.bytes == u64::MAX && is_system(directory) {
            return Some("it is a directory of the system".to_owned());
        }
        self.exceeded_by(tree, directory)
    }

    fn exceeded_by(self, tree: &FileTree, directory: &ImagePath) -> Option<String> {
        let (mut files, mut bytes) = (0, 0_u64);
        for (_, node) in tree.subtree(directory).filter(|(_, node)| node.is_file()) {
            files += 1;
            bytes = bytes.saturating_add(node.size());
            if files > self.files {
                return Some(format!("more than {} files", self.files));
            }
            if bytes > self.bytes {
                return Some(format!("more than {} bytes", self.bytes));
            }
        }
        None
    }
}
