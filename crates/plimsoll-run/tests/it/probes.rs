//! What running images answer.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use plimsoll_model::answer::Outcome;
use plimsoll_run::Probe;

use crate::tree::Tree;

fn ask(tree: &mut Tree, program: &str, probes: &[&str]) -> Vec<(bool, Outcome)> {
    tree.write("/data.txt", "data");
    tree.ports = vec![80];
    tree.probes = probes
        .iter()
        .map(|text| Probe::parse(text).unwrap())
        .collect();
    let outcome = tree.inside(program);
    let answers = outcome.answers.into_iter();
    answers
        .map(|answer| (answer.is_good(), answer.outcome))
        .collect()
}

#[test]
fn a_web_server_answers_as_it_is() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.output = 1 << 20;
    tree.limits.probe = Duration::from_millis(1500);
    let probes = [
        "http:/",
        "http:/moved",
        "http:/nope",
        "http:/broken",
        "http:/big",
        "http://:81/",
    ];
    let answers = ask(&mut tree, "serve", &probes);
    let [root, moved, nope, broken, big, other] = &*answers else {
        panic!("{answers:?}");
    };
    let http = |answer: &(bool, Outcome)| match &answer.1 {
        Outcome::Http {
            status,
            headers,
            body,
        } => (*status, headers.clone(), body.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!((http(root).0, http(root).2), (200, b"data".to_vec()));
    // Not followed.
    assert_eq!(http(moved).0, 302);
    assert_eq!(http(moved).1["location"], ["/"]);
    assert_eq!(http(nope).0, 404);
    assert_eq!(http(nope).1["x-twice"], ["1", "2"]);
    assert_eq!(http(broken).0, 500);
    let good: Vec<bool> = answers.iter().map(|answer| answer.0).collect();
    assert_eq!(good, [true, true, true, false, false, false]);
    assert_eq!(
        big.1,
        Outcome::None(String::from(
            "the body has more than the limit of 1048576 bytes"
        ))
    );
    let Outcome::None(why) = &other.1 else {
        panic!("{other:?}")
    };
    assert!(why.starts_with("port 81: Connection refused"), "{why}");
}

#[test]
fn a_request_is_made_as_it_was_written() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.probe = Duration::from_millis(700);
    let probes = [
        "http:/echo -X PUT -H 'X-Mark: one two' -d \"three four\"",
        "http:/echo body=five status=200,201",
        "http:/echo header=X-Mark:six status=201",
        "http:/echo -X GET -d seven status=200",
        "http:/broken status=500",
    ];
    let answers = ask(&mut tree, "serve", &probes);
    let bodies: Vec<String> = answers
        .iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Http { body, .. } => String::from_utf8_lossy(body).into_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = [
        "PUT one two three four",
        "POST  five",
        "GET six ",
        "GET  seven",
        "broken",
    ];
    assert_eq!(bodies, wanted);
    let good: Vec<bool> = answers.iter().map(|answer| answer.0).collect();
    assert_eq!(good, [true, true, true, false, true]);
}

#[test]
fn a_server_with_a_certificate_of_its_own_answers() {
    let Some(mut tree) = Tree::new() else { return };
    let openssl = Path::new("/usr/bin/openssl");
    let request =
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=x -batch -keyout key.pem -out cert.pem";
    let made = Command::new(openssl)
        .args(request.split(' '))
        .current_dir(tree.path("/"))
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this machine has no openssl to make a certificate");
        return;
    }
    tree.install(openssl, "/bin/openssl");
    tree.write("/etc/ssl/openssl.cnf", "");
    tree.write("/srv/here/page", "HTTP/1.0 200 OK\r\n\r\nsealed");
    let serve = "openssl s_server -accept 443 -key /key.pem -cert /cert.pem -HTTP";
    tree.command = ["sh", "-c", serve].map(str::to_owned).to_vec();
    tree.ports = vec![443];
    tree.probes = vec![Probe::parse("https:/page").unwrap()];
    let outcome = tree.run().unwrap();
    let Outcome::Http { status, body, .. } = &outcome.answers[0].outcome else {
        panic!(
            "{:?} {}",
            outcome.answers,
            String::from_utf8_lossy(&outcome.output)
        )
    };
    assert_eq!((*status, &**body), (200, &b"sealed"[..]));
}

