//! What `slim` asks of an image, and what it says of the answers.

use plimsoll_model::{Answer, Config};
use plimsoll_run::probe::{quote, split};
use plimsoll_run::{COMPLETION, Outcome, Probe, RunningAs};

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

/// What is asked of an image, and where it comes from.
pub(super) struct Asked {
    /// The probes, in the order they are asked.
    pub(super) probes: Vec<Probe>,
    /// The exposed ports are to be found out about: nobody has said what to ask.
    is_found: bool,
    /// The last one is the image's own health check.
    has_check: bool,
}

impl Asked {
    /// What the user gave, else a greeting to each exposed port; and the image's own health check.
    pub(super) fn new(given: Vec<Probe>, config: &Config) -> Self {
        let is_found = given.is_empty();
        let mut probes = given;
        if is_found {
            probes.extend(config.tcp_ports().into_iter().map(Probe::greet));
        }
        let check = healthcheck(config);
        let has_check = check.is_some();
        probes.extend(check);
        Self {
            probes,
            is_found,
            has_check,
        }
    }

    /// Goes on with what the original has answered to: a port that is exposed and not listened on,
    /// or a health check that fails by itself, says nothing of a slimmed image; and one that ends by
    /// itself, and well, can be asked neither. The notes tell what was found, and what was left out.
    /// Where nothing is left to ask, the image is to be run to its end instead.
    pub(super) fn settle(&mut self, original: &mut Outcome) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let count = original.answers.len();
        if count != self.probes.len() {
            // It ran to its end instead.
            return Ok(notes);
        }
        let may_go = |index: usize| match self.has_check && index + 1 == count {
            true => Some("its own health check fails here"),
            false => self.is_found.then_some("an exposed port is not answered"),
        };
        let is_good: Vec<bool> = original.answers.iter().map(Answer::is_good).collect();
        // One that listened before is a server, which is not run to its end.
        let has_port = self.probes.iter().any(|probe| probe.port().is_some());
        let has_ended_well = original
            .exit
            .is_some_and(|exit| exit.ended.code() == 0 && (exit.before_probes || !has_port));
        let is_left = is_good.contains(&true) || self.is_found && has_ended_well;
        let (mut answers, mut took, mut probes) = (Vec::new(), Vec::new(), Vec::new());
        let mut has_check = self.has_check;
        for (index, answer) in original.answers.iter().enumerate() {
            // Something must be left to prove.
            if let Some(why) = may_go(index).filter(|_| !is_good[index] && is_left) {
                has_check &= index + 1 < count;
                notes.push(format!(
                    "{why}, and is no probe: {}: {}",
                    answer.probe,
                    describe(answer)
                ));
                continue;
            }
            match is_good[index] {
                true => probes.extend(parse(std::slice::from_ref(&answer.probe))?),
                false => probes.push(self.probes[index].clone()),
            }
            answers.push(answer.clone());
            took.extend(original.took.get(index));
        }
        (self.probes, self.has_check) = (probes, has_check);
        (original.answers, original.took) = (answers, took);
        Ok(notes)
    }

    /// Whether nobody has named a probe.
    pub(super) fn is_found(&self) -> bool {
        self.is_found
    }

    /// Nothing is asked any more, since the image ends by itself as it comes, and is started in other
    /// ways; what was not answered, as a note.
    pub(super) fn give_up(&mut self, original: &Outcome) -> Vec<String> {
        self.probes.clear();
        self.has_check = false;
        let bad = original.answers.iter().find(|answer| !answer.is_good());
        let note = |answer: &Answer| {
            format!(
                "as it comes it ends by itself, and was compared in the given ways alone: {}: {}",
                answer.probe,
                describe(answer)
            )
        };
        bad.map(note).into_iter().collect()
    }

    /// What was asked, but for the image's own health check, which any run asks by itself; nothing
    /// where it was found by itself.
    pub(super) fn given(&self) -> Vec<String> {
        if self.is_found {
            return Vec::new();
        }
        let own = usize::from(self.has_check);
        let given = self
            .probes
            .iter()
            .take(self.probes.len().saturating_sub(own));
        given.map(ToString::to_string).collect()
    }

    /// What the user should know about a proof that proves little.
    pub(super) fn weakness(&self) -> Option<String> {
        if !self.is_found {
            return None;
        }
        if self.probes.is_empty() {
            return Some(
                "no probe was given, and the image ends by itself: it was run to its end, and its \
                 exit code and output were compared"
                    .to_owned(),
            );
        }
        let found: Vec<String> = self.probes.iter().map(ToString::to_string).collect();
        Some(format!(
            "no probe was given: only what was found by itself was asked ({}), which proves little; \
             name what must go on working with --probe http:/PATH or --probe cmd:COMMAND",
            found.join("; ")
        ))
    }
}

