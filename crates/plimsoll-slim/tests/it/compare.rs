//! What counts as a difference, and what differs by itself.

use std::collections::BTreeMap;

use plimsoll_model::Answer;
use plimsoll_model::answer::Outcome;
use plimsoll_slim::{Run, compare};

fn http(status: u16, headers: &str, body: &str) -> Outcome {
    let headers = headers.lines().map(|line| {
        let (name, value) = line.trim().split_once(": ").unwrap();
        (name.to_owned(), vec![value.to_owned()])
    });
    Outcome::Http {
        status,
        headers: headers.collect::<BTreeMap<_, _>>(),
        body: body.as_bytes().to_vec(),
    }
}

fn exit(code: i32, output: &str) -> Outcome {
    Outcome::Exit {
        code,
        output: output.as_bytes().to_vec(),
    }
}

/// The differences of one probe's three outcomes, as text.
fn of(one: Outcome, two: Outcome, other: Outcome) -> Vec<String> {
    let answers = [one, two, other].map(|outcome| [Answer::new("http:/x".to_owned(), outcome)]);
    let [one, two, other] = answers.each_ref().map(|answers| Run {
        answers,
        listening: &[],
        running_as: &[],
        exit: None,
    });
    compare(&one, &two, &other)
        .iter()
        .map(ToString::to_string)
        .collect()
}

const NONE: [&str; 0] = [];

#[test]
fn the_same_is_the_same() {
    let answer = || http(200, "server: x\ndate: 1", "hello\n");
    assert_eq!(of(answer(), answer(), answer()), NONE);
}

#[test]
fn a_status_a_header_a_body_are_told() {
    let one = || http(200, "server: x\ncontent-type: text/html", "hello\nworld\n");
    assert_eq!(
        of(
            one(),
            one(),
            http(500, "server: x\ncontent-type: text/html", "oops")
        ),
        ["http:/x: status 200 became 500"]
    );
    assert_eq!(
        of(
            one(),
            one(),
            http(
                200,
                "server: x\nx-new: 1\ncontent-type: text/plain",
                "hello\nworld\n"
            )
        ),
        [
            "http:/x: header content-type `text/html` became `text/plain`",
            "http:/x: header x-new is new",
        ]
    );
    assert_eq!(
        of(one(), one(), http(200, "server: x", "hello\nworld\n")),
        ["http:/x: header content-type is missing"]
    );
    assert_eq!(
        of(
            one(),
            one(),
            http(200, "server: x\ncontent-type: text/html", "hello\nmoon\n")
        ),
        ["http:/x: the body differs in line 2: `world` became `moon`"]
    );
}

#[test]
fn what_differs_by_itself_is_no_difference() {
    let run = |n: u32| {
        http(
            200,
            &format!("date: {n}\netag: {n}\ncontent-length: {n}"),
            &format!("<p>pid {n} at 10:00:0{n}\nsame\n"),
        )
    };
    assert_eq!(of(run(1), run(2), run(3)), NONE);
    // A number that was the same twice is free where another one varies; words are not.
    let run = |n: u32, load: &str| http(200, "x: y", &format!("uptime {n}\nload {load}\n"));
    assert_eq!(of(run(1, "0.5"), run(2, "0.5"), run(3, "6")), NONE);
    assert_eq!(of(run(1, ".5"), run(2, ".5"), run(3, "high")).len(), 1);
    assert_eq!(of(run(1, "5"), run(1, "5"), run(1, "6")).len(), 1);
    let run = |n: u32| {
        http(
            200,
            &format!("date: {n}\netag: {n}\ncontent-length: {n}"),
            &format!("<p>pid {n} at 10:00:0{n}\nsame\n"),
        )
    };
    // A line with varying words still has fixed ones.
    let other = http(
        200,
        "date: 3\netag: 3\ncontent-length: 3",
        "<p>error 3 at 10:00:03\nsame\n",
    );
    assert_eq!(
        of(run(1), run(2), other),
        [
            "http:/x: the body differs in line 1: `<p>pid 1 at 10:00:01` became `<p>error 3 at 10:00:03`"
        ]
    );
}

