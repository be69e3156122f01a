//! The inventory of the result: apk's database, and what languages say of their modules.

use plimsoll_model::ImagePath;

use crate::world::{World, check};

const RECORDS: [&str; 3] = [
    "C:Q1a=\nP:app\nV:1\nF:usr/bin\nM:0:0:755\nR:app\na:0:0:755\nZ:Q1b=\nR:tool\nZ:Q1c=\nF:usr/share\nR:gone\nZ:Q1d=",
    "P:base\nV:2\nF:etc\nR:motd",
    "P:libs\nV:3\nF:lib\nR:libz.so.1\nZ:Q1e=",
];

/// An Alpine with three packages, of which one stays in part, one not at all, one whole.
fn alpine() -> World {
    let mut world = World::new(
        "ENTRYPOINT /usr/bin/app
         PACKAGE app 1
         PACKAGE app owns /usr/bin/app
         PACKAGE app owns /usr/bin/tool
         PACKAGE app owns /usr/share/gone
         PACKAGE base 2
         PACKAGE base owns /etc/motd
         PACKAGE libs 3
         PACKAGE libs owns /lib/libz.so.1
         /lib                  -> usr/lib
         /usr/bin/app          0755 elf needed=libz.so.1
         /usr/bin/tool         0755 elf
         /usr/share/gone       0644 1k
         /etc/motd             0644 1k
         /usr/lib/libz.so.1    0644 elf
         /usr/lib/apk/db/installed 0644 1k",
    );
    let packages = world.fixture.inventory.packages.iter_mut();
    for (package, record) in packages.zip(RECORDS) {
        package.ecosystem = "apk";
        package.record = record.to_owned();
        package.database = Some("/usr/lib/apk/db/installed".into());
    }
    world
}

#[test]
fn the_database_of_apk_is_written_anew_with_what_stays() {
    let world = alpine();
    let plan = world.plan();
    let database = ImagePath::new("/usr/lib/apk/db/installed");
    assert_eq!(plan.keep[&database][0].rule, "inventory");
    let draft = plimsoll_slim::draft(&world.request(), &plan);
    let text = draft.layers[0].rootfs.read(&database, 1 << 20).unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "C:Q1a=\nP:app\nV:1\nF:usr/bin\nM:0:0:755\nR:app\na:0:0:755\nZ:Q1b=\n\n\
         P:libs\nV:3\nF:lib\nR:libz.so.1\nZ:Q1e=\n\n"
    );
    assert!(plan.unresolved.is_empty(), "{:?}", plan.unresolved);
    let fate = plimsoll_slim::fate(&world.fixture.subject(), &plan);
    assert_eq!(fate.whole, ["libs"]);
    assert_eq!(fate.partial, ["app"]);
    assert_eq!(fate.gone, ["base"]);
}

#[test]
fn what_python_says_of_a_module_stays_with_the_module() {
    check(
        "ENTRYPOINT /server
         LEVEL file
         SEEN opened /usr/lib/python3/dist-packages/one/__init__.py
         SEEN opened /usr/lib/python3/dist-packages/three.py
         /server 0755 elf  # kept
         /usr/lib/python3/dist-packages/one/__init__.py 0644 1k                # kept [observed]
         /usr/lib/python3/dist-packages/One-1.dist-info/METADATA 0644 1k       # kept [metadata]
         /usr/lib/python3/dist-packages/One-1.dist-info/licenses/LICENSE 0644 1k # kept [metadata]
         /usr/lib/python3/dist-packages/One-1.dist-info/entry_points.txt 0644 1k # kept [metadata]
         /usr/lib/python3/dist-packages/One-1.dist-info/RECORD 0644 \"One-1.dist-info/METADATA,,\\none/__init__.py,sha256=x,1\\n\"
         /usr/lib/python3/dist-packages/two/__init__.py 0644 1k
         /usr/lib/python3/dist-packages/two-1.dist-info/METADATA 0644 1k
         /usr/lib/python3/dist-packages/two-1.dist-info/RECORD 0644 \"two/__init__.py,,\\n\"
         /usr/lib/python3/dist-packages/three.py 0644 1k                       # kept [observed]
         /usr/lib/python3/dist-packages/3.egg-info/PKG-INFO 0644 1k            # kept [metadata]
         /usr/lib/python3/dist-packages/3.egg-info/top_level.txt 0644 \"three\\n\" # kept [metadata]
         /usr/lib/python3/dist-packages/four/__init__.py 0644 1k
         /usr/lib/python3/dist-packages/four-2.egg-info/PKG-INFO 0644 1k"
            .replace("\\\"", "\"")
            .as_str(),
    );
}

#[test]
fn what_node_and_ruby_say_of_a_module_stays_with_the_module() {
    check(
        "ENTRYPOINT /server
         LEVEL file
         SEEN opened /app/node_modules/a/lib/deep/x.js
         SEEN opened /app/main.js
         SEEN opened /gems/3.1/gems/rack-2/lib/rack.rb
         /server 0755 elf  # kept
         /app/main.js      0644 1k                     # kept [observed]
         /app/package.json 0644 1k                     # kept
         /app/node_modules/a/lib/deep/x.js 0644 1k     # kept [observed]
         /app/node_modules/a/package.json  0644 1k     # kept
         /app/node_modules/b/index.js      0644 1k
         /app/node_modules/b/package.json  0644 1k
         /gems/3.1/gems/rack-2/lib/rack.rb 0644 1k     # kept [observed]
         /gems/3.1/specifications/rack-2.gemspec 0644 1k # kept
         /gems/3.1/gems/rake-1/lib/rake.rb 0644 1k
         /gems/3.1/specifications/rake-1.gemspec 0644 1k",
    );
}
