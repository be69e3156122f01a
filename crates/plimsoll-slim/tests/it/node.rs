//! Node's ways of finding modules.

use crate::world::check;

#[test]
fn exports_with_patterns_and_conditions_are_followed() {
    check(
        r##"ENTRYPOINT /usr/bin/node /opt/node_modules/shop/main.mjs
         /usr/bin/node 0755 elf   # kept
         /opt/node_modules/shop/main.mjs 0644 "import a from '@s/a/deep/x'; import '#own'; import('b/lib/y.js'); import 'fs'; import 'shop/self'"  # kept
         /opt/node_modules/shop/package.json 0644 "{\"name\":\"shop\",\"imports\":{\"#own\":{\"node\":\"./own.js\",\"default\":\"./other.js\"}},\"exports\":{\"./self\":\"./self.js\"}}"  # kept [node]
         /opt/node_modules/shop/own.js 0644 "1"       # kept [node]
         /opt/node_modules/shop/other.js 0644 "1"     # kept [node]
         /opt/node_modules/shop/self.js 0644 "1"      # kept [node]
         /opt/node_modules/shop/node_modules/b/lib/y.js 0644 "require('..')"   # kept [node]
         /opt/node_modules/shop/node_modules/b/index.json 0644 "1"             # kept [node]
         /opt/node_modules/b/lib/y.js 0644 "1"
         /opt/node_modules/@s/a/package.json 0644 "{\"exports\":{\"./deep/*\":{\"browser\":\"./web/*.js\",\"import\":[\"./esm/*.mjs\"],\"require\":\"./cjs/*.cjs\"},\"./*\":\"./*\"}}"  # kept [node]
         /opt/node_modules/@s/a/esm/x.mjs 0644 "1"    # kept [node]
         /opt/node_modules/@s/a/cjs/x.cjs 0644 "1"    # kept [node]
         /opt/node_modules/@s/a/web/x.js 0644 "1""##,
    );
}

#[test]
fn a_link_to_a_package_is_followed_to_where_it_lies() {
    check(
        r##"ENTRYPOINT /usr/bin/node /opt/node_modules/app/main.js
         /usr/bin/node 0755 elf   # kept
         /opt/node_modules/app/main.js 0644 "require('a')"    # kept
         /opt/node_modules/a -> .store/a@1/node_modules/a     # kept
         /opt/node_modules/.store/a@1/node_modules/a/package.json 0644 "{\"main\":\"lib\"}"         # kept [node]
         /opt/node_modules/.store/a@1/node_modules/a/lib/index.js 0644 "require('b')"               # kept [node]
         /opt/node_modules/.store/a@1/node_modules/b/index.js 0644 "1"                              # kept [node]
         /opt/node_modules/b/index.js 0644 "1""##,
    );
}

#[test]
fn a_package_too_large_to_be_kept_whole_is_noted() {
    check(
        r##"ENTRYPOINT /usr/bin/node /opt/node_modules/app/main.js
         /usr/bin/node 0755 elf   # kept
         /opt/node_modules/app/ dir 0755  # kept, unresolved was not kept whole
         /opt/node_modules/app/package.json 0644 "{}"             # kept [node]
         /opt/node_modules/app/main.js 0644 "require(process.argv[2])"    # kept
         /opt/node_modules/app/big.js 0644 40000k"##,
    );
}

#[test]
fn nonsense_in_a_manifest_is_an_empty_manifest() {
    check(
        r##"ENTRYPOINT /usr/bin/node /opt/node_modules/app/main.js
         /usr/bin/node 0755 elf   # kept
         /opt/node_modules/app/package.json 0644 "[1"             # kept [node]
         /opt/node_modules/app/main.js 0644 "require('x'); require('../../../../..'); require('@s'); require('')"    # kept
         /opt/node_modules/x/package.json 0644 "{\"main\":7,\"exports\":{\".\":{\"a\":{\"b\":null}}},\"dependencies\":[1]}"  # kept [node]
         /opt/node_modules/x/index.js 0644 "1"  # kept [node]"##,
    );
}

#[test]
fn a_manifest_that_says_too_much_is_cut_and_noted() {
    let list = "\\\"x\\\",".repeat(20_000);
    check(&format!(
        r##"ENTRYPOINT /usr/bin/node /opt/node_modules/app/main.js
         /usr/bin/node 0755 elf   # kept
         /opt/node_modules/app/package.json 0644 "{{\"main\":\"main.js\",\"exports\":[{list}1]}}"   # kept, unresolved more than is kept of one
         /opt/node_modules/app/main.js 0644 "1"   # kept"##
    ));
}
