//! `compiler`: what makes programs out of text, where programs should only run.

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: compilers, linkers and build systems are needed
    /// where the image is built. In the image that runs they are weight, and an intruder makes the
    /// next program on the spot with them.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/x86_64-linux-gnu-gcc-12          0755 900k                        # finding
    /// /usr/bin/gcc-12                           -> x86_64-linux-gnu-gcc-12       # finding
    /// /usr/bin/gcc                              -> gcc-12                        # finding
    /// /usr/lib/gcc/x86_64-linux-gnu/12/cc1      0755 2k                          # finding
    /// /usr/bin/make                             0755 230k                        # finding
    /// ```
    ///
    /// A Java development kit where a run-time environment would do:
    ///
    /// ```image
    /// /opt/java/bin/javac  0755 12k   # finding
    /// /opt/java/bin/java   0755 12k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// What compilers leave for programs to run with, and programs with similar names.
    ///
    /// ```image
    /// /usr/lib/x86_64-linux-gnu/libgcc_s.so.1   0644 120k
    /// /lib64/ld-linux-x86-64.so.2               0755 200k
    /// /usr/bin/gcc-exporter                     0755 1k
    /// /usr/share/make/make                      0644 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Build in a stage of its own, and `COPY --from=build` what it made into the final one. For
    /// Java take the `jre` variant of the base. `plimsoll slim IMAGE` leaves them ashore.
    id: "compiler",
    practice: "development tools stay out of production",
    summary: "compilers or build systems are in the image",
    severity: Medium,
    development: Info,
    run: run,
}

/// What they are, and the names of their programs without version and machine.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    (
        "C and C++ compilers",
        &[
            "c++", "c89", "c89-gcc", "c99", "c99-gcc", "cc", "cc1", "cc1plus", "clang", "clang++",
            "collect2", "cpp", "g++", "gcc", "icx", "lto1", "tcc",
        ],
    ),
    (
        "assemblers and linkers",
        &[
            "as", "gold", "ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "lld", "mold", "nasm",
            "yasm",
        ],
    ),
    (
        "build systems",
        &[
            "autoconf", "automake", "bazel", "cmake", "gmake", "make", "meson", "ninja",
            "node-gyp", "scons",
        ],
    ),
    ("parser generators", &["bison", "flex", "re2c", "yacc"]),
    ("the Go tool chain", &["go", "gofmt"]),
    ("the Rust tool chain", &["rustc", "rustdoc", "rustup"]),
    (
        "the Java compiler",
        &["groovyc", "javac", "kotlinc", "scalac"],
    ),
    (
        "compilers of other languages",
        &[
            "erlc", "f77", "f95", "gdc", "gfortran", "ghc", "gnatmake", "ldc2", "nim", "ocamlc",
            "ocamlopt", "swiftc", "zig",
        ],
    ),
];

fn run(look: &Look, findings: &mut Findings) {
    for (family, names) in programs::by_family(look, FAMILIES, base) {
        let (family, _) = FAMILIES[family];
        findings.add(
            format!("{family}: {}", programs::some(&names)),
            programs::evidence_of(&look.rootfs.tree, &names),
            "COPY --from=build what they made, into a final stage without them",
        );
    }
}

/// `x86_64-linux-gnu-gcc-12` is a `gcc`.
fn base(name: &str) -> &str {
    const SYSTEMS: [&str; 5] = ["-gnu-", "-gnueabihf-", "-musl-", "-elf-", "-mingw32-"];
    let behind = SYSTEMS
        .iter()
        .find_map(|system| Some(name.find(system)? + system.len()));
    let name = behind.map_or(name, |behind| &name[behind..]);
    match name {
        // Its version is its name.
        "c89" | "c99" | "cc1" | "lto1" | "collect2" | "f77" | "f95" | "ldc2" | "re2c" => name,
        _ => programs::without_version(name),
    }
}
