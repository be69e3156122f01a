//! What each format makes of the sample report.

pub(crate) const TEXT: &str = r#"httpd:2.4
  digest      sha256:1111111111111111111111111111111111111111111111111111111111111111
  platform    linux/amd64
  created     2026-11-01T00:00:00Z
  size        181 MB in 9,812 files, 2 packages; 60.0 MB to pull
  user        root
  command     httpd -D 'it'\''s FOREGROUND'
  ports       80/tcp

Lineage
  httpd:2.4 <- debian 12 (bookworm) <- scratch
    debian 12 (bookworm), the lowest layer: /etc/os-release
    scratch, no layer: nothing below the lowest layer

Layers
  layer   stored    bytes  files     dead  made by
      0  28.0 MB  74.8 MB  3,400      0 B  debian rootfs
      1  32.0 MB   106 MB  6,412  1.50 MB  RUN apt-get update && apt-get install
                                           --no-install-recommends -y apache2 curl wget
                                           ca-certificates && rm -rf /var/lib/a…

Packages, by the bytes they occupy
  package                           version          bytes  files
  package-00                        1.0-2+deb12u1  10.0 MB    100
  package-01                        1.1-2+deb12u1  9.50 MB    101
  of no package                                    4.32 kB
  dead: in layers, in no container                 1.50 MB

Whose the bytes are
  owner                    bytes  files
  distribution packages   181 MB  9,800
  the application         230 kB      9
  nobody                 4.32 kB      3

Directories, each byte in one
  directory             bytes  files
  /usr/lib             150 MB  9,000
  /usr (files in it)  31.2 MB    812

Stored and not needed
                                     bytes
  dead: removed later              1.00 MB
  dead: written again, unchanged    500 kB
  alive: the same as another file  2.00 MB

Files that no package owns
  directory    bytes  files
  /opt/app   4.00 kB      3

Phantoms: listed, and none of their files is there (1)
  lost 1.0

Findings: 2 medium, 1 low
  medium shell: `/usr/bin/dash` is a shell, also started as `/usr/bin/sh`
      /usr/bin/dash (layer 0, 125 kB)
      /usr/bin/sh (layer 0)
    remedy: plimsoll slim IMAGE
  medium root-user: USER is not set, so the application is started as root
      USER is not set
  low dead-bytes: layer 1 removes 1.50 MB of layer 0, which stay in the image
      /opt/x (layer 0, 1.50 MB)
      /opt/link (layer 1)

Slim image: oci:slim
  digest      sha256:4444444444444444444444444444444444444444444444444444444444444444
  level       app
  sandbox     as root
  verified    yes, by http:/, tcp:80
  kept        1 path, each with its reason
  layers      50.0 MB, 9,812 files: plimsoll slim
  watch       all 98 files that were read were seen
  seconds     original 0.41, plan 0.20; 0.61 in all, 0.31 of it plimsoll's own

Packages: 1 whole, 1 in part, 2 gone
  package      version             keeps       of       files
  apache2-bin  1.0-1    whole    4.30 MB  4.30 MB  102 of 102
  libc6        1.0-1    in part  3.10 MB  12.8 MB    9 of 251
  gone: curl, wget

What each part of the runs brought
         files  it alone    bytes  such as
  start     98        12  1.20 kB  /etc/mime.types

What might be asked for later, and is ashore
  level    keeps  modules  plug-ins  libraries  locale files  programs  other files
  app *  9.10 MB        0        12          0             0         0            0
  file   6.10 MB        0         0          0             0         0            0
  plug-ins: 12 (1.20 MB) of 2 packages, such as /usr/lib/apache2/modules/mod_lua.so

Had to stay, and why (1)
  /usr/bin/sh: interpreter of /usr/sbin/apachectl <- entrypoint

Added because the slim image missed them (1)
  /var/lock: looked up by httpd at the start

Asked for and not in the image (1)
  /usr/lib/libx.so: needs libmissing.so.1, which is not there

Before and after
  before      httpd:2.4
  after       oci:slim
                                before    after
  bytes                         181 MB  9.10 MB  20 times less
  bytes to pull                60.0 MB  50.0 MB      17 % less
  files                          9,812    9,812       the same
  packages                           2        2       the same
  shells                             2        1   2 times less
  package managers                   1        0           gone
  network tools                      0        1            new
  set-uid files                      1        0           gone
  seconds to the first answer     0.21     0.21       the same

What differs
  1 files added, 7 removed, 2 changed

By directory
  directory   before    after  added  removed  changed
  /usr/lib   5.00 MB  1.00 MB      1        7        2

By package: 0 added, 0 removed, 1 changed, 0 partial, 3 the same
  package            before    after  added  removed  changed  version
  libc6    changed  5.00 MB  1.00 MB      1        7        2  1.0 -> not listed

Not judged (1)
  incomplete: /var/lib/dpkg/status line 812: has no Version

Notes
  the base is still looked after
"#;

