//! A proxy for tests that breaks every connection after so many bytes: `flaky UPSTREAM BYTES` prints
//! the address it listens on, and ends after ten minutes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

const LIFE: Duration = Duration::from_secs(600);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(upstream), Some(bytes)) = (arguments.next(), arguments.next()) else {
        return Err("usage: flaky UPSTREAM BYTES".into());
    };
    let most: usize = bytes.parse()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    std::thread::spawn(|| {
        std::thread::sleep(LIFE);
        std::process::exit(0);
    });
    for client in listener.incoming().flatten().take(1_000_000) {
        let upstream = upstream.clone();
        std::thread::spawn(move || {
            let _ = between(&client, &upstream, most);
        });
    }
    Ok(())
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
