//! What the test binary does inside a sandbox. As tests of their own these do nothing: they look
//! whether they are process 1.
#![expect(
    unsafe_code,
    reason = "the calls that are to be refused or seen have no safe words"
)]

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// Whether this is the sandbox; everything below returns at once where it is not.
fn is_here() -> bool {
    std::process::id() == 1
}

/// A line for the test that started us.
fn say(line: impl std::fmt::Display) {
    // The harness writes to standard output too, without an end of line: so to the other one.
    eprintln!("> {line}");
}

/// `errno` of a raw call; 0 if it succeeded.
fn errno(answer: i64) -> i32 {
    match answer {
        -1 => std::io::Error::last_os_error().raw_os_error().unwrap_or(-1),
        _ => 0,
    }
}

macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {
        // SAFETY: the arguments are numbers, or pointers to texts that live through the call.
        errno(unsafe { libc::syscall($number $(, $argument)*) })
    };
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A web server: what it serves it reads at the request.
#[test]
#[ignore = "a program for a sandbox"]
fn serve() {
    if !is_here() {
        return;
    }
    thread::sleep(Duration::from_millis(150));
    let server = TcpListener::bind("0.0.0.0:80").unwrap();
    say("serving");
    // A probe that has seen enough hangs up, be it in the middle of its request.
    for stream in server.incoming().flatten() {
        let _ = answer_request(stream);
    }
}

/// One request and its answer; the error is that of a client that hung up.
fn answer_request(mut stream: TcpStream) -> std::io::Result<()> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    reader.read_line(&mut line)?;
    let (mut header, mut headers) = (String::new(), String::new());
    while reader.read_line(&mut header)? > 2 {
        headers.push_str(&header.to_ascii_lowercase());
        header.clear();
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (status, more, body) = match &*path {
        "/" => ("200 OK", "", fs::read("/data.txt").unwrap()),
        "/moved" => ("302 Found", "Location: /\r\n", Vec::new()),
        "/broken" => ("500 Oops", "", b"broken".to_vec()),
        // Says back what it was told.
        "/echo" => {
            let method = line.split(' ').next().unwrap_or_default();
            let value = |name: &str| {
                let mut lines = headers.lines();
                let line = lines.find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().trim().to_owned()
            };
            let length = value("content-length:").parse().unwrap_or(0);
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let body = String::from_utf8(body).unwrap();
            let answer = format!("{method} {} {body}", value("x-mark:"));
            ("201 Created", "", answer.into())
        }
        "/site/" => {
            let page = "<a href=one>1</a> <a href='http://example.org/'>x</a> <a href=/nope>";
            ("200 OK", "Content-Type: text/html\r\n", page.into())
        }
        "/site/one" => {
            let page = "<a href=two><a href=./one><img src=../moved>";
            ("200 OK", "Content-Type: TEXT/HTML\r\n", page.into())
        }
        "/site/two" => ("200 OK", "", b"<a href=/broken>".to_vec()),
        "/big" => ("200 OK", "", vec![b'x'; 5 << 20]),
        "/slow" => {
            thread::sleep(Duration::from_secs(60));
            ("200 OK", "", Vec::new())
        }
        _ => {
            let found = fs::read(&path);
            (
                "404 Not Found",
                "X-Twice: 1\r\nX-Twice: 2\r\n",
                format!("{}", found.is_ok()).into(),
            )
        }
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// A server that speaks first, on IPv6 only.
#[test]
#[ignore = "a program for a sandbox"]
fn greet() {
    if !is_here() {
        return;
    }
    let server = TcpListener::bind("[::1]:25").unwrap();
    for mut stream in server.incoming().flatten() {
        if stream.write_all(b"220 hello\r\n").is_err() {
            continue;
        }
        thread::spawn(move || {
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            if reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                let _ = stream.write_all(b"221 bye\r\n");
            }
        });
    }
}

/// A server that knows one word, and hangs up on all others.
#[test]
#[ignore = "a program for a sandbox"]
fn ping() {
    if !is_here() {
        return;
    }
    let server = TcpListener::bind("0.0.0.0:80").unwrap();
    for mut stream in server.incoming().flatten() {
        thread::spawn(move || {
            let mut word = [0; 6];
            if stream.read_exact(&mut word).is_ok() && word == *b"PING\r\n" {
                let _ = stream.write_all(b"+PONG\r\n");
            }
        });
    }
}

/// A server that answers a line with the same in capitals.
#[test]
#[ignore = "a program for a sandbox"]
fn shout() {
    if !is_here() {
        return;
    }
    let server = TcpListener::bind("0.0.0.0:80").unwrap();
    for mut stream in server.incoming().flatten() {
        let Ok(reader) = stream.try_clone() else {
            continue;
        };
        let mut reader = BufReader::new(reader);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            // In two pieces, as a network may.
            let (one, two) = line.split_at(line.len() / 2);
            for part in [one, two] {
                let _ = stream.write_all(part.to_ascii_uppercase().as_bytes());
                thread::sleep(Duration::from_millis(20));
            }
            line.clear();
        }
    }
}

