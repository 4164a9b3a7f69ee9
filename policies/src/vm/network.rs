//! IP addresses and networks.

use std::net::IpAddr;

use super::machine::Machine;
use super::value::{Failure, Value};
use super::vocabulary::Function;

pub(super) fn apply<'a>(
    machine: &Machine<'a>,
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    use Function as F;
    let truth = match function {
        F::IsIp => address(machine.string(first)?).is_some(),
        F::IsCidr => network(machine.string(first)?).is_some(),
        F::IsCanonical => {
            let text = machine.string(first)?;
            match address(text).ok_or(Failure::Conversion)? {
                Value::Ip(address) => address.to_string() == text,
                _ => false,
            }
        }
        F::ContainsIp | F::ContainsCidr => return contains(machine, function, first, second),
        F::Address | F::Masked | F::PrefixLength => return of_network(function, first),
        _ => return of_address(function, first),
    };
    Ok(Value::Bool(truth))
}

/// The address that a text is, an IPv4 address in IPv6 as the former. The standard refuses a dotted part inside of IPv6.
pub(super) fn address<'a>(text: &str) -> Option<Value<'a>> {
    plain_address(text).map(|address| Value::Ip(address.to_canonical()))
}

fn plain_address(text: &str) -> Option<IpAddr> {
    let is_mixed = text.contains(':') && text.contains('.');
    text.parse().ok().filter(|_| !is_mixed)
}

/// The network that a text is: an address and the length of its prefix.
pub(super) fn network<'a>(text: &str) -> Option<Value<'a>> {
    let (address, length) = text.split_once('/')?;
    let address = plain_address(address)?;
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u8 = length.parse().ok().filter(|_| digits)?;
    (u32::from(length) <= width(address)).then_some(Value::Cidr(address, length))
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn of_address<'a>(function: Function, address: Value<'_>) -> Result<Value<'a>, Failure> {
    let Value::Ip(address) = address else {
        return Err(Failure::Type);
    };
    Ok(Value::Bool(match function {
        Function::Family => return Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 })),
        Function::IsLoopback => address.is_loopback(),
        Function::IsUnspecified => address.is_unspecified(),
        Function::IsLinkLocalUnicast => is_link_local(address),
        Function::IsLinkLocalMulticast => is_link_local_multicast(address),
        _ => is_global_unicast(address),
    }))
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(address) => address
            .segments()
            .first()
            .is_some_and(|first| first & 0xff0f == 0xff02),
    }
}

/// Everything that is one host's and no other kind below, private addresses included.
fn is_global_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !is_broadcast
        && !address.is_unspecified()
        && !address.is_loopback()
        && !address.is_multicast()
        && !is_link_local(address)
}

fn of_network<'a>(function: Function, network: Value<'_>) -> Result<Value<'a>, Failure> {
    let Value::Cidr(address, length) = network else {
        return Err(Failure::Type);
    };
    Ok(match function {
        Function::Address => Value::Ip(address),
        Function::PrefixLength => Value::Int(length.into()),
        _ => Value::Cidr(masked(address, length), length),
    })
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    let host = width(address) - u32::from(length).min(width(address));
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(host).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(host).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

fn contains<'a>(
    machine: &Machine<'a>,
    function: Function,
    outer: Value<'a>,
    inner: Value<'a>,
) -> Result<Value<'a>, Failure> {
    let Value::Cidr(outer, outer_length) = outer else {
        return Err(Failure::Type);
    };
    let inner = match (function, machine.is_text(inner)) {
        (_, false) => Some(inner),
        (Function::ContainsIp, true) => address(machine.string(inner)?),
        (_, true) => network(machine.string(inner)?),
    };
    let (address, length) = match (function, inner.ok_or(Failure::Conversion)?) {
        (Function::ContainsIp, Value::Ip(address)) => (address, u8::MAX),
        (Function::ContainsCidr, Value::Cidr(address, length)) => (address, length),
        _ => return Err(Failure::Type),
    };
    let same_family = address.is_ipv4() == outer.is_ipv4();
    let within = same_family
        && outer_length <= length
        && masked(address, outer_length) == masked(outer, outer_length);
    Ok(Value::Bool(within))
}
