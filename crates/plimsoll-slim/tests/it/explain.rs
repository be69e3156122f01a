//! Why a path stays or not, what is forced to stay, what became of the packages.

use plimsoll_model::ImagePath;
use plimsoll_slim::Why;

use crate::world::World;

const IMAGE: &str = "ENTRYPOINT /entry.sh
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
