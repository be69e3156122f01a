//! The database of rpm since 4.16: a table `Packages` of SQLite.
//!
//! SQLite itself reads it, from memory and for reading only; nothing in the schema of a stranger is
//! executed (`trusted_schema`), and only a plain table is believed.

use std::io::{self, Read};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB};

fn bad(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Where the header says which journal is used: 2 is a log beside the file, which memory has none of
/// (SQLite, "Database File Format", 1.3).
const JOURNAL: std::ops::Range<usize> = 18..20;

/// A database in memory.
pub(crate) fn open(reader: &mut dyn Read, size: u64) -> io::Result<Connection> {
    let mut head = [0; 100];
    reader
        .read_exact(&mut head)
        .map_err(|_| bad("is cut off"))?;
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(bad("is no SQLite database"));
    }
    head[JOURNAL].fill(1);
    let whole = usize::try_from(size).map_err(bad)?;
    let mut connection = Connection::open_in_memory().map_err(bad)?;
    let bytes = head.chain(reader);
    connection
        .deserialize_read_exact(MAIN_DB, bytes, whole, true)
        .map_err(bad)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
    ] {
        connection.set_db_config(setting, on).map_err(bad)?;
    }
    connection
        .execute_batch("PRAGMA cell_size_check = ON")
        .map_err(bad)?;
    Ok(connection)
}

/// Gives every record to `each`, or says why one cannot be read.
///
/// # Errors
/// When it is no such database.
pub(crate) fn records(
    reader: &mut dyn Read,
    size: u64,
    each: &mut dyn FnMut(io::Result<Vec<u8>>),
) -> io::Result<()> {
    let connection = open(reader, size)?;
    let is_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'Packages' AND sql NOT LIKE '%VIRTUAL%'";
    let tables: i64 = connection
        .query_row(is_table, [], |row| row.get(0))
        .map_err(bad)?;
    if tables != 1 {
        return Err(bad("has no table Packages"));
    }
    let mut statement = connection
        .prepare("SELECT blob FROM Packages ORDER BY hnum")
        .map_err(bad)?;
    let mut rows = statement.query([]).map_err(bad)?;
    loop {
        match rows.next() {
            Ok(None) => return Ok(()),
            Ok(Some(row)) => match row.get_ref(0) {
                Ok(ValueRef::Blob(blob)) if blob.len() as u64 <= super::MAX_HEADER => {
                    each(Ok(blob.to_vec()))
                }
                _ => each(Err(bad("a record is no header"))),
            },
            // What was read stays; what follows cannot be found any more.
            Err(error) => {
                each(Err(bad(error)));
                return Ok(());
            }
        }
    }
}
