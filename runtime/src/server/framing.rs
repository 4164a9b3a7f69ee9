//! Refuses requests that another server might see otherwise than we do: it could be made to take the end of one for the
//! beginning of the next.

use hyper::header::{HOST, TRANSFER_ENCODING};
use hyper::{Request, StatusCode, Version};

use crate::failure::Failure;

/// Marks a request whose head gives its body's length more than once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AmbiguousLength;

/// Whether a request means the same to everybody.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Failure> {
    let refused = |status, code, message: &str| Err(Failure::invalid(status, code, message));
    if request.extensions().get::<AmbiguousLength>().is_some() {
        let message = "the length of the body is given twice: send one `content-length`, or `transfer-encoding: chunked`";
        return refused(StatusCode::BAD_REQUEST, "ambiguous_length", message);
    }
    // In HTTP/2 all of this has another form, which is checked where it is read.
    if request.version() == Version::HTTP_2 {
        return Ok(());
    }
    let headers = request.headers();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !is_chunked || codings.next().is_some() {
            let message = "this transfer coding is not understood: send `chunked` alone";
            return refused(
                StatusCode::NOT_IMPLEMENTED,
                "unsupported_transfer_encoding",
                message,
            );
        }
    }
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        let message = "a request needs one `host` header";
        return refused(StatusCode::BAD_REQUEST, "invalid_host", message);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[track_caller]
    fn verdict(
        version: Version,
        headers: &[(&str, &str)],
        is_ambiguous: bool,
    ) -> Option<&'static str> {
        let mut request = Request::post("/v1/chat/completions").version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if is_ambiguous {
            request = request.extension(AmbiguousLength);
        }
        check(&request.body(()).unwrap())
            .err()
            .map(|failure| failure.code)
    }

    #[test]
    fn what_can_be_seen_in_two_ways_is_refused() {
        let host = ("host", "a");
        for (headers, ambiguous, expected) in [
            (&[host][..], false, None),
            (&[host, ("transfer-encoding", "Chunked")], false, None),
            (
                &[host, ("transfer-encoding", "gzip, chunked")],
                false,
                Some("unsupported_transfer_encoding"),
            ),
            (
                &[
                    host,
                    ("transfer-encoding", "x"),
                    ("transfer-encoding", "chunked"),
                ],
                false,
                Some("unsupported_transfer_encoding"),
            ),
            (&[], false, Some("invalid_host")),
            (&[host, host], false, Some("invalid_host")),
            (&[host], true, Some("ambiguous_length")),
        ] {
            assert_eq!(
                verdict(Version::HTTP_11, headers, ambiguous),
                expected,
                "{headers:?}"
            );
        }
        assert_eq!(verdict(Version::HTTP_10, &[], false), None);
        assert_eq!(verdict(Version::HTTP_2, &[], false), None);
    }
}
