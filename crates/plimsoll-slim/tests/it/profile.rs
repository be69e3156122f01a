//! What runs taught, condensed and replayed: on the same image, and on one that has moved on.

use plimsoll_model::{Observations, Plan, Severity};
use plimsoll_slim::{FOLLOWERS, Profile, Replay, Request, Source};

use crate::pages::examples;
use crate::world::World;

/// An application of scripts on a distribution: programs, plug-ins by directory, versions in names.
const IMAGE: &str = "ENTRYPOINT /app/start
    PACKAGE base 1 libs
    PACKAGE base owns /lib/libfoo.so.1.2.3
    PACKAGE web 2
    PACKAGE web owns /usr/share/web/page
    PACKAGE web owns /usr/share/web/other
    /lib/ld.so                0755 elf
    /lib/libfoo.so.1          -> libfoo.so.1.2.3
    /lib/libfoo.so.1.2.3      0644 elf
    /bin/sh                   -> dash
    /bin/dash                 0755 elf interp=/lib/ld.so
    /usr/bin/tool             0755 elf needed=libfoo.so.1 interp=/lib/ld.so
    /usr/bin/unused           0755 elf
    /usr/share/data/7.1/table 0644 1k
    /usr/share/data/7.1/index 0644 1k
    /usr/lib/plug/a.conf      0644 1k
    /usr/lib/plug/b.conf      0644 1k
    /usr/lib/plug/c.conf      0644 1k
    /usr/lib/plug/d.conf      0644 1k
    /usr/lib/plug/sub/e.conf  0644 1k
    --- layer
    /usr/share/web/page       0644 1k
    /usr/share/web/other      0644 1k
    /usr/lib/odd/[id]*.html   0644 1k
    /usr/lib/odd/ix.html      0644 1k
    /app/start                0755 \"#!/bin/sh\\n\"
    SEEN executed /app/start
    SEEN executed /usr/bin/tool
    SEEN opened /lib/libfoo.so.1
    SEEN opened /lib/libfoo.so.1.2.3
    SEEN opened /usr/share/data/7.1/table
    SEEN opened /usr/share/web/page
    SEEN opened /usr/lib/odd/[id]*.html
    SEEN listed /usr/lib/plug
    SEEN opened /usr/lib/plug/a.conf
    SEEN opened /usr/lib/plug/b.conf
    SEEN opened /usr/lib/plug/c.conf
    SEEN opened /usr/lib/plug/d.conf
    SEEN opened /usr/lib/plug/sub/e.conf
    SEEN looked-up /etc/none";

fn condensed(world: &World) -> Profile {
    let (profile, is_whole) = plimsoll_slim::condense(&world.request(), &world.plan(), &[]);
    assert!(is_whole);
    profile
}

/// The plan a replay makes.
fn replayed(world: &World, replay: &Replay) -> Plan {
    let request = Request {
        observations: &replay.observations,
        ..world.request()
    };
    let mut plan = plimsoll_slim::plan(&request);
    plimsoll_slim::add(&mut plan, &request, &replay.missed);
    plan
}

