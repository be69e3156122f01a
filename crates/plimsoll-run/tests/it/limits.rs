//! What an image may use; the limit that is hit is named.

use std::time::{Duration, Instant};

use plimsoll_run::{Limits, Outcome, Probe, Way, way};

use crate::tree::Tree;

fn run(limits: Limits, run: impl FnOnce(&mut Tree) -> Outcome) -> Option<(Outcome, String)> {
    let mut tree = Tree::new()?;
    tree.limits = limits;
    let begun = Instant::now();
    let outcome = run(&mut tree);
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "it was not ended"
    );
    let hit = outcome
        .problems
        .iter()
        .find(|problem| problem.starts_with("ended: "));
    let hit = hit
        .unwrap_or_else(|| panic!("no limit: {:?}", outcome.problems))
        .clone();
    assert_eq!(outcome.exit, None, "it did not end by itself");
    Some((outcome, hit))
}

#[test]
fn time_is_limited() {
    let limits = Limits {
        total: Duration::from_millis(400),
        ..Limits::default()
    };
    let Some((_, hit)) = run(limits, |tree| tree.script("sleep 60")) else {
        return;
    };
    assert_eq!(hit, "ended: the whole run took longer than 400ms");
}

#[test]
fn memory_is_limited() {
    let limits = Limits {
        memory: 64 << 20,
        ..Limits::default()
    };
    let Some((_, hit)) = run(limits, |tree| tree.inside("eat")) else {
        return;
    };
    assert_eq!(hit, "ended: it used more than 67108864 bytes of memory");
}

#[test]
fn memory_that_nobody_maps_is_limited() {
    let limits = Limits {
        memory: 64 << 20,
        ..Limits::default()
    };
    for (what, end) in [("hoard", " of memory in files"), ("spread", " of memory")] {
        let Some((_, hit)) = run(limits, |tree| tree.inside(what)) else {
            return;
        };
        assert_eq!(hit, format!("ended: it used more than 67108864 bytes{end}"));
    }
}

#[test]
fn output_is_limited() {
    let limits = Limits {
        output: 1000,
        ..Limits::default()
    };
    let endless = "while :; do echo 0123456789012345678901234567890123456789; done";
    let Some((outcome, hit)) = run(limits, |tree| tree.script(endless)) else {
        return;
    };
    assert_eq!(hit, "ended: it printed more than 16000 bytes");
    assert_eq!(outcome.output.len(), 1000);
}

#[test]
fn processes_are_limited() {
    let limits = Limits {
        processes: 20,
        ..Limits::default()
    };
    let fork = "i=0; while [ $i -lt 40 ]; do sleep 30 & i=$((i+1)); done; wait";
    let Some(mut tree) = Tree::new() else { return };
    tree.limits = limits;
    let outcome = tree.script(fork);
    let text = String::from_utf8_lossy(&outcome.output);
    // The kernel refuses a plain user's fork; root's is counted.
    let refused = text.contains("fork");
    let counted = "ended: it had more than 20 processes";
    let counted = outcome.problems.iter().any(|problem| problem == counted);
    assert!(refused || counted, "{text} {:?}", outcome.problems);
    assert!(outcome.total < Duration::from_secs(15));
}

#[test]
fn what_a_probe_runs_inside_counts_too() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.processes = 20;
    // It is asked again until then.
    tree.limits.start = Duration::from_secs(3);
    // The kernel refuses a plain user's fork, and the shell ends; root's is counted while it waits.
    let end = match way() {
        Ok(Way::Root) => "wait",
        _ => "exit 0",
    };
    let fork = format!("i=0; while [ $i -lt 40 ]; do sleep 30 & i=$((i+1)); done; {end}");
    tree.probes = vec![Probe::parse(&format!("exec:sh -c '{fork}'")).unwrap()];
    let outcome = tree.script("sleep 60");
    let counted = "ended: it had more than 20 processes";
    let counted = outcome.problems.iter().any(|problem| problem == counted);
    assert_eq!(counted, end == "wait", "{:?}", outcome.problems);
    assert!(!outcome.answers[0].is_good(), "{:?}", outcome.answers);
    assert!(outcome.total < Duration::from_secs(15));
}

#[test]
fn the_file_system_is_limited() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.disk = 1 << 20;
    let big = "while cat /bin/it >> /big; do :; done; echo full";
    let outcome = tree.script(big);
    let text = String::from_utf8_lossy(&outcome.output);
    assert!(
        text.contains("No space left") && text.ends_with("full\n"),
        "{text}"
    );
}

#[test]
fn the_files_of_a_file_system_are_limited() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.files = 2000;
    let many = "i=0; while true > /f$i; do i=$((i+1)); done 2>&1; echo full";
    let outcome = tree.script(many);
    let text = String::from_utf8_lossy(&outcome.output);
    assert!(
        text.contains("No space left") && text.ends_with("full\n"),
        "{text}"
    );
}

#[test]
fn the_files_of_a_spent_tree_are_limited() {
    let limits = Limits {
        files: 2000,
        ..Limits::default()
    };
    let endless = "i=0; while :; do : > /f$i; i=$((i+1)); done";
    let spent = |tree: &mut Tree| {
        tree.spend = true;
        tree.script(endless)
    };
    let Some((_, hit)) = run(limits, spent) else {
        return;
    };
    assert_eq!(hit, "ended: it made more than 2000 files");
}

#[test]
fn files_without_a_name_in_a_spent_tree_are_limited() {
    let limits = Limits {
        disk: 64 << 20,
        ..Limits::default()
    };
    // More than is allowed, and not so much that nobody asks by whom.
    let script = "exec 3> /big; rm /big; i=0; while [ $i -lt 150 ]; do cat /mega >&3; i=$((i+1)); done; sleep 60";
    let spent = |tree: &mut Tree| {
        tree.spend = true;
        tree.write("/mega", &"x".repeat(1 << 20));
        tree.script(script)
    };
    let Some((_, hit)) = run(limits, spent) else {
        return;
    };
    assert_eq!(hit, "ended: it wrote more than 67108864 bytes");
}