/// Names files in every way the kernel knows.
#[test]
#[ignore = "a program for a sandbox"]
fn touch() {
    if !is_here() {
        return;
    }
    let at = libc::AT_FDCWD;
    let (file, missing, link) = (c("/t/file"), c("/t/missing"), c("/t/link"));
    fs::create_dir("/t").unwrap();
    fs::write("/t/file", "x").unwrap();
    symlink("file", "/t/link").unwrap();
    say(call!(libc::SYS_faccessat, at, missing.as_ptr(), 0));
    let mut room = [0u8; 256];
    let to = room.as_mut_ptr();
    say(call!(
        libc::SYS_newfstatat,
        at,
        link.as_ptr(),
        to,
        libc::AT_SYMLINK_NOFOLLOW
    ));
    say(call!(libc::SYS_readlinkat, at, link.as_ptr(), to, 16));
    say(call!(
        libc::SYS_lgetxattr,
        c("/t/attr").as_ptr(),
        c("user.x").as_ptr(),
        to,
        16
    ));
    say(call!(libc::SYS_statfs, c("/t/statfs").as_ptr(), to));
    // Relative to the working directory, with its dots, and to a descriptor.
    std::env::set_current_dir("/t").unwrap();
    drop(File::open("../t/./file"));
    let directory = File::open("/t").unwrap();
    let fd = directory.as_raw_fd();
    say(call!(libc::SYS_mkdirat, fd, c("made").as_ptr(), 0o755));
    say(call!(
        libc::SYS_renameat2,
        fd,
        c("made").as_ptr(),
        fd,
        c("moved").as_ptr(),
        0
    ));
    say(call!(
        libc::SYS_linkat,
        at,
        file.as_ptr(),
        fd,
        c("hard").as_ptr(),
        0
    ));
    say(call!(libc::SYS_unlinkat, fd, c("hard").as_ptr(), 0));
    say(call!(libc::SYS_fchmodat, fd, c("file").as_ptr(), 0o600));
    let how: [u64; 3] = [libc::O_PATH as u64, 0, 0];
    say(call!(
        libc::SYS_openat2,
        fd,
        c("file2").as_ptr(),
        how.as_ptr(),
        24
    ));
    say(call!(libc::SYS_truncate, c("file3").as_ptr(), 0));
    let mut facts = [0_u64; 32];
    say(call!(
        libc::SYS_newfstatat,
        fd,
        c("behind").as_ptr(),
        facts.as_mut_ptr(),
        libc::AT_EMPTY_PATH
    ));
    // The descriptor of a pipe is no directory, and bad pointers name nothing.
    let (reader, _writer) = std::io::pipe().unwrap();
    say(call!(
        libc::SYS_openat,
        reader.as_raw_fd(),
        c("none").as_ptr(),
        0
    ));
    say(call!(libc::SYS_openat, at, 1, 0));
    say(call!(libc::SYS_openat, at, c("").as_ptr(), 0));
    assert_eq!(fs::read_dir("/etc").unwrap().flatten().count(), 4);
    assert!(UnixStream::connect("/t/socket").is_err());
    // SAFETY: no pointers.
    let inotify = unsafe { libc::inotify_init1(0) };
    say(call!(
        libc::SYS_inotify_add_watch,
        inotify,
        c("watched").as_ptr(),
        1
    ));
    let none = [std::ptr::null::<libc::c_char>()];
    say(call!(
        libc::SYS_execve,
        c("/t/program").as_ptr(),
        none.as_ptr(),
        none.as_ptr()
    ));
    let long = c(&"l".repeat(5000));
    say(call!(libc::SYS_openat, at, long.as_ptr(), 0));
    // In a root of its own.
    fs::create_dir("/t/jail").unwrap();
    say(call!(libc::SYS_chroot, c("/t/jail").as_ptr()));
    assert!(File::open("/inmate").is_err());
    drop(File::open("outside"));
}

