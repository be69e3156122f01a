//! Which system calls the tracer looks at, and where in their arguments the paths are.

use std::sync::LazyLock;

use libc::{c_int, c_long};
use plimsoll_model::Access;

use crate::seccomp::{FCHMODAT2, Number, RENAMEAT};

/// A system call that names a file, and how.
pub(super) struct Call {
    pub(super) number: Number,
    pub(super) shape: Shape,
}

/// Where the paths of a call are; the numbers are indexes of arguments.
pub(super) enum Shape {
    /// One path.
    One(Place, Access),
    /// Two paths.
    Two(Place, Access, Place, Access),
    /// A path to open, with the flags in a register or at the start of a `struct open_how`.
    Open { place: Place, flags: Flags },
    /// The entries of an open directory.
    List { fd: usize },
    /// No path; what others start from is another afterwards.
    Nothing,
    /// A socket address, with its length in the next argument.
    Address { at: usize },
}

/// A path argument.
pub(super) struct Place {
    /// The argument with the directory it starts from; `None`: the working directory.
    pub(super) directory: Option<usize>,
    /// The argument with the address of the text.
    pub(super) path: usize,
    /// Whether a link in the last component is followed.
    pub(super) follow: Follow,
}

/// Whether a symbolic link in the last component is followed.
pub(super) enum Follow {
    Always,
    Never,
    /// Not if this argument has the bit.
    Unless(usize, c_int),
    /// Only if this argument has the bit.
    If(usize, c_int),
}

/// Where the flags of an open call are.
pub(super) enum Flags {
    /// In this argument.
    Argument(usize),
    /// The first word that this argument points to.
    Pointer(usize),
    /// Always these (`creat(2)`).
    #[cfg(target_arch = "x86_64")]
    Fixed(c_int),
}

const NOFOLLOW: c_int = libc::AT_SYMLINK_NOFOLLOW;

/// A path that starts from the working directory.
const fn path(path: usize) -> Place {
    Place {
        directory: None,
        path,
        follow: Follow::Always,
    }
}

/// The same, its last component not followed.
const fn entry(path: usize) -> Place {
    Place {
        directory: None,
        path,
        follow: Follow::Never,
    }
}

/// A path behind the descriptor of a directory.
const fn at(directory: usize, follow: Follow) -> Place {
    Place {
        directory: Some(directory),
        path: directory + 1,
        follow,
    }
}

const fn one(number: c_long, place: Place, access: Access) -> Call {
    Call {
        number,
        shape: Shape::One(place, access),
    }
}

const fn two(number: c_long, a: Place, first: Access, b: Place, second: Access) -> Call {
    Call {
        number,
        shape: Shape::Two(a, first, b, second),
    }
}

const fn open(number: c_long, place: Place, flags: Flags) -> Call {
    Call {
        number,
        shape: Shape::Open { place, flags },
    }
}

const LOOKED_UP: Access = Access::LOOKED_UP;
const WRITTEN: Access = Access::WRITTEN;
const CHANGED: Access = Access::CHANGED;
const REMOVED: Access = Access::REMOVED;
const EXECUTED: Access = Access::EXECUTED;

/// The calls every machine has.
const COMMON: &[Call] = &[
    open(libc::SYS_openat, at(0, Follow::Always), Flags::Argument(2)),
    open(libc::SYS_openat2, at(0, Follow::Always), Flags::Pointer(2)),
    one(
        libc::SYS_newfstatat,
        at(0, Follow::Unless(3, NOFOLLOW)),
        LOOKED_UP,
    ),
    one(
        libc::SYS_statx,
        at(0, Follow::Unless(2, NOFOLLOW)),
        LOOKED_UP,
    ),
    one(libc::SYS_faccessat, at(0, Follow::Always), LOOKED_UP),
    one(
        libc::SYS_faccessat2,
        at(0, Follow::Unless(3, NOFOLLOW)),
        LOOKED_UP,
    ),
    one(libc::SYS_readlinkat, at(0, Follow::Never), LOOKED_UP),
    one(
        libc::SYS_name_to_handle_at,
        at(0, Follow::If(4, libc::AT_SYMLINK_FOLLOW)),
        LOOKED_UP,
    ),
    one(libc::SYS_execve, path(0), EXECUTED),
    one(
        libc::SYS_execveat,
        at(0, Follow::Unless(4, NOFOLLOW)),
        EXECUTED,
    ),
    one(libc::SYS_chdir, path(0), LOOKED_UP),
    Call {
        number: libc::SYS_fchdir,
        shape: Shape::Nothing,
    },
    one(libc::SYS_chroot, path(0), LOOKED_UP),
    one(libc::SYS_statfs, path(0), LOOKED_UP),
    one(libc::SYS_getxattr, path(0), LOOKED_UP),
    one(libc::SYS_lgetxattr, entry(0), LOOKED_UP),
    one(libc::SYS_listxattr, path(0), LOOKED_UP),
    one(libc::SYS_llistxattr, entry(0), LOOKED_UP),
    one(libc::SYS_setxattr, path(0), CHANGED),
    one(libc::SYS_lsetxattr, entry(0), CHANGED),
    one(libc::SYS_removexattr, path(0), CHANGED),
    one(libc::SYS_lremovexattr, entry(0), CHANGED),
    one(libc::SYS_fchmodat, at(0, Follow::Always), CHANGED),
    one(FCHMODAT2, at(0, Follow::Unless(3, NOFOLLOW)), CHANGED),
    one(
        libc::SYS_fchownat,
        at(0, Follow::Unless(4, NOFOLLOW)),
        CHANGED,
    ),
    one(
        libc::SYS_utimensat,
        at(0, Follow::Unless(3, NOFOLLOW)),
        CHANGED,
    ),
    one(libc::SYS_truncate, path(0), WRITTEN),
    one(libc::SYS_mkdirat, at(0, Follow::Never), WRITTEN),
    one(libc::SYS_mknodat, at(0, Follow::Never), WRITTEN),
    one(libc::SYS_unlinkat, at(0, Follow::Never), REMOVED),
    two(
        libc::SYS_linkat,
        at(0, Follow::If(4, libc::AT_SYMLINK_FOLLOW)),
        Access::OPENED,
        at(2, Follow::Never),
        WRITTEN,
    ),
    one(libc::SYS_symlinkat, at(1, Follow::Never), WRITTEN),
    two(
        RENAMEAT,
        at(0, Follow::Never),
        REMOVED,
        at(2, Follow::Never),
        WRITTEN,
    ),
    two(
        libc::SYS_renameat2,
        at(0, Follow::Never),
        REMOVED,
        at(2, Follow::Never),
        WRITTEN,
    ),
    one(libc::SYS_inotify_add_watch, path(1), LOOKED_UP),
    Call {
        number: libc::SYS_getdents64,
        shape: Shape::List { fd: 0 },
    },
    Call {
        number: libc::SYS_connect,
        shape: Shape::Address { at: 1 },
    },
    Call {
        number: libc::SYS_bind,
        shape: Shape::Address { at: 1 },
    },
];

