//! Each row does to a small tree what its page says.

use std::sync::Arc;

use plimsoll_model::MemoryContents;

use crate::shell;
use crate::stage::Stage;
use crate::world::World;

/// A tree with these files, and what the script leaves of it; nothing may be reported.
#[track_caller]
fn after(files: &[(&str, &str)], script: &str) -> (Stage, World) {
    let mut stage = Stage::new(Arc::new(MemoryContents::default()), 86_400 * 20_000);
    for (path, text) in files {
        stage
            .write(&(*path).into(), text.as_bytes(), 0o755)
            .unwrap();
    }
    let mut world = World {
        architecture: "amd64".into(),
        ..World::default()
    };
    let script = format!("#!/bin/sh -e\n{script}");
    let arguments = ["configure", ""];
    let reports = shell::follow(
        &mut stage,
        &mut world,
        "x",
        "postinst",
        script.as_bytes(),
        &arguments,
    );
    assert_eq!(reports, []);
    (stage, world)
}

#[track_caller]
fn link(stage: &Stage, path: &str) -> String {
    let target = stage.link(&path.into());
    String::from_utf8_lossy(target.unwrap_or_else(|| panic!("no link {path}"))).into_owned()
}

#[test]
fn alternatives_are_links_to_the_best() {
    let (stage, _) = after(
        &[
            ("/usr/bin/mawk", ""),
            ("/usr/bin/gawk", ""),
            ("/usr/share/man/m.1.gz", ""),
        ],
        "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \\
            --slave /usr/share/man/awk.1.gz awk.1.gz /usr/share/man/m.1.gz
         update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10 \\
            --slave /usr/share/man/awk.1.gz awk.1.gz /usr/share/man/none.1.gz
         update-alternatives --install /usr/bin/x x /usr/bin/none 1 || true",
    );
    assert_eq!(link(&stage, "/usr/bin/awk"), "/etc/alternatives/awk");
    assert_eq!(link(&stage, "/etc/alternatives/awk"), "/usr/bin/gawk");
    // The best one's slave is not there, so neither is its link.
    assert!(
        stage
            .node_itself(&"/usr/share/man/awk.1.gz".into())
            .is_none()
    );
    assert!(stage.node_itself(&"/usr/bin/x".into()).is_none());
    let text = stage.read_text(&"/var/lib/dpkg/alternatives/awk".into());
    assert!(text.starts_with("auto\n/usr/bin/awk\nawk.1.gz\n"), "{text}");
    let script = "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5
        update-alternatives --remove awk /usr/bin/mawk";
    let (stage, _) = after(&[("/usr/bin/mawk", "")], script);
    assert!(stage.node_itself(&"/usr/bin/awk".into()).is_none());
}

#[test]
fn apache_modules_come_with_what_they_depend_on() {
    let (stage, _) = after(
        &[
            (
                "/etc/apache2/mods-available/ssl.load",
                "# Depends: setenvif mime\nLoadModule",
            ),
            ("/etc/apache2/mods-available/ssl.conf", ""),
            ("/etc/apache2/mods-available/mime.load", ""),
            ("/etc/apache2/mods-available/setenvif.load", ""),
            ("/etc/apache2/sites-available/default.conf", ""),
            ("/etc/apache2/conf-available/security.conf", ""),
        ],
        "a2enmod -m -q ssl; a2ensite default; a2enconf -q security; a2dismod mime
         a2enmod none || true; a2query -m ssl",
    );
    let enabled = "/etc/apache2/mods-enabled";
    assert_eq!(
        link(&stage, &format!("{enabled}/ssl.load")),
        "../mods-available/ssl.load"
    );
    assert!(stage.is_file(&format!("{enabled}/ssl.conf").as_str().into()));
    assert!(stage.is_file(&format!("{enabled}/setenvif.load").as_str().into()));
    assert!(
        stage
            .node_itself(&format!("{enabled}/mime.load").as_str().into())
            .is_none()
    );
    assert_eq!(
        link(&stage, "/etc/apache2/sites-enabled/default.conf"),
        "../sites-available/default.conf"
    );
    assert!(stage.is_file(&"/etc/apache2/conf-enabled/security.conf".into()));
    assert!(stage.is_file(&"/var/lib/apache2/module/enabled_by_maint/ssl".into()));
}

#[test]
fn pam_profiles_become_the_common_files() {
    let template = "# top\n$auth_primary\nauth\trequisite\tpam_deny.so\n$auth_additional\n";
    let (stage, _) = after(
        &[
            ("/usr/share/pam/common-auth", template),
            (
                "/usr/share/pam-configs/unix",
                "Name: Unix\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\
                 \t[success=end default=ignore]\tpam_unix.so try_first_pass\nAuth-Initial:\n\
                 \t[success=end default=ignore]\tpam_unix.so\n",
            ),
            (
                "/usr/share/pam-configs/cap",
                "Name: Cap\nDefault: yes\nPriority: 0\nAuth-Type: Additional\nAuth:\n\
                 \toptional\tpam_cap.so\n",
            ),
            (
                "/usr/share/pam-configs/off",
                "Name: Off\nDefault: no\nAuth-Type: Primary\n",
            ),
        ],
        "pam-auth-update --package",
    );
    assert_eq!(
        stage.read_text(&"/etc/pam.d/common-auth".into()),
        "# top\nauth\t[success=1 default=ignore]\tpam_unix.so\nauth\trequisite\tpam_deny.so\n\
         auth\toptional\tpam_cap.so\n"
    );
    assert_eq!(stage.read_text(&"/var/lib/pam/seen".into()), "unix\ncap\n");
}

