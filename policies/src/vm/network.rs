//! IP addresses and networks.

use std::net::IpAddr;

use super::value::{Failure, Value};
use super::vocabulary::Function;

pub(super) fn apply<'a>(
    function: Function,
    first: Value<'a>,
    second: Value<'a>,
) -> Result<Value<'a>, Failure> {
    Ok(match (function, first, second) {
        (Function::ContainsIp, Value::Cidr(network, length), Value::Ip(address)) => {
            Value::Bool(contains(network, length, address))
        }
        (Function::Family, Value::Ip(address), _) => {
            Value::Int(if address.is_ipv4() { 4 } else { 6 })
        }
        (Function::IsLoopback, Value::Ip(address), _) => Value::Bool(address.is_loopback()),
        _ => return Err(Failure::Type),
    })
}

fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let host = 128_u32.min(width - u32::from(length).min(width));
    // A prefix of length 0 shifts everything out.
    let prefix = |bits: u128| bits.checked_shr(host).unwrap_or(0);
    prefix(network) == prefix(address)
}