/// Tries to get out.
#[test]
#[ignore = "a program for a sandbox"]
fn escape() {
    if !is_here() {
        return;
    }
    let (none, root) = (c("none"), c("/"));
    let zero = std::ptr::null::<u8>();
    let bind = libc::MS_BIND;
    for (name, got) in [
        (
            "mount",
            call!(
                libc::SYS_mount,
                none.as_ptr(),
                root.as_ptr(),
                zero,
                bind,
                zero
            ),
        ),
        ("umount", call!(libc::SYS_umount2, c("/proc").as_ptr(), 0)),
        ("unshare", call!(libc::SYS_unshare, libc::CLONE_NEWUSER)),
        ("setns", call!(libc::SYS_setns, 0, 0)),
        (
            "clone",
            call!(
                libc::SYS_clone,
                libc::CLONE_NEWUSER | libc::SIGCHLD,
                0,
                0,
                0,
                0
            ),
        ),
        ("clone3", call!(libc::SYS_clone3, zero, 0)),
        ("bpf", call!(libc::SYS_bpf, 0, zero, 0)),
        ("io_uring", call!(libc::SYS_io_uring_setup, 1, zero)),
        ("keyctl", call!(libc::SYS_keyctl, 0, -3, 0)),
        (
            "vsock",
            call!(libc::SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        ),
        ("handle", call!(libc::SYS_open_by_handle_at, 0, zero, 0)),
        ("userfaultfd", call!(libc::SYS_userfaultfd, 0)),
        ("fanotify", call!(libc::SYS_fanotify_init, 0, 0)),
        (
            "descriptor of another",
            call!(libc::SYS_pidfd_getfd, 0, 0, 0),
        ),
        (
            "counters",
            call!(libc::SYS_perf_event_open, zero, 0, -1, -1, 0),
        ),
        ("module", call!(libc::SYS_init_module, zero, 0, zero)),
        ("clock", call!(libc::SYS_clock_settime, 0, zero)),
        ("unheard of", call!(999)),
    ] {
        say(format!("{name} {got}"));
    }
    let device = libc::makedev(1, 1);
    let node = c("/memory");
    let made = call!(
        libc::SYS_mknodat,
        libc::AT_FDCWD,
        node.as_ptr(),
        libc::S_IFCHR | 0o666,
        device
    );
    say(format!("mknod {made}"));
    let path = "/proc/1/root/../../etc/hostname";
    let found = fs::OpenOptions::new().append(true).open(path);
    let found = found.map_err(|error| error.kind()).map(drop);
    say(format!("{path} {found:?}"));
    // Not there, no permission, read-only: every kernel has its own no.
    for path in [
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/sys/kernel/uevent_helper",
    ] {
        let found = fs::OpenOptions::new().append(true).open(path);
        say(format!("{path} {}", found.is_ok()));
    }
    // What is shown of the kernel cannot be exchanged for what the image would like to be seen.
    fs::create_dir("/made-up").unwrap();
    for path in ["/proc", "/dev", "/dev/null", "/proc/self/status"] {
        let kept = fs::rename(path, "/made-up/x").is_err() && fs::rename("/made-up", path).is_err();
        say(format!("{path} stays {kept}"));
    }
    // The socket is this machine's; its name is in a file.
    let name = fs::read("/socket-name").unwrap();
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name);
    let connected = UnixStream::connect_addr(&address.unwrap());
    say(format!(
        "abstract {:?}",
        connected.map_err(|error| error.kind()).map(drop)
    ));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let read_only = |path: &str| {
        let line = mounts
            .lines()
            .rfind(|line| line.split(' ').nth(4) == Some(path));
        line.unwrap().split(' ').nth(5).unwrap().starts_with("ro")
    };
    let three = ["/proc/sys", "/sys", "/"].map(read_only);
    say(format!("read-only {three:?}"));
    say(format!(
        "keys {}",
        fs::read("/proc/keys").is_ok_and(|keys| !keys.is_empty())
    ));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    for name in [
        "CapInh:",
        "CapPrm:",
        "CapEff:",
        "CapBnd:",
        "CapAmb:",
        "NoNewPrivs:",
        "Seccomp:",
    ] {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        say(line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    }
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let processes =
        processes.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    say(format!("processes {}", processes.count()));
    let interfaces = fs::read_to_string("/proc/net/dev").unwrap();
    say(format!("interfaces {}", interfaces.lines().skip(2).count()));
    let address = SocketAddr::from(([192, 0, 2, 1], 80));
    let connected = TcpStream::connect_timeout(&address, Duration::from_secs(2));
    say(format!(
        "connect {:?}",
        connected.map_err(|error| error.kind()).map(drop)
    ));
    say(format!("mounts {}", mounts.contains("/home/")));
    let open: Vec<i32> = (3..64)
        // SAFETY: no pointers.
        .filter(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0)
        .collect();
    say(format!("descriptors {open:?}"));
}

fn ids() -> String {
    let (mut real, mut effective, mut saved) = (0, 0, 0);
    let mut groups = [0; 16];
    // SAFETY: the kernel fills what it is given.
    unsafe {
        libc::getresuid(&mut real, &mut effective, &mut saved);
        let count = libc::getgroups(16, groups.as_mut_ptr());
        let (user, group) = (libc::geteuid(), libc::getegid());
        assert_eq!((user, libc::getuid()), (effective, real));
        let groups = &groups[..count as usize];
        format!("{real} {effective} {saved} group {group} groups {groups:?}")
    }
}

fn owner(path: &str) -> String {
    let by_path = fs::symlink_metadata(path).unwrap();
    let by_descriptor = File::open(path).unwrap().metadata().unwrap();
    assert_eq!(
        (by_path.uid(), by_path.gid()),
        (by_descriptor.uid(), by_descriptor.gid())
    );
    let plain = c(path);
    // SAFETY: zeroes are a valid stat, and the kernel fills it.
    let plain = unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        assert_eq!(libc::lstat(plain.as_ptr(), &mut found), 0);
        found
    };
    assert_eq!(
        (plain.st_uid, plain.st_size as u64),
        (by_path.uid(), by_path.len())
    );
    format!("{path} {} {}", by_path.uid(), by_path.gid())
}

