//! Versions: an order must be one.

use std::cmp::Ordering;

use plimsoll_packages::version::{ORDERS, Order};

use crate::Target;
use crate::make::{choosing, chosen};

pub(crate) static TARGET: Target = Target {
    id: "version",
    summary: "three versions of one ecosystem, put in order",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let three = "1:1.0~rc1-1+b1\n1.0.0-alpha.1+build\n1.0.post1.dev2";
    let more = "v1.2.3-0.20200101000000-abcdef123456\n1.0-SNAPSHOT\n2_pre3-r4";
    let pair = |number| [choosing(number, three), choosing(number, more)];
    (0..ORDERS.len()).flat_map(pair).collect()
}

fn run(data: &[u8]) {
    let Some((order, bytes)) = chosen(ORDERS, data) else {
        return;
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    laws(order, next(), next(), next());
}

fn laws(order: &Order, a: &str, b: &str, c: &str) {
    let compare = order.compare;
    let said = format!("{}: {a:?} {b:?} {c:?}", order.id);
    assert_eq!(compare(a, a), Ordering::Equal, "{said}");
    assert_eq!(compare(a, b), compare(b, a).reverse(), "{said}");
    if compare(a, b) != Ordering::Greater && compare(b, c) != Ordering::Greater {
        assert_ne!(compare(a, c), Ordering::Greater, "{said}");
    }
}
