//! The steps from a fresh clone to the image's program, as data; and the child that takes them.
//!
//! Everything is prepared before the clone. The child only makes system calls: it runs in a copy of
//! a process that may have had many threads, any of which may have held the allocator's lock.
#![expect(unsafe_code, reason = "the child may make raw system calls only")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::io::{self, Read as _};
use std::mem;
use std::os::fd::RawFd;
use std::ptr;

use libc::{c_long, c_ulong, c_void, sock_filter};

use crate::sys::{errno, send_fds};

/// One thing the child does.
#[derive(Debug)]
pub(super) enum Step {
    /// Waits for one byte on the descriptor: the parent has written the id maps.
    Await(RawFd),
    /// A session and process group of its own: some servers signal their whole group when they stop.
    Session,
    /// The kernel kills us when the thread that started us ends.
    DieWithParent,
    /// `mount(2)`.
    Mount {
        source: CString,
        target: CString,
        kind: CString,
        flags: c_ulong,
        data: CString,
    },
    /// A directory; one that is there is left as it is.
    Directory { path: CString, mode: u32 },
    /// A symbolic link; whatever is there is left as it is.
    Link { target: CString, path: CString },
    /// An empty file, to be mounted upon.
    Touch { path: CString },
    /// A new file in the place of any other file or link: nothing is written through a link.
    File { path: CString, bytes: Vec<u8> },
    /// Writes to a file of /proc.
    Write { path: CString, bytes: Vec<u8> },
    /// Gives files below a directory to others and their modes to them, no link followed; what is not there is left out.
    Own { root: CString, owners: Vec<Owner> },
    /// A directory whose descriptor is sent to our side, which reads there what the image writes.
    Show { path: CString, socket: RawFd },
    /// `chdir(2)`.
    Chdir(CString),
    /// The current directory becomes the root; the old root is let go.
    PivotRoot,
    /// Brings the loopback interface up.
    Loopback,
    /// `sethostname(2)`.
    Hostname(Vec<u8>),
    /// `umask(2)`.
    Umask(u32),
    /// Both values of a resource limit; never above what we have.
    Limit { resource: u32, soft: u64, hard: u64 },
    /// Standard input, output and error.
    Streams { input: RawFd, output: RawFd },
    /// Capabilities that even a program with file capabilities cannot have.
    Bounding(u64),
    /// Capabilities of this process.
    Capabilities(u64),
    /// `setgroups(2)`.
    Groups(Vec<u32>),
    /// `setresgid(2)`.
    Group(u32),
    /// `setresuid(2)`.
    User(u32),
    /// Our side may look into this process again, which a change of user forbids: only until the program
    /// runs would it be forbidden to whoever is no root.
    Visible,
    /// No program started from here on gains privileges.
    NoNewPrivileges,
    /// Every signal as a new program expects it.
    Signals,
    /// No descriptor but the three streams reaches the program.
    CloseOthers,
    /// Refuses a program that leads back to ours through `/proc/self/exe`: executed inside, our own
    /// file on this machine would be within the image's reach (as in CVE-2019-5736).
    Inspect { programs: Vec<CString> },
    /// The system call filter; with a socket, its listener is sent there.
    Filter {
        program: Vec<sock_filter>,
        listener: Option<RawFd>,
    },
    /// `execve(2)` of the first of these that is there.
    Execute {
        programs: Vec<CString>,
        arguments: Vec<CString>,
        environment: Vec<CString>,
    },
}

/// Whose a file is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its path from the root of the tree, without a slash before.
    pub(super) path: CString,
    /// The user, in the numbers of the image.
    pub(super) user: u32,
    /// The group.
    pub(super) group: u32,
    /// The mode, where it is not to stay; a link has none.
    pub(super) mode: Option<u32>,
}

/// A step, and what to say of it.
#[derive(Debug)]
pub(super) struct Planned {
    /// What is done, as a fragment after "cannot make the sandbox:".
    pub(super) what: String,
    /// The run can do without; then the failure is a problem and no error.
    pub(super) optional: bool,
    /// The step.
    pub(super) step: Step,
}

