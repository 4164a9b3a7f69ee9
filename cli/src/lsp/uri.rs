//! Between the addresses of documents and the paths that the compiler reads.

use std::fmt::Write as _;

/// The address of a pack of the standard library begins so, for clients that can show one.
pub(crate) const STANDARD: &str = "waypost-std:/";

/// How the compiler calls the document: its path, or its whole address if it lies in no file.
pub(crate) fn name(uri: &str) -> String {
    let Some(rest) = uri.strip_prefix("file://") else {
        return uri.to_owned();
    };
    // `file://localhost/path` and `file:///path` are the same.
    let path = rest.find('/').and_then(|slash| rest.get(slash..));
    decode(path.unwrap_or(rest))
}

/// The address of a file.
pub(crate) fn of_path(path: &str) -> String {
    let mut uri = String::from("file://");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// `%20` is a space; what is no escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let value = escape
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match value {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{name, of_path};

    #[test]
    fn addresses_and_paths_are_told_apart() {
        assert_eq!(name("file:///a%20b/%C3%A9.route"), "/a b/é.route");
        assert_eq!(name("file://localhost/a.route"), "/a.route");
        assert_eq!(name("untitled:Untitled-1"), "untitled:Untitled-1");
        assert_eq!(name("file:///100%"), "/100%");
        assert_eq!(of_path("/a b/é.route"), "file:///a%20b/%C3%A9.route");
    }
}
