//! The links of a page that stay on its host.

use ureq::http::Uri;

/// Links that are looked at in one page.
const MOST: usize = 5000;
/// Bytes of a link.
const LONGEST: usize = 2048;

/// The values of `href` and `src` in the tags of a page, in their order; what stands in comments,
/// scripts and styles is no tag. A page that is no HTML has none.
pub(super) fn links(page: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.iter().position(|&byte| byte == b'<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = behind(comment, b"-->");
            continue;
        }
        let end = name_end(rest);
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        if name.is_empty() {
            continue;
        }
        rest = attributes(rest, &mut found);
        if found.len() >= MOST {
            found.truncate(MOST);
            break;
        }
        match &*name {
            b"script" => rest = behind(rest, b"</script"),
            b"style" => rest = behind(rest, b"</style"),
            _ => {}
        }
    }
    found
}

fn name_end(text: &[u8]) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    text.iter().take_while(|byte| is_name(byte)).count()
}

/// What stands behind the next `mark`, in either case; nothing where there is none.
fn behind<'a>(text: &'a [u8], mark: &[u8]) -> &'a [u8] {
    let at = text
        .windows(mark.len())
        .position(|window| window.eq_ignore_ascii_case(mark));
    at.map_or(&[], |at| &text[at + mark.len()..])
}

/// Reads the attributes of a tag, and answers with what stands behind its `>`.
fn attributes<'a>(mut rest: &'a [u8], found: &mut Vec<String>) -> &'a [u8] {
    loop {
        rest = rest.trim_ascii_start();
        match rest.first() {
            None => return rest,
            Some(b'>') => return &rest[1..],
            Some(_) => {}
        }
        let end = rest
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || b"=>".contains(byte))
            .unwrap_or(rest.len());
        let name = &rest[..end];
        rest = rest[end..].trim_ascii_start();
        let Some(behind) = rest.strip_prefix(b"=") else {
            continue;
        };
        let behind = behind.trim_ascii_start();
        let (value, behind) = match behind.first() {
            Some(&quote @ (b'"' | b'\'')) => {
                let text = &behind[1..];
                let end = text.iter().position(|&byte| byte == quote);
                let end = end.unwrap_or(text.len());
                (&text[..end], text.get(end + 1..).unwrap_or_default())
            }
            _ => {
                let end = behind
                    .iter()
                    .position(|byte| byte.is_ascii_whitespace() || *byte == b'>');
                behind.split_at(end.unwrap_or(behind.len()))
            }
        };
        rest = behind;
        let is_link = name.eq_ignore_ascii_case(b"href") || name.eq_ignore_ascii_case(b"src");
        if is_link && value.len() <= LONGEST && found.len() < MOST {
            let value = String::from_utf8_lossy(value).replace("&amp;", "&");
            found.push(value);
        }
    }
}

/// The path and query that a link means on the page at `base`; `None` where it leads elsewhere.
/// `origin` is the page's host and port, `127.0.0.1:80`.
pub(super) fn resolve(base: &str, link: &str, scheme: &str, port: u16) -> Option<String> {
    let link = link.trim();
    let link = link.split('#').next().unwrap_or_default();
    if link.is_empty() {
        return None;
    }
    let link = match link.split_once(':') {
        Some((before, rest)) if is_scheme(before) => {
            (before.eq_ignore_ascii_case(scheme) && rest.starts_with("//")).then_some(rest)?
        }
        _ => link,
    };
    let (base_path, _) = base.split_once('?').unwrap_or((base, ""));
    let path = if let Some(rest) = link.strip_prefix("//") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        is_own(authority, scheme, port).then_some(())?;
        match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        }
    } else if link.starts_with('/') {
        link.to_owned()
    } else if link.starts_with('?') {
        format!("{base_path}{link}")
    } else {
        let directory = base_path.rfind('/').map_or("/", |at| &base_path[..=at]);
        format!("{directory}{link}")
    };
    let path = path.replace(' ', "%20");
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (&*path, String::new()),
    };
    let path = format!("{}{query}", without_dots(path));
    (path.len() <= LONGEST && path.parse::<Uri>().is_ok()).then_some(path)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether this is the server itself, by one of the names it has for us.
fn is_own(authority: &str, scheme: &str, port: u16) -> bool {
    let usual = if scheme == "https" { 443 } else { 80 };
    let (host, named) = match authority.rsplit_once(':') {
        Some((host, named)) => (host, named.parse().ok()),
        None => (authority, Some(usual)),
    };
    named == Some(port) && ["127.0.0.1", "localhost"].contains(&host)
}

/// `remove_dot_segments` of RFC 3986, section 5.2.4, on an absolute path.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_directory = true;
    for segment in path.split('/').skip(1) {
        is_directory = matches!(segment, "" | "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            // Of `a//b` the empty segment counts; the one behind the last slash is the slash.
            other => kept.push(other),
        }
    }
    if is_directory && kept.last() != Some(&"") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_tags_alone() {
        let page = br#"<!DOCTYPE html><!-- <a href="/no"> --><A class=x HREF = '/one?a=1&amp;b=2'>
            <img src=/two.png/><script src="/three.js">"<a href='/no'>"</script >
            <style>a { b: "<a href=/no>" }</style><p title="href=/no">1 < 2 href=/no
            <a data-href="/no" href>x</a><link rel=x href="four"><a href="/unclosed"#;
        let wanted = [
            "/one?a=1&b=2",
            "/two.png/",
            "/three.js",
            "four",
            "/unclosed",
        ];
        assert_eq!(links(page), wanted);
        assert_eq!(links(b"<<<<a href="), [""]);
        assert!(links(b"\x00\xff<").is_empty());
        let many = b"<a href=x>".repeat(MOST + 7);
        assert_eq!(links(&many).len(), MOST);
    }

    #[test]
    fn only_links_to_the_same_host_stay() {
        let at = |link: &str| resolve("/a/b?c=d", link, "http", 8080);
        for (link, path) in [
            ("/x", Some("/x")),
            ("x", Some("/a/x")),
            ("../x?y", Some("/x?y")),
            ("../../../x/./y/..", Some("/x/")),
            ("?y=1", Some("/a/b?y=1")),
            ("", None),
            ("#top", None),
            ("/x#top", Some("/x")),
            ("a b", Some("/a/a%20b")),
            ("mailto:me@here", None),
            ("javascript:void(0)", None),
            ("data:text/plain,x", None),
            ("http://127.0.0.1:8080/x", Some("/x")),
            ("HTTP://localhost:8080", Some("/")),
            ("//localhost:8080?q", Some("/?q")),
            ("http://127.0.0.1/x", None),
            ("https://127.0.0.1:8080/x", None),
            ("http://example.org:8080/x", None),
            ("//example.org/x", None),
            ("/x//y", Some("/x//y")),
        ] {
            assert_eq!(at(link).as_deref(), path, "{link}");
        }
        assert_eq!(
            resolve("/", "//127.0.0.1/x", "https", 443).as_deref(),
            Some("/x")
        );
    }
}
