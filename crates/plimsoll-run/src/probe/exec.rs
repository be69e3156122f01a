//! `exec:`: a program of the image, run inside it.

use std::sync::Arc;
use std::time::Instant;

use plimsoll_model::answer::Outcome;

use super::{Ask, Row, Scene};

pub(super) static PROBE: Row = Row {
    id: "exec",
    help: "exec:PROGRAM ARGUMENTS, a program of the image, run inside it as its user; good when it exits with 0",
    page: PAGE,
    parse,
};

const PAGE: &str = "\
A program of the image, run inside it beside its first one, as its user, in its working directory
and environment; good when it exits with 0. What it prints is compared.

    exec:/usr/bin/pg_isready -q
    exec:/bin/sh -c 'test -s /run/app.pid'

There is no shell unless one is named; words are quoted as in a shell. What the program needs stays
in the image. The HEALTHCHECK of an image is such a probe by itself: its shell form needs the image's
shell, which then stays. While the program is started, all others in the sandbox stand still for some
milliseconds. An image that ends by itself cannot be asked, be it that it ends right after its answer:
its exit code and output are what is compared (slim --args). As a plain user, the program sees the owners of files as the image ships them. In a
plimsoll.toml:

    [[probe]]
    exec = [\"/usr/bin/pg_isready\", \"-q\"]
";

struct Exec {
    command: Vec<String>,
}

fn parse(rest: &str) -> Result<Arc<dyn Ask>, String> {
    let command = super::split(rest)?;
    if command.first().is_none_or(String::is_empty) {
        return Err(String::from("the program is missing"));
    }
    if command.iter().any(|word| word.contains('\0')) {
        return Err(String::from("a word has a zero byte"));
    }
    Ok(Arc::new(Exec { command }))
}

impl Ask for Exec {
    fn port(&self) -> Option<u16> {
        None
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        match scene.door.run(&self.command, scene.output, deadline) {
            Ok(Some((ended, output))) => Outcome::Exit {
                code: ended.code(),
                output,
            },
            Ok(None) => Outcome::None(String::from("the program did not end in time")),
            Err(error) => Outcome::None(error.to_string()),
        }
    }
}
