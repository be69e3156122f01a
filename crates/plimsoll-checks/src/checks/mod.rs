//! The table of checks, sorted by name, one file each.

use crate::Check;

mod dead_bytes;
mod entry_script;
mod file_capability;
mod language_package_manager;
pub(crate) mod network_tool;
mod package_cache;
mod package_lists;
pub(crate) mod package_manager;
mod root_user;
pub(crate) mod setuid;
pub(crate) mod shell;
mod shell_form;
mod temporary_file;

/// Every check, sorted by its name.
pub static CHECKS: &[&Check] = &[
    &dead_bytes::CHECK,
    &entry_script::CHECK,
    &file_capability::CHECK,
    &language_package_manager::CHECK,
    &network_tool::CHECK,
    &package_cache::CHECK,
    &package_lists::CHECK,
    &package_manager::CHECK,
    &root_user::CHECK,
    &setuid::CHECK,
    &shell::CHECK,
    &shell_form::CHECK,
    &temporary_file::CHECK,
];

#[cfg(test)]
mod tests {
    use super::{language_package_manager, network_tool, package_manager};

    #[test]
    fn a_program_is_of_one_family() {
        let tables = [
            language_package_manager::FAMILIES,
            network_tool::FAMILIES,
            package_manager::FAMILIES,
        ];
        let families = tables.into_iter().flatten();
        let mut names: Vec<&str> = families.flat_map(|(_, names)| *names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
