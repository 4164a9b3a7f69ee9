//! `base64.encode` and `base64.decode`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::machine::Machine;
use super::value::{Failure, Value};
use super::vocabulary::Function;

/// Written with padding, read with or without.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn apply<'a>(
    machine: &mut Machine<'a>,
    function: Function,
    value: Value<'a>,
) -> Result<Value<'a>, Failure> {
    if function == Function::Base64Encode {
        return machine.make(|machine, out| {
            let bytes = machine.octets(value).ok_or(Failure::Type)?;
            machine.charge(bytes.len() as u64 / 16)?;
            ENGINE.encode_string(bytes, out);
            Ok(())
        });
    }
    machine.make_octets(|machine, out| {
        let text = machine.string(value)?;
        ENGINE
            .decode_vec(text, out)
            .map_err(|_| Failure::Conversion)
    })
}