/// Root that gives files away and becomes somebody else.
#[test]
#[ignore = "a program for a sandbox"]
fn change() {
    if !is_here() {
        return;
    }
    let chown = |path: &str, user, group| {
        let path = c(path);
        // SAFETY: the text lives through the call.
        errno(unsafe { libc::chown(path.as_ptr(), user, group) }.into())
    };
    say(ids());
    say(owner("/etc/hosts"));
    fs::create_dir("/d").unwrap();
    fs::write("/d/a", "four").unwrap();
    say(chown("/d/a", 33, 44));
    say(owner("/d/a"));
    say(chown("/d/a", u32::MAX, 45));
    say(owner("/d/a"));
    fs::rename("/d", "/e").unwrap();
    say(owner("/e/a"));
    fs::hard_link("/e/a", "/e/b").unwrap();
    say(owner("/e/b"));
    say(chown("/e/missing", 1, 1));
    say(chown("/dev/stdout", 33, 33));
    fs::set_permissions("/e", std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    // SAFETY: an array of three, and numbers.
    unsafe {
        assert_eq!(libc::setgroups(3, [7, 8, 9].as_ptr()), 0);
        assert_eq!(libc::setresgid(34, 34, 34), 0);
        assert_eq!(libc::setuid(33), 0);
        say(ids());
        say(format!("back {}", errno(libc::setuid(0).into())));
        say(format!(
            "groups {}",
            errno(libc::setgroups(0, [].as_ptr()).into())
        ));
    }
    fs::write("/e/mine", "").unwrap();
    say(owner("/e/mine"));
    say(format!("not mine {}", chown("/etc/hosts", 33, 34)));
    say(format!("give away {}", chown("/e/mine", 0, 0)));
    say(format!(
        "to a group of mine {}",
        chown("/e/mine", u32::MAX, 9)
    ));
    say(owner("/e/mine"));
    // A child is who its parent was.
    let output = std::process::Command::new("/bin/id")
        .arg("-u")
        .output()
        .unwrap();
    say(format!(
        "child {}",
        String::from_utf8_lossy(&output.stdout).trim()
    ));
}

/// Says who it is and who owns a file of the image.
#[test]
#[ignore = "a program for a sandbox"]
fn somebody() {
    if !is_here() {
        return;
    }
    say(ids());
    say(format!(
        "root again {}",
        errno(i64::from({
            // SAFETY: no pointers.
            unsafe { libc::setuid(0) }
        }))
    ));
}

/// Takes memory until it is stopped.
#[test]
#[ignore = "a program for a sandbox"]
fn eat() {
    if !is_here() {
        return;
    }
    let mut all = Vec::new();
    loop {
        all.push(vec![1u8; 4 << 20]);
        thread::sleep(Duration::from_millis(2));
    }
}

/// Ends properly when it is asked to.
#[test]
#[ignore = "a program for a sandbox"]
fn listen_and_leave() {
    if !is_here() {
        return;
    }
    static STOP: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    extern "C" fn stop(_: libc::c_int) {
        STOP.store(true, std::sync::atomic::Ordering::Relaxed);
    }
    // SAFETY: the handler only stores to an atomic.
    unsafe { libc::signal(libc::SIGTERM, stop as *const () as libc::sighandler_t) };
    let _server = TcpListener::bind("127.0.0.1:80").unwrap();
    while !STOP.load(std::sync::atomic::Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(10));
    }
    let _ = File::open("/at-the-end");
    say("bye");
}

