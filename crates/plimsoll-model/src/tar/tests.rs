use super::*;

/// A ustar member with a right checksum.
fn member(name: &str, flag: u8, body: &[u8]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", body.len()).as_bytes());
    block[136..148].copy_from_slice(b"00000000017\0");
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block.extend_from_slice(body);
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..BLOCK].iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while rest + length.to_string().len() != length {
            length = rest + length.to_string().len();
        }
        body.extend_from_slice(format!("{length} {key}={value}\n").as_bytes());
    }
    member("pax", b'x', &body)
}

fn read_all(bytes: &[u8]) -> Result<Vec<(Member, Vec<u8>)>, TarError> {
    let mut archive = Archive::new(bytes);
    let mut members = Vec::new();
    while let Some(member) = archive.next_member()? {
        let mut body = Vec::new();
        archive.read_to_end(&mut body)?;
        members.push((member, body));
    }
    Ok(members)
}

#[test]
fn members_have_names_bodies_and_offsets() {
    let bytes = [
        member("a", b'0', b"hello"),
        member("d/", b'5', b""),
        vec![0; 1024],
    ]
    .concat();
    let members = read_all(&bytes).unwrap();
    assert_eq!(members[0].1, b"hello");
    assert_eq!((members[0].0.offset, members[0].0.meta.mtime), (512, 15));
    assert_eq!(
        (members[1].0.name.as_slice(), members[1].0.kind),
        (&b"d"[..], Type::Dir)
    );
    assert_eq!(members.len(), 2);
}

#[test]
fn bodies_are_skipped_when_nobody_reads_them() {
    let bytes = [member("a", b'0', &[7; 1000]), member("b", b'0', b"x")].concat();
    let mut archive = Archive::new(bytes.as_slice());
    archive.next_member().unwrap();
    assert_eq!(archive.next_member().unwrap().unwrap().name, b"b");
    assert!(
        archive.next_member().unwrap().is_none(),
        "no trailer is needed"
    );
}

#[test]
fn long_names_come_from_gnu_and_from_pax() {
    let long = "x/".repeat(100) + "end";
    let gnu = [
        member("././@LongLink", b'L', format!("{long}\0").as_bytes()),
        member("x", b'0', b""),
    ];
    assert_eq!(read_all(&gnu.concat()).unwrap()[0].0.name, long.as_bytes());
    let records = [
        ("path", long.as_str()),
        ("SCHILY.xattr.security.capability", "\u{1}\u{2}"),
    ];
    let read = read_all(&[pax(&records), member("x", b'0', b"")].concat()).unwrap();
    assert_eq!(read[0].0.name, long.as_bytes());
    let xattrs = read[0].0.meta.xattrs.as_ref().unwrap();
    assert_eq!(xattrs[&b"security.capability"[..]], b"\x01\x02");
}

#[test]
fn a_pax_size_wins_and_types_without_a_body_have_none() {
    let mut file = member("a", b'0', b"hello");
    file[124..136].copy_from_slice(b"00000000000\0");
    seal(&mut file);
    let bytes = [pax(&[("size", "5")]), file, member("b", b'0', b"y")].concat();
    let members = read_all(&bytes).unwrap();
    assert_eq!(members[0].1, b"hello");
    assert_eq!(members[1].0.name, b"b");
    // A symbolic link that claims a size has no body all the same.
    let mut link = member("l", b'2', b"");
    link[124..136].copy_from_slice(b"00000001000\0");
    seal(&mut link);
    let members = read_all(&[link, member("b", b'0', b"y")].concat()).unwrap();
    assert_eq!(
        (members[0].0.size, members[1].0.name.as_slice()),
        (0, &b"b"[..])
    );
}

#[test]
fn numbers_may_be_binary_and_times_negative() {
    let mut file = member("a", b'0', b"");
    file[108..116].copy_from_slice(&[0x80, 0, 0, 0, 0, 0x7f, 0xff, 0xff]);
    file[136..148].fill(0xff);
    seal(&mut file);
    let meta = read_all(&file).unwrap()[0].0.meta.clone();
    assert_eq!((meta.uid, meta.mtime), (0x7f_ffff, -1));
    let time = |text| parse_time(text).unwrap();
    assert_eq!(time(b"1.5"), (1, 500_000_000));
    assert_eq!(time(b"-1.5"), (-2, 500_000_000));
    assert_eq!(time(b"-0.25"), (-1, 750_000_000));
}

#[test]
fn what_is_cut_off_or_no_header_is_an_error() {
    let whole = member("a", b'0', &[1; 600]);
    for cut in [1, 511, 513, 1000] {
        assert!(matches!(
            read_all(&whole[..cut]),
            Err(TarError::Truncated(_) | TarError::Io(_))
        ));
    }
    assert!(
        read_all(&whole[..512 + 600]).is_ok(),
        "only padding is missing"
    );
    assert!(matches!(read_all(&[b'x'; 1024]), Err(TarError::Header(0))));
    let mut wrong = member("a", b'0', b"");
    wrong[0] = b'b';
    assert!(matches!(read_all(&wrong), Err(TarError::Header(0))));
    let mut huge = member("a", b'x', b"");
    huge[124..136].copy_from_slice(b"77777777777\0");
    seal(&mut huge);
    assert!(matches!(read_all(&huge), Err(TarError::TooLarge(_))));
    let odd = [member("p", b'x', b"999 path=x\n"), member("a", b'0', b"")].concat();
    assert!(matches!(read_all(&odd), Err(TarError::Header(_))));
    assert!(read_all(&[]).unwrap().is_empty());
}

#[test]
fn names_that_climb_are_seen() {
    for (name, climbs) in [
        ("../a", true),
        ("a/../b", true),
        ("..a", false),
        ("a..", false),
    ] {
        assert_eq!(
            read_all(&member(name, b'0', b"")).unwrap()[0].0.climbs(),
            climbs,
            "{name}"
        );
    }
}
