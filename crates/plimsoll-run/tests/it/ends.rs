//! How images end, and how those that cannot begin are told.

use std::time::Duration;

use plimsoll_model::answer::Outcome;
use plimsoll_run::{Ended, Exit, Probe, Watch};

use crate::tree::Tree;

#[test]
fn a_program_that_runs_to_its_end_answers_with_its_code_and_output() {
    let Some(tree) = Tree::new() else { return };
    let outcome = tree.script("echo out; echo err >&2; exit 3");
    let output = b"out\nerr\n".to_vec();
    assert_eq!(outcome.answers.len(), 1);
    assert_eq!(outcome.answers[0].probe, "run");
    assert_eq!(
        outcome.answers[0].outcome,
        Outcome::Exit { code: 3, output }
    );
    let exit = Exit {
        ended: Ended::Code(3),
        before_probes: true,
    };
    assert_eq!(outcome.exit, Some(exit));
}

#[test]
fn an_end_before_the_port_listens_is_told_at_once() {
    let Some(mut tree) = Tree::new() else { return };
    tree.ports = vec![80];
    tree.probes = vec![plimsoll_run::Probe::parse("http:/").unwrap()];
    let outcome = tree.script("echo cannot; exit 1");
    assert!(outcome.total < tree.limits.start);
    assert!(!outcome.answers[0].is_good());
    let exit = outcome.exit.unwrap();
    assert_eq!((exit.ended, exit.before_probes), (Ended::Code(1), true));
    assert_eq!(exit.ended.to_string(), "exit code 1");
    assert_eq!(outcome.output, b"cannot\n");
}

#[test]
fn what_ends_by_itself_was_not_asked_in_time_whenever_that_was() {
    let Some(mut tree) = Tree::new() else { return };
    tree.linger = std::time::Duration::from_secs(5);
    let parse = |text: &str| Probe::parse(text).unwrap();
    for (script, end) in [
        ("exit 3", "exit code 3"),
        ("sleep 0.1; exit 3", "exit code 3"),
        ("sleep 0.4", "exit code 0"),
    ] {
        for probe in ["exec:/bin/sh -c 'exit 0'", "http:/", "tcp:80"] {
            tree.probes = vec![parse(probe), parse("cmd:true")];
            let outcome = tree.script(script);
            let wanted = Outcome::None(format!("the image had ended ({end})"));
            assert_eq!(outcome.answers[0].outcome, wanted, "{script} {probe}");
            assert!(outcome.answers[1].is_good(), "{script} {probe}");
            assert_eq!(outcome.exit.unwrap().ended.to_string(), end);
        }
    }
    // What goes on is given no longer than that to end.
    tree.linger = std::time::Duration::from_millis(100);
    tree.probes = vec![parse("exec:/bin/sh -c 'exit 0'")];
    let outcome = tree.script("sleep 60");
    assert!(outcome.answers[0].is_good() && outcome.exit.is_none());
}

#[test]
fn a_program_that_cannot_start_is_told_in_a_runtime_s_words() {
    let Some(mut tree) = Tree::new() else { return };
    tree.write("/bin/text", "text");
    tree.write("/bin/script", "#!/bin/none\n");
    tree.write("/bin/nonsense", "\u{7f}ELF nonsense");
    tree.executable("/bin/script");
    tree.executable("/bin/nonsense");
    for (program, words) in [
        ("none", "cannot start none: no such file"),
        ("/bin/none", "cannot start /bin/none: no such file"),
        ("bin/it", "cannot start bin/it: no such file"),
        ("text", "cannot start text: permission denied"),
        ("/etc", "cannot start /etc: permission denied"),
        (
            "/bin/nonsense",
            "cannot start /bin/nonsense: not a program this machine can run",
        ),
        (
            "/bin/script",
            "cannot start /bin/script: the file is there, but the interpreter or loader it names is not",
        ),
    ] {
        for watch in [Watch::Usual, Watch::Off] {
            tree.watch = watch;
            tree.command = vec![program.to_owned()];
            assert_eq!(tree.run().unwrap_err().to_string(), words);
        }
    }
    tree.command = Vec::new();
    let error = tree.run().unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot start nothing: the image names no entrypoint and no command"
    );
}

