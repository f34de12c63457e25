//! How bytes are written in JSON.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648, section 5, without padding, as WebAuthn has it in JSON.
#[must_use]
pub fn encoded(bytes: &[u8]) -> String {
    let digit = |value: u32| char::from(ALPHABET[usize::try_from(value & 0x3f).expect("six bits")]);
    let (mut text, mut buffer, mut bits) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        buffer = ((buffer << 8) | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            text.push(digit(buffer >> bits));
        }
    }
    if bits > 0 {
        text.push(digit(buffer << (6 - bits)));
    }
    text
}

/// The same back. Panics where a browser would refuse the text.
#[must_use]
pub fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter);
        let value = value.unwrap_or_else(|| panic!("no letter of base64url: {:?}", char::from(letter)));
        buffer = ((buffer << 6) | u32::try_from(value).expect("six bits")) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).expect("a byte"));
        }
    }
    assert!(
        bits < 6 && buffer & ((1 << bits) - 1) == 0,
        "cut off in the middle: {text}"
    );
    bytes
}
