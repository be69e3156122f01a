//! The identity a process believes to have, with the kernel's rules for changing it
//! (`credentials(7)`, `setresuid(2)`).

use std::rc::Rc;
use std::sync::Arc;

/// "Leave it as it is", where an id is expected.
pub(super) const KEEP: u32 = u32::MAX;

/// Real, effective, saved and file system id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) real: u32,
    pub(super) effective: u32,
    pub(super) saved: u32,
    pub(super) file: u32,
}

impl Ids {
    pub(super) const fn all(id: u32) -> Self {
        Self {
            real: id,
            effective: id,
            saved: id,
            file: id,
        }
    }

    /// `setuid(2)`.
    fn set(self, id: u32, may: bool) -> Option<Self> {
        if may {
            return Some(Self::all(id));
        }
        (id == self.real || id == self.saved).then_some(Self {
            effective: id,
            file: id,
            ..self
        })
    }

    /// `setreuid(2)`.
    fn set_two(self, real: u32, effective: u32, may: bool) -> Option<Self> {
        let real_ok = [KEEP, self.real, self.effective].contains(&real);
        let effective_ok = [KEEP, self.real, self.effective, self.saved].contains(&effective);
        if !(may || real_ok && effective_ok) {
            return None;
        }
        let mut ids = self;
        keep_or(&mut ids.real, real);
        keep_or(&mut ids.effective, effective);
        if real != KEEP || (effective != KEEP && effective != self.real) {
            ids.saved = ids.effective;
        }
        ids.file = ids.effective;
        Some(ids)
    }

    /// `setresuid(2)`.
    fn set_three(self, real: u32, effective: u32, saved: u32, may: bool) -> Option<Self> {
        let own = [KEEP, self.real, self.effective, self.saved];
        if !may && ![real, effective, saved].iter().all(|id| own.contains(id)) {
            return None;
        }
        let mut ids = self;
        keep_or(&mut ids.real, real);
        keep_or(&mut ids.effective, effective);
        keep_or(&mut ids.saved, saved);
        ids.file = ids.effective;
        Some(ids)
    }

    /// `setfsuid(2)`: answers the old one, whether it was changed or not.
    fn set_file(&mut self, id: u32, may: bool) -> u32 {
        let old = self.file;
        let own = [self.real, self.effective, self.saved, self.file];
        if id != KEEP && (may || own.contains(&id)) {
            self.file = id;
        }
        old
    }
}

fn keep_or(field: &mut u32, id: u32) {
    if id != KEEP {
        *field = id;
    }
}

/// Everything a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Ids,
    pub(super) group: Ids,
    pub(super) groups: Arc<[u32]>,
}

/// A call that changes an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    User(u32),
    Group(u32),
    Users(u32, u32),
    AllGroups(u32, u32),
    ThreeUsers(u32, u32, u32),
    ThreeGroups(u32, u32, u32),
    FileUser(u32),
    FileGroup(u32),
    Groups(Rc<[u32]>),
}

impl Credentials {
    pub(super) fn new(user: u32, group: u32, groups: &[u32]) -> Self {
        Self {
            user: Ids::all(user),
            group: Ids::all(group),
            groups: groups.into(),
        }
    }

    /// Whether it may become anybody: CAP_SETUID and CAP_SETGID go with the effective user.
    pub(super) const fn is_root(&self) -> bool {
        self.user.effective == 0
    }

