//! Headers as in mail and in manifests: `Name: value`, continued by lines that begin with a blank.

/// The headers up to the first empty line: names and values, in order. A continued value has its
/// lines joined by line feeds.
pub(crate) fn headers(text: &str) -> Vec<(&str, String)> {
    let mut headers: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim(), value.trim().to_owned()));
        }
    }
    headers
}

/// The main section of a manifest (JAR File Specification): as [`headers`], but a continued line
/// takes up where the one before it ended.
pub(crate) fn manifest(text: &str) -> Vec<(String, String)> {
    let text = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace("\n ", "");
    let main = text.lines().take_while(|line| !line.trim().is_empty());
    main.filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}