/// The image's own health check as a probe (Docker's form: `CMD` and words, or `CMD-SHELL` and a
/// line for the image's shell).
fn healthcheck(config: &Config) -> Option<Probe> {
    let (kind, words) = config.healthcheck.as_deref()?.split_first()?;
    let shell = ["/bin/sh".to_owned(), "-c".to_owned()];
    let command: Vec<&String> = match kind.as_str() {
        "CMD" => words.iter().collect(),
        "CMD-SHELL" => shell.iter().chain(words).collect(),
        _ => return None,
    };
    let command: Vec<String> = command.into_iter().cloned().collect();
    let text = format!("exec:{}", line(&command));
    // One that cannot be written down cannot be run either.
    Probe::parse(&text).ok()
}

/// Words as the user would write them.
pub(super) fn line(words: &[String]) -> String {
    let words = words.iter().map(|word| quote(word.as_bytes()));
    words.collect::<Vec<_>>().join(" ")
}

/// The lists of arguments the user gave.
pub(super) fn arguments(texts: &[String]) -> Result<Vec<Vec<String>>> {
    let one = |text: &String| {
        split(text)
            .map_err(|why| Failure::new(format!("cannot understand the arguments `{text}`: {why}")))
    };
    texts.iter().map(one).collect()
}

/// What the original answers after a reload and a restart, and the slimmed image does not. Whatever the
/// original answers then as it did at first, and as it does when started again, must be the same of the
/// slimmed image; what it answers otherwise, differs by itself.
pub(super) fn compare_later(
    asked: &Asked,
    original: &Outcome,
    again: &Outcome,
    result: &Outcome,
) -> Vec<String> {
    let mut differences = Vec::new();
    for answer in original.later.iter().filter(|answer| answer.is_good()) {
        let name = &answer.probe;
        let is_of = |probe: &str| name.starts_with(&format!("{probe}, after "));
        let now = result.later.iter().find(|answer| answer.probe == *name);
        match now {
            Some(now) if !now.is_good() => {
                differences.push(format!("{name}: {}", describe(now)));
            }
            Some(now) => {
                let mut originals = vec![answer];
                let mut first = original.answers.iter();
                originals.extend(first.find(|first| is_of(&first.probe)));
                let mut second = again.answers.iter().filter(|second| second.is_good());
                originals.extend(second.find(|second| is_of(&second.probe)));
                let found = plimsoll_slim::compare_answer(&originals, now);
                differences.extend(found.iter().map(ToString::to_string));
            }
            // A port that was found out about anew may have another name.
            None if asked.probes.iter().any(|probe| is_of(&probe.to_string())) => {
                differences.push(format!("{name}: it was not asked in every run"));
            }
            None => {}
        }
    }
    differences
}

/// What the original itself does not do after a reload or a restart.
pub(super) fn not_later(original: &Outcome) -> impl Iterator<Item = String> {
    let bad = original.later.iter().filter(|answer| !answer.is_good());
    bad.map(|answer| {
        format!(
            "the original itself does not pass {}: {}; that was not compared",
            answer.probe,
            describe(answer)
        )
    })
}

