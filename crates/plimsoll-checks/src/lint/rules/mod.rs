//! The table of rules, sorted by name, one file each.

use super::Rule;

mod abandoned_base;
mod add_not_copy;
mod admin_port;
mod apt_for_scripts;
mod archive_copied;
mod as_case;
mod broken_exec_form;
mod change_directory;
mod constant_platform;
mod copy_destination;
mod copy_everything;
mod copy_ignored;
mod copy_without_workdir;
mod definition_comment;
mod deleted_later;
mod development_tools;
mod download_cache;
mod download_left;
mod duplicate_stage;
mod empty_continuation;
mod expose_case;
mod expose_format;
mod health_shell;
mod insecure_download;
mod instruction_case;
mod invalid_default_argument;
mod invalid_instruction;
mod label_key;
mod legacy_pair;
mod long_progress;
mod maintainer;
mod missing_yes;
mod named_user;
mod no_user;
mod own_stage;
mod package_lists;
mod piped_download;
mod pointless_command;
mod recommended_packages;
mod redundant_platform;
mod relative_workdir;
mod remote_add;
mod repeated_instruction;
mod repeated_ownership;
mod reserved_stage;
mod root_user;
mod secret_file;
mod secret_variable;
mod self_reference;
mod several_services;
mod shell_form;
mod shell_replaced;
mod sparse_log;
mod split_run;
mod stage_case;
mod sudo;
mod two_downloaders;
mod undefined_base_argument;
mod undefined_variable;
mod unknown_stage;
mod unpinned_base;
mod unpinned_packages;
mod unread_shell;
mod unseen_failure;
mod update_alone;
mod upgrade;
mod whole_root_copied;
mod world_writable;

/// Every rule, sorted by its name.
pub static RULES: &[&Rule] = &[
    &abandoned_base::RULE,
    &add_not_copy::RULE,
    &admin_port::RULE,
    &apt_for_scripts::RULE,
    &archive_copied::RULE,
    &as_case::RULE,
    &broken_exec_form::RULE,
    &change_directory::RULE,
    &constant_platform::RULE,
    &copy_destination::RULE,
    &copy_everything::RULE,
    &copy_ignored::RULE,
    &copy_without_workdir::RULE,
    &definition_comment::RULE,
    &deleted_later::RULE,
    &development_tools::RULE,
    &download_cache::RULE,
    &download_left::RULE,
    &duplicate_stage::RULE,
    &empty_continuation::RULE,
    &expose_case::RULE,
    &expose_format::RULE,
    &health_shell::RULE,
    &insecure_download::RULE,
    &instruction_case::RULE,
    &invalid_default_argument::RULE,
    &invalid_instruction::RULE,
    &label_key::RULE,
    &legacy_pair::RULE,
    &long_progress::RULE,
    &maintainer::RULE,
    &missing_yes::RULE,
    &named_user::RULE,
    &no_user::RULE,
    &own_stage::RULE,
    &package_lists::RULE,
    &piped_download::RULE,
    &pointless_command::RULE,
    &recommended_packages::RULE,
    &redundant_platform::RULE,
    &relative_workdir::RULE,
    &remote_add::RULE,
    &repeated_instruction::RULE,
    &repeated_ownership::RULE,
    &reserved_stage::RULE,
    &root_user::RULE,
    &secret_file::RULE,
    &secret_variable::RULE,
    &self_reference::RULE,
    &several_services::RULE,
    &shell_form::RULE,
    &shell_replaced::RULE,
    &sparse_log::RULE,
    &split_run::RULE,
    &stage_case::RULE,
    &sudo::RULE,
    &two_downloaders::RULE,
    &undefined_base_argument::RULE,
    &undefined_variable::RULE,
    &unknown_stage::RULE,
    &unpinned_base::RULE,
    &unpinned_packages::RULE,
    &unread_shell::RULE,
    &unseen_failure::RULE,
    &update_alone::RULE,
    &upgrade::RULE,
    &whole_root_copied::RULE,
    &world_writable::RULE,
];