#[test]
fn a_clock_that_stood_still_twice_may_go_on() {
    let run = |second: u32| {
        http(
            200,
            &format!("date: {second}"),
            &format!("now 10:00:0{second}\n"),
        )
    };
    assert_eq!(of(run(1), run(1), run(2)), NONE);
}

#[test]
fn lines_that_come_and_go_are_free_and_the_others_must_be_there() {
    let one = exit(0, "a\nb\nextra\n");
    let two = exit(0, "a\nb\n");
    assert_eq!(
        of(one.clone(), two.clone(), exit(0, "b\nother\na\n\n")),
        NONE
    );
    assert_eq!(
        of(one, two, exit(0, "a\n")),
        ["http:/x: the output lacks the line `b`"]
    );
}

#[test]
fn an_end_is_told_with_what_was_said_last() {
    assert_eq!(
        of(
            exit(0, "ok"),
            exit(0, "ok"),
            exit(127, "x\ncannot start chown\n")
        ),
        ["http:/x: exit code 0 became 127 (cannot start chown)"]
    );
    let silent = || Outcome::None("refused".to_owned());
    assert_eq!(
        of(exit(0, "ok"), exit(0, "ok"), silent()),
        ["http:/x: an end became no answer (refused)"]
    );
    assert_eq!(of(silent(), silent(), silent()), NONE);
    // It failed once in the original: that it fails now proves nothing.
    assert_eq!(of(exit(0, ""), silent(), silent()), NONE);
}

#[test]
fn ports_users_and_ends_are_compared() {
    let as_root = ["/server 0:0".to_owned()];
    let as_user = ["/server 33:33".to_owned()];
    let run = |listening, running_as, exit| Run {
        answers: &[],
        listening,
        running_as,
        exit,
    };
    let original = run(&[80, 443], &as_user, None);
    let result = run(&[80, 8080], &as_root, Some(1));
    let told: Vec<String> = compare(&original, &original, &result)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "listening ports: 443 is not listened on any more",
            "listening ports: 8080 is listened on, and was not before",
            "what runs, and as whom: /server 33:33 became /server 0:0",
            "exit code: running until stopped became 1",
        ]
    );
    let again = run(&[80, 40001], &as_user, None);
    assert!(
        compare(
            &run(&[80, 40000], &as_user, None),
            &again,
            &run(&[80, 40002], &as_user, None)
        )
        .is_empty()
    );
}

#[test]
fn a_probe_that_was_not_asked_is_no_pass() {
    let answer = [Answer::new(
        "tcp:80".to_owned(),
        Outcome::Tcp {
            greeting: Vec::new(),
        },
    )];
    let full = Run {
        answers: &answer,
        listening: &[],
        running_as: &[],
        exit: None,
    };
    let empty = Run {
        answers: &[],
        ..full
    };
    assert_eq!(compare(&full, &full, &empty).len(), 1);
}

#[test]
fn pages_of_a_crawl_are_compared_one_by_one() {
    let page = |body: &str| Outcome::Http {
        status: 200,
        headers: Default::default(),
        body: body.as_bytes().to_vec(),
    };
    let site = |pages: &[(&str, &str)]| {
        let pages = pages.iter();
        Outcome::Pages(
            pages
                .map(|(path, body)| (path.to_string(), page(body)))
                .collect(),
        )
    };
    let one = site(&[("/", "a"), ("/b", "b"), ("/once", "x")]);
    let two = site(&[("/", "a"), ("/b", "b")]);
    assert!(of(one.clone(), two.clone(), two.clone()).is_empty());
    let wanted = ["http:/x: /b: the body differs in line 1: `b` became `c`"];
    assert_eq!(
        of(one.clone(), two.clone(), site(&[("/", "a"), ("/b", "c")])),
        wanted
    );
    let wanted = ["http:/x: no link leads to /b any more"];
    assert_eq!(of(one.clone(), two.clone(), site(&[("/", "a")])), wanted);
    let wanted = ["http:/x: a crawl became an answer"];
    assert_eq!(of(one, two, page("a")), wanted);
}

#[test]
fn a_status_that_varies_is_one_of_those_seen() {
    let with = |status| http(status, "server: x", "");
    assert_eq!(of(with(200), with(404), with(404)), NONE);
    assert_eq!(
        of(with(200), with(404), with(500)),
        ["http:/x: status 200 or 404 became 500"]
    );
}
