//! What `slim` asks of an image, and what it says of the answers.

use plimsoll_model::Config;
use plimsoll_run::{Outcome, Probe};

use crate::failure::{Failure, Result};

pub(super) fn parse(texts: &[String]) -> Result<Vec<Probe>> {
    let one = |text: &String| {
        Probe::parse(text).map_err(|error| {
            Failure::because(format_args!("cannot understand the probe `{text}`"), &error)
                .hint("plimsoll list probes names the kinds; plimsoll explain http says how one is written")
        })
    };
    texts.iter().map(one).collect()
}

/// A connection to each exposed port.
pub(super) fn exposed(config: &Config) -> Result<Vec<Probe>> {
    let ports = config.tcp_ports();
    let texts: Vec<String> = ports.iter().map(|port| format!("tcp:{port}")).collect();
    parse(&texts)
}

/// What the user should know about a proof that proves little.
pub(super) fn weakness(given: &[String], probes: &[Probe]) -> Option<String> {
    match (given.is_empty(), probes.is_empty()) {
        (false, _) => None,
        (true, false) => Some(
            "no probe was given: only connections to the exposed ports were tried, which proves \
             little; name what must go on working with --probe http:/PATH or --probe cmd:COMMAND"
                .to_owned(),
        ),
        (true, true) => Some(
            "no probe was given and no port is exposed: the image was run to its end, and its \
             exit code and output were compared"
                .to_owned(),
        ),
    }
}

/// What the slimmed image does differently, beyond what differs between two runs of the original.
pub(super) fn compare(first: &Outcome, second: &Outcome, result: &Outcome) -> Vec<String> {
    let users = [first, second, result].map(|outcome| {
        let running = outcome.running_as.iter();
        running
            .map(|it| format!("{} {}:{}", it.exe, it.uid, it.gid))
            .collect::<Vec<_>>()
    });
    fn run<'a>(outcome: &'a Outcome, users: &'a [String]) -> plimsoll_slim::Run<'a> {
        plimsoll_slim::Run {
            answers: &outcome.answers,
            listening: &outcome.listening,
            running_as: users,
            exit: outcome.exit.map(|exit| exit.ended.code()),
        }
    }
    let [first_users, second_users, result_users] = &users;
    let differences = plimsoll_slim::compare(
        &run(first, first_users),
        &run(second, second_users),
        &run(result, result_users),
    );
    differences.iter().map(ToString::to_string).collect()
}

/// The last lines that somebody printed.
pub(super) fn tail(who: &str, output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .take(8)
        .map(|line| format!("{who}: {line}"))
        .collect();
    lines.reverse();
    lines
}

pub(super) fn describe(answer: &plimsoll_model::Answer) -> String {
    use plimsoll_model::answer::Outcome::{Exit, Http, None, Pages, Tcp};
    match &answer.outcome {
        Http { status, .. } => format!("it answers {status}"),
        Pages(pages) => format!("it has {} pages", pages.len()),
        Tcp { .. } => "connected".to_owned(),
        Exit { code, .. } => format!("exit code {code}"),
        None(why) => why.clone(),
    }
}

/// What a probe's command printed.
pub(super) fn said(answer: &plimsoll_model::Answer) -> Vec<String> {
    match &answer.outcome {
        plimsoll_model::answer::Outcome::Exit { output, .. } => tail("probe", output),
        _ => Vec::new(),
    }
}

/// A client error is an answer, and is compared; but a probe that meets one tries less than it
/// seems to.
pub(super) fn refused(answers: &[plimsoll_model::Answer]) -> impl Iterator<Item = String> {
    answers.iter().filter_map(|answer| match &answer.outcome {
        plimsoll_model::answer::Outcome::Http { status, .. } if *status >= 400 => Some(format!(
            "the original answers {} with {status}: that proves little of the application",
            answer.probe
        )),
        _ => None,
    })
}
