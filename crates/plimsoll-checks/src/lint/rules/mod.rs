//! The table of rules, sorted by name, one file each.

use super::Rule;

mod add_not_copy;
mod admin_port;
mod apt_for_scripts;
mod as_case;
mod broken_exec_form;
mod change_directory;
mod constant_platform;
mod download_cache;
mod duplicate_stage;
mod empty_continuation;
mod expose_case;
mod expose_format;
mod instruction_case;
mod invalid_default_argument;
mod legacy_pair;
mod maintainer;
mod missing_yes;
mod named_user;
mod no_user;
mod package_lists;
mod piped_download;
mod recommended_packages;
mod redundant_platform;
mod relative_workdir;
mod remote_add;
mod repeated_instruction;
mod reserved_stage;
mod root_user;
mod secret_variable;
mod self_reference;
mod shell_form;
mod stage_case;
mod sudo;
mod undefined_base_argument;
mod undefined_variable;
mod unpinned_base;
mod unpinned_packages;
mod update_alone;
mod upgrade;

/// Every rule, sorted by its name.
pub static RULES: &[&Rule] = &[
    &add_not_copy::RULE,
    &admin_port::RULE,
    &apt_for_scripts::RULE,
    &as_case::RULE,
    &broken_exec_form::RULE,
    &change_directory::RULE,
    &constant_platform::RULE,
    &download_cache::RULE,
    &duplicate_stage::RULE,
    &empty_continuation::RULE,
    &expose_case::RULE,
    &expose_format::RULE,
    &instruction_case::RULE,
    &invalid_default_argument::RULE,
    &legacy_pair::RULE,
    &maintainer::RULE,
    &missing_yes::RULE,
    &named_user::RULE,
    &no_user::RULE,
    &package_lists::RULE,
    &piped_download::RULE,
    &recommended_packages::RULE,
    &redundant_platform::RULE,
    &relative_workdir::RULE,
    &remote_add::RULE,
    &repeated_instruction::RULE,
    &reserved_stage::RULE,
    &root_user::RULE,
    &secret_variable::RULE,
    &self_reference::RULE,
    &shell_form::RULE,
    &stage_case::RULE,
    &sudo::RULE,
    &undefined_base_argument::RULE,
    &undefined_variable::RULE,
    &unpinned_base::RULE,
    &unpinned_packages::RULE,
    &update_alone::RULE,
    &upgrade::RULE,
];
