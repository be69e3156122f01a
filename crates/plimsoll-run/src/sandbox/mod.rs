//! The sandbox an image runs in: what an image could try, and what stops it.
//!
//! One `clone(2)` makes new user, mount, process, network, IPC, host name and control group
//! namespaces at once; the child is process 1 there and becomes the image's program. Needs Linux 5.11
//! (overlays in user namespaces). Before the program starts, the child runs nothing but a prepared
//! list of system calls.
//!
//! | what an image could try | what stops it |
//! |---|---|
//! | read or write this machine's files | its own mount namespace; `pivot_root`, the old root detached; no mount of the host but six device files and the tree itself |
//! | change the tree it runs on | an overlay whose upper side is in memory (or a copy); the tree is only ever the lower side, unless the caller gives it away (`Spec::spend`), and then what is written to it is counted |
//! | swap a link to `/` into its tree while we look through it | directories are opened below the tree's top alone, through no link or mount; a look is bounded in time, and the other limits do not wait for it: see `beneath` |
//! | change the host's device files (`chmod 0 /dev/null` as user 0) | each is mounted read-only: that lets devices be written to, and their modes and owners not |
//! | write over our own program through `/proc/self/exe` (CVE-2019-5736) | before the program starts, nothing of the image runs; a program or `#!` interpreter reached through a magic link of /proc is refused |
//! | a symbolic link in the image where we write or mount (`/etc/hosts`, `/proc`) | /proc, /sys, /dev and /etc must be directories; files are written after the change of root, newly made, no link followed |
//! | inherit descriptors | all but the three streams are close-on-exec; standard input is /dev/null, the outputs are a pipe |
//! | reach the network, or services on this machine's loopback and abstract sockets | a network namespace with a loopback interface of its own and nothing else |
//! | see, signal or trace other processes | a process namespace; /proc shows it alone |
//! | make new namespaces, mount, load modules, keys, BPF, performance counters, file handles | the system call filter, no looser than Docker's default: see `seccomp` |
//! | the same calls by another number | programs for other instruction sets (i386, x32, 32-bit Arm) are killed at their first call |
//! | io_uring, which no filter sees into; `clone3`, whose flags none can read | both answer `ENOSYS` |
//! | use a privilege of user 0 | Docker's fourteen default capabilities, and only within the user namespace; `no_new_privs` |
//! | settings of the kernel | /proc/sys, /proc/irq, /proc/bus, /proc/fs and /sys are read-only; what Docker hides is hidden |
//! | start this machine's handler of core dumps | a core limit of 1, at which the kernel starts none |
//! | lay hands on us while a program of its own is started for a probe | all its processes stand still until it runs: see `exec` |
//! | leave something for its second start | that start is another process 1 in the same namespaces, confined in the same way; nothing of the first still runs: see `again` |
//! | live on after us | a keeper process of ours kills it when we are gone, even by `SIGKILL`; the parent-death signal does it sooner where the program keeps it |
//! | use up memory, processes, disk, output, time | limits, each named when it is hit; tables of pages, and files in memory that nobody maps, count as memory; the file system is in memory with a size and a number of files, and on a tree that is given away what the tree has and what the image's processes hold open without a name is counted; under memory pressure the kernel kills the image first |
//! | fool the tracer | it only says "go on" (or answers for identities): it decides nothing; what a number of a process stands for is checked before anything is written to its memory |
//! | hold us up: pipes, endless answers, slow drips, a greeting that never comes | names are opened without opening files; every answer has a size and a deadline |
//! | forge a line of a report by its file names | names are shown escaped |
//!
//! What is *not* stopped, so that nobody believes it is: a flaw of the kernel in a call that Docker
//! allows too; the processor time an image burns until its deadline; memory of the kernel for it (pipes,
//! sockets) is bounded by the kernel's own limits only; between two looks
//! at its memory, a tenth of a second, an image may take more than it is allowed. On a tree that is given
//! away, files without a name that only a socket under way holds, or a mapping where we are not root,
//! are not counted until four times as much is gone of the disk as is allowed; where processes with
//! subordinate ids cannot be asked, until twice as much is. There are no control
//! groups: a plain user mostly may not make any. The six devices are this machine's own files: an image
//! can lock them (`flock(2)`) until it ends, and be told when others use them (`inotify(7)`).
//!
//! Of the three ways in, two give an image its users: root, and a plain user with subordinate ids, whose
//! range the system's own helpers put into the user namespace (`subordinate.rs`). The files of a tree
//! are given to their owners, and get their modes, there first, and what is left of it can be looked at
//! and removed only by whoever takes the same ids on. In the third the tracer answers for users (`trace/fake`).
//!
//! What an image may miss: set-user-ID programs gain nothing; devices cannot be made; there is no
//! control group file system; time, host name and routes cannot be set.

mod again;
mod beneath;
mod copy;
mod exec;
mod output;
mod owners;
mod place;
mod plan;
mod proc;
mod shared;
mod spawn;
mod spend;
mod step;
mod still;
mod supervise;
mod unnamed;

pub(crate) use exec::Door;
pub(crate) use proc::{children, family, field, kill_all};
pub(crate) use spawn::{Blocked, CLONING, attempt};
pub(crate) use supervise::run;
