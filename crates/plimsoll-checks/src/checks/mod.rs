//! The table of checks, sorted by name, one file each.

use crate::Check;

mod abandoned_base;
mod account_password;
mod add_from_network;
mod admin_port;
mod compiler;
mod dead_bytes;
mod debug_symbol;
mod debugger;
mod development_file;
mod development_package;
mod development_setting;
mod documentation;
mod duplicate_file;
mod editor;
mod end_of_life;
mod entry_script;
mod file_capability;
mod healthcheck_script;
mod healthcheck_tool;
mod language_package_manager;
mod log_file;
mod missing_volume;
pub(crate) mod network_tool;
mod no_healthcheck;
mod package_cache;
mod package_lists;
pub(crate) mod package_manager;
mod privilege_tool;
mod remote_login;
mod root_user;
pub(crate) mod secret_file;
mod secret_in_config;
pub(crate) mod setuid;
mod several_applications;
pub(crate) mod shell;
mod shell_form;
mod stale_image;
mod state_in_layer;
mod static_library;
mod supervisor;
mod temporary_file;
mod test_suite;
mod translation;
mod unpinned_base;
mod unverified_download;
mod update_alone;
mod vcs_directory;
mod world_writable;

/// Every check, sorted by its name.
pub static CHECKS: &[&Check] = &[
    &abandoned_base::CHECK,
    &account_password::CHECK,
    &add_from_network::CHECK,
    &admin_port::CHECK,
    &compiler::CHECK,
    &dead_bytes::CHECK,
    &debug_symbol::CHECK,
    &debugger::CHECK,
    &development_file::CHECK,
    &development_package::CHECK,
    &development_setting::CHECK,
    &documentation::CHECK,
    &duplicate_file::CHECK,
    &editor::CHECK,
    &end_of_life::CHECK,
    &entry_script::CHECK,
    &file_capability::CHECK,
    &healthcheck_script::CHECK,
    &healthcheck_tool::CHECK,
    &language_package_manager::CHECK,
    &log_file::CHECK,
    &missing_volume::CHECK,
    &network_tool::CHECK,
    &no_healthcheck::CHECK,
    &package_cache::CHECK,
    &package_lists::CHECK,
    &package_manager::CHECK,
    &privilege_tool::CHECK,
    &remote_login::CHECK,
    &root_user::CHECK,
    &secret_file::CHECK,
    &secret_in_config::CHECK,
    &setuid::CHECK,
    &several_applications::CHECK,
    &shell::CHECK,
    &shell_form::CHECK,
    &stale_image::CHECK,
    &state_in_layer::CHECK,
    &static_library::CHECK,
    &supervisor::CHECK,
    &temporary_file::CHECK,
    &test_suite::CHECK,
    &translation::CHECK,
    &unpinned_base::CHECK,
    &unverified_download::CHECK,
    &update_alone::CHECK,
    &vcs_directory::CHECK,
    &world_writable::CHECK,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_of_one_family() {
        let tables = [
            compiler::FAMILIES,
            debugger::FAMILIES,
            editor::FAMILIES,
            language_package_manager::FAMILIES,
            network_tool::FAMILIES,
            package_manager::FAMILIES,
            privilege_tool::FAMILIES,
            remote_login::FAMILIES,
            supervisor::FAMILIES,
        ];
        let families = tables.into_iter().flatten();
        let mut names: Vec<&str> = families.flat_map(|(_, names)| *names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
