//! Plans that share what was learned of an image are those that were made alone.

use plimsoll_model::{Observations, Plan};
use plimsoll_slim::{Known, Level, Request};

use crate::samples::samples;
use crate::world::World;

/// Everything a plan says.
fn said(plan: &Plan) -> String {
    format!("{plan:?}")
}

#[test]
fn what_is_shared_changes_no_plan_and_no_risk() {
    let mut kept = 0;
    for text in samples() {
        let world = World::new(&text);
        let known = Known::about(world.fixture.subject());
        let nothing = Observations::default();
        // One after the other, so that each finds what those before have learned.
        for level in Level::ALL {
            for observations in [&world.observations, &nothing] {
                let alone = Request {
                    level,
                    observations,
                    ..world.request()
                };
                let shared = Request {
                    known: Some(&known),
                    ..alone
                };
                let plan = plimsoll_slim::plan(&alone);
                kept += plan.keep.len();
                assert_eq!(said(&plimsoll_slim::plan(&shared)), said(&plan), "{text}");
                let [one, other] = [&shared, &alone].map(|of| plimsoll_slim::draft(of, &plan));
                assert!(plimsoll_slim::is_same(&one, &other), "{text}");
                assert_eq!(
                    plimsoll_slim::risks(&shared, &plan),
                    plimsoll_slim::risks(&alone, &plan),
                    "{text}"
                );
            }
        }
    }
    assert!(kept > 1000, "the fixtures keep something: {kept}");
}

/// Two images whose files lie at the same places of their layers, and say different things.
#[test]
fn what_is_known_of_another_image_is_not_believed() {
    let image = |library: &str| {
        format!(
            "/usr/bin/server 0755 elf needed={library}\n\
             /usr/lib/liba.so 0644 elf soname=liba.so\n\
             /usr/lib/libb.so 0644 elf soname=libb.so\n\
             ENTRYPOINT /usr/bin/server"
        )
    };
    let worlds = ["liba.so", "libb.so"].map(|library| World::new(&image(library)));
    let known = Known::about(worlds[0].fixture.subject());
    for (world, library) in worlds.iter().zip(["/usr/lib/liba.so", "/usr/lib/libb.so"]) {
        let request = Request {
            known: Some(&known),
            ..world.request()
        };
        let plan = plimsoll_slim::plan(&request);
        for path in ["/usr/lib/liba.so", "/usr/lib/libb.so"] {
            assert_eq!(plan.keeps(&path.into()), path == library, "{path}");
        }
    }
}