#[test]
fn a_crawl_stays_on_the_host_and_within_its_bounds() {
    let Some(mut tree) = Tree::new() else { return };
    let probes = [
        "http:/site/ crawl=50",
        "http:/site/ crawl=2",
        "http:/site/ crawl=50 depth=1",
    ];
    let answers = ask(&mut tree, "serve", &probes);
    let paths = |index: usize| match &answers[index] {
        (true, Outcome::Pages(pages)) => pages.keys().cloned().collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    // The redirect is followed, a page that is not HTML has no links.
    let all = ["/", "/moved", "/nope", "/site/", "/site/one", "/site/two"];
    assert_eq!(paths(0), all);
    assert_eq!(paths(1), ["/site/", "/site/one"]);
    assert_eq!(paths(2), ["/nope", "/site/", "/site/one"]);
}

#[test]
fn what_is_expected_is_waited_for() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.probe = Duration::from_millis(700);
    let probes = [
        "tcp:80 send=\"hello world\\r\\n\" expect=WORLD",
        "tcp:80 send=\"a\\n\" expect=A send=\"b\\n\" expect=B\\n",
        "tcp:80 send=\"hello\\n\" expect=hello",
    ];
    let answers = ask(&mut tree, "shout", &probes);
    let tcp = |greeting: &[u8]| {
        (
            true,
            Outcome::Tcp {
                greeting: greeting.to_vec(),
            },
        )
    };
    assert_eq!(answers[0], tcp(b"HELLO WORLD"));
    assert_eq!(answers[1], tcp(b"A\nB\n"));
    let why = "port 80: its time was over without `hello`, it said `HELLO\\x0a`";
    assert_eq!(answers[2], (false, Outcome::None(why.to_owned())));
}

#[test]
fn a_slow_answer_is_none() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.probe = Duration::from_millis(500);
    let answers = ask(&mut tree, "serve", &["http:/slow"]);
    let Outcome::None(why) = &answers[0].1 else {
        panic!("{answers:?}")
    };
    assert!(why.contains("timeout"), "{why}");
}

#[test]
fn a_greeting_is_heard_on_either_loopback() {
    let Some(mut tree) = Tree::new() else { return };
    if !std::path::Path::new("/proc/net/if_inet6").exists() {
        eprintln!("skipped: this machine has no IPv6");
        return;
    }
    let answers = ask(&mut tree, "greet", &["tcp:25"]);
    let greeting = b"220 hello\r\n".to_vec();
    assert_eq!(answers, [(true, Outcome::Tcp { greeting })]);
}

#[test]
fn a_command_sees_the_sandbox_network_and_this_machine_s_files() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.probe = Duration::from_millis(600);
    let command = "cmd:echo $PROBE_HOST:$PROBE_PORT $http_proxy; grep -c serving $PROBE_LOG; \
         grep -c :0050 /proc/net/tcp; test ! -e /data.txt";
    let endless = "cmd:sleep 100 & sleep 100";
    let answers = ask(
        &mut tree,
        "serve",
        &[command, "cmd:echo no >&2; exit 3", endless],
    );
    let output = b"127.0.0.1:80\n1\n1\n".to_vec();
    assert_eq!(answers[0], (true, Outcome::Exit { code: 0, output }));
    let output = b"no\n".to_vec();
    assert_eq!(answers[1], (false, Outcome::Exit { code: 3, output }));
    assert_eq!(
        answers[2].1,
        Outcome::None(String::from("the command did not end in time"))
    );
}

