//! Figures as people write them.

use waypost_lang::cel::quote;
use waypost_lang::cel::typed::Constant;
use waypost_policies::NanoDollars;

/// `$1.25`: two decimals, or as many as it needs.
pub(crate) fn dollars(nanos: i64) -> String {
    let text = NanoDollars(nanos).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let kept = fraction.trim_end_matches('0').len();
    let kept = if kept == 0 { 0 } else { kept.max(2) };
    match fraction.get(..kept).filter(|kept| !kept.is_empty()) {
        Some(fraction) => format!("${whole}.{fraction}"),
        None => format!("${whole}"),
    }
}

/// `400k`, `2M`, `24500`.
pub(crate) fn count(figure: u64) -> String {
    match figure {
        0 => "0".to_owned(),
        _ if figure.is_multiple_of(1_000_000) => format!("{}M", figure / 1_000_000),
        _ if figure.is_multiple_of(1_000) => format!("{}k", figure / 1_000),
        _ => figure.to_string(),
    }
}

/// `60s`, `10m`, `250ms`.
pub(crate) fn milliseconds(figure: u64) -> String {
    match figure {
        0 => "0s".to_owned(),
        _ if figure.is_multiple_of(3_600_000) => format!("{}h", figure / 3_600_000),
        _ if figure.is_multiple_of(60_000) => format!("{}m", figure / 60_000),
        _ if figure.is_multiple_of(1_000) => format!("{}s", figure / 1_000),
        _ => format!("{figure}ms"),
    }
}

/// A constant as CEL writes it, where it has a short form.
pub(super) fn constant(value: &Constant) -> Option<String> {
    Some(match value {
        Constant::Null => "null".to_owned(),
        Constant::Bool(value) => value.to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::Uint(value) => format!("{value}u"),
        Constant::Double(value) => format!("{value:?}"),
        Constant::String(value) => quote(value),
        Constant::Ip(address) => format!("ip({})", quote(&address.to_string())),
        Constant::Cidr(address, prefix) => {
            format!("cidr({})", quote(&format!("{address}/{prefix}")))
        }
        Constant::Duration(nanos) => format!("duration(\"{}s\")", *nanos as f64 / 1e9),
        Constant::List(elements) => {
            let elements: Option<Vec<String>> = elements.iter().map(constant).collect();
            format!("[{}]", elements?.join(", "))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{count, dollars, milliseconds};

    #[test]
    fn figures_read_as_written() {
        assert_eq!(dollars(1_250_000_000), "$1.25");
        assert_eq!(dollars(10_000_000_000), "$10");
        assert_eq!(dollars(125_000_000), "$0.125");
        assert_eq!(dollars(1_500_000_000), "$1.50");
        assert_eq!(
            (count(400_000), count(24_500)),
            ("400k".to_owned(), "24500".to_owned())
        );
        assert_eq!(milliseconds(600_000), "10m");
        assert_eq!(milliseconds(90_000), "90s");
    }
}