/// What the child says of a step that failed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// Its index.
    pub(super) step: u32,
    /// Why.
    pub(super) errno: i32,
}

/// Pointer arrays for `execve`, made before the clone.
pub(super) struct Vectors {
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
}

impl Vectors {
    /// Those of the last step, which executes.
    pub(super) fn of(plan: &[Planned]) -> Self {
        let (arguments, environment): (&[CString], &[CString]) = match plan.last() {
            Some(Planned {
                step:
                    Step::Execute {
                        arguments,
                        environment,
                        ..
                    },
                ..
            }) => (arguments, environment),
            _ => (&[], &[]),
        };
        let pointers = |texts: &[CString]| {
            let all = texts.iter().map(|text| text.as_ptr());
            all.chain([ptr::null()]).collect()
        };
        Self {
            arguments: pointers(arguments),
            environment: pointers(environment),
        }
    }
}

/// Takes every step; ends in the image's program or in `_exit`, with the failure in `report`.
///
/// # Safety
/// Only for the child of [`crate::sys::clone`].
pub(super) unsafe fn take_all(plan: &[Planned], vectors: &Vectors, report: RawFd) -> ! {
    let mut index = 0;
    while index < plan.len() {
        if let Err(errno) = take(&plan[index].step, vectors) {
            let failure = Failure {
                step: index as u32,
                errno,
            };
            // SAFETY: the structure is plain data and lives through the call.
            unsafe {
                let size = mem::size_of::<Failure>();
                let from: *const Failure = &failure;
                libc::syscall(libc::SYS_write, report, from, size);
            }
            if !plan[index].optional {
                break;
            }
        }
        index += 1;
    }
    // SAFETY: ends this process; no code of ours runs after it.
    unsafe { libc::_exit(127) }
}

/// Gives files away, as many as can be; the answer is the first that could not.
fn own(root: &CStr, owners: &[Owner]) -> Result<(), i32> {
    let (at, name) = (libc::AT_FDCWD, libc::O_PATH | libc::O_CLOEXEC);
    // SAFETY: zeroes are a valid structure of plain numbers.
    let mut how: libc::open_how = unsafe { mem::zeroed() };
    how.flags = (name | libc::O_NOFOLLOW) as u64;
    how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_XDEV;
    let mut to_read = how;
    // A pipe is opened without waiting for anybody.
    to_read.flags = (libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW) as u64;
    let mut first = Ok(());
    // SAFETY: system calls with pointers to data that was prepared before the clone.
    unsafe {
        let root = ok(libc::syscall(libc::SYS_openat, at, root.as_ptr(), name))?;
        for owner in owners {
            let Owner {
                path,
                user,
                group,
                mode,
            } = owner;
            let (to, size) = (ptr::from_ref(&how), mem::size_of::<libc::open_how>());
            let opened = libc::syscall(libc::SYS_openat2, root, path.as_ptr(), to, size);
            let given = ok(opened).and_then(|fd| {
                let (empty, flag) = (c"".as_ptr(), libc::AT_EMPTY_PATH);
                let given = libc::syscall(libc::SYS_fchownat, fd, empty, *user, *group, flag);
                let mut given = ok(given);
                libc::syscall(libc::SYS_close, fd);
                // After the owner, whose change takes bits away (chown(2)), and by a descriptor that
                // is open: nothing else of an `O_PATH` one can be changed.
                if let (Ok(_), Some(mode)) = (given, mode) {
                    let to = ptr::from_ref(&to_read);
                    let opened = libc::syscall(libc::SYS_openat2, root, path.as_ptr(), to, size);
                    given = ok(opened).and_then(|fd| {
                        let changed = ok(libc::syscall(libc::SYS_fchmod, fd, *mode));
                        libc::syscall(libc::SYS_close, fd);
                        changed
                    });
                }
                given
            });
            match given {
                Err(libc::ENOENT) | Ok(_) => {}
                Err(errno) => first = first.and(Err(errno)),
            }
        }
        libc::syscall(libc::SYS_close, root);
    }
    first
}

