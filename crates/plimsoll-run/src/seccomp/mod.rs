//! The system call filter: what Docker's default profile allows and nothing more, with the calls
//! the tracer looks at sent there.
//!
//! Known calls that are not allowed answer `EPERM`; numbers this list has never heard of answer
//! `ENOSYS`, so that a newer C library falls back to what it did before. Programs for another
//! instruction set (i386, x32, 32-bit Arm) are killed: their numbers mean other calls.

use libc::{c_int, sock_filter};

mod calls;

pub(crate) use calls::{FCHMODAT2, Number, RENAMEAT};

/// Which calls are sent to the tracer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notify {
    /// None.
    Nothing,
    /// Those that take a path, but not where it can only be a question about an open descriptor.
    Files,
    /// Those that take a path.
    EveryFile,
    /// Those, and all that ask for or change an owner or an identity.
    FilesAndOwners,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Allow,
    /// The tracer sees it first.
    Notify,
    /// The tracer sees it first, unless it asks about an open descriptor: its first argument is one,
    /// and that with this index is `AT_EMPTY_PATH` and nothing else.
    NotifyPath(usize),
    /// Not made; this `errno` is answered.
    Refuse(c_int),
    /// Allowed without flags for new namespaces.
    Clone,
    /// Allowed for every address family but AF_VSOCK, which reaches the host of a virtual machine.
    Socket,
    /// Allowed for the values of Docker's profile.
    Personality,
    /// Allowed for every request but TIOCSTI, which types into a terminal.
    Ioctl,
}

/// `personality(2)`: PER_LINUX, PER_LINUX32, UNAME26, both, and the question.
const PERSONALITIES: [u32; 5] = [0, 0x0008, 0x0002_0000, 0x0002_0008, 0xffff_ffff];

/// All namespace flags of `clone(2)`.
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWCGROUP) as u32;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Offsets in `struct seccomp_data` (`linux/seccomp.h`).
const AT_NUMBER: u32 = 0;
const AT_ARCHITECTURE: u32 = 4;
/// The low word of the first two arguments; both machines are little-endian.
const AT_FIRST: u32 = at(0);
const AT_SECOND: u32 = at(1);

/// The offset of an argument, counted from 0, or of its low word.
const fn at(argument: usize) -> u32 {
    16 + 8 * argument as u32
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const IF_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

const fn refusal(errno: c_int) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// The filter as the kernel takes it: the architecture, then a search tree over the numbers, with
/// an action at each leaf.
pub(crate) fn filter(notify: Notify) -> Vec<sock_filter> {
    let runs = runs(notify);
    let mut program = vec![
        load(AT_ARCHITECTURE),
        branch(IF_EQUAL, ARCHITECTURE, 1, 0),
        give(KILL),
        load(AT_NUMBER),
    ];
    program.extend(search(&runs));
    program
}

/// The actions of all numbers, equal neighbours together: first number and action.
fn runs(notify: Notify) -> Vec<(u32, Action)> {
    let mut runs: Vec<(u32, Action)> = Vec::new();
    for number in 0..=calls::HIGHEST + 1 {
        let action = action(number, notify);
        if runs.last().is_none_or(|&(_, last)| last != action) {
            runs.push((number as u32, action));
        }
    }
    runs
}

fn action(number: Number, notify: Notify) -> Action {
    if calls::UNHEARD_OF.contains(&number) || !calls::is_known(number) {
        return Action::Refuse(libc::ENOSYS);
    }
    let allowed = match number {
        libc::SYS_clone => Action::Clone,
        libc::SYS_socket => Action::Socket,
        libc::SYS_personality => Action::Personality,
        libc::SYS_ioctl => Action::Ioctl,
        _ if calls::is_allowed(number) => Action::Allow,
        _ => return Action::Refuse(libc::EPERM),
    };
    let seen = crate::trace::sees_path(number);
    match notify {
        Notify::Nothing => allowed,
        Notify::FilesAndOwners if seen || crate::trace::sees_owner(number) => Action::Notify,
        Notify::EveryFile if seen => Action::Notify,
        Notify::Files if seen => match crate::trace::flags_of_question(number) {
            Some(flags) => Action::NotifyPath(flags),
            None => Action::Notify,
        },
        Notify::Files | Notify::EveryFile | Notify::FilesAndOwners => allowed,
    }
}

/// Code for these runs; it needs the number in the accumulator and always returns.
fn search(runs: &[(u32, Action)]) -> Vec<sock_filter> {
    let [(_, action)] = runs else {
        let (left, right) = runs.split_at(runs.len() / 2);
        let (left_code, right_code) = (search(left), search(right));
        let first = right.first().map_or(0, |run| run.0);
        // Conditional jumps reach 255 instructions; the unconditional one reaches all.
        let mut code = match u8::try_from(left_code.len()) {
            Ok(far) => vec![branch(IF_AT_LEAST, first, far, 0)],
            Err(_) => vec![
                branch(IF_AT_LEAST, first, 0, 1),
                sock_filter {
                    code: JUMP,
                    jt: 0,
                    jf: 0,
                    k: left_code.len() as u32,
                },
            ],
        };
        code.extend(left_code);
        code.extend(right_code);
        return code;
    };
    match action {
        Action::Allow => vec![give(ALLOW)],
        Action::Notify => vec![give(NOTIFY)],
        // What starts from the working directory has a negative number in place of a descriptor.
        Action::NotifyPath(flags) => vec![
            load(at(*flags)),
            branch(IF_EQUAL, libc::AT_EMPTY_PATH as u32, 0, 2),
            load(AT_FIRST),
            branch(IF_AT_LEAST, 1 << 31, 0, 1),
            give(NOTIFY),
            give(ALLOW),
        ],
        Action::Refuse(errno) => vec![give(refusal(*errno))],
        Action::Clone => unless(AT_FIRST, IF_ANY_BIT, NAMESPACES),
        Action::Socket => unless(AT_FIRST, IF_EQUAL, libc::AF_VSOCK as u32),
        Action::Ioctl => unless(AT_SECOND, IF_EQUAL, libc::TIOCSTI as u32),
        Action::Personality => {
            let mut code = vec![load(AT_FIRST)];
            for (index, value) in PERSONALITIES.into_iter().enumerate() {
                let far = (PERSONALITIES.len() - index) as u8;
                code.push(branch(IF_EQUAL, value, far, 0));
            }
            code.extend([give(refusal(libc::EPERM)), give(ALLOW)]);
            code
        }
    }
}

/// Allows the call unless the test of one argument holds.
fn unless(argument: u32, test: u16, value: u32) -> Vec<sock_filter> {
    vec![
        load(argument),
        branch(test, value, 0, 1),
        give(refusal(libc::EPERM)),
        give(ALLOW),
    ]
}

const fn load(offset: u32) -> sock_filter {
    sock_filter {
        code: LOAD,
        jt: 0,
        jf: 0,
        k: offset,
    }
}

const fn branch(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

const fn give(k: u32) -> sock_filter {
    sock_filter {
        code: RETURN,
        jt: 0,
        jf: 0,
        k,
    }
}

#[cfg(test)]
mod tests;
