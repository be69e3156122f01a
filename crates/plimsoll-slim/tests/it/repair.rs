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

/// Plans are broken on purpose: whatever observed files are taken out of one, a run of what is left
/// asks for them, and mending leads back to the whole plan.
#[test]
fn whatever_is_taken_out_of_a_plan_comes_back() {
    let mut image = String::from("ENTRYPOINT /server\n/server 0755 elf\n");
    for number in 0..60 {
        image.push_str(&format!(
            "/data/f{number} 0644 1k\n/data/l{number} -> f{number}\nSEEN opened /data/l{number}\n\
             /lib/m{number}.so 0644 elf needed=libn{number}.so\n/lib/libn{number}.so 0644 elf\n\
             SEEN opened /lib/m{number}.so\n"
        ));
    }
    let world = World::new(&image);
    let whole = world.plan();
    let observed: Vec<&ImagePath> = whole
        .keep
        .iter()
        .filter(|(_, reasons)| reasons.iter().any(|reason| reason.rule == "observed"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(observed.len(), 120);
    // A linear congruential generator (the constants of POSIX's `rand`): the same plans each time.
    let mut state: u32 = 1;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) as usize % below
    };
    for _ in 0..200 {
        let mut broken = whole.clone();
        for _ in 0..=next(12) {
            broken.keep.remove(observed[next(observed.len())]);
        }
        let request = world.request();
        let missing = plimsoll_slim::repair(&request, &broken, &world.observations);
        let gone = whole.keep.keys().filter(|path| !broken.keeps(path));
        // A link that is gone is found where it leads.
        for path in gone {
            let target = world.fixture.rootfs.tree.resolve(path).unwrap().path;
            let found = missing.iter().any(|(path, _)| *path == target);
            assert!(found, "{path} -> {target}: {missing:?}");
        }
        plimsoll_slim::add(&mut broken, &request, &missing);
        assert!(whole.keep.keys().all(|path| broken.keeps(path)));
        let left = plimsoll_slim::repair(&request, &broken, &world.observations);
        assert_eq!(left, []);
    }
}