/// `errno` as an error where the answer is negative.
fn ok(answer: c_long) -> Result<c_long, i32> {
    if answer < 0 { Err(errno()) } else { Ok(answer) }
}

/// `ok`, but this `errno` is as good as success.
fn ok_or(answer: c_long, fine: c_int) -> Result<(), i32> {
    match ok(answer) {
        Err(errno) if errno != fine => Err(errno),
        _ => Ok(()),
    }
}

fn take(step: &Step, vectors: &Vectors) -> Result<(), i32> {
    // SAFETY: system calls with pointers to data that was prepared before the clone and lives in
    // this process's copy of memory; nothing here allocates, locks or unwinds.
    unsafe {
        match step {
            Step::Await(fd) => {
                let mut byte = 0u8;
                match libc::syscall(libc::SYS_read, *fd, ptr::from_mut(&mut byte), 1) {
                    1 => Ok(()),
                    // The parent is gone; there is nobody to work for.
                    _ => libc::_exit(126),
                }
            }
            Step::Session => ok(libc::syscall(libc::SYS_setsid)).map(drop),
            Step::DieWithParent => {
                ok(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL).into()).map(drop)
            }
            Step::Mount {
                source,
                target,
                kind,
                flags,
                data,
            } => ok(libc::syscall(
                libc::SYS_mount,
                source.as_ptr(),
                target.as_ptr(),
                kind.as_ptr(),
                *flags,
                data.as_ptr(),
            ))
            .map(drop),
            Step::Directory { path, mode } => {
                let at = libc::AT_FDCWD;
                ok_or(
                    libc::syscall(libc::SYS_mkdirat, at, path.as_ptr(), *mode),
                    libc::EEXIST,
                )
            }
            Step::Link { target, path } => {
                let (target, path) = (target.as_ptr(), path.as_ptr());
                ok_or(
                    libc::syscall(libc::SYS_symlinkat, target, libc::AT_FDCWD, path),
                    libc::EEXIST,
                )
            }
            Step::Touch { path } => create(path, &[], 0o644),
            Step::File { path, bytes } => {
                let gone = libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path.as_ptr(), 0);
                ok_or(gone, libc::ENOENT)?;
                create(path, bytes, 0o644)
            }
            Step::Write { path, bytes } => write_to(path, bytes, libc::O_WRONLY, 0),
            Step::Own { root, owners } => own(root, owners),
            Step::Show { path, socket } => {
                let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
                let at = libc::AT_FDCWD;
                let fd = ok(libc::syscall(libc::SYS_openat, at, path.as_ptr(), flags))?;
                let sent = send_fds(*socket, UPPER, &[fd as RawFd]);
                libc::syscall(libc::SYS_close, fd);
                sent
            }
            Step::Chdir(path) => ok(libc::syscall(libc::SYS_chdir, path.as_ptr())).map(drop),
            Step::PivotRoot => {
                // pivot_root(".", ".") stacks the old root upon the new one (pivot_root(2)).
                let here = c".".as_ptr();
                ok(libc::syscall(libc::SYS_pivot_root, here, here))?;
                ok(libc::syscall(libc::SYS_umount2, here, libc::MNT_DETACH))?;
                ok(libc::syscall(libc::SYS_chdir, c"/".as_ptr())).map(drop)
            }
            Step::Loopback => loopback(),
            Step::Hostname(name) => ok(libc::syscall(
                libc::SYS_sethostname,
                name.as_ptr(),
                name.len(),
            ))
            .map(drop),
            Step::Umask(mask) => {
                libc::syscall(libc::SYS_umask, *mask);
                Ok(())
            }
            Step::Limit {
                resource,
                soft,
                hard,
            } => limit(*resource, *soft, *hard),
            Step::Streams { input, output } => {
                for (from, to) in [(*input, 0), (*output, 1), (*output, 2)] {
                    if from == to {
                        ok(libc::syscall(libc::SYS_fcntl, from, libc::F_SETFD, 0))?;
                    } else {
                        ok(libc::syscall(libc::SYS_dup3, from, to, 0))?;
                    }
                }
                Ok(())
            }
            Step::Bounding(keep) => {
                // The kernel says EINVAL for the first number it has no capability for.
                for capability in 0..64u64 {
                    if keep >> capability & 1 == 1 {
                        continue;
                    }
                    let dropped =
                        libc::prctl(libc::PR_CAPBSET_DROP, capability as c_ulong, 0, 0, 0);
                    ok_or(dropped.into(), libc::EINVAL)?;
                }
                Ok(())
            }
            Step::Capabilities(keep) => {
                // capset(2), version 3: the low and the high words.
                let header: [u32; 2] = [0x2008_0522, 0];
                let (low, high) = (*keep as u32, (*keep >> 32) as u32);
                let data: [[u32; 3]; 2] = [[low, low, 0], [high, high, 0]];
                ok(libc::syscall(
                    libc::SYS_capset,
                    header.as_ptr(),
                    data.as_ptr(),
                ))
                .map(drop)
            }
            Step::Groups(groups) => ok(libc::syscall(
                libc::SYS_setgroups,
                groups.len(),
                groups.as_ptr(),
            ))
            .map(drop),
            Step::Group(id) => ok(libc::syscall(libc::SYS_setresgid, *id, *id, *id)).map(drop),
            Step::User(id) => ok(libc::syscall(libc::SYS_setresuid, *id, *id, *id)).map(drop),
            Step::Visible => ok(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0).into()).map(drop),
            Step::NoNewPrivileges => {
                ok(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into()).map(drop)
            }
            Step::Signals => {
                for signal in 1..=64 {
                    libc::signal(signal, libc::SIG_DFL);
                }
                let none: u64 = 0;
                let (set, size) = (ptr::from_ref(&none), mem::size_of::<u64>());
                let how = libc::SIG_SETMASK;
                let old = ptr::null::<c_void>();
                ok(libc::syscall(libc::SYS_rt_sigprocmask, how, set, old, size)).map(drop)
            }
            Step::CloseOthers => {
                let flags = libc::CLOSE_RANGE_CLOEXEC;
                // Before Linux 5.11 there is no such call: all descriptors of ours are
                // close-on-exec anyway.
                ok_or(
                    libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, flags),
                    libc::ENOSYS,
                )
            }
            Step::Inspect { programs } => inspect(programs),
            Step::Filter { program, listener } => filter(program, *listener),
            Step::Execute { programs, .. } => execute(programs, vectors),
        }
    }
}

