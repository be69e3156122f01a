//! What the slim image missed when it ran.

use plimsoll_model::{Access, ImagePath, Observations, Plan};

use crate::world::World;

pub(crate) const IMAGE: &str = "ENTRYPOINT /server
    /server          0755 elf
    /usr/share/page  0644 1k
    /usr/share/link  -> page
    /usr/lib/late.so 0644 elf needed=libdeep.so
    /usr/lib/libdeep.so 0644 elf
    /bin/sh          -> dash
    /bin/dash        0755 elf interp=/lib/ld.so
    /lib/ld.so       0755 elf
    /usr/bin/curl    0755 elf
    SEEN looked-up /usr/bin/curl";

fn seen(sights: &[(&str, Access)]) -> Observations {
    let mut observations = Observations::default();
    for (path, access) in sights {
        observations.add(path.as_bytes(), *access, "/server", "probe");
    }
    observations
}

fn missing(world: &World, plan: &Plan, sights: &[(&str, Access)]) -> Vec<String> {
    let missing = plimsoll_slim::repair(&world.request(), plan, &seen(sights));
    missing.iter().map(|(path, _)| path.to_string()).collect()
}

#[test]
fn a_lookup_that_would_have_succeeded_is_missing() {
    let world = World::new(IMAGE);
    let plan = world.plan();
    let opened = [("/usr/share/link", Access::OPENED)];
    assert_eq!(missing(&world, &plan, &opened), ["/usr/share/page"]);
    let stat = [("/usr/share/page", Access::LOOKED_UP)];
    assert_eq!(missing(&world, &plan, &stat), ["/usr/share/page"]);
    let shell = [("/bin/sh", Access::EXECUTED)];
    assert_eq!(missing(&world, &plan, &shell), ["/bin/dash"]);
}

#[test]
fn what_fails_in_the_original_too_is_not_missing() {
    let world = World::new(IMAGE);
    let plan = world.plan();
    let search = [
        ("/usr/local/bin/server", Access::EXECUTED),
        ("/sbin/server", Access::LOOKED_UP),
        ("/server", Access::EXECUTED),
        ("/usr/share", Access::LISTED),
        // The original asked for it too, and never started it.
        ("/usr/bin/curl", Access::LOOKED_UP),
    ];
    assert_eq!(missing(&world, &plan, &search), [""; 0]);
}

#[test]
fn a_search_the_original_never_made_is_a_way_it_never_went() {
    let world = World::new(IMAGE);
    let plan = world.plan();
    let search = [("/bin/dash", Access::LOOKED_UP)];
    assert_eq!(missing(&world, &plan, &search), ["/bin/dash"]);
}

#[test]
fn what_is_added_is_followed_and_stays_added() {
    let world = World::new(IMAGE);
    let request = world.request();
    let mut plan = world.plan();
    let first = seen(&[("/usr/lib/late.so", Access::OPENED)]);
    let found = plimsoll_slim::repair(&request, &plan, &first);
    plimsoll_slim::add(&mut plan, &request, &found);
    assert!(
        plan.keeps(&"/usr/lib/libdeep.so".into()),
        "needed by what was added"
    );
    let second = seen(&[("/bin/sh", Access::EXECUTED)]);
    let found = plimsoll_slim::repair(&request, &plan, &second);
    plimsoll_slim::add(&mut plan, &request, &found);
    for path in ["/usr/lib/late.so", "/bin/dash", "/bin/sh", "/lib/ld.so"] {
        assert!(plan.keeps(&ImagePath::new(path)), "{path}");
    }
    assert_eq!(plan.keep[b"/usr/lib/late.so".as_slice()][0].rule, "repair");
    let mut both = first;
    both.merge(&second);
    assert!(plimsoll_slim::repair(&request, &plan, &both).is_empty());
}

/// Every file a run opened, taken out of a plan one at a time, is found again.
#[test]
fn every_removal_of_an_observed_file_is_found() {
    let mut text = String::from("ENTRYPOINT /server\n/server 0755 elf\n");
    for n in 0..50 {
        text.push_str(&format!(
            "/data/d{}/f{n} 0644 1k\nSEEN opened /data/d{}/f{n}\n",
            n % 7,
            n % 7
        ));
    }
    let world = World::new(&text);
    let whole = world.plan();
    for path in whole
        .keep
        .keys()
        .filter(|path| path.file_name().starts_with(b"f"))
    {
        let mut broken = whole.clone();
        broken.keep.remove(path);
        let found = plimsoll_slim::repair(&world.request(), &broken, &world.observations);
        assert_eq!(found.len(), 1, "{path}");
        assert_eq!(found[0].0, *path);
        plimsoll_slim::add(&mut broken, &world.request(), &found);
        assert!(broken.keeps(path));
    }
}
