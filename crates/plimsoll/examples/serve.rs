//! A web server of some fifty lines: the guest of the end-to-end tests.
//!
//! `serve PORT DIRECTORY` answers `GET /NAME` with the file `DIRECTORY/NAME` (read when asked for,
//! not before), `GET /` with `DIRECTORY/index.html`, and everything else with 404.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments
        .next()
        .and_then(|port| port.parse().ok())
        .unwrap_or(8080);
    let directory = arguments.next().unwrap_or_else(|| "/srv".to_owned());
    for stream in TcpListener::bind(("0.0.0.0", port))?.incoming() {
        // A client that goes away early is its own affair.
        let _ = answer(stream?, Path::new(&directory));
    }
    Ok(())
}

fn answer(mut stream: TcpStream, directory: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let name = request
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .trim_start_matches('/')
        .to_owned();
    let name = if name.is_empty() {
        "index.html".to_owned()
    } else {
        name
    };
    let (status, body) = match std::fs::read(directory.join(&name)) {
        Ok(body) if !name.contains("..") => ("200 OK", body),
        _ => ("404 Not Found", b"no such page\n".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}