fn create(path: &CStr, bytes: &[u8], mode: u32) -> Result<(), i32> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
    write_to(path, bytes, flags, mode)
}

fn write_to(path: &CStr, bytes: &[u8], flags: c_int, mode: u32) -> Result<(), i32> {
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: see `take`.
    unsafe {
        let at = libc::AT_FDCWD;
        let fd = ok(libc::syscall(
            libc::SYS_openat,
            at,
            path.as_ptr(),
            flags,
            mode,
        ))?;
        let mut written = Ok(0);
        if !bytes.is_empty() {
            written = ok(libc::syscall(
                libc::SYS_write,
                fd,
                bytes.as_ptr(),
                bytes.len(),
            ));
        }
        libc::syscall(libc::SYS_close, fd);
        match written {
            Ok(count) if count as usize == bytes.len() => Ok(()),
            Ok(_) => Err(libc::ENOSPC),
            Err(errno) => Err(errno),
        }
    }
}

fn loopback() -> Result<(), i32> {
    // SAFETY: see `take`; all zeroes is a valid ifreq.
    unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        let socket = ok(libc::syscall(libc::SYS_socket, libc::AF_INET, kind, 0))?;
        let mut request: libc::ifreq = mem::zeroed();
        request.ifr_name[0] = b'l' as c_char;
        request.ifr_name[1] = b'o' as c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
        let up = ok(libc::syscall(
            libc::SYS_ioctl,
            socket,
            libc::SIOCSIFFLAGS as c_ulong,
            ptr::from_mut(&mut request),
        ));
        libc::syscall(libc::SYS_close, socket);
        up.map(drop)
    }
}