    /// Makes the change; the value of the call, or `None` where the kernel would say `EPERM`.
    pub(super) fn apply(&mut self, change: &Change) -> Option<i64> {
        let may = self.is_root();
        match *change {
            Change::User(id) => self.user = self.user.set(id, may)?,
            Change::Group(id) => self.group = self.group.set(id, may)?,
            Change::Users(real, effective) => {
                self.user = self.user.set_two(real, effective, may)?;
            }
            Change::AllGroups(real, effective) => {
                self.group = self.group.set_two(real, effective, may)?;
            }
            Change::ThreeUsers(real, effective, saved) => {
                self.user = self.user.set_three(real, effective, saved, may)?;
            }
            Change::ThreeGroups(real, effective, saved) => {
                self.group = self.group.set_three(real, effective, saved, may)?;
            }
            Change::FileUser(id) => return Some(self.user.set_file(id, may).into()),
            Change::FileGroup(id) => return Some(self.group.set_file(id, may).into()),
            Change::Groups(ref groups) => {
                if !may {
                    return None;
                }
                self.groups = groups.iter().copied().collect();
            }
        }
        Some(0)
    }

    /// `chown(2)` of a file that belongs to `owner`, to these ids: only root gives files away.
    pub(super) fn may_chown(&self, owner: (u32, u32), user: u32, group: u32) -> bool {
        let own = owner.0 == self.user.file;
        let member = group == self.group.file || self.groups.contains(&group);
        self.is_root()
            || (own
                && (user == KEEP || user == owner.0)
                && (group == KEEP || group == owner.1 || member))
            || (user == KEEP && group == KEEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(credentials: &Credentials) -> (u32, u32, u32) {
        let ids = credentials.user;
        (ids.real, ids.effective, ids.saved)
    }

    #[test]
    fn root_becomes_anybody_and_does_not_come_back() {
        let mut one = Credentials::new(0, 0, &[0]);
        assert_eq!(one.apply(&Change::Groups([33, 40].into())), Some(0));
        assert_eq!(one.apply(&Change::Group(33)), Some(0));
        assert_eq!(one.apply(&Change::User(33)), Some(0));
        assert_eq!(user(&one), (33, 33, 33));
        assert_eq!(&*one.groups, [33, 40]);
        for change in [
            Change::User(0),
            Change::Users(0, 0),
            Change::ThreeUsers(KEEP, 0, KEEP),
            Change::Group(0),
            Change::Groups([].into()),
        ] {
            assert_eq!(one.apply(&change), None, "{change:?}");
        }
        assert_eq!(one.apply(&Change::ThreeUsers(33, KEEP, 33)), Some(0));
    }

    #[test]
    fn an_effective_user_alone_can_be_taken_back() {
        let mut one = Credentials::new(0, 0, &[]);
        assert_eq!(one.apply(&Change::ThreeUsers(KEEP, 101, KEEP)), Some(0));
        assert_eq!(user(&one), (0, 101, 0));
        assert_eq!(one.apply(&Change::ThreeUsers(KEEP, 7, KEEP)), None);
        assert_eq!(one.apply(&Change::ThreeUsers(KEEP, 0, KEEP)), Some(0));
        assert_eq!(user(&one), (0, 0, 0));
        // setreuid(2) sets the saved id with the real one.
        assert_eq!(one.apply(&Change::Users(5, 6)), Some(0));
        assert_eq!(user(&one), (5, 6, 6));
    }

    #[test]
    fn the_file_system_user_answers_the_one_before() {
        let mut one = Credentials::new(0, 0, &[]);
        assert_eq!(one.apply(&Change::FileUser(9)), Some(0));
        assert_eq!(one.apply(&Change::FileUser(KEEP)), Some(9));
        one.apply(&Change::User(9));
        assert_eq!(one.apply(&Change::FileUser(0)), Some(9));
        assert_eq!(one.apply(&Change::FileUser(KEEP)), Some(9));
    }

    #[test]
    fn only_root_gives_files_away() {
        let root = Credentials::new(0, 0, &[]);
        let www = Credentials::new(33, 33, &[33, 50]);
        assert!(root.may_chown((5, 5), 7, 7));
        assert!(www.may_chown((33, 33), 33, 50));
        assert!(www.may_chown((33, 33), KEEP, 33));
        assert!(!www.may_chown((33, 33), 34, KEEP));
        assert!(!www.may_chown((33, 33), KEEP, 51));
        assert!(!www.may_chown((0, 0), KEEP, 33));
    }
}