#[test]
fn a_program_of_the_image_is_run_inside_it() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.probe = Duration::from_millis(800);
    tree.limits.output = 1000;
    tree.identity.uid = 33;
    tree.identity.gid = 34;
    tree.write("/only-the-probe", "seen\n");
    tree.write("/bin/lost", "#!/nowhere\n");
    tree.executable("/bin/lost");
    tree.write("/bin/back", "");
    std::fs::remove_file(tree.path("/bin/back")).unwrap();
    std::os::unix::fs::symlink("/proc/self/exe", tree.path("/bin/back")).unwrap();
    let inside = "id -u; id -g; pwd; echo $A $HOME; cat /only-the-probe; ls /proc/1/root >/dev/null; \
                  cat /proc/self/status | while read a b; do case $a in \
                  NoNewPrivs:|Seccomp:|CapEff:) echo $a $b; esac; done";
    let probes = [
        format!("exec:sh -c '{inside}'"),
        String::from("exec:sh -c 'exit 3'"),
        String::from("exec:sh -c 'kill -9 $$'"),
        String::from("exec:sh -c 'sleep 100 & sleep 100'"),
        String::from("exec:sh -c 'while :; do echo xxxxxxxx; done'"),
        String::from("exec:/bin/lost"),
        String::from("exec:nothing"),
        String::from("exec:/bin/back"),
    ];
    tree.probes = probes
        .iter()
        .map(|text| Probe::parse(text).unwrap())
        .collect();
    let outcome = tree.script("cat /proc/self/status; sleep 60; sleep 60");
    let id = &outcome.answers[0].outcome;
    let Outcome::Exit { code: 0, output } = id else {
        panic!("{id:?}")
    };
    let text = String::from_utf8_lossy(output);
    let status = String::from_utf8_lossy(&outcome.output);
    let same = |name: &str| {
        let of = |text: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(name));
            let line = line.unwrap_or_else(|| panic!("{name} in {text}"));
            line.split_ascii_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(of(&text), of(&status));
    };
    assert!(
        text.starts_with("33\n34\n/srv/here\nb /home/me\nseen"),
        "{text}"
    );
    // As little as the first program.
    for name in ["NoNewPrivs:", "Seccomp:", "CapEff:"] {
        same(name);
    }
    let codes: Vec<i32> = outcome.answers[1..3]
        .iter()
        .map(|answer| match &answer.outcome {
            Outcome::Exit { code, .. } => *code,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [3, 137]);
    let whys: Vec<String> = outcome.answers[3..]
        .iter()
        .map(|answer| match &answer.outcome {
            Outcome::None(why) => why.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(whys[0], "the program did not end in time");
    assert_eq!(whys[1], "the program did not end in time");
    for (why, part) in whys[2..].iter().zip([
        "No such file or directory",
        "No such file or directory",
        "Too many levels of symbolic links",
    ]) {
        assert!(why.contains(part), "{why}");
    }
    // What it touched was seen, and by whom.
    let seen = &outcome.observations.seen["/only-the-probe".as_bytes()];
    let scenes = format!("{seen:?}");
    assert!(scenes.contains("exec:sh -c"), "{scenes}");
    assert_eq!(outcome.observations.blind, Vec::<String>::new());
    // It went on, held still or not.
    assert_eq!(outcome.exit, None);
}

#[test]
fn a_port_is_known_by_what_it_answers() {
    for (program, port, found) in [
        ("serve", 80, "http://:80/"),
        (
            "greet",
            25,
            "tcp:25 expect=220 send=\"QUIT\\r\\n\" expect=221",
        ),
        ("ping", 80, "tcp:80 \"send=PING\\r\\n\" expect=+PONG"),
        ("shout", 80, "tcp:80"),
    ] {
        let Some(mut tree) = Tree::new() else { return };
        if program == "greet" && !Path::new("/proc/net/if_inet6").exists() {
            eprintln!("skipped: this machine has no IPv6");
            continue;
        }
        tree.write("/data.txt", "data");
        tree.ports = vec![port];
        tree.probes = vec![Probe::greet(port)];
        let outcome = tree.inside(program);
        let answer = &outcome.answers[0];
        assert_eq!(answer.probe, found, "{answer:?}");
        assert!(answer.is_good(), "{answer:?}");
        assert_eq!(outcome.took.len(), 1);
    }
}

#[test]
fn without_ports_the_first_probe_tells_that_it_is_ready() {
    let Some(mut tree) = Tree::new() else { return };
    tree.probes = vec![Probe::parse("cmd:grep -q ready $PROBE_LOG").unwrap()];
    let outcome = tree.script("sleep 0.3; echo ready; sleep 60");
    assert!(outcome.answers[0].is_good());
    assert!(outcome.ready.unwrap() >= Duration::from_millis(300));
    assert_eq!(outcome.exit, None);
}

#[test]
fn a_port_that_never_listens_is_told() {
    let Some(mut tree) = Tree::new() else { return };
    tree.ports = vec![80, 443];
    tree.limits.start = Duration::from_millis(300);
    let outcome = tree.script("sleep 60");
    assert_eq!(outcome.ready, None);
    let text = "no port of 80, 443 listened within 300ms";
    assert!(
        outcome.problems.iter().any(|problem| problem == text),
        "{:?}",
        outcome.problems
    );
}