/// The calls of old, which newer machines do not have.
#[cfg(target_arch = "x86_64")]
const OLD: &[Call] = &[
    open(libc::SYS_open, path(0), Flags::Argument(1)),
    open(
        libc::SYS_creat,
        path(0),
        Flags::Fixed(libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC),
    ),
    one(libc::SYS_stat, path(0), LOOKED_UP),
    one(libc::SYS_lstat, entry(0), LOOKED_UP),
    one(libc::SYS_access, path(0), LOOKED_UP),
    one(libc::SYS_readlink, entry(0), LOOKED_UP),
    one(libc::SYS_chmod, path(0), CHANGED),
    one(libc::SYS_chown, path(0), CHANGED),
    one(libc::SYS_lchown, entry(0), CHANGED),
    one(libc::SYS_utime, path(0), CHANGED),
    one(libc::SYS_utimes, path(0), CHANGED),
    one(libc::SYS_futimesat, at(0, Follow::Always), CHANGED),
    one(libc::SYS_mkdir, entry(0), WRITTEN),
    one(libc::SYS_mknod, entry(0), WRITTEN),
    one(libc::SYS_unlink, entry(0), REMOVED),
    one(libc::SYS_rmdir, entry(0), REMOVED),
    two(libc::SYS_link, entry(0), Access::OPENED, entry(1), WRITTEN),
    one(libc::SYS_symlink, entry(1), WRITTEN),
    two(libc::SYS_rename, entry(0), REMOVED, entry(1), WRITTEN),
    Call {
        number: libc::SYS_getdents,
        shape: Shape::List { fd: 0 },
    },
];
#[cfg(target_arch = "aarch64")]
const OLD: &[Call] = &[];

/// One more than the highest number in the lists.
const NUMBERS: usize = 512;

/// How a call names files, if it does.
pub(super) fn find(number: Number) -> Option<&'static Call> {
    static BY_NUMBER: LazyLock<[Option<&'static Call>; NUMBERS]> = LazyLock::new(|| {
        let mut all = [None; NUMBERS];
        for call in COMMON.iter().chain(OLD) {
            if let Some(place) = all.get_mut(call.number as usize) {
                *place = Some(call);
            }
        }
        all
    });
    *BY_NUMBER.get(usize::try_from(number).ok()?)?
}

/// Whether a call names a file.
pub(crate) fn sees_path(number: Number) -> bool {
    find(number).is_some()
}

/// For a call that only asks about a file, its path or an open descriptor: which argument has the
/// flags that tell (`AT_EMPTY_PATH` of `stat(2)` and `statx(2)`).
pub(crate) fn flags_of_question(number: Number) -> Option<usize> {
    match number {
        libc::SYS_newfstatat => Some(3),
        libc::SYS_statx => Some(2),
        _ => None,
    }
}

/// What is done to a path that is opened with these flags (`open(2)`), and whether a link in the
/// last component is followed.
pub(super) fn opened(flags: u64) -> Access {
    let has = |bits: c_int| flags & bits as u64 == bits as u64;
    let mut access = match flags as c_int & libc::O_ACCMODE {
        libc::O_RDONLY => Access::OPENED,
        libc::O_WRONLY => WRITTEN,
        _ => Access::OPENED.with(WRITTEN),
    };
    if has(libc::O_PATH) {
        access = LOOKED_UP;
    } else if has(libc::O_CREAT) || has(libc::O_TRUNC) || has(libc::O_TMPFILE) {
        access = access.with(WRITTEN);
    }
    if has(libc::O_NOFOLLOW) || has(libc::O_CREAT | libc::O_EXCL) {
        access = access.with(Access::NOFOLLOW);
    }
    access
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_found_by_its_number() {
        for call in COMMON.iter().chain(OLD) {
            let found = find(call.number).unwrap();
            assert_eq!(found.number, call.number);
        }
        assert!(find(libc::SYS_read).is_none());
        assert!(find(-1).is_none() && find(1 << 40).is_none());
    }
}
