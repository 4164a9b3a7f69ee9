//! Where connections go: host and port, or a file, and what is spoken there.
//!
//! `http://`, `https://` (HTTP/2 where the server offers it), `h2c://` (HTTP/2 at once, without TLS), and
//! `unix:/run/engine.sock`, which is `http` over that file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use hyper::Uri;

/// The scheme of addresses that are files; their path stands in the authority, escaped.
const UNIX: &str = "unix";
const H2C: &str = "h2c";

/// Where connections go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) place: Place,
    pub(super) speaks: Speaks,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Host(Box<str>, u16),
    File(PathBuf),
}

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Speaks {
    Http1,
    Http2,
    /// What it chooses of both, over TLS.
    Tls,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        let (speaks, usual) = match uri.scheme_str()? {
            "http" => (Speaks::Http1, 80),
            H2C => (Speaks::Http2, 80),
            "https" => (Speaks::Tls, 443),
            UNIX => {
                let path = unescape(authority.host())?;
                return Some(Self {
                    place: Place::File(path.into()),
                    speaks: Speaks::Http1,
                });
            }
            _ => return None,
        };
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Some(Self {
            place: Place::Host(host.into(), authority.port_u16().unwrap_or(usual)),
            speaks,
        })
    }
}

/// A base URL as this client takes it: of `unix:/run/engine.sock:/v1` the path of the file is escaped.
pub(crate) fn base_url(written: &str) -> Cow<'_, str> {
    let Some(rest) = written.strip_prefix("unix:") else {
        return Cow::Borrowed(written);
    };
    let (file, base) = rest.split_once(':').unwrap_or((rest, ""));
    format!("{UNIX}://{}{base}", escape(Path::new(file))).into()
}

/// In hexadecimal digits: nothing else may stand in any authority.
fn escape(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unescape(text: &str) -> Option<String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let bytes = digits?
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[track_caller]
    fn check(written: &str, place: Place, speaks: Speaks) {
        let uri: Uri = base_url(written).parse().unwrap();
        assert_eq!(Origin::of(&uri), Some(Origin { place, speaks }), "{uri}");
    }

    #[test]
    fn schemes_say_what_is_spoken_where() {
        let host = |name: &str, port| Place::Host(name.into(), port);
        check("http://a/v1", host("a", 80), Speaks::Http1);
        check("https://a.b/v1", host("a.b", 443), Speaks::Tls);
        check(
            "h2c://127.0.0.1:8000/v1",
            host("127.0.0.1", 8000),
            Speaks::Http2,
        );
        check("https://[::1]:8443", host("::1", 8443), Speaks::Tls);
        check(
            "unix:/run/a b.sock:/v1",
            Place::File("/run/a b.sock".into()),
            Speaks::Http1,
        );
        check(
            "unix:/run/engine.sock",
            Place::File("/run/engine.sock".into()),
            Speaks::Http1,
        );
        assert_eq!(Origin::of(&"ftp://a".parse().unwrap()), None);
    }
}
