//! A proxy for tests that breaks every connection after so many bytes, and before that answers the
//! first so many connections with "too many requests, again in a second" (RFC 6585 4):
//! `flaky UPSTREAM BYTES [REFUSED]` prints the address it listens on, and ends after half an hour.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

const LIFE: Duration = Duration::from_secs(1800);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(upstream), Some(bytes)) = (arguments.next(), arguments.next()) else {
        return Err("usage: flaky UPSTREAM BYTES [REFUSED]".into());
    };
    let most: usize = bytes.parse()?;
    let refused: usize = arguments.next().map_or(Ok(0), |count| count.parse())?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    std::thread::spawn(|| {
        std::thread::sleep(LIFE);
        std::process::exit(0);
    });
    for (number, client) in listener.incoming().flatten().take(1_000_000).enumerate() {
        if number < refused {
            let _ = refuse(&client);
            continue;
        }
        let upstream = upstream.clone();
        std::thread::spawn(move || {
            let _ = between(&client, &upstream, most);
        });
    }
    Ok(())
}

/// Hears a request out, and asks for patience.
fn refuse(mut client: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.take(64 << 10)).lines();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    client.write_all(
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
}

/// Passes bytes both ways until the server has sent `most` of them.
fn between(client: &TcpStream, upstream: &str, most: usize) -> std::io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut out = client.try_clone()?;
    let _ = std::io::copy(&mut (&server).take(most as u64), &mut out);
    let _ = client.shutdown(Shutdown::Both);
    server.shutdown(Shutdown::Both)
}