fn shown(patterns: &[plimsoll_slim::Pattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

#[test]
fn only_what_reading_does_not_find_is_written_down() {
    let world = World::new(IMAGE);
    let profile = condensed(&world);
    let [group] = &*profile.groups else {
        panic!("{profile:?}");
    };
    assert_eq!((&*group.during, &*group.by), ("start", "/bin/x"));
    // The entry script is a root, and the library a need of the tool.
    assert_eq!(shown(&group.run), ["/usr/bin/tool"]);
    let open = [
        "/usr/lib/odd/\\\\[id\\\\]\\\\*.html",
        "/usr/lib/plug/**",
        "/usr/share/data/7.*/table",
        "/usr/share/web/page",
    ];
    let open: Vec<String> = open.iter().map(|text| text.replace("\\\\", "\\")).collect();
    assert_eq!(
        group
            .open
            .iter()
            .map(|p| String::from_utf8_lossy(p.as_bytes()).into_owned())
            .collect::<Vec<_>>(),
        open
    );
    assert_eq!(profile.folded.len(), 1);
    assert!(profile.was_run);
}

#[test]
fn the_same_image_gives_the_same_plan() {
    for level in ["package", "app", "file"] {
        let world = World::new(&format!("{IMAGE}\n LEVEL {level}"));
        let replay = plimsoll_slim::replay(&condensed(&world), &world.fixture.subject());
        assert!(replay.findings.is_empty(), "{:?}", replay.findings);
        let (plan, again) = (world.plan(), replayed(&world, &replay));
        assert!(plan.keep.keys().eq(again.keep.keys()), "{level}");
        assert!(plan.keeps(&"/usr/lib/odd/[id]*.html".into()));
        assert!(!plan.keeps(&"/usr/bin/unused".into()));
    }
}

#[test]
fn every_example_of_a_follower_can_be_replayed() {
    let mut count = 0;
    for example in FOLLOWERS
        .iter()
        .flat_map(|follower| examples(follower.page))
    {
        let world = World::new(&example);
        let replay = plimsoll_slim::replay(&condensed(&world), &world.fixture.subject());
        let again = replayed(&world, &replay);
        assert!(world.plan().keep.keys().eq(again.keep.keys()), "{example}");
        count += 1;
    }
    assert!(count > FOLLOWERS.len() / 2);
}

#[test]
fn what_was_repaired_stays_in_a_replay() {
    let world = World::new(IMAGE);
    let mut plan = world.plan();
    let mut seen = Observations::default();
    let opened = plimsoll_model::Access::OPENED;
    seen.add(
        b"/usr/share/data/7.1/index",
        opened,
        "/usr/bin/tool",
        "stop",
    );
    let missing = plimsoll_slim::repair(&world.request(), &plan, &seen);
    plimsoll_slim::add(&mut plan, &world.request(), &missing);
    let (profile, is_whole) = plimsoll_slim::condense(&world.request(), &plan, &[]);
    assert!(is_whole);
    assert_eq!(shown(&profile.missed), ["/usr/share/data/7.*/index"]);
    let replay = plimsoll_slim::replay(&profile, &world.fixture.subject());
    assert!(plan.keep.keys().eq(replayed(&world, &replay).keep.keys()));
}

/// What a replay on another image keeps, and finds.
fn on(world: &World, text: &str) -> (Plan, Vec<(Severity, String)>) {
    let other = World::new(text);
    let replay = plimsoll_slim::replay(&condensed(world), &other.fixture.subject());
    let plan = replayed(&other, &replay);
    let findings = replay.findings.iter().map(|finding| {
        let places: Vec<String> = finding.evidence.iter().map(ToString::to_string).collect();
        let text = format!("{} ({})", finding.message, places.join("; "));
        (finding.severity, text)
    });
    (plan, findings.collect())
}

#[test]
fn a_rebuilt_image_with_other_versions_is_slimmed_all_the_same() {
    let world = World::new(IMAGE);
    let rebuilt = IMAGE
        .replace("libfoo.so.1.2.3", "libfoo.so.1.2.4")
        .replace("data/7.1", "data/7.2");
    let (plan, findings) = on(&world, &rebuilt);
    for path in [
        "/lib/libfoo.so.1.2.4",
        "/usr/share/data/7.2/table",
        "/usr/bin/tool",
        "/usr/lib/plug/sub/e.conf",
    ] {
        assert!(plan.keeps(&path.into()), "{path}");
    }
    assert!(!plan.keeps(&"/usr/bin/unused".into()));
    // The names were written with the version left open.
    assert_eq!(findings, []);

    // Even the first number may be another; that is told.
    let (plan, findings) = on(&world, &IMAGE.replace("data/7.1", "data/8"));
    assert!(plan.keeps(&"/usr/share/data/8/table".into()));
    let [(Severity::Info, text)] = &*findings else {
        panic!("{findings:?}");
    };
    assert!(text.contains("/usr/share/data/8/table"), "{text}");
}

#[test]
fn what_is_gone_and_what_is_new_is_told() {
    let world = World::new(IMAGE);
    let other = IMAGE
        .replace(
            "/usr/lib/plug/b.conf      0644 1k",
            "/usr/lib/plug/new.conf 0644 1k",
        )
        .replace(
            "/usr/share/web/page       0644 1k",
            "/usr/share/web/p 0644 1k",
        );
    let (plan, findings) = on(&world, &other);
    assert!(plan.keeps(&"/usr/lib/plug/new.conf".into()));
    let text = |severity: Severity| -> String {
        let of = findings.iter().filter(|(of, _)| *of == severity);
        of.map(|(_, text)| text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let gone = text(Severity::Medium);
    assert!(
        gone.contains("1 path") && gone.contains("/usr/share/web/page"),
        "{gone}"
    );
    let new = text(Severity::Low);
    assert!(
        new.contains("1 file") && new.contains("/usr/lib/plug/new.conf"),
        "{new}"
    );
    assert!(new.contains("/usr/lib/plug/**: 5 then, 5 now"), "{new}");
}

#[test]
fn another_program_and_other_packages_are_drift() {
    let world = World::new(IMAGE);
    let source = Source::of(&world.fixture.subject(), &world.plan());
    assert_eq!(source.packages.len(), 2);
    assert!(plimsoll_slim::drift(&source, &world.fixture.subject()).is_empty());
    let other = IMAGE
        .replace("ENTRYPOINT /app/start", "ENTRYPOINT /app/other")
        .replace("PACKAGE web 2", "PACKAGE web 3\n PACKAGE extra 1");
    let other = World::new(&other);
    let findings = plimsoll_slim::drift(&source, &other.fixture.subject());
    let shown: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding.severity, finding.message, finding.evidence[0]
            )
        })
        .collect();
    let wanted = [
        "medium another ENTRYPOINT than when the profile was written: then `/app/start` ENTRYPOINT /app/other",
        "info 1 package in other versions than when the profile was written package deb:web 2 -> 3",
        "info other packages of which nothing stayed: 0 then, 1 now the image",
    ];
    assert_eq!(shown, wanted);
}

#[test]
fn a_pattern_that_names_more_than_is_taken_is_said() {
    let files = |count: u32| {
        let lines = (0..count).map(|number| format!("/many/{number} 0644 1k\n"));
        let text = format!("ENTRYPOINT /x\n/x 0755 elf\n{}", lines.collect::<String>());
        let world = World::new(&text);
        let mut profile = condensed(&world);
        profile.missed = vec![plimsoll_slim::Pattern::new(&b"/many/*"[..])];
        let replay = plimsoll_slim::replay(&profile, &world.fixture.subject());
        let said = replay.findings.into_iter().map(|finding| finding.message);
        let said: Vec<String> = said.filter(|text| text.contains("more than")).collect();
        (replay.missed.len(), said.len())
    };
    assert_eq!(files(50_000), (50_000, 0));
    assert_eq!(files(50_001), (50_000, 1));
}
