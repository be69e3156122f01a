//! `cmd:`: a command of this machine, run inside the sandbox's network.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use plimsoll_model::answer::Outcome;

use super::{Ask, Row, Scene};
use crate::sys;

pub(super) static PROBE: Row = Row {
    id: "cmd",
    help: "cmd:COMMAND, this machine's /bin/sh runs it inside the sandbox's network (PROBE_HOST, PROBE_PORT, PROBE_LOG); good when it exits with 0",
    page: PAGE,
    parse,
};

const PAGE: &str = "\
A command of this machine, run inside the sandbox's network; good when it exits with 0.

    cmd:COMMAND                 as /bin/sh -c reads it

It sees this machine's files and the image's ports on 127.0.0.1. PROBE_HOST is 127.0.0.1,
PROBE_PORT the first exposed port, PROBE_LOG a file with what the image has printed. What it prints
is compared. In a plimsoll.toml:

    [[probe]]
    cmd = \"redis-cli -p $PROBE_PORT ping | grep -q PONG\"
";

/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What would send a command's requests out of the sandbox.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
];

struct Cmd {
    command: String,
}

fn parse(rest: &str) -> Result<Arc<dyn Ask>, String> {
    if rest.trim().is_empty() {
        return Err(String::from("the command is empty"));
    }
    if rest.contains('\0') {
        return Err(String::from("the command has a zero byte"));
    }
    Ok(Arc::new(Cmd {
        command: rest.to_owned(),
    }))
}

impl Ask for Cmd {
    fn port(&self) -> Option<u16> {
        None
    }

    fn needs_it_running(&self) -> bool {
        // What the image printed can still be read.
        false
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        self.run(scene, deadline)
            .unwrap_or_else(|error| Outcome::None(format!("the command cannot be run: {error}")))
    }
}

impl Cmd {
    fn run(&self, scene: &Scene<'_>, deadline: Instant) -> io::Result<Outcome> {
        // A file and no pipe: a child left behind by the command cannot hold us up.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = scene.scratch.join(format!("probe-{count}.out"));
        let output = File::create(&path)?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(&self.command)
            .env("PROBE_LOG", &scene.log)
            .env("PROBE_HOST", "127.0.0.1")
            .env("PROBE_PORT", scene.port.unwrap_or(0).to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        for name in PROXIES {
            command.env_remove(name);
        }
        scene.network.enter(&mut command);
        let mut child = command.spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() >= deadline {
                break None;
            }
            std::thread::sleep(LOOK);
        };
        // Whatever it left running in its group goes with it.
        sys::kill_group(child.id());
        let status = match status {
            Some(status) => status,
            None => {
                child.wait()?;
                let _ = std::fs::remove_file(&path);
                return Ok(Outcome::None(String::from(
                    "the command did not end in time",
                )));
            }
        };
        let mut output = Vec::new();
        File::open(&path)?
            .take(scene.output)
            .read_to_end(&mut output)?;
        let _ = std::fs::remove_file(&path);
        Ok(Outcome::Exit {
            code: code(status),
            output,
        })
    }
}

fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}