#[test]
fn a_program_that_does_not_hear_is_killed_with_all_its_children() {
    let Some(mut tree) = Tree::new() else { return };
    tree.probes = vec![plimsoll_run::Probe::parse("cmd:grep -q go $PROBE_LOG").unwrap()];
    let outcome = tree.script("sleep 1000 & (sleep 1000 &) ; echo go; sleep 1000");
    assert!(outcome.answers[0].is_good());
    // A shell as process 1 has no handler: nobody waits for what cannot come.
    assert!(outcome.total < tree.limits.stop, "{:?}", outcome.total);
    let names: Vec<&str> = outcome.running_as.iter().map(|one| &*one.exe).collect();
    assert_eq!(names, ["/bin/sh", "/bin/sleep"]);
}

#[test]
fn a_reload_and_a_second_start_are_seen() {
    let Some(mut tree) = Tree::new() else { return };
    tree.ports = vec![80];
    tree.probes = vec![Probe::parse("tcp:80").unwrap()];
    tree.again = true;
    let outcome = tree.inside("count");
    let greeting = |answer: &plimsoll_model::Answer| match &answer.outcome {
        Outcome::Tcp { greeting } => String::from_utf8(greeting.clone()).unwrap(),
        other => panic!("{other:?} {:?}", outcome.problems),
    };
    let name = |answer: &plimsoll_model::Answer| answer.probe.clone();
    assert_eq!(greeting(&outcome.answers[0]), "0 0 true /starts 7 8\n");
    let names: Vec<String> = outcome.later.iter().map(name).collect();
    assert_eq!(
        names,
        ["tcp:80, after a reload", "tcp:80, after a restart"],
        "{:?}",
        outcome.problems
    );
    let greetings: Vec<String> = outcome.later.iter().map(greeting).collect();
    let wanted = ["0 1 true /starts 7 8\n", "1 0 true /starts 7 8\n"];
    assert_eq!(greetings, wanted);
    for (path, scene) in [
        ("/at-a-reload", "reload"),
        ("/at-the-second-start", "restart"),
    ] {
        let seen = format!("{:?}", outcome.observations.seen[path.as_bytes()]);
        assert!(seen.contains(scene), "{seen}");
    }
    assert_eq!(outcome.exit, None);
}

#[test]
fn a_handler_that_is_set_late_is_waited_for_where_one_is_known() {
    let Some(mut tree) = Tree::new() else { return };
    tree.again = true;
    tree.probes = vec![Probe::parse("cmd:grep -q ready $PROBE_LOG").unwrap()];
    let late = "echo ready; sleep 1; trap 'echo again' HUP; while :; do sleep 0.05; done";
    let names = |outcome: &plimsoll_run::Outcome| -> Vec<String> {
        let later = outcome.later.iter();
        later.map(|answer| answer.probe.clone()).collect()
    };
    let restart = "cmd:grep -q ready $PROBE_LOG, after a restart";
    assert_eq!(names(&tree.script(late)), [restart]);
    tree.reload = Duration::from_secs(20);
    let reload = "cmd:grep -q ready $PROBE_LOG, after a reload";
    assert_eq!(names(&tree.script(late)), [reload, restart]);
}

#[test]
fn what_ends_by_a_hangup_or_by_itself_has_no_reload() {
    let Some(mut tree) = Tree::new() else { return };
    tree.again = true;
    tree.probes = vec![Probe::parse("cmd:grep -q ready $PROBE_LOG").unwrap()];
    let script = "trap 'exit 5' HUP; echo ready; while :; do sleep 0.05; done";
    let outcome = tree.script(script);
    assert_eq!(outcome.exit, None);
    let names: Vec<&str> = outcome.later.iter().map(|answer| &*answer.probe).collect();
    assert_eq!(names, ["cmd:grep -q ready $PROBE_LOG, after a restart"]);
    assert!(outcome.later[0].is_good());
    tree.probes.clear();
    assert!(tree.script("echo over").later.is_empty());
}
