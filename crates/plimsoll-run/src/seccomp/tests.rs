//! The filter, run by an interpreter of the classic BPF that seccomp allows.

use std::collections::BTreeSet;

use super::*;

/// What the filter answers to a call; panics on code the kernel would refuse.
fn judge(program: &[sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend(number.to_le_bytes());
    data.extend(architecture.to_le_bytes());
    data.extend([0; 8]);
    for argument in arguments {
        data.extend(argument.to_le_bytes());
    }
    let (mut at, mut accumulator) = (0, 0);
    for _ in 0..program.len() {
        let op = program[at];
        at += 1;
        let when = |holds: bool| usize::from(if holds { op.jt } else { op.jf });
        match op.code {
            LOAD => {
                assert!(op.k.is_multiple_of(4) && op.k < 64, "load from {}", op.k);
                let bytes = &data[op.k as usize..][..4];
                accumulator = u32::from_le_bytes(bytes.try_into().unwrap());
            }
            JUMP => at += op.k as usize,
            IF_EQUAL => at += when(accumulator == op.k),
            IF_AT_LEAST => at += when(accumulator >= op.k),
            IF_ANY_BIT => at += when(accumulator & op.k != 0),
            RETURN => return op.k,
            code => panic!("instruction {code:#x} is none of ours"),
        }
    }
    panic!("the program does not end");
}

fn answer(notify: Notify, number: Number, arguments: [u64; 6]) -> u32 {
    judge(&filter(notify), ARCHITECTURE, number as u32, arguments)
}

const ALL: [Notify; 4] = [
    Notify::Nothing,
    Notify::Files,
    Notify::EveryFile,
    Notify::FilesAndOwners,
];

#[test]
fn every_number_is_answered_as_the_lists_say() {
    for notify in ALL {
        let program = filter(notify);
        assert!(program.len() < 4096, "the kernel takes 4096 instructions");
        for number in (0..2000).chain([0x3fff_ffff, 0x4000_0000, 0x4000_0001, u32::MAX]) {
            let got = judge(&program, ARCHITECTURE, number, [0; 6]);
            let number = Number::from(number);
            let wanted = if !calls::is_known(number) || calls::UNHEARD_OF.contains(&number) {
                refusal(libc::ENOSYS)
            } else if !calls::is_allowed(number) {
                refusal(libc::EPERM)
            } else if notify != Notify::Nothing && crate::trace::sees_path(number)
                || notify == Notify::FilesAndOwners && crate::trace::sees_owner(number)
            {
                NOTIFY
            } else {
                ALLOW
            };
            assert_eq!(got, wanted, "{notify:?} {number}");
        }
    }
}

#[test]
fn a_question_about_an_open_file_is_not_asked_the_tracer() {
    let empty = libc::AT_EMPTY_PATH as u64;
    let here = libc::AT_FDCWD as u32 as u64;
    for (number, flags) in [(libc::SYS_newfstatat, 3), (libc::SYS_statx, 2)] {
        let question = |fd: u64, bits: u64| {
            let mut arguments = [fd, 0, 0, 0, 0, 0];
            arguments[flags] = bits;
            [Notify::Files, Notify::EveryFile, Notify::FilesAndOwners]
                .map(|notify| answer(notify, number, arguments))
        };
        assert_eq!(question(3, empty), [ALLOW, NOTIFY, NOTIFY]);
        // Sign extended or not, `AT_FDCWD` is no descriptor.
        for (fd, bits) in [
            (3, 0),
            (3, empty | libc::AT_SYMLINK_NOFOLLOW as u64),
            (here, empty),
            (libc::AT_FDCWD as u64, empty),
            (here, 0),
        ] {
            assert_eq!(
                question(fd, bits),
                [NOTIFY; 3],
                "{number} {fd:#x} {bits:#x}"
            );
        }
    }
}

#[test]
fn a_program_for_another_machine_is_killed() {
    const I386: u32 = 0x4000_0003;
    const ARM: u32 = 0x4000_0028;
    for notify in ALL {
        for other in [I386, ARM, 0] {
            assert_eq!(judge(&filter(notify), other, 0, [0; 6]), KILL);
        }
    }
}

#[test]
fn what_reaches_out_of_a_container_is_refused() {
    for number in [
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_open_by_handle_at,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_acct,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_sethostname,
        libc::SYS_syslog,
        libc::SYS_quotactl,
        libc::SYS_fsopen,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_mount_setattr,
        libc::SYS_pidfd_getfd,
        libc::SYS_kcmp,
        libc::SYS_fanotify_init,
        libc::SYS_mbind,
    ] {
        for notify in ALL {
            assert_eq!(
                answer(notify, number, [0; 6]),
                refusal(libc::EPERM),
                "{number}"
            );
        }
    }
}

#[test]
fn arguments_are_looked_at_where_they_matter() {
    let eperm = refusal(libc::EPERM);
    let first = |value: u64| [value, 0, 0, 0, 0, 0];
    let second = |value: u64| [0, value, 0, 0, 0, 0];
    for (number, arguments, wanted) in [
        (libc::SYS_clone, first(libc::SIGCHLD as u64), ALLOW),
        (libc::SYS_clone, first(libc::CLONE_NEWUSER as u64), eperm),
        (libc::SYS_clone, first(libc::CLONE_NEWNS as u64 | 17), eperm),
        (
            libc::SYS_clone,
            first(libc::CLONE_NEWNET as u64 | 1 << 40),
            eperm,
        ),
        (libc::SYS_socket, first(libc::AF_INET as u64), ALLOW),
        (libc::SYS_socket, first(libc::AF_VSOCK as u64), eperm),
        // The kernel takes an int: the high word is no way around.
        (
            libc::SYS_socket,
            first(libc::AF_VSOCK as u64 | 1 << 32),
            eperm,
        ),
        (libc::SYS_personality, first(0), ALLOW),
        (libc::SYS_personality, first(8), ALLOW),
        (libc::SYS_personality, first(0x20008), ALLOW),
        (libc::SYS_personality, first(0xffff_ffff), ALLOW),
        (libc::SYS_personality, first(0x0040_0000), eperm),
        (
            libc::SYS_ioctl,
            second(u64::from(libc::TCGETS as u32)),
            ALLOW,
        ),
        (
            libc::SYS_ioctl,
            second(u64::from(libc::TIOCSTI as u32)),
            eperm,
        ),
    ] {
        for notify in ALL {
            assert_eq!(
                answer(notify, number, arguments),
                wanted,
                "{number} {arguments:?}"
            );
        }
    }
}

#[test]
fn the_lists_name_every_call_once() {
    let all: Vec<Number> = [calls::ALLOWED, calls::ALLOWED_HERE].concat();
    let unique: BTreeSet<Number> = all.iter().copied().collect();
    assert_eq!(all.len(), unique.len());
    assert!(unique.iter().all(|&number| calls::is_known(number)));
}
