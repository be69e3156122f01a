//! Products in trees made by hand.

use plimsoll_model::fixture::Fixture;

use super::{PRODUCTS, expression};

fn found(text: &str) -> Vec<String> {
    let inventory = crate::databases::inventory(&Fixture::bare(text).rootfs);
    assert_eq!(inventory.problems, []);
    let generic = inventory
        .packages
        .iter()
        .filter(|package| package.ecosystem == "generic");
    generic
        .map(|package| {
            format!(
                "{} {} {}",
                package.name,
                package.version,
                package.known_by.name()
            )
        })
        .collect()
}

#[test]
fn the_table_is_in_order_and_every_expression_has_a_version() {
    assert!(PRODUCTS.is_sorted_by(|a, b| a.name <= b.name));
    for product in PRODUCTS {
        assert!(!product.names.is_empty(), "{}", product.name);
        for text in product.says {
            let built = expression(&text.replace("{file}", r"3\.11"));
            let built = built.unwrap_or_else(|| panic!("{}: {text}", product.name));
            let names = built.capture_names().flatten().collect::<Vec<_>>();
            assert_eq!(names, ["v"], "{}: {text}", product.name);
        }
    }
}

#[test]
fn a_server_that_no_package_owns_is_told_by_its_words() {
    let text = r#"/usr/local/apache2/bin/httpd 0755 "\x7fELF\0\0Apache/2.4.46 (Unix)\0"
        /usr/local/bin/redis-server 0755 "\x7fELF\0payload %5\06.0.8d7b5f1e2a3c4-1600000000000000000\0"
        /usr/local/lib/libpython3.8.so.1.0 0755 "\x7fELF\03.8\03.8.6\03.9.1\0"
        /usr/local/bin/python3.8 0755 "\x7fELF\03.8\0"
        /usr/local/bin/mongod 0755 "\x7fELF"
        /opt/jdk/release 0644 "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.2\"\n"
        /srv/httpd 0644 "words about nginx/1.2.3""#;
    assert_eq!(
        found(text),
        [
            "httpd 2.4.46 pattern",
            "java 17.0.2 pattern",
            "mongodb  file-name",
            "python 3.8.6 pattern",
            "redis 6.0.8 pattern",
        ]
    );
}

#[test]
fn what_a_package_owns_is_that_package() {
    let text = r#"/var/lib/dpkg/status.d/nginx 0644 "Package: nginx\nVersion: 1.22.1-9\n"
        /var/lib/dpkg/status.d/nginx.md5sums 0644 "d41d8cd98f00b204e9800998ecf8427e  usr/sbin/nginx\n"
        /usr/sbin/nginx 0755 "\x7fELF\0nginx/1.22.1\0"
        /usr/local/sbin/nginx 0755 "\x7fELF\0nginx/1.25.0\0""#;
    assert_eq!(found(text), ["nginx 1.25.0 pattern"]);
}
