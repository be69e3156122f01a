//! Tables: comma-separated with a line of names (RFC 4180).

/// The rows of a table as the fields of these columns, in this order.
///
/// # Errors
/// When a column is missing, or a row has another number of fields than the first line.
pub(super) fn rows<const N: usize>(
    bytes: &[u8],
    columns: [&str; N],
    mut each: impl FnMut([&str; N]) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = ::csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(bytes);
    let said = |error: ::csv::Error| format!("is not what it should be: {error}");
    let names = reader.headers().map_err(said)?.clone();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let found = names
            .iter()
            .position(|name| name.trim_start_matches('\u{feff}') == column);
        *place = found.ok_or_else(|| format!("has no column `{column}`"))?;
    }
    let mut row = ::csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(said)? {
        each(places.map(|place| row.get(place).unwrap_or_default()))?;
    }
    // A table that was cut in a line ends without one.
    if bytes.ends_with(b"\n") {
        Ok(())
    } else {
        Err("is cut short: its last line has no end".to_owned())
    }
}