pub(crate) const JSON: &str = r#"{
  "schema": "plimsoll.report/1",
  "verb": "slim",
  "complete": false,
  "image": {
    "name": "httpd:2.4",
    "digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "platform": "linux/amd64",
    "created": "2026-11-01T00:00:00Z",
    "user": "root",
    "command": [
      "httpd",
      "-D",
      "it's FOREGROUND"
    ],
    "ports": [
      "80/tcp"
    ],
    "is_document": false,
    "footprint": {
      "bytes": 181234567,
      "compressed": 60000000,
      "files": 9812,
      "packages": 2,
      "shells": [
        "/usr/bin/dash",
        "/usr/bin/sh"
      ],
      "package_managers": [
        "/usr/bin/apt"
      ],
      "network_tools": [],
      "setuid": [
        "/usr/bin/su"
      ]
    },
    "lineage": [
      {
        "name": "debian 12 (bookworm)",
        "layers": 1,
        "evidence": "/etc/os-release",
        "rebuilt": {
          "state": "no",
          "why": "it is over",
          "since": "2026-01-31",
          "instead": "debian",
          "by": "our table"
        }
      },
      {
        "name": "scratch",
        "layers": 0,
        "evidence": "nothing below the lowest layer",
        "rebuilt": null
      }
    ],
    "publisher": {
      "registry": "docker.io",
      "repository": "library/httpd",
      "name": "library",
      "standing": "official",
      "pushed": null,
      "pushed_days": null
    },
    "layers": [
      {
        "digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
        "compressed": 28000000,
        "bytes": 74800000,
        "files": 3400,
        "dead": 0,
        "created_by": "debian rootfs"
      },
      {
        "digest": "sha256:3333333333333333333333333333333333333333333333333333333333333333",
        "compressed": 32000000,
        "bytes": 106434567,
        "files": 6412,
        "dead": 1500000,
        "created_by": "RUN apt-get update && apt-get install --no-install-recommends -y apache2 curl wget ca-certificates && rm -rf /var/lib/apt/lists/*"
      }
    ],
    "packages": [
      {
        "name": "package-00",
        "version": "1.0-2+deb12u1",
        "bytes": 10000000,
        "files": 100
      },
      {
        "name": "package-01",
        "version": "1.1-2+deb12u1",
        "bytes": 9500000,
        "files": 101
      }
    ],
    "unowned_bytes": 4321,
    "strangers": [
      {
        "directory": "/opt/app",
        "bytes": 4000,
        "files": 3
      }
    ],
    "phantoms": [
      {
        "name": "lost",
        "version": "1.0"
      }
    ],
    "dead_bytes": 1500000,
    "waste": {
      "deleted": 1000000,
      "overwritten": 0,
      "again": 500000,
      "duplicate": 2000000
    },
    "directories": [
      {
        "directory": "/usr/lib",
        "bytes": 150000000,
        "files": 9000,
        "alone": false
      },
      {
        "directory": "/usr",
        "bytes": 31234567,
        "files": 812,
        "alone": true
      }
    ],
    "owners": [
      {
        "kind": "package",
        "bytes": 181000000,
        "files": 9800
      },
      {
        "kind": "language-package",
        "bytes": 0,
        "files": 0
      },
      {
        "kind": "application",
        "bytes": 230246,
        "files": 9
      },
      {
        "kind": "nobody",
        "bytes": 4321,
        "files": 3
      }
    ]
  },
  "findings": [
    {
      "check": "shell",
      "aliases": [],
      "severity": "medium",
      "message": "`/usr/bin/dash` is a shell, also started as `/usr/bin/sh`",
      "evidence": [
        {
          "kind": "path",
          "path": "/usr/bin/dash",
          "layer": 0,
          "size": 125000
        },
        {
          "kind": "path",
          "path": "/usr/bin/sh",
          "layer": 0,
          "size": 0
        }
      ],
      "remedy": "plimsoll slim IMAGE",
      "key": "shell:/usr/bin/dash"
    },
    {
      "check": "root-user",
      "aliases": [],
      "severity": "medium",
      "message": "USER is not set, so the application is started as root",
      "evidence": [
        {
          "kind": "config",
          "key": "USER",
          "value": ""
        }
      ],
      "remedy": null,
      "key": "root-user:USER"
    },
    {
      "check": "dead-bytes",
      "aliases": [],
      "severity": "low",
      "message": "layer 1 removes 1.50 MB of layer 0, which stay in the image",
      "evidence": [
        {
          "kind": "path",
          "path": "/opt/x",
          "layer": 0,
          "size": 1500000
        },
        {
          "kind": "path",
          "path": "/opt/link",
          "layer": 1,
          "size": 0
        }
      ],
      "remedy": null,
      "key": "dead-bytes:/opt/link"
    }
  ],
  "waived": [],
  "verdict": null,
  "problems": [
    {
      "message": "has no Version",
      "evidence": {
        "kind": "line",
        "path": "/var/lib/dpkg/status",
        "line": 812
      }
    }
  ],
  "slim": {
    "output": "oci:slim",
    "digest": "sha256:4444444444444444444444444444444444444444444444444444444444444444",
    "level": "app",
    "sandbox": "as root",
    "verified": true,
    "verified_by": [
      "http:/",
      "tcp:80"
    ],
    "differences": [],
    "repaired": [
      {
        "path": "/var/lock",
        "why": "looked up by httpd at the start"
      }
    ],
    "forced": [
      {
        "path": "/usr/bin/sh",
        "why": "interpreter of /usr/sbin/apachectl <- entrypoint"
      }
    ],
    "packages": {
      "whole": [
        "apache2-bin"
      ],
      "partial": [
        "libc6"
      ],
      "gone": [
        "curl",
        "wget"
      ],
      "table": [
        {
          "name": "apache2-bin",
          "version": "1.0-1",
          "fate": "whole",
          "files": 102,
          "bytes": 4300000,
          "kept_files": 102,
          "kept_bytes": 4300000
        },
        {
          "name": "libc6",
          "version": "1.0-1",
          "fate": "partial",
          "files": 251,
          "bytes": 12800000,
          "kept_files": 9,
          "kept_bytes": 3100000
        },
        {
          "name": "curl",
          "version": "1.0-1",
          "fate": "gone",
          "files": 4,
          "bytes": 500000,
          "kept_files": 0,
          "kept_bytes": 0
        },
        {
          "name": "wget",
          "version": "1.0-1",
          "fate": "gone",
          "files": 5,
          "bytes": 400000,
          "kept_files": 0,
          "kept_bytes": 0
        }
      ]
    },
    "rounds": [
      {
        "name": "start",
        "files": 98,
        "alone": 12,
        "alone_bytes": 1200,
        "examples": [
          "/etc/mime.types"
        ]
      }
    ],
    "watch": "all 98 files that were read were seen",
    "kept": 1,
    "layers": [
      {
        "digest": "sha256:55",
        "compressed": 50000000,
        "bytes": 9100000,
        "files": 9812,
        "dead": 0,
        "created_by": "plimsoll slim"
      }
    ],
    "risks": [
      {
        "level": "app",
        "files": 9812,
        "bytes": 9100000,
        "ashore": [
          {
            "what": "plug-ins",
            "files": 12,
            "bytes": 1200000,
            "packages": 2,
            "examples": [
              "/usr/lib/apache2/modules/mod_lua.so"
            ]
          }
        ]
      },
      {
        "level": "file",
        "files": 812,
        "bytes": 6100000,
        "ashore": []
      }
    ],
    "unresolved": [
      {
        "message": "needs libmissing.so.1, which is not there",
        "evidence": {
          "kind": "path",
          "path": "/usr/lib/libx.so",
          "layer": 0,
          "size": 0
        }
      }
    ],
    "seconds": [
      {
        "phase": "original",
        "seconds": 0.41
      },
      {
        "phase": "plan",
        "seconds": 0.204
      }
    ],
    "own_seconds": 0.31
  },
  "comparison": {
    "before": {
      "name": "httpd:2.4",
      "footprint": {
        "bytes": 181234567,
        "compressed": 60000000,
        "files": 9812,
        "packages": 2,
        "shells": [
          "/usr/bin/dash",
          "/usr/bin/sh"
        ],
        "package_managers": [
          "/usr/bin/apt"
        ],
        "network_tools": [],
        "setuid": [
          "/usr/bin/su"
        ]
      },
      "ready_seconds": 0.21
    },
    "after": {
      "name": "oci:slim",
      "footprint": {
        "bytes": 9100000,
        "compressed": 50000000,
        "files": 9812,
        "packages": 2,
        "shells": [
          "/usr/bin/sh"
        ],
        "package_managers": [],
        "network_tools": [
          "/usr/bin/nc"
        ],
        "setuid": []
      },
      "ready_seconds": 0.2095
    }
  },
  "diff": {
    "total": {
      "name": "",
      "before_files": 10,
      "before_bytes": 5000000,
      "after_files": 4,
      "after_bytes": 1000000,
      "added": 1,
      "removed": 7,
      "changed": 2
    },
    "directories": [
      {
        "name": "/usr/lib",
        "before_files": 10,
        "before_bytes": 5000000,
        "after_files": 4,
        "after_bytes": 1000000,
        "added": 1,
        "removed": 7,
        "changed": 2
      }
    ],
    "packages": [
      {
        "fate": "changed",
        "before": "1.0",
        "after": null,
        "name": "libc6",
        "before_files": 10,
        "before_bytes": 5000000,
        "after_files": 4,
        "after_bytes": 1000000,
        "added": 1,
        "removed": 7,
        "changed": 2
      }
    ],
    "same_packages": 3,
    "unowned": {
      "name": "",
      "before_files": 0,
      "before_bytes": 0,
      "after_files": 0,
      "after_bytes": 0,
      "added": 0,
      "removed": 0,
      "changed": 0
    }
  },
  "pair": null,
  "inventory": null,
  "scans": [],
  "notes": [
    "the base is still looked after"
  ]
}
"#;