fn limit(resource: u32, soft: u64, hard: u64) -> Result<(), i32> {
    // SAFETY: see `take`.
    unsafe {
        let mut have = [0u64; 2];
        let call = libc::SYS_prlimit64;
        let none = ptr::null::<u64>();
        ok(libc::syscall(call, 0, resource, none, have.as_mut_ptr()))?;
        let hard = if hard < have[1] { hard } else { have[1] };
        let want = [if soft < hard { soft } else { hard }, hard];
        let none = ptr::null_mut::<u64>();
        ok(libc::syscall(call, 0, resource, want.as_ptr(), none)).map(drop)
    }
}

fn filter(program: &[sock_filter], listener: Option<RawFd>) -> Result<(), i32> {
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_ptr().cast_mut(),
    };
    let install = |flags: c_ulong| {
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        // SAFETY: see `take`; the kernel only reads the program.
        ok(unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, ptr::from_ref(&program)) })
    };
    let Some(socket) = listener else {
        return install(0).map(drop);
    };
    // Without the second flag a signal interrupts a call that is being looked at, and it comes
    // twice; Linux 5.19 has it.
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let fd = match install(flags | WAIT_KILLABLE) {
        Err(libc::EINVAL) => install(flags),
        other => other,
    }?;
    send_fds(socket, b'L', &[fd as RawFd])
}

/// The message with the directory of [`Step::Show`].
pub(super) const UPPER: u8 = b'U';

/// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` of `linux/seccomp.h`.
const WAIT_KILLABLE: c_ulong = 1 << 5;

/// Scripts whose interpreter is a script that the kernel follows (`BINPRM` in `fs/exec.c`).
const SCRIPTS: usize = 5;

