//! Why a path stays or not, what is forced to stay, what became of the packages.

use std::collections::BTreeMap;

use plimsoll_model::ImagePath;
use plimsoll_slim::Why;

use crate::world::World;

pub(crate) const IMAGE: &str = "ENTRYPOINT /entry.sh
    PACKAGE shell 1 shells
    PACKAGE shell owns /bin/dash
    PACKAGE shell owns /bin/sh
    PACKAGE tools 1 utils
    PACKAGE tools owns /usr/bin/curl
    PACKAGE tools owns /usr/bin/tool
    PACKAGE more 1 utils
    PACKAGE more owns /usr/bin/wget
    /entry.sh     0755 \"#!/bin/sh\\n\"
    /bin/sh       -> dash
    /bin/dash     0755 elf
    /usr/bin/curl 0755 elf
    /usr/bin/tool 0755 elf
    /usr/bin/wget 0755 elf
    /srv/stray    0644 1k
    SEEN executed /usr/bin/tool";

fn why(world: &World, path: &str) -> Why {
    let subject = world.fixture.subject();
    let tree = &subject.rootfs.tree;
    plimsoll_slim::why(&world.plan(), tree, subject.inventory, &path.into())
}

#[test]
fn the_chain_of_reasons_ends_at_a_root() {
    let world = World::new(IMAGE);
    let kept = why(&world, "/bin/dash");
    assert!(
        matches!(&kept, Why::Kept(chain) if chain.len() == 3),
        "{kept:?}"
    );
    assert_eq!(
        kept.to_string(),
        "/bin/dash (symlink) <- /bin/sh (shebang: #!/bin/sh) <- /entry.sh (entrypoint: /entry.sh)"
    );
}

#[test]
fn what_is_ashore_has_an_owner_or_none() {
    let world = World::new(IMAGE);
    assert_eq!(
        why(&world, "/usr/bin/curl").to_string(),
        "/usr/bin/curl is left ashore: no run touched it and nothing kept asks for it; package \
         tools owns it, of which /usr/bin/tool stays (observed executed by /bin/x during start)"
    );
    assert_eq!(
        why(&world, "/usr/bin/wget").to_string(),
        "/usr/bin/wget is left ashore: no run touched it and nothing kept asks for it; package \
         more owns it, of which nothing stays"
    );
    assert!(matches!(
        why(&world, "/srv/stray"),
        Why::Ashore { owner: None, .. }
    ));
    assert_eq!(why(&world, "/none"), Why::NoSuchPath);
}

#[test]
fn a_directory_is_summed_up_by_reason() {
    let world = World::new(IMAGE);
    let (plan, subject) = (world.plan(), world.fixture.subject());
    let tree = &subject.rootfs.tree;
    let owners = subject.inventory.owners(tree);
    let ashore = tree.iter().filter(|(path, _)| !plan.keeps(path));
    let ashore: BTreeMap<ImagePath, Option<String>> = ashore
        .map(|(path, _)| {
            let owner = owners.get(path).and_then(|&id| subject.inventory.get(id));
            (path.clone(), owner.map(|package| package.name.clone()))
        })
        .collect();
    let summary = plimsoll_slim::summary(&plan, tree, &ashore, &"/usr".into());
    let files = |sums: &BTreeMap<String, plimsoll_slim::Sum>| {
        let rows = sums
            .iter()
            .map(|(name, sum)| format!("{name} {}", sum.files));
        rows.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(files(&summary.kept), "observed 1");
    assert_eq!(files(&summary.ashore), "more 1, tools 1");
    let all = plimsoll_slim::summary(&plan, tree, &ashore, &ImagePath::root());
    assert_eq!(files(&all.ashore), " 1, more 1, tools 1");
    assert!(
        all.to_string()
            .contains("ashore, of no package: 1 file (1.02 kB), such as /srv/stray"),
        "{all}"
    );
    let pattern = "/{bin,usr/bin}/*";
    let of = plimsoll_slim::summary_of(&plan, tree, &ashore, pattern);
    assert_eq!(files(&of.kept), "observed 1, shebang 1, symlink 1");
    let (paths, count) = plimsoll_slim::matching(&plan, &ashore, pattern, 2);
    assert_eq!((paths.len(), count), (2, 5));
    assert_eq!(paths[0].to_string(), "/bin/dash");
}

#[test]
fn what_was_written_for_the_result_says_so() {
    let world = World::new(IMAGE);
    let path = "/var/lib/dpkg/status.d/shell";
    assert_eq!(
        why(&world, path),
        Why::NoSuchPath,
        "the original has none, nor a directory for it"
    );
    let chain = world.plan().chain(&path.into());
    assert_eq!(chain[0].1.rule, "inventory");
}

#[test]
fn a_shell_that_stays_names_the_file_that_forces_it() {
    let world = World::new(IMAGE);
    let subject = world.fixture.subject();
    let forced = plimsoll_slim::forced(&subject, &world.plan(), &unwanted());
    let [(path, chain)] = &forced[..] else {
        panic!("{forced:?}")
    };
    assert_eq!(path.to_string(), "/bin/dash");
    assert!(chain.contains("/entry.sh"), "{chain}");
    let direct = World::new(&IMAGE.replace("ENTRYPOINT /entry.sh", "ENTRYPOINT /usr/bin/tool"));
    assert!(
        plimsoll_slim::forced(&direct.fixture.subject(), &direct.plan(), &unwanted()).is_empty()
    );
}

#[test]
fn packages_are_whole_partial_or_gone() {
    let world = World::new(IMAGE);
    let fate = plimsoll_slim::fate(&world.fixture.subject(), &world.plan());
    assert_eq!(fate.whole, ["shell"]);
    assert_eq!(fate.partial, ["tools"]);
    assert_eq!(fate.gone, ["more"]);
}

/// What a check would find in the worlds above.
fn unwanted() -> Vec<ImagePath> {
    [
        "/bin/sh",
        "/bin/dash",
        "/usr/bin/sh",
        "/usr/bin/dash",
        "/usr/bin/curl",
    ]
    .map(ImagePath::from)
    .to_vec()
}
