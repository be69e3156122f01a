//! What takes longer than a key may: done on threads of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, OnceLock};

use plimsoll_model::text::{bytes, printable};
use plimsoll_model::{Image, Inventory, Kind, Node, Rootfs, Seen};

use super::forest::{Forest, Id, order};
use super::page::{HEAD, Page, content_type};
use super::state::{Answer, Known, Wish};
use crate::interrupt::Leftovers;
use crate::plan_file::PlanFile;
use crate::verbs::why;

/// Files of one name that may lie in the directory already.
const MOST_OF_A_NAME: usize = 1000;
/// The longest name a file gets here; file systems stop at 255 bytes.
const LONGEST_NAME: usize = 200;

/// What the threads work with.
pub(super) struct Work {
    pub(super) image: Image,
    pub(super) rootfs: Rootfs,
    /// What is installed, once somebody has looked.
    pub(super) inventory: OnceLock<Inventory>,
    pub(super) forest: Arc<Forest>,
    pub(super) plan: Option<Arc<PlanFile>>,
    pub(super) leftovers: Leftovers,
}

impl Work {
    /// Looks at the packages on one thread and answers wishes on another, until nobody has any.
    pub(super) fn start(self, wishes: Receiver<Wish>, answers: Sender<Answer>) -> io::Result<()> {
        let work = Arc::new(self);
        let (looking, told) = (Arc::clone(&work), answers.clone());
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("packages").spawn(move || {
            let found = plimsoll_packages::databases::inventory(&looking.rootfs);
            let inventory = looking.inventory.get_or_init(|| found);
            // Nobody listens any more when the user has left.
            let _ = told.send(Answer::Known(looking.known(inventory)));
        })?;
        thread("wishes").spawn(move || {
            while let Ok(wish) = wishes.recv() {
                let answer = match wish {
                    Wish::Read(id, node) => work.read(id, &node),
                    Wish::Extract(id, node) => work.extract(id, &node),
                    Wish::Why(id) => work.why(id),
                    Wish::Quit | Wish::Suspend => continue,
                };
                if answers.send(answer).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// Who owns what.
    fn known(&self, inventory: &Inventory) -> Known {
        let forest = &self.forest;
        let owned = inventory.all_owners(&self.rootfs.tree);
        let mut owned: Vec<_> = owned.into_iter().collect();
        owned.sort_by(|a, b| order(a.0.as_bytes(), b.0.as_bytes()));
        let mut owners = vec![0; forest.len() as usize];
        forest.meet(owned, |id, package| {
            if let Some(owner) = owners.get_mut(id as usize) {
                *owner = package.0 + 1;
            }
        });
        let packages = inventory.packages.iter().map(|package| {
            let text = format!("{} {}", package.name, package.version);
            printable(text.trim().as_bytes())
        });
        let contents = &self.rootfs.contents;
        let programs =
            (0..forest.len()).filter_map(|id| match forest.history(id).last()?.1?.kind {
                Kind::File { at, .. } => {
                    matches!(contents.seen(at), Seen::Needles(_)).then_some(at)
                }
                _ => None,
            });
        Known {
            packages: packages.collect(),
            owners,
            programs: programs.collect::<BTreeSet<_>>(),
            problems: inventory.problems.clone(),
        }
    }

    fn read(&self, id: Id, node: &Node) -> Answer {
        let path = self.forest.path(id);
        let Kind::File { size, at } = node.kind else {
            return Answer::Message(format!("{path} is no file"));
        };
        let length = size.min(HEAD);
        let mut head = Vec::new();
        let contents = &self.rootfs.contents;
        let read = contents
            .open_part(at, size, 0, length)
            .and_then(|reader| reader.take(length).read_to_end(&mut head));
        match read {
            Ok(_) => {
                let title = format!("{path}: {}, {}", content_type(&head), bytes(size));
                Answer::Page(Page::file(title, head, size))
            }
            Err(error) => Answer::Message(format!("cannot read {path}: {error}")),
        }
    }

    fn extract(&self, id: Id, node: &Node) -> Answer {
        let path = self.forest.path(id);
        let written = self.write(Path::new("."), path.file_name(), node);
        Answer::Message(match written {
            Ok(name) => format!("{path} is in ./{name}, {}", bytes(node.size())),
            Err(error) => format!("cannot write {path} here: {error}"),
        })
    }

    /// Writes a file into a directory, whole or not at all, under a name that is free there.
    fn write(&self, directory: &Path, name: &[u8], node: &Node) -> io::Result<String> {
        let Kind::File { size, at } = node.kind else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut reader = self.rootfs.contents.open(at, size)?.take(size);
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(directory)?;
        self.leftovers.add(file.path());
        if io::copy(&mut reader, &mut file)? != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let wanted = safe_name(name);
        for number in 0..MOST_OF_A_NAME {
            let name = match number {
                0 => wanted.clone(),
                number => format!("{wanted}.{number}"),
            };
            match file.persist_noclobber(directory.join(&name)) {
                Ok(_) => return Ok(name),
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = error.file;
                }
                Err(error) => return Err(error.error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn why(&self, id: Id) -> Answer {
        let path = self.forest.path(id);
        let Some(plan) = &self.plan else {
            return Answer::Message("no plan is known for this image".to_owned());
        };
        let Some(inventory) = self.inventory.get() else {
            return Answer::Message("wait: the packages are not known yet".to_owned());
        };
        match why::one(
            plan,
            &self.image.digest,
            &self.rootfs.tree,
            inventory,
            &path,
        ) {
            // A chain of reasons is one line; each of them gets its own here.
            Some(text) => {
                let text = text.replace(" <- ", "\n  <- ");
                Answer::Page(Page::text(format!("why {path}"), &text))
            }
            None => Answer::Message(format!("neither the plan nor the image has {path}")),
        }
    }
}

/// A name from an image as one for this machine: nothing a terminal or a shell obeys, no directory.
fn safe_name(name: &[u8]) -> String {
    let mut safe: String = printable(name)
        .chars()
        .map(|letter| match letter {
            '/' | '\\' => '_',
            letter => letter,
        })
        .collect();
    while safe.len() > LONGEST_NAME {
        safe.pop();
    }
    match safe.as_str() {
        "" | "." | ".." => "file".to_owned(),
        _ if safe.starts_with('-') => format!("_{safe}"),
        _ => safe,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_model::{Digest, Extent, MemoryContents, Metadata};

    use super::*;

    #[test]
    fn a_name_becomes_one_that_harms_nobody() {
        for (name, safe) in [
            (&b"motd"[..], "motd"),
            (b".bashrc", ".bashrc"),
            (b"-rf", "_-rf"),
            (b"a\x1b[2J\nb", "a_x1b[2J_x0ab"),
            (b"..", "file"),
            (b"\xff", "_xff"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        assert!(safe_name(&[b'\x01'; 255]).len() <= LONGEST_NAME);
    }

    #[test]
    fn a_file_is_written_beside_what_is_there_and_never_over_it() {
        let contents = MemoryContents::default();
        let at: Extent = contents.add(&b"ours"[..]);
        let image = Image {
            name: "x".to_owned(),
            digest: Digest::from_bytes([0; 32]),
            config: Default::default(),
            layers: Vec::new(),
            annotations: Default::default(),
        };
        let work = Work {
            image,
            rootfs: Rootfs {
                tree: Default::default(),
                contents: Arc::new(contents),
            },
            inventory: OnceLock::new(),
            forest: Arc::new(Forest::new(Vec::new(), &[])),
            plan: None,
            leftovers: Leftovers::default(),
        };
        let node = Node {
            kind: Kind::File { size: 4, at },
            meta: Metadata::with_mode(0o4755),
            layer: 0,
            inode: 1,
        };
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("outside");
        std::os::unix::fs::symlink(&target, scratch.path().join("motd")).unwrap();
        fs::write(scratch.path().join("motd.1"), "theirs").unwrap();
        let name = work.write(scratch.path(), b"motd", &node).unwrap();
        assert_eq!(name, "motd.2");
        let written = scratch.path().join(name);
        assert_eq!(fs::read(&written).unwrap(), b"ours");
        assert_eq!(
            fs::metadata(&written).unwrap().permissions().mode() & 0o7111,
            0
        );
        assert_eq!(fs::read(scratch.path().join("motd.1")).unwrap(), b"theirs");
        assert!(!target.exists());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 3);
    }
}
