//! The products, and how each is told.

use super::Product;

/// A row, its version told by words in the file.
const fn told(
    name: &'static str,
    names: &'static [&'static str],
    says: &'static [&'static str],
) -> Product {
    Product {
        name,
        names,
        says,
        by_name: false,
    }
}

/// The same for names that no other program has: reported without a version too.
const fn named(
    name: &'static str,
    names: &'static [&'static str],
    says: &'static [&'static str],
) -> Product {
    Product {
        name,
        names,
        says,
        by_name: true,
    }
}

/// Every product that is told by its bytes, by name.
pub static PRODUCTS: &[Product] = &[
    told("alertmanager", &["**/alertmanager"], &[]),
    told(
        "arangodb",
        &["**/arangod", "**/arangosh"],
        &[
            r"ArangoDB (?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>3\.[0-9]+\.[0-9]+(?:-[0-9]+)?)\x00",
        ],
    ),
    told(
        "bash",
        &["**/bash"],
        &[r"@\(#\)Bash version (?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told("bun", &["**/bun"], &[r"bun[ /]v?(?<v>1\.[0-9]+\.[0-9]+)"]),
    told(
        "busybox",
        &["**/busybox"],
        &[r"BusyBox v(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    named(
        "caddy",
        &["**/caddy"],
        &[r"github\.com/caddyserver/caddy/v2\tv(?<v>[0-9]+\.[0-9]+\.[0-9]+[-0-9a-z.]*)"],
    ),
    named(
        "consul",
        &["**/consul"],
        &[
            r"CONSUL_VERSION: (?<v>[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9a-z.]+)?)",
            r"\x00(?<v>1\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
    told(
        "curl",
        &["**/curl", "**/libcurl.so.*", "**/libcurl-gnutls.so.*"],
        &[
            r"(?:lib)?curl/(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00curl (?<v>[0-9]+\.[0-9]+\.[0-9]+) ",
        ],
    ),
    told(
        "dart",
        &["**/dart"],
        &[
            r"Dart,GC\x00(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"(?<v>[23]\.[0-9]+\.[0-9]+(?:-[0-9]+\.[0-9]+\.(?:beta|dev))?) \((?:stable|beta|dev)\)",
        ],
    ),
    named(
        "deno",
        &["**/deno"],
        &[r"Deno/(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "dumb-init",
        &["**/dumb-init"],
        &[r"dumb-init v(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "elixir",
        &["**/elixir/ebin/elixir.app"],
        &[r#"\{vsn, *"(?<v>[0-9]+\.[0-9]+\.[0-9]+[^"]*)""#],
    ),
    named(
        "envoy",
        &["**/envoy"],
        &[r"[0-9a-f]{40}/(?<v>[0-9]+\.[0-9]+\.[0-9]+)/(?:Clean|Modified|Distribution)"],
    ),
    told(
        "erlang",
        &["**/releases/*/OTP_VERSION"],
        &[r"^(?<v>[0-9]+(?:\.[0-9]+)+)"],
    ),
    told(
        "erlang",
        &["**/erts-*/bin/beam.smp", "**/erts-*/bin/erlexec"],
        &[r"Erlang/OTP (?<v>[0-9]+(?:\.[0-9]+)+)"],
    ),
    named(
        "etcd",
        &["**/etcd", "**/etcdctl"],
        &[
            r"etcd/(?:server|etcdctl)/v3\tv(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>3\.[4-9]\.[0-9]{1,3})\x00",
        ],
    ),
    told(
        "ffmpeg",
        &["**/ffmpeg", "**/ffprobe"],
        &[
            r"FFmpeg version (?<v>n?[0-9]+\.[0-9]+(?:\.[0-9]+)?)",
            r"%s version (?:%s)?\x00*(?<v>[0-9]+\.[0-9]+(?:\.[0-9]+)?)[\x00-]",
        ],
    ),
    named(
        "fluent-bit",
        &["**/fluent-bit"],
        &[
            r"Fluent Bit v(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00v?(?<v>[0-9]+\.[0-9]+\.[0-9]+)\x00(?:[^\x00]+\x00){0,3}Fluent",
        ],
    ),
    told(
        "gcc",
        &["**/gcc", "**/cc1"],
        &[r"GCC: \([^)]*\) (?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "git",
        &["**/git"],
        &[
            r"git/(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00git version (?<v>[0-9]+\.[0-9]+\.[0-9]+)",
        ],
    ),
    told(
        "go",
        &["**/go/VERSION"],
        &[r"^go(?<v>[0-9]+\.[0-9]+(?:\.[0-9]+)?(?:rc[0-9]+|beta[0-9]+)?)"],
    ),
    told(
        "grafana",
        &["**/grafana/VERSION"],
        &[r"^(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    named(
        "grafana",
        &["**/grafana", "**/grafana-server"],
        &[
            r"grafana/grafana\tv(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"main\.version=(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
        ],
    ),
    named(
        "haproxy",
        &["**/haproxy"],
        &[
            r"(?:HAProxy|HA-Proxy) version (?<v>[0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)",
            r"(?:^|[^0-9.])(?<v>[0-9]\.[0-9]+(?:\.|-dev|-rc)[0-9]+)(?:-[0-9a-f]{7,9})?(?:~[a-z0-9+.]+)?(?:-[0-9][^\x00]*)?\x00(?:[^\x00]{0,40}\x00){0,4}20[0-9]{2}/[0-9]{2}/[0-9]{2}",
            r"version (?<v>[0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)[^\x00]{0,20}, released",
        ],
    ),
    named("helm", &["**/helm"], &[r"\x00v(?<v>3\.[0-9]+\.[0-9]+)\x00"]),
    named(
        "httpd",
        &["**/httpd", "**/apache2"],
        &[r"Apache/(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told("influxdb", &["**/influxd"], &[]),
    told(
        "java",
        &["**/release"],
        &[r#"JAVA_VERSION="(?<v>[0-9][0-9._+]*)""#],
    ),
    told(
        "jq",
        &["**/jq"],
        &[
            r"jq-(?<v>[0-9]+\.[0-9]+(?:\.[0-9]+)?)",
            r"\x00(?<v>1\.[5-9](?:\.[0-9]+)?)\x00",
        ],
    ),
    told(
        "julia",
        &["**/libjulia-internal.so*", "**/libjulia.so*"],
        &[
            r"__init__\x00(?<v>[0-9]+\.[0-9]+\.[0-9]+)\x00",
            r"\x00(?<v>1\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
    told("kong", &["**/kong/meta.lua"], &[r"major = (?<v>[0-9]+)"]),
    named(
        "kubectl",
        &["**/kubectl"],
        &[
            r"gitVersion=v(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00v(?<v>1\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
    named(
        "lighttpd",
        &["**/lighttpd"],
        &[r"lighttpd/(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "lua",
        &["**/lua", "**/lua5.[1-4]", "**/liblua*.so*"],
        &[r"Lua (?<v>5\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "luajit",
        &["**/luajit*", "**/libluajit*.so*"],
        &[r"LuaJIT (?<v>2\.[0-9]+\.[0-9]+(?:-beta[0-9]+)?)"],
    ),
    named(
        "mariadb",
        &["**/mariadbd", "**/mariadb", "**/mysqld", "**/mysql"],
        &[r"(?<v>1[0-9]\.[0-9]+\.[0-9]+)-MariaDB"],
    ),
    named(
        "memcached",
        &["**/memcached"],
        &[
            r"memcached (?<v>1\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>1\.[4-9]\.[0-9]+)\x00",
        ],
    ),
    named(
        "minio",
        &["**/minio"],
        &[r"RELEASE\.(?<v>20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z)"],
    ),
    named(
        "mongodb",
        &["**/mongod", "**/mongos"],
        &[
            r#""version" ?: ?"(?<v>[3-9]\.[0-9]+\.[0-9]+)""#,
            r"mongodb-src-r(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>[3-9]\.[0-9]+\.[0-9]+)\x00(?:[0-9a-f]{40})\x00",
        ],
    ),
    told(
        "mysql",
        &["**/mysqld", "**/mysql"],
        &[
            r"/mysql-(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"mysql[_a-z-]*-(?<v>[589]\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>[89]\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
    named(
        "nats-server",
        &["**/nats-server"],
        &[r"\x00(?<v>2\.[0-9]+\.[0-9]+)\x00"],
    ),
    named(
        "nginx",
        &["**/nginx"],
        &[
            r"nginx version: nginx/(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"nginx/(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
        ],
    ),
    named(
        "node",
        &["**/node", "**/nodejs"],
        &[
            r"node\.js/v(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"nodejs\.org/download/release/v(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00v(?<v>[0-9]{1,2}\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
    told(
        "openresty",
        &["**/nginx", "**/openresty"],
        &[r"openresty/(?<v>[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "openssl",
        &["**/openssl", "**/libcrypto.so*", "**/libssl.so*"],
        &[
            r"OpenSSL (?<v>[0-9]+\.[0-9]+\.[0-9]+[a-z]{0,2})(?:-(?:alpha|beta|rc)[0-9]+)? +[0-9]",
            r"OpenSSL (?<v>[0-9]+\.[0-9]+\.[0-9]+[a-z]{0,2})\b",
        ],
    ),
    told(
        "perl",
        &["**/perl", "**/perl5.*"],
        &[
            r"/perl5?/(?<v>5\.[0-9]+\.[0-9]+)",
            r"perl-?(?<v>5\.[0-9]+\.[0-9]+)",
        ],
    ),
    told(
        "php",
        &["**/php", "**/php[0-9]*", "**/php-fpm*", "**/libphp*.so"],
        &[
            r"X-Powered-By: PHP/(?<v>[0-9]+\.[0-9]+\.[0-9]+(?:beta[0-9]+|alpha[0-9]+|RC[0-9]+)?)",
            r"PHP/(?<v>[0-9]+\.[0-9]+\.[0-9]+(?:beta[0-9]+|alpha[0-9]+|RC[0-9]+)?)",
        ],
    ),
    named(
        "postgresql",
        &[
            "**/postgres",
            "**/postmaster",
            "**/psql",
            "**/pg_ctl",
            "**/initdb",
        ],
        &[
            r"\(PostgreSQL\) (?<v>[0-9]+(?:\.[0-9]+)+|[0-9]+(?:alpha|beta|rc|devel)[0-9]*)",
            r"PostgreSQL (?<v>[0-9]+(?:\.[0-9]+)+|[0-9]+(?:alpha|beta|rc|devel)[0-9]*)",
        ],
    ),
    told(
        "proftpd",
        &["**/proftpd"],
        &[r"ProFTPD(?: Version)? (?<v>1\.[0-9]+\.[0-9]+[a-z0-9]*)"],
    ),
    named(
        "prometheus",
        &["**/prometheus"],
        &[
            r"Version=(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"prometheus/common/version\.Version=(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
        ],
    ),
    told(
        "pypy",
        &["**/libpypy*.so*", "**/pypy", "**/pypy3*"],
        &[r"\[PyPy (?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "python",
        &["**/python[0-9].[0-9]*", "**/libpython[0-9]*.so*"],
        &[
            r"\x00(?<v>{file}\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?\+?)\x00",
            r"(?<v>{file}\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?) \(",
        ],
    ),
    told(
        "python",
        &["**/patchlevel.h"],
        &[r#"#define PY_VERSION +"(?<v>[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?)""#],
    ),
    told(
        "rabbitmq",
        &["**/rabbit.app", "**/rabbit/ebin/rabbit.app"],
        &[r#"\{vsn, *"(?<v>[0-9]+\.[0-9]+\.[0-9]+[^"]*)""#],
    ),
    named(
        "redis",
        &[
            "**/redis-server",
            "**/redis-cli",
            "**/redis-check-rdb",
            "**/redis-sentinel",
        ],
        &[
            r"(?:^|[^0-9.])(?<v>[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})[a-zA-Z0-9][a-zA-Z0-9._-]*-[0-9]{9,}",
            r"Redis version=(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"redis-cli (?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>[2-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        ],
    ),
    told(
        "ruby",
        &["**/ruby", "**/ruby[0-9]*", "**/libruby*.so*"],
        &[
            r"ruby (?<v>[0-9]\.[0-9]+\.[0-9]+(?:(?:p|preview|rc|dev)[0-9]*)?) \(",
            r"ruby (?<v>[0-9]\.[0-9]+\.[0-9]+)",
        ],
    ),
    told(
        "rust",
        &["**/libstd-*.so", "**/librustc_driver-*.so", "**/rustc"],
        &[
            r"rustc version (?<v>1\.[0-9]+\.[0-9]+)",
            r"(?:clang LLVM \()?rustc (?:version )?(?<v>1\.[0-9]+\.[0-9]+)",
        ],
    ),
    told(
        "sqlite",
        &["**/sqlite3", "**/libsqlite3.so*"],
        &[
            r"\x00(?<v>3\.[0-9]{1,2}\.[0-9]{1,2})\x00",
            r"SQLite (?<v>3\.[0-9]+\.[0-9]+)",
        ],
    ),
    told(
        "squid",
        &["**/squid"],
        &[r"[Ss]quid/(?<v>[0-9]+\.[0-9]+(?:\.[0-9]+)?)"],
    ),
    told(
        "swi-prolog",
        &["**/swipl", "**/libswipl.so*"],
        &[r"swipl[-/](?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "telegraf",
        &["**/telegraf"],
        &[r"internal\.Version=(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "tini",
        &["**/tini", "**/tini-static", "**/docker-init"],
        &[r"tini version (?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    named(
        "traefik",
        &["**/traefik"],
        &[
            r"version\.Version=v?(?<v>[0-9]+\.[0-9]+\.[0-9]+[-0-9a-z.]*)",
            r"traefik/traefik/v[23]\tv(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00v?(?<v>[23]\.[0-9]+\.[0-9]+(?:-(?:alpha|beta|rc)\.?[0-9]+)?)\x00",
        ],
    ),
    told("unit", &["**/unitd"], &[r"Unit/(?<v>1\.[0-9]+\.[0-9]+)"]),
    named(
        "valkey",
        &["**/valkey-server", "**/valkey-cli", "**/valkey-sentinel"],
        &[
            r"(?:^|[^0-9.])(?<v>[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})[a-zA-Z0-9][a-zA-Z0-9._-]*-[0-9]{9,}",
            r"Valkey version=(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>[7-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        ],
    ),
    told(
        "varnish",
        &["**/varnishd"],
        &[r"varnish-(?<v>[0-9]+\.[0-9]+\.[0-9]+)"],
    ),
    named(
        "vault",
        &["**/vault"],
        &[
            r"hashicorp/vault/(?:sdk/)?version\.(?:fullVersion|Version)=(?<v>[0-9]+\.[0-9]+\.[0-9]+)",
            r"(?:^|[\x00-\x1f ])(?<v>1\.[0-9]+\.[0-9]+)(?:\+ent)?\x00",
        ],
    ),
    told(
        "wordpress",
        &["**/wp-includes/version.php"],
        &[r"\$wp_version = '(?<v>[0-9]+\.[0-9]+(?:\.[0-9]+)?)"],
    ),
    told(
        "wp-cli",
        &["**/wp", "**/wp-cli.phar"],
        &[r"wp-cli/wp-cli[^0-9]{1,40}(?<v>2\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "xz",
        &["**/xz", "**/liblzma.so*"],
        &[
            r"xz \(XZ Utils\) (?<v>5\.[0-9]+\.[0-9]+)",
            r"\x00(?<v>5\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
    told(
        "zookeeper",
        &["**/zookeeper/VERSION"],
        &[r"^(?<v>3\.[0-9]+\.[0-9]+)"],
    ),
    told(
        "zstd",
        &["**/zstd", "**/libzstd.so*"],
        &[
            r"\*\*\* (?:Zstandard|zstd command line interface) [^\x00]{0,60}v?(?<v>1\.[0-9]+\.[0-9]+)",
            r"\x00v?(?<v>1\.[0-9]+\.[0-9]+)\x00",
        ],
    ),
];