/// What the slimmed image does differently, beyond what differs between two runs of the original.
pub(super) fn compare(first: &Outcome, second: &Outcome, result: &Outcome) -> Vec<String> {
    let outcomes = [first, second, result];
    let running = || outcomes.iter().flat_map(|outcome| &outcome.running_as);
    // A process on its way from root to somebody else has that one's group first; whether it is seen
    // there is chance.
    let is_on_its_way = |it: &RunningAs| {
        let arrived =
            |other: &RunningAs| other.exe == it.exe && other.gid == it.gid && other.uid != 0;
        it.uid == 0 && it.gid != 0 && running().any(arrived)
    };
    let users = outcomes.map(|outcome| {
        let running = outcome.running_as.iter().filter(|it| !is_on_its_way(it));
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

pub(super) fn describe(answer: &Answer) -> String {
    use plimsoll_model::answer::Outcome::{Exit, Http, None, Pages, Tcp};
    match &answer.outcome {
        Http { status, .. } => format!("it answers {status}"),
        Pages(pages) => format!("it has {} pages", pages.len()),
        Tcp { .. } => "connected".to_owned(),
        Exit { code, .. } => format!("exit code {code}"),
        None(why) => why.clone(),
    }
}

/// Whether it is that of a program that was run to its end.
pub(super) fn is_completion(answer: &Answer) -> bool {
    answer.probe == COMPLETION || answer.probe.starts_with(&format!("{COMPLETION} with "))
}

/// What a probe's command printed.
pub(super) fn said(answer: &Answer) -> Vec<String> {
    match &answer.outcome {
        plimsoll_model::answer::Outcome::Exit { output, .. } => tail("probe", output),
        _ => Vec::new(),
    }
}

/// A client error is an answer, and is compared; but a probe that meets one tries less than it
/// seems to.
pub(super) fn refused(answers: &[Answer]) -> impl Iterator<Item = String> {
    answers.iter().filter_map(|answer| match &answer.outcome {
        plimsoll_model::answer::Outcome::Http { status, .. } if *status >= 400 => Some(format!(
            "the original answers {} with {status}: that proves little of the application",
            answer.probe
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(healthcheck: &[&str]) -> Config {
        Config {
            healthcheck: Some(healthcheck.iter().map(|&word| word.to_owned()).collect()),
            ..Config::default()
        }
    }

    #[test]
    fn a_health_check_is_a_probe() {
        for (check, text) in [
            (
                &["CMD", "/bin/check", "a b"][..],
                Some("exec:/bin/check \"a b\""),
            ),
            (
                &["CMD-SHELL", "curl -f x || exit 1"],
                Some("exec:/bin/sh -c \"curl -f x || exit 1\""),
            ),
            (&["NONE"], None),
            (&["CMD"], None),
            (&[], None),
        ] {
            let found = healthcheck(&config(check)).map(|probe| probe.to_string());
            assert_eq!(found.as_deref(), text, "{check:?}");
        }
    }

    /// A run in which each probe got an answer, or none.
    fn outcome(answers: &[(&str, bool)]) -> Outcome {
        let answer = |&(probe, good): &(&str, bool)| {
            let code = i32::from(!good);
            let output = Vec::new();
            Answer::new(
                probe.to_owned(),
                plimsoll_model::answer::Outcome::Exit { code, output },
            )
        };
        Outcome {
            answers: answers.iter().map(answer).collect(),
            took: vec![std::time::Duration::ZERO; answers.len()],
            later: Vec::new(),
            startup: None,
            observations: plimsoll_model::Observations::default(),
            read: None,
            listening: Vec::new(),
            running_as: Vec::new(),
            exit: None,
            output: Vec::new(),
            ready: None,
            total: std::time::Duration::ZERO,
            way: plimsoll_run::Way::Root,
            problems: Vec::new(),
        }
    }

    #[test]
    fn what_the_original_does_not_answer_by_itself_is_left_out() {
        let check = config(&["CMD", "/bin/check"]);
        let given = || parse(&["http:/".to_owned()]).unwrap();
        let left = |asked: &Asked| -> Vec<String> {
            asked.probes.iter().map(ToString::to_string).collect()
        };

        let mut asked = Asked::new(given(), &check);
        let mut run = outcome(&[("http:/", true), ("exec:/bin/check", false)]);
        let notes = asked.settle(&mut run).unwrap();
        assert_eq!(left(&asked), ["http:/"]);
        assert_eq!(asked.given(), ["http:/"]);
        assert_eq!((run.answers.len(), run.took.len()), (1, 1));
        assert!(
            notes[0].contains("exec:/bin/check: exit code 1"),
            "{notes:?}"
        );

        // What the user asks for stays, and fails.
        let mut asked = Asked::new(given(), &check);
        let mut run = outcome(&[("http:/", false), ("exec:/bin/check", true)]);
        assert!(asked.settle(&mut run).unwrap().is_empty());
        assert_eq!(run.answers.len(), 2);

        // A port goes by what answered there; one without an answer goes, unless it is the only one.
        let ports = Config {
            exposed_ports: vec!["80/tcp".to_owned(), "443/tcp".to_owned()],
            ..Config::default()
        };
        let mut asked = Asked::new(Vec::new(), &ports);
        let mut run = outcome(&[("http://:80/", true), ("tcp:443", false)]);
        assert_eq!(asked.settle(&mut run).unwrap().len(), 1);
        assert_eq!(left(&asked), ["http://:80/"]);
        let mut asked = Asked::new(Vec::new(), &ports);
        let mut run = outcome(&[("tcp:80", false), ("tcp:443", false)]);
        assert!(asked.settle(&mut run).unwrap().is_empty());
        assert_eq!(run.answers.len(), 2);
    }

    #[test]
    fn one_that_ends_well_is_asked_nothing_that_nobody_has_named() {
        let config = Config {
            exposed_ports: vec!["80/tcp".to_owned()],
            ..config(&["CMD", "/bin/check"])
        };
        let ends = |code: i32| Outcome {
            exit: Some(plimsoll_run::Exit {
                ended: plimsoll_run::Ended::Code(code),
                before_probes: true,
            }),
            ..outcome(&[("port 80", false), ("exec:/bin/check", false)])
        };
        let mut asked = Asked::new(Vec::new(), &config);
        let mut run = ends(0);
        assert_eq!(asked.settle(&mut run).unwrap().len(), 2);
        assert!(asked.probes.is_empty() && run.answers.is_empty());
        assert!(asked.weakness().unwrap().contains("run to its end"));
        // One that fails is none that works; and what somebody names must be answered.
        let mut asked = Asked::new(Vec::new(), &config);
        assert!(asked.settle(&mut ends(1)).unwrap().is_empty());
        assert_eq!(asked.probes.len(), 2);
        let given = parse(&["exec:/bin/named".to_owned()]).unwrap();
        let mut asked = Asked::new(given, &config);
        assert!(asked.settle(&mut ends(0)).unwrap().is_empty());
        assert_eq!(asked.probes.len(), 2);
    }

    #[test]
    fn what_fails_later_is_a_difference_where_the_original_does_not() {
        let asked = Asked::new(parse(&["http:/".to_owned()]).unwrap(), &Config::default());
        let with = |later: &[(&str, bool)]| Outcome {
            later: outcome(later).answers,
            ..outcome(&[])
        };
        let (reload, restart) = ("http:/, after a reload", "http:/, after a restart");
        let original = with(&[(reload, false), (restart, true)]);
        let same = with(&[(reload, false), (restart, true)]);
        assert!(compare_later(&asked, &original, &original, &same).is_empty());
        let differences = compare_later(&asked, &original, &original, &with(&[(restart, false)]));
        assert_eq!(differences, ["http:/, after a restart: exit code 1"]);
        let differences = compare_later(&asked, &original, &original, &with(&[]));
        assert_eq!(
            differences,
            ["http:/, after a restart: it was not asked in every run"]
        );
        // Found out about anew, under another name.
        let other = with(&[("tcp:9, after a restart", true)]);
        assert!(compare_later(&asked, &other, &other, &with(&[])).is_empty());
        assert_eq!(not_later(&original).count(), 1);
    }

    #[test]
    fn a_process_on_its_way_to_another_user_is_seen_or_not_by_chance() {
        let with = |running: &[(u32, u32)]| {
            let one = |&(uid, gid)| RunningAs {
                exe: "/httpd".to_owned(),
                uid,
                gid,
            };
            Outcome {
                running_as: running.iter().map(one).collect(),
                ..outcome(&[])
            }
        };
        let (there, seen) = (
            with(&[(0, 0), (33, 33)]),
            with(&[(0, 0), (0, 33), (33, 33)]),
        );
        assert!(compare(&seen, &seen, &there).is_empty());
        assert!(compare(&there, &there, &seen).is_empty());
        // One that never arrives, and one that does not set out.
        for other in [with(&[(0, 0), (0, 34), (33, 33)]), with(&[(0, 0)])] {
            assert_eq!(compare(&there, &there, &other).len(), 1);
        }
    }

    #[test]
    fn an_answer_after_a_restart_is_compared_too() {
        let asked = Asked::new(parse(&["http:/".to_owned()]).unwrap(), &Config::default());
        let answer = |probe: &str, status: u16, body: &str| {
            let outcome = plimsoll_model::answer::Outcome::Http {
                status,
                headers: Default::default(),
                body: body.into(),
            };
            Answer::new(probe.to_owned(), outcome)
        };
        let run = |first: (u16, &str), later: (u16, &str)| Outcome {
            answers: vec![answer("http:/", first.0, first.1)],
            later: vec![answer("http:/, after a restart", later.0, later.1)],
            ..outcome(&[])
        };
        let compare = |original: &Outcome, later| {
            compare_later(&asked, original, original, &run((200, "hello"), later))
        };
        let original = run((200, "hello"), (200, "hello"));
        assert!(compare(&original, (200, "hello")).is_empty());
        let differences = compare(&original, (404, "gone"));
        assert_eq!(
            differences,
            ["http:/, after a restart: status 200 became 404"]
        );
        assert_eq!(compare(&original, (200, "bye")).len(), 1);
        // A visit later is another number on its counter.
        let original = run((200, "visit 1"), (200, "visit 5"));
        assert!(compare(&original, (200, "visit 7")).is_empty());
        // What is made at each start differs between two starts, and what counts on by the moment.
        let original = run((200, "id ab, visit 1"), (200, "id ab, visit 5"));
        let later = |body| run((200, "hello"), (200, body));
        let compare = |again, body| compare_later(&asked, &original, &again, &later(body)).len();
        let again = || run((200, "id cd, visit 1"), (200, "id cd, visit 5"));
        assert_eq!(compare(again(), "id ef, visit 7"), 0);
        assert_eq!(compare(again(), "no ef, visit 7"), 1);
        let same = || run((200, "id ab, visit 1"), (200, "id ab, visit 5"));
        assert_eq!(compare(same(), "id ef, visit 7"), 1);
    }

    #[test]
    fn what_was_given_is_not_weak() {
        let given = parse(&["http:/".to_owned()]).unwrap();
        let asked = Asked::new(given, &config(&["CMD", "/bin/check"]));
        assert_eq!(asked.probes.len(), 2);
        assert_eq!(asked.weakness(), None);
        let asked = Asked::new(Vec::new(), &config(&["CMD", "/bin/check"]));
        assert!(asked.weakness().unwrap().contains("exec:/bin/check"));
        let nothing = Asked::new(Vec::new(), &Config::default());
        assert!(nothing.weakness().unwrap().contains("run to its end"));
    }
}
