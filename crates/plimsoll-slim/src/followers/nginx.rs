//! nginx's configuration: included files, modules, certificates, what is served.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::Scene;
use crate::valve::Cap;

follower! {
    /// nginx finds its further configuration relative to the directory of the main one, its
    /// modules and what it serves relative to its prefix (nginx documentation, "Alphabetical index
    /// of directives"). A value with a variable in it names nothing that can be looked for.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/sbin/nginx -g daemon
    /// /usr/sbin/nginx 0755 elf text=/etc/nginx/nginx.conf                            # kept
    /// /etc/nginx/nginx.conf 0644 "include mime.types; load_module modules/a.so;\n include conf.d/*.conf;\n" # kept [elf-path]
    /// /etc/nginx/mime.types 0644 "types { text/html html; }\n"                       # kept [nginx]
    /// /etc/nginx/conf.d/site.conf 0644 "server { root /srv/www; ssl_certificate site.pem; }\n" # kept [nginx]
    /// /etc/nginx/conf.d/site.off 0644 "server { root /srv/old; }\n"
    /// /etc/nginx/site.pem 0644 "x"                     # kept [nginx]
    /// /usr/share/nginx/modules/a.so 0644 elf           # kept [nginx]
    /// /srv/www/index.html 0644 "hello"                 # kept [nginx]
    /// /srv/old/index.html 0644 "bye"
    /// ```
    id: "nginx",
    follow: follow,
}

#[derive(Clone, Copy)]
enum Names {
    /// A file, seen from the configuration's directory.
    File,
    /// A file, seen from the prefix.
    Module,
    /// Files, seen from the configuration's directory.
    Pattern,
    /// A directory, seen from the prefix.
    Tree,
}

const DIRECTIVES: &[(&str, Names)] = &[
    ("alias", Names::Tree),
    ("auth_basic_user_file", Names::File),
    ("include", Names::Pattern),
    ("load_module", Names::Module),
    ("proxy_ssl_certificate", Names::File),
    ("proxy_ssl_certificate_key", Names::File),
    ("proxy_ssl_trusted_certificate", Names::File),
    ("root", Names::Tree),
    ("ssl_certificate", Names::File),
    ("ssl_certificate_key", Names::File),
    ("ssl_client_certificate", Names::File),
    ("ssl_dhparam", Names::File),
    ("ssl_password_file", Names::File),
    ("ssl_trusted_certificate", Names::File),
];

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    const HOMES: &[&str] = &[
        "/etc/nginx",
        "/usr/local/nginx/conf",
        "/usr/local/openresty/nginx/conf",
    ];
    let Some(home) = HOMES.iter().find(|home| path.starts_with(home)) else {
        return;
    };
    let Some(text) = scene.text(path) else {
        return;
    };
    let home = ImagePath::new(home);
    // Distributions compile in /usr/share/nginx or /etc/nginx; from source the prefix is above.
    let prefixes = match home.as_bytes() {
        b"/etc/nginx" => vec![
            "/usr/share/nginx".into(),
            home.clone(),
            "/usr/lib/nginx".into(),
        ],
        _ => home.parent().into_iter().collect::<Vec<ImagePath>>(),
    };
    for (name, value) in directives(&text) {
        let Some((_, names)) = DIRECTIVES.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        if value.is_empty() || value.contains('$') || value.starts_with("data:") {
            continue;
        }
        let reason = || Reason::by("nginx", path, format!("{name} {value}"));
        let exists = |place: &ImagePath| scene.tree().resolve(place).is_ok();
        match names {
            Names::Pattern => {
                for place in scene.expand(&home.join(value)) {
                    keep.path(&place, Pull::Named, reason());
                }
            }
            Names::File => {
                let place = home.join(value);
                if keep.path(&place, Pull::Named, reason()).is_none() && !exists(&place) {
                    keep.problem(
                        path,
                        format!("names {place} ({name}), which is not in the image"),
                    );
                }
            }
            Names::Module | Names::Tree => {
                let mut places = prefixes.iter().map(|prefix| prefix.join(value));
                let Some(place) = places.find(exists) else {
                    continue;
                };
                let is_dir = scene.tree().resolve(&place).ok();
                let is_dir = is_dir.and_then(|found| scene.tree().get(found.path));
                if is_dir.is_some_and(|node| node.is_dir()) {
                    keep.tree(&place, Cap::SERVED, reason());
                } else {
                    keep.path(&place, Pull::Named, reason());
                }
            }
        }
    }
}

/// Name and first argument of every simple directive; comments and quotes taken off.
fn directives(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(line));
    lines
        .flat_map(|line| line.split(['{', '}', ';']))
        .filter_map(|part| {
            let (name, value) = part.trim().split_once(char::is_whitespace)?;
            let value = value.trim_start();
            let value = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
                _ => value.split_whitespace().next().unwrap_or_default(),
            };
            Some((name, value))
        })
}
