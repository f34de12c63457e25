//! As much of RFC 8949 as authenticators write, in the form that CTAP2 calls canonical.

/// What an item begins with: its major type and its argument, as short as it can be.
fn head(major: u8, argument: u64) -> Vec<u8> {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    let (short, following) = match argument {
        0..=23 => return vec![major | bytes[7]],
        24..=0xff => (24, &bytes[7..]),
        0x100..=0xffff => (25, &bytes[6..]),
        0x1_0000..=0xffff_ffff => (26, &bytes[4..]),
        _ => (27, &bytes[..]),
    };
    [&[major | short][..], following].concat()
}

pub(super) fn integer(value: i64) -> Vec<u8> {
    match u64::try_from(value) {
        Ok(argument) => head(0, argument),
        Err(_) => head(1, value.unsigned_abs() - 1),
    }
}

fn length(of: &[u8]) -> u64 {
    u64::try_from(of.len()).expect("a length")
}

pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, length(bytes)), bytes.to_vec()].concat()
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [head(3, length(text.as_bytes())), text.as_bytes().to_vec()].concat()
}

/// The pairs are in the canonical order already: the shorter name first.
pub(super) fn map(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut map = head(5, u64::try_from(pairs.len()).expect("a length"));
    for (name, value) in pairs {
        map.extend(name);
        map.extend(value);
    }
    map
}
