//! (stub)
use super::Sights;
use super::listener::{Listener, Question, Reply};
use crate::Identity;
use crate::seccomp::Number;
use plimsoll_model::ImagePath;
pub(crate) fn sees_owner(number: Number) -> bool {
    let _ = number;
    false
}
#[derive(Clone)]
pub(crate) struct Identities;
impl Identities {
    pub(crate) fn effective(&self, _pid: i32) -> Option<(u32, u32)> {
        None
    }
}
pub(super) struct Fake<'a>(std::marker::PhantomData<&'a ()>);
impl<'a> Fake<'a> {
    pub(super) fn new(
        _pid: i32,
        _i: &Identity,
        _o: &'a (dyn Fn(&ImagePath) -> Option<(u32, u32)> + Sync),
    ) -> Self {
        Self(std::marker::PhantomData)
    }
    pub(super) fn identities(&self) -> Identities {
        Identities
    }
    pub(super) fn answer(&mut self, _l: &Listener, _q: &Question, _s: &Sights) -> Reply {
        Reply::Continue
    }
    pub(super) fn problems(self) -> Vec<String> {
        Vec::new()
    }
}