/// Counts its starts in a file of its own, and its reloads.
#[test]
#[ignore = "a program for a sandbox"]
fn count() {
    if !is_here() {
        return;
    }
    static RELOADS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    extern "C" fn reload(_: libc::c_int) {
        RELOADS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic.
    unsafe { libc::signal(libc::SIGHUP, reload as *const () as libc::sighandler_t) };
    let starts = fs::read_to_string("/starts").map_or(0, |text| text.parse::<u32>().unwrap());
    if starts > 0 {
        let _ = File::open("/at-the-second-start");
    }
    fs::write("/starts", (starts + 1).to_string()).unwrap();
    std::os::unix::fs::chown("/starts", Some(7), Some(8)).unwrap_or_default();
    // What the runtime supplies is there both times.
    let fresh = fs::read_link("/proc/self").unwrap() == std::path::Path::new("1")
        && fs::read("/proc/keys").is_ok_and(|keys| keys.is_empty())
        && fs::write("/proc/sys/kernel/hostname", "x").is_err();
    let server = TcpListener::bind("0.0.0.0:80").unwrap();
    for mut stream in server.incoming().flatten() {
        let reloads = RELOADS.load(std::sync::atomic::Ordering::Relaxed);
        if reloads > 0 {
            let _ = File::open("/at-a-reload");
        }
        let owner = owner("/starts");
        let text = format!("{starts} {reloads} {fresh} {owner}\n");
        let _ = stream.write_all(text.as_bytes());
    }
}

/// Puts a link to what executes it in the place of a program, and the program back, for ever.
#[test]
#[ignore = "a program for a sandbox"]
fn swap() {
    if !is_here() {
        return;
    }
    loop {
        for target in ["/proc/self/exe", "/bin/sh"] {
            symlink(target, "/next").unwrap();
            fs::rename("/next", "/bin/swapped").unwrap();
        }
    }
}

/// Not inside: a process of its own that runs a sandbox and is killed meanwhile.
#[test]
#[ignore = "a program for another test"]
fn run_for_ever() {
    let Some(mut tree) = crate::tree::Tree::new() else {
        return;
    };
    tree.command = crate::tree::inside("become_somebody");
    tree.probes = vec![plimsoll_run::Probe::parse("cmd:false").unwrap()];
    tree.watch = plimsoll_run::Watch::Off;
    let _ = tree.run();
}

/// Another user, then another program.
#[test]
#[ignore = "a program for a sandbox"]
fn become_somebody() {
    use std::os::unix::process::CommandExt as _;
    if !is_here() {
        return;
    }
    // SAFETY: no pointers.
    unsafe { libc::setuid(33) };
    let mut command = std::process::Command::new("/bin/sleep");
    panic!("{}", command.arg0("sleep").arg("7531.5").exec());
}

/// Hides: a program that nobody may read, whose memory is nobody's business, with a filter of its own.
#[test]
#[ignore = "a program for a sandbox"]
fn hide() {
    if !is_here() {
        return;
    }
    let hidden = call!(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    assert_eq!(hidden, 0);
    for (action, flags) in [
        (
            libc::SECCOMP_RET_USER_NOTIF,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
        ),
        (libc::SECCOMP_RET_ALLOW, 0),
    ] {
        let mut code = [libc::sock_filter {
            code: (libc::BPF_RET | libc::BPF_K) as u16,
            jt: 0,
            jf: 0,
            k: action,
        }];
        let program = libc::sock_fprog {
            len: 1,
            filter: code.as_mut_ptr(),
        };
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        say(format!(
            "filter {}",
            call!(libc::SYS_seccomp, mode, flags, &raw const program)
        ));
    }
    let _ = File::open("/opened-in-hiding");
    let _ = thread::spawn(|| File::open("/opened-by-a-thread")).join();
}

/// Fills files in memory that it does not map, until it is stopped.
#[test]
#[ignore = "a program for a sandbox"]
fn hoard() {
    if !is_here() {
        return;
    }
    let name = c("hoard");
    // SAFETY: the text lives through the call, and the descriptor is nobody else's.
    let mut file = unsafe {
        use std::os::fd::FromRawFd as _;
        File::from_raw_fd(libc::memfd_create(name.as_ptr(), 0))
    };
    let bytes = vec![1u8; 4 << 20];
    while file.write_all(&bytes).is_ok() {
        thread::sleep(Duration::from_millis(2));
    }
    say("nothing more is given");
}

/// Makes the kernel keep tables for pages that there are none of, until it is stopped.
#[test]
#[ignore = "a program for a sandbox"]
fn spread() {
    if !is_here() {
        return;
    }
    const EACH: usize = 2 << 20;
    const ALL: usize = 1 << 40;
    // SAFETY: the mapping is ours, and read below its end.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let at = libc::mmap(std::ptr::null_mut(), ALL, libc::PROT_READ, flags, -1, 0);
        assert_ne!(at, libc::MAP_FAILED);
        libc::madvise(at, ALL, libc::MADV_NOHUGEPAGE);
        for index in 0..ALL / EACH {
            std::ptr::read_volatile(at.cast::<u8>().add(index * EACH));
            if index % 1024 == 0 {
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
    say("nobody minds");
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

/// Reads a file, and digs deeper than any path may be long.
#[test]
#[ignore = "a program for a sandbox"]
fn bury() {
    if !is_here() {
        return;
    }
    fs::read("/plain").unwrap();
    let name = "d".repeat(200);
    for _ in 0..4096 {
        fs::create_dir(&name).unwrap();
        std::env::set_current_dir(&name).unwrap();
    }
    fs::write("file", "").unwrap();
    say("buried");
}

/// Makes what is hard to remove: directories thousands of levels deep, and closed ones.
#[test]
#[ignore = "a program for a sandbox"]
fn dig() {
    if !is_here() {
        return;
    }
    fs::create_dir_all("/closed/inner").unwrap();
    fs::write("/closed/inner/file", "").unwrap();
    for path in ["/closed/inner", "/closed"] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    for _ in 0..3000 {
        fs::create_dir("deep").unwrap();
        std::env::set_current_dir("deep").unwrap();
    }
    fs::write("file", "").unwrap();
    fs::set_permissions(".", fs::Permissions::from_mode(0o000)).unwrap();
    say("dug");
}
