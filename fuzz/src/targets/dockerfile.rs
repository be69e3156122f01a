//! A Dockerfile: parsed, judged by every rule, and mended.

use plimsoll_checks::dockerfile::parse;
use plimsoll_checks::lint::{Context, finding, fixed, lint};

use crate::Target;

pub(crate) static TARGET: Target = Target {
    id: "dockerfile",
    summary: "a Dockerfile, judged and mended",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    [
        "# syntax=docker/dockerfile:1\n# escape=\\\nARG V=12\nFROM --platform=$BUILDPLATFORM debian:${V:-11} AS base\nRUN apt-get update && apt-get install -y \\\n  curl \\\n# note\n  wget\n",
        "FROM alpine\nRUN <<A <<-B\ncat\nA\n\tx\n\tB\nCOPY --from=0 --chown=1:2 a b /c/\nENTRYPOINT [\"/a\", \"b\"]\nHEALTHCHECK --interval=5s CMD curl -f http://localhost\nONBUILD RUN x\n",
        "FROM scratch\nADD https://example.org/x.tar.gz /\nENV A=b C='d e' F=\"$A\"\nLABEL a=b\nUSER root\nEXPOSE 22/tcp 80-90\nVOLUME [\"/v\"]\nSHELL [\"sh\", \"-c\"]\nSTOPSIGNAL 9\nWORKDIR x\nCMD sudo a | b\n",
        "# escape=`\r\nFROM a`\r\n:b\r\nRUN pip install a; npm install b; cd /x && rm -rf /var/lib/apt/lists/*\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn run(data: &[u8]) {
    let Ok(file) = parse(data) else {
        return;
    };
    let hits = lint(&file, &Context::default());
    for hit in &hits {
        // Every finding has a place.
        let found = finding(hit, &file, "Dockerfile");
        assert!(!found.message.is_empty());
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // What mends a file does not break it.
    let mended = fixed(text, &hits);
    assert!(
        mended == text || parse(mended.as_bytes()).is_ok(),
        "{text:?}\n{mended:?}"
    );
}
