//! How process 1 comes to its server, and what was prepared on the way.

use std::fs;

use plimsoll_model::startup::What;
use plimsoll_model::{ImagePath, Startup};
use plimsoll_run::Recording;

use crate::tree::Tree;

/// A tree whose entry is this script.
fn scripted(text: &str) -> Option<Tree> {
    let mut tree = Tree::new()?;
    tree.write("/entry.sh", text);
    tree.executable("/entry.sh");
    tree.write("/etc/old", "old\n");
    tree.write("/etc/gone", "x\n");
    tree.write("/etc/owned", "x\n");
    fs::create_dir(tree.path("/full")).unwrap();
    tree.write("/full/one", "1\n");
    tree.command = ["/entry.sh", "cat", "/etc/new"].map(str::to_owned).to_vec();
    tree.startup = Recording::On;
    Some(tree)
}

fn recorded(tree: &Tree) -> Startup {
    let outcome = tree.run().unwrap();
    let text = String::from_utf8_lossy(&outcome.output).into_owned();
    let startup = outcome.startup.unwrap();
    assert_eq!(startup.blind, [""; 0], "{text}");
    startup
}

fn programs(startup: &Startup) -> Vec<String> {
    let stages = startup.stages.iter();
    let name = |program: &[u8]| String::from_utf8_lossy(program).into_owned();
    stages.map(|stage| name(&stage.command.program)).collect()
}

#[test]
fn what_a_script_prepares_is_known_as_the_server_found_it() {
    let Some(tree) = scripted(
        "#!/bin/sh\nset -e\nexport SAID=hello\necho new > /etc/new\nchmod 600 /etc/new\n\
         chown 7:8 /etc/new /etc/old\nmkdir -p /made/deep\nln -s /etc/new /made/link\nrm /etc/gone\n\
         rm -r /full; mkdir /full\ncd /made\nexec sh -c 'exec \"$@\"' sh \"$@\"\n",
    ) else {
        return;
    };
    let startup = recorded(&tree);
    assert_eq!(programs(&startup), ["/entry.sh", "/bin/sh", "/bin/cat"]);
    let server = startup.server().unwrap();
    assert_eq!(server.command.arguments, [&b"cat"[..], b"/etc/new"]);
    assert_eq!(server.directory, b"/made");
    assert!(server.environment.contains(&b"SAID=hello".to_vec()));
    assert!(server.environment.contains(&b"A=b".to_vec()));
    let helpers = startup
        .helpers
        .iter()
        .map(|helper| helper.program.as_slice());
    let helpers: Vec<&[u8]> = helpers.collect();
    assert!(helpers.contains(&&b"/bin/chown"[..]), "{helpers:?}");

    let prepared = |path: &str| startup.prepared.get(&ImagePath::new(path)).unwrap();
    let new = prepared("/etc/new");
    assert_eq!(new.what, What::File(b"new\n".to_vec()));
    assert_eq!((new.mode, new.owner), (0o600, (7, 8)));
    assert_eq!(new.by, "/entry.sh");
    // As a plain user nothing is written for an owner alone.
    let old = prepared("/etc/old");
    assert!(matches!(&old.what, What::File(_) | What::Owner), "{old:?}");
    assert_eq!(old.owner, (7, 8));
    assert_eq!(
        prepared("/made/link").what,
        What::Link(b"/etc/new".to_vec())
    );
    assert_eq!(prepared("/etc/gone").what, What::Gone);
    assert_eq!(prepared("/full").what, What::Directory { fresh: true });
    assert!(matches!(
        prepared("/made/deep").what,
        What::Directory { .. }
    ));
    // What the runtime supplies is none of its work, and neither is what it left alone.
    for path in ["/etc/hosts", "/etc/hostname", "/etc/owned", "/full/one"] {
        assert!(
            !startup.prepared.contains_key(&ImagePath::new(path)),
            "{path}"
        );
    }
    let touched = |path: &str| startup.touched.seen.contains_key(path.as_bytes());
    assert!(touched("/etc/gone"));
    // The server's own opening comes after.
    assert_eq!(startup.beside, [""; 0]);
    let first = &startup.stages[0];
    assert_eq!(first.inherited, server.inherited);
}

#[test]
fn what_a_server_inherits_is_seen() {
    let Some(tree) = scripted(
        "#!/bin/sh\numask 027\nulimit -n 99\ntrap '' HUP\nexec 3>/etc/new 2>/etc/err\nsleep 30 &\nsleep 0.2\nexec \"$@\"\n",
    ) else {
        return;
    };
    let startup = recorded(&tree);
    let (first, server) = (&startup.stages[0], startup.server().unwrap());
    let differs = |name: &str| first.inherited.get(name) != server.inherited.get(name);
    for name in [
        "file mode mask",
        "limit on open files",
        "ignored signals",
        "open descriptor 3",
        "standard error",
    ] {
        assert!(differs(name), "{name}: {:?}", server.inherited);
    }
    assert!(!differs("standard output") && !differs("niceness"));
    assert_eq!(startup.beside, ["/bin/sleep"]);
}

#[test]
fn a_run_ends_where_it_is_told_to() {
    let Some(mut tree) = scripted("#!/bin/sh\ncat /etc/hostname > /etc/new\nexec \"$@\"\n") else {
        return;
    };
    tree.startup = Recording::Until {
        program: b"/bin/cat".to_vec(),
        times: 1,
    };
    tree.hostname = "elsewhere".to_owned();
    let outcome = tree.run().unwrap();
    assert_eq!(outcome.output, b"");
    let startup = outcome.startup.unwrap();
    let new = &startup.prepared[&ImagePath::new("/etc/new")];
    assert_eq!(new.what, What::File(b"elsewhere\n".to_vec()));
}
