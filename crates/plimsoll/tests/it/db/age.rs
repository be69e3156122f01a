//! How old data are: a copy as old as it says, what its publisher has as old as it was asked.

use std::fs;
use std::path::Path;

use plimsoll_scan::{Advisory, Builder, Origin, Range, Scope};
use serde_json::{Value, json};

use super::{Answer, DEBIAN, Server, take, update};
use crate::images::{plimsoll, text};
use crate::scan::{days_ago, known, web};

/// What the scan says about the data of Debian 12.
fn said(scratch: &Path, image: &str) -> String {
    let output = plimsoll(scratch, &["scan", image, "--json"]);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    let mine = |it: &&Value| it["why"].as_str().unwrap().contains("debian:12");
    let unjudged = report["scans"][0]["unjudged"].as_array().unwrap().iter();
    let why: Vec<&str> = unjudged
        .filter(mine)
        .map(|it| it["why"].as_str().unwrap())
        .collect();
    why.join("; ")
}

/// A moment so many days ago as servers write it.
fn http(days: i64) -> String {
    let day: jiff::civil::Date = days_ago(days).parse().unwrap();
    day.strftime("%a, %d %b %Y 00:00:00 GMT").to_string()
}

#[test]
fn a_mirror_that_stands_still_is_as_old_as_what_it_has() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    known(scratch, 0);
    let serving = |modified: Option<String>| {
        Server::start(move |head| match (head, &modified) {
            (head, _) if head.contains(".sha256") => Answer::status("404 Not Found"),
            (head, Some(_)) if head.contains("if-modified-since") => {
                Answer::status("304 Not Modified")
            }
            (_, Some(modified)) => Answer::ok(DEBIAN.as_bytes()).header("Last-Modified", modified),
            (_, None) => Answer::ok(DEBIAN.as_bytes()),
        })
    };
    let fetch = |server: &Server| {
        let output = update(scratch, server, "debian:12");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    };
    // Old content, fetched today.
    let old = serving(Some(http(20)));
    fetch(&old);
    let words = "the data about debian:12 are 20 days old";
    assert!(
        said(scratch, &image).contains(words),
        "{}",
        said(scratch, &image)
    );
    // That the mirror has nothing else is no proof that nothing else was published.
    assert!(fetch(&old).contains("(as before)"));
    assert!(
        said(scratch, &image).contains(words),
        "{}",
        said(scratch, &image)
    );
    let status = plimsoll(scratch, &["db", "status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let slices = status["slices"].as_array().unwrap();
    let debian = slices.iter().find(|it| it["scope"] == "debian:12").unwrap();
    assert_eq!(debian["age_days"], 20, "{debian}");
    assert!(
        debian["checked"].as_str().unwrap() > &*days_ago(1),
        "{debian}"
    );
    // New content is new; content that nobody dates is of an unknown day.
    fetch(&serving(Some(http(0))));
    assert_eq!(said(scratch, &image), "");
    fetch(&serving(None));
    let words = "nothing says of which day the data about debian:12 are";
    assert!(
        said(scratch, &image).contains(words),
        "{}",
        said(scratch, &image)
    );
}

/// Says of a file that it was changed so many days ago.
fn changed(path: &Path, days: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    let day = std::time::Duration::from_secs(24 * 3600);
    let moment = std::time::SystemTime::now() - day * u32::try_from(days).unwrap();
    file.set_modified(moment).unwrap();
}

#[test]
fn a_feed_in_a_directory_is_as_old_as_its_last_change_and_its_slice_says_so_to_others() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    known(scratch, 0);
    let feeds = scratch.join("tracker");
    fs::create_dir(&feeds).unwrap();
    let feed = feeds.join("json");
    fs::write(&feed, DEBIAN).unwrap();
    let mirror = format!("debian=file:{}", feeds.display());
    let update = |more: &[&str]| {
        let command = [
            &["db", "update", "--for", "debian:12", "--mirror", &mirror],
            more,
        ]
        .concat();
        let output = plimsoll(scratch, &command);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    };
    changed(&feed, 20);
    update(&[]);
    let old = "the data about debian:12 are 20 days old";
    assert!(
        said(scratch, &image).contains(old),
        "{}",
        said(scratch, &image)
    );
    // What did not change is not compiled again, and is no newer for that.
    assert!(update(&[]).contains("(as before)"));
    assert!(
        said(scratch, &image).contains(old),
        "{}",
        said(scratch, &image)
    );
    // Whoever takes a slice made of it learns the day too: it is among what the slice's digest covers.
    update(&["-o", "served"]);
    let served = scratch.join("served");
    let from = format!("file:{}", served.display());
    let take = || {
        let _ = fs::remove_file(scratch.join("cache/advisories/debian@12.slice"));
        plimsoll(
            scratch,
            &["db", "update", "--for", "debian:12", "--mirror", &from],
        )
    };
    let output = take();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        said(scratch, &image).contains(old),
        "{}",
        said(scratch, &image)
    );
    changed(&feed, 0);
    update(&["-o", "served"]);
    let output = take();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(said(scratch, &image), "");
    // The list's own digest covers its days.
    let list = served.join("index.json");
    let good = fs::read_to_string(&list).unwrap();
    let year = &days_ago(0)[..4];
    for bad in [
        good.replacen(&format!("\"checked\": \"{year}"), "\"checked\": \"2001", 1),
        good.replacen(&format!("\"date\": \"{year}"), "\"date\": \"2001", 1),
        good.replacen("\"rows\"", "\"rows\" ", 1),
    ] {
        assert_ne!(bad, good);
        fs::write(&list, bad).unwrap();
        let output = take();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        let said = text(&output);
        assert!(
            said.contains("index.json") && said.contains("has digest"),
            "{said}"
        );
    }
    // A list of an older plimsoll has none.
    let lines = good
        .lines()
        .filter(|line| !line.starts_with("  \"digest\""));
    fs::write(&list, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let output = take();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn of_what_a_feed_and_its_server_say_the_older_counts() {
    let scratch = tempfile::tempdir().unwrap();
    for (released, modified, age) in [(30, 2, 30), (2, 30, 30), (3, 3, 3)] {
        let kev = json!({"dateReleased": format!("{}T00:00:00Z", days_ago(released)),
            "vulnerabilities": [{"cveID": "CVE-2024-1", "dateAdded": "2024-01-01"}]});
        let (kev, modified) = (kev.to_string(), http(modified));
        let server = Server::start(move |head| match head.contains(".sha256") {
            true => Answer::status("404 Not Found"),
            false => Answer::ok(kev.as_bytes()).header("Last-Modified", &modified),
        });
        let output = update(scratch.path(), &server, "kev");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let status = plimsoll(scratch.path(), &["db", "status", "--json"]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(status["slices"][0]["age_days"], age, "{status}");
    }
}

/// A slice as `db update` makes it of what the publisher had so many days ago.
fn slice(days: i64) -> Vec<u8> {
    let mut slice = Builder::new(Scope::parse("debian:12").unwrap());
    slice.origin(Origin {
        feed: "debian".to_owned(),
        from: "https://security-tracker.debian.org/tracker/data/json".to_owned(),
        date: days_ago(days + 5),
        read: format!("{}T08:00:00Z", days_ago(days)),
        lists_unfixed: true,
        ..Origin::default()
    });
    slice.add(&Advisory {
        id: "CVE-2026-1001",
        package: "zlib",
        ranges: vec![Range::ALL],
        feed: "debian",
        ..Advisory::default()
    });
    slice.finish()
}

#[test]
fn slices_that_do_not_change_are_as_new_as_their_publisher_was_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    known(scratch, 0);
    let served = scratch.join("served");
    fs::create_dir(&served).unwrap();
    fs::write(served.join("debian@12.slice"), slice(20)).unwrap();
    let file = slice(20);
    let digest = file.split(|&byte| byte == b'\n').nth(1).unwrap();
    let digest = format!("sha256:{}", String::from_utf8_lossy(digest));
    let list = |checked: Option<i64>| {
        let mut listed = json!({"scope": "debian:12", "file": "debian@12.slice", "digest": digest,
            "bytes": file.len(), "date": days_ago(25), "rows": 1});
        if let Some(days) = checked {
            listed["checked"] = json!(format!("{}T09:00:00Z", days_ago(days)));
        }
        let list = json!({"schema": "plimsoll-advisories/1", "slices": [listed]});
        fs::write(served.join("index.json"), list.to_string()).unwrap();
    };
    let server = Server::of(&served);
    let fetch = |scratch: &Path| take(scratch, &server);
    // Whoever serves it does not say that anybody was asked since.
    list(None);
    fetch(scratch);
    assert!(
        said(scratch, &image).contains("are 20 days old"),
        "{}",
        said(scratch, &image)
    );
    // The publisher was asked yesterday and had nothing newer: not a byte of the slice changed.
    list(Some(1));
    assert!(fetch(scratch).contains("(as before)"));
    assert_eq!(said(scratch, &image), "");
    let shown = text(&plimsoll(scratch, &["scan", &image]));
    let words = format!("of {}, the newest there was 1 day ago", days_ago(25));
    assert!(shown.contains(&words), "{shown}");
    let status = text(&plimsoll(scratch, &["db", "status"]));
    assert!(
        status.contains("the newest there was 1 day ago"),
        "{status}"
    );
    // It goes with the slice to machines without a network.
    let other = scratch.join("other");
    fs::create_dir(&other).unwrap();
    known(&other, 0);
    let output = plimsoll(scratch, &["db", "export", "all.zip"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let output = plimsoll(&other, &["db", "import", "../all.zip"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(said(&other, &image), "");
    // A mirror that was left alone for ten days says so, and one whose clock is wrong says no more than now.
    list(Some(10));
    fetch(scratch);
    assert!(
        said(scratch, &image).contains("are 10 days old"),
        "{}",
        said(scratch, &image)
    );
    list(Some(-900));
    fetch(scratch);
    let status = plimsoll(scratch, &["db", "status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let slices = status["slices"].as_array().unwrap();
    let debian = slices.iter().find(|it| it["scope"] == "debian:12").unwrap();
    assert_eq!(debian["age_days"], 0, "{debian}");
}
