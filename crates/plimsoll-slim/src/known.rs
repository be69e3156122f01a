//! What was learned of an image, shared by all who look at it: what stays is found out several times
//! over (for a plan, for one that is mended, for the risk of every level), and each time from the same
//! files. They are read and parsed once.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plimsoll_model::{Extent, ImagePath, Subject};

use crate::inventory::Sums;
use crate::loader::Loader;
use crate::owners::Owners;
use crate::python::{Distributions, Places};

/// Bytes of what was learned of files that are held: an image may be made to teach without end. What
/// comes later is learned anew by whoever asks.
const LIMIT: usize = 64 << 20;
/// Bytes that one thing takes beyond what it holds: its place, and the name it is found by.
const OVERHEAD: usize = 200;

/// Something that the bytes of a file say, and nothing else: neither its name nor what lies around it.
pub(crate) trait Learned: Any + Send + Sync {
    /// The bytes of memory it takes, about.
    fn weight(&self) -> usize;
}

/// The bytes of memory that a collection of texts takes, about.
pub(crate) fn weight_of<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    /// Of one in a collection.
    const PLACE: usize = 40;
    texts.into_iter().map(|text| text.len() + PLACE).sum()
}

/// What was learned of one image so far, for all plans that are made of it ([`crate::Request::known`]);
/// threads may share it. It holds at most about 64 MiB of what files say.
///
/// Nothing in it can be out of date: it borrows the image it is about, it answers only for that very
/// one, and what a file says is found by where its bytes lie in the layers, not by its path.
pub struct Known<'a> {
    subject: Subject<'a>,
    whole: Arc<Whole>,
    files: Mutex<Files>,
}

impl<'a> Known<'a> {
    /// Nothing yet, about this image.
    pub fn about(subject: Subject<'a>) -> Self {
        Self {
            subject,
            whole: Arc::default(),
            files: Mutex::default(),
        }
    }

    /// Whether this is about `subject`, not only about one that is like it.
    pub(crate) fn is_about(&self, subject: &Subject<'_>) -> bool {
        std::ptr::eq(self.subject.image, subject.image)
            && std::ptr::eq(self.subject.rootfs, subject.rootfs)
            && std::ptr::eq(self.subject.inventory, subject.inventory)
            && std::ptr::eq(self.subject.lineage, subject.lineage)
    }

    /// What its tree and configuration say.
    pub(crate) fn whole(&self) -> Arc<Whole> {
        Arc::clone(&self.whole)
    }

    /// What the `size` bytes at `at` say, in the light of `about`; `read` finds it out where nobody did.
    pub(crate) fn file<T: Learned, E>(
        &self,
        (at, size): (Extent, u64),
        about: &str,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let key = (at, size, TypeId::of::<T>(), about.to_owned());
        let known = self.files().found.get(&key).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        // Others go on meanwhile; who asks for the same at the same time learns it too.
        let learned = Arc::new(read()?);
        let weight = learned.weight() + about.len() + OVERHEAD;
        let mut files = self.files();
        if files.weight + weight <= LIMIT && !files.found.contains_key(&key) {
            files.weight += weight;
            files.found.insert(key, Arc::clone(&learned) as _);
        }
        Ok(learned)
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was learned of files: by where their bytes lie, as what they were read, and in the light of
/// what.
#[derive(Default)]
struct Files {
    found: BTreeMap<(Extent, u64, TypeId, String), Arc<dyn Any + Send + Sync>>,
    weight: usize,
}

/// What the tree and the configuration of an image say, each found once.
#[derive(Default)]
pub(crate) struct Whole {
    pub(crate) owners: OnceLock<Owners>,
    pub(crate) sums: OnceLock<Sums>,
    pub(crate) loader: OnceLock<Loader>,
    pub(crate) python: OnceLock<Places>,
    pub(crate) distributions: OnceLock<Distributions>,
    remembered: Mutex<BTreeMap<&'static str, Arc<Vec<ImagePath>>>>,
}

impl Whole {
    /// What a follower learned, under its name.
    pub(crate) fn remembered(
        &self,
        name: &'static str,
        find: impl FnOnce() -> Vec<ImagePath>,
    ) -> Arc<Vec<ImagePath>> {
        let all = || {
            self.remembered
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = all().get(name) {
            return Arc::clone(known);
        }
        let found = Arc::new(find());
        Arc::clone(all().entry(name).or_insert(found))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use plimsoll_model::fixture::Fixture;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Text(String);

    impl Learned for Text {
        fn weight(&self) -> usize {
            self.0.len()
        }
    }

    #[derive(Debug, PartialEq)]
    struct Length(usize);

    impl Learned for Length {
        fn weight(&self) -> usize {
            LIMIT
        }
    }

    fn at(offset: u64) -> (Extent, u64) {
        (Extent { layer: 0, offset }, 4)
    }

    #[test]
    fn what_is_known_is_not_read_again() {
        let fixture = Fixture::bare("/a 0644 \"text\"");
        let known = Known::about(fixture.subject());
        let reads = Cell::new(0);
        let read = |text: &str| {
            reads.set(reads.get() + 1);
            Ok::<_, ()>(Text(text.to_owned()))
        };
        assert_eq!(known.file(at(0), "", || read("one")).unwrap().0, "one");
        assert_eq!(known.file(at(0), "", || read("two")).unwrap().0, "one");
        assert_eq!(reads.get(), 1);
        // Elsewhere, in another light, of another length, as something else.
        assert_eq!(known.file(at(4), "", || read("three")).unwrap().0, "three");
        assert_eq!(known.file(at(0), "x", || read("four")).unwrap().0, "four");
        let longer = (at(0).0, 5);
        assert_eq!(known.file(longer, "", || read("five")).unwrap().0, "five");
        let length = known.file(at(0), "", || Ok::<_, ()>(Length(4)));
        assert_eq!(*length.unwrap(), Length(4));
        // What failed is tried again.
        assert!(known.file::<Text, _>(at(9), "", || Err(())).is_err());
        assert_eq!(known.file(at(9), "", || read("six")).unwrap().0, "six");
    }

    #[test]
    fn what_is_too_much_is_not_held() {
        let fixture = Fixture::bare("/a 0644 \"text\"");
        let known = Known::about(fixture.subject());
        for length in [1, 2] {
            let learned = known.file(at(0), "", || Ok::<_, ()>(Length(length)));
            assert_eq!(*learned.unwrap(), Length(length));
        }
        assert!(known.files().weight <= LIMIT);
    }

    #[test]
    fn it_answers_for_its_own_image_alone() {
        let (one, other) = (Fixture::bare("/a/ dir 0755"), Fixture::bare("/a/ dir 0755"));
        let known = Known::about(one.subject());
        assert!(known.is_about(&one.subject()));
        assert!(!known.is_about(&other.subject()));
    }
}