#[test]
fn questions_get_their_defaults_and_what_scripts_set() {
    let mut world = World::default();
    world.load_templates(
        b"Template: a/b\nType: string\nDefault: yes\n\nTemplate: a/c\nType: note\n",
    );
    assert_eq!(world.answer("a/b").as_deref(), Some("yes"));
    let (stage, _) = after(
        &[],
        ". /usr/share/debconf/confmodule
         db_version 2.0; db_set x/y 'some value'; db_get x/y; echo \"$RET\" > /out
         db_input high x/y || echo skipped >> /out; db_go
         db_get none/such || echo $? >> /out",
    );
    assert_eq!(stage.read_text(&"/out".into()), "some value\nskipped\n10\n");
}

#[test]
fn diverted_and_overridden_paths_are_kept() {
    let (stage, world) = after(
        &[("/bin/sh", "old"), ("/bin/su", "")],
        "dpkg-divert --package x --divert /bin/sh.distrib --rename --add /bin/sh
         dpkg-divert --truename /bin/sh > /out
         dpkg-divert --listpackage /bin/sh >> /out
         dpkg-statoverride --update --add root root 4750 /bin/su
         dpkg-statoverride --list /bin/su >> /out
         dpkg-trigger --no-await ldconfig",
    );
    assert_eq!(
        stage.read_text(&"/out".into()),
        "/bin/sh.distrib\nx\nroot root 4750 /bin/su\n"
    );
    assert!(stage.is_file(&"/bin/sh.distrib".into()) && !stage.is_file(&"/bin/sh".into()));
    assert_eq!(stage.node(&"/bin/su".into()).unwrap().meta.mode, 0o4750);
    assert!(world.triggers.contains("ldconfig"));
}

#[test]
fn declared_users_and_directories_are_made() {
    let (stage, _) = after(
        &[
            ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
            ("/etc/group", "root:x:0:\n"),
            (
                "/usr/lib/sysusers.d/a.conf",
                "u web - \"Web server\" /srv\ng data 500\nm web data\n",
            ),
            (
                "/usr/lib/tmpfiles.d/a.conf",
                "d /var/lib/web 0750 web data -\nL /srv/link - - - - ../x\nd! /boot-only 0755\n",
            ),
        ],
        "systemd-sysusers a.conf; systemd-tmpfiles --create a.conf",
    );
    let passwd = stage.read_text(&"/etc/passwd".into());
    assert!(
        passwd.ends_with("web:!:999:999:Web server:/srv:/usr/sbin/nologin\n"),
        "{passwd}"
    );
    assert!(
        stage
            .read_text(&"/etc/group".into())
            .ends_with("web:x:999:\ndata:x:500:web\n")
    );
    let meta = &stage.node(&"/var/lib/web".into()).unwrap().meta;
    assert_eq!((meta.mode, meta.uid, meta.gid), (0o750, 999, 500));
    assert_eq!(link(&stage, "/srv/link"), "../x");
    assert!(stage.node(&"/boot-only".into()).is_none());
}

#[test]
fn shells_are_listed_with_their_merged_names() {
    let (stage, _) = after(
        &[
            ("/usr/share/debianutils/shells", "/bin/sh\n"),
            ("/usr/share/debianutils/shells.d/dash", "/bin/dash\n"),
            ("/bin/sh", ""),
            ("/bin/dash", ""),
            ("/usr/bin/dash", ""),
        ],
        "update-shells; add-shell /bin/none; remove-shell /bin/sh",
    );
    let text = stage.read_text(&"/etc/shells".into());
    assert_eq!(
        text,
        "# /etc/shells: valid login shells\n/bin/dash\n/usr/bin/dash\n"
    );
}

#[test]
fn nothing_is_started_and_no_machine_is_known() {
    let (stage, _) = after(
        &[],
        "systemctl daemon-reload; invoke-rc.d x start; deb-systemd-helper enable x.service
         if deb-systemd-helper debian-installed x; then echo never > /out; fi
         ischroot && uname -m > /out; mountpoint -q / || echo no >> /out; id -u >> /out
         dpkg --print-architecture >> /out
         dpkg --compare-versions 1.0 lt 2.0 && echo less >> /out",
    );
    assert_eq!(
        stage.read_text(&"/out".into()),
        "x86_64\nno\n0\namd64\nless\n"
    );
}