/// Looks at the first program that is there, and at the interpreters its `#!` lines name; `ELOOP` if
/// one of them is reached through a magic link of /proc. Nothing else runs in the sandbox yet, so
/// what is executed afterwards is what was looked at.
fn inspect(programs: &[CString]) -> Result<(), i32> {
    let mut line = [0u8; 257];
    for program in programs {
        // SAFETY: a prepared text.
        let mut found = unsafe { head(program.as_ptr(), &mut line) };
        let mut scripts = 0;
        while let Ok(true) = found
            && scripts < SCRIPTS
        {
            let Some(name) = interpreter(&mut line) else {
                break;
            };
            scripts += 1;
            let mut path = [0u8; 257];
            path[..name.len()].copy_from_slice(name);
            // SAFETY: `path` is longer than any name and was zeroed: it ends with a zero byte.
            found = unsafe { head(path.as_ptr().cast(), &mut line) };
        }
        match found {
            Err(libc::ELOOP) => return Err(libc::ELOOP),
            // Not there, or not to be read: whoever executes it will find out.
            Err(_) if scripts == 0 => {}
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// The first bytes of a file; `false` where it is there but cannot be read. No magic link is followed.
///
/// # Safety
/// `path` must end with a zero byte.
unsafe fn head(path: *const c_char, line: &mut [u8; 257]) -> Result<bool, i32> {
    // struct open_how of openat2(2).
    let how = |flags: c_int| {
        [
            (flags | libc::O_CLOEXEC) as u64,
            0,
            libc::RESOLVE_NO_MAGICLINKS,
        ]
    };
    // SAFETY: see `take`; the structure is of the given size, and the buffer of its own.
    unsafe {
        let open = |flags| {
            let how = how(flags);
            let size = mem::size_of_val(&how);
            ok(libc::syscall(
                libc::SYS_openat2,
                libc::AT_FDCWD,
                path,
                how.as_ptr(),
                size,
            ))
        };
        let name = open(libc::O_PATH)?;
        libc::syscall(libc::SYS_close, name);
        *line = [0; 257];
        // A pipe in the place of a program would hold us up.
        let Ok(fd) = open(libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY) else {
            return Ok(false);
        };
        let got = libc::syscall(libc::SYS_read, fd, line.as_mut_ptr(), line.len() - 1);
        libc::syscall(libc::SYS_close, fd);
        Ok(got > 0)
    }
}

/// The interpreter that a `#!` line names, as the kernel cuts it out (`fs/binfmt_script.c`).
fn interpreter(line: &mut [u8; 257]) -> Option<&[u8]> {
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    if line[0] != b'#' || line[1] != b'!' {
        return None;
    }
    let mut start = 2;
    while start < line.len() && blank(line[start]) {
        start += 1;
    }
    let mut end = start;
    while end < line.len() && !blank(line[end]) && line[end] != b'\n' && line[end] != 0 {
        end += 1;
    }
    // One byte short of the buffer, so that a zero byte fits behind it.
    (end > start && end < line.len()).then(|| &line[start..end])
}

/// As a shell searches: a file that may not be executed is remembered, one that is missing is not.
fn execute(programs: &[CString], vectors: &Vectors) -> Result<(), i32> {
    let mut why = libc::ENOENT;
    for program in programs {
        // SAFETY: see `take`; both arrays end with a null pointer.
        unsafe {
            libc::syscall(
                libc::SYS_execve,
                program.as_ptr(),
                vectors.arguments.as_ptr(),
                vectors.environment.as_ptr(),
            )
        };
        match errno() {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => why = libc::EACCES,
            other => return Err(other),
        }
    }
    Err(why)
}

/// Reads what the child has to say of its steps, until it executes or ends.
pub(super) fn failures(report: impl io::Read) -> io::Result<Vec<Failure>> {
    let mut bytes = Vec::new();
    // One for each step at most.
    report.take(64 << 10).read_to_end(&mut bytes)?;
    let (records, _) = bytes.as_chunks::<{ mem::size_of::<Failure>() }>();
    let word =
        |bytes: &[u8; 8], at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    let failure = |record: &[u8; 8]| Failure {
        step: u32::from_ne_bytes(word(record, 0)),
        errno: i32::from_ne_bytes(word(record, 4)),
    };
    Ok(records.iter().map(failure).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    #[test]
    fn files_get_their_owners_and_then_their_modes() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let us = fs::metadata(root).unwrap();
        // Without root there is nobody to give them to but us.
        let (user, group) = match us.uid() {
            0 => (33, 34),
            user => (user, us.gid()),
        };
        fs::create_dir(root.join("shared")).unwrap();
        fs::create_dir(root.join("closed")).unwrap();
        for file in ["closed/file", "program", "left"] {
            fs::write(root.join(file), "").unwrap();
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(root.join(file), mode).unwrap();
        }
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), 0o600.into()).unwrap();
        let outside = tempfile::tempdir().unwrap();
        let before = fs::metadata(outside.path()).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
        let modes = [
            ("closed/file", Some(0o400)),
            ("closed", Some(0o500)),
            ("shared", Some(0o2775)),
            ("program", Some(0o6711)),
            ("pipe", Some(0o640)),
            ("left", None),
            ("gone", Some(0o777)),
        ];
        let owner = |path: &str, mode| Owner {
            path: CString::new(path).unwrap(),
            user,
            group,
            mode,
        };
        let owners: Vec<_> = modes.map(|(path, mode)| owner(path, mode)).into();
        let top = CString::new(root.as_os_str().as_bytes()).unwrap();
        own(&top, &owners).unwrap();
        for (path, mode) in modes.into_iter().filter(|(path, _)| *path != "gone") {
            let found = fs::symlink_metadata(root.join(path)).unwrap();
            assert_eq!(found.mode() & 0o7777, mode.unwrap_or(0o755), "{path}");
            assert_eq!((found.uid(), found.gid()), (user, group), "{path}");
        }
        // A link is not followed, whatever is asked for.
        assert_eq!(own(&top, &[owner("link", Some(0o777))]), Err(libc::ELOOP));
        let after = fs::metadata(outside.path()).unwrap();
        assert_eq!((after.mode(), after.uid()), (before.mode(), before.uid()));
        // To be removed.
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    }
}
