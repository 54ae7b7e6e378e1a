//! Addresses that end where they should, whatever stands around them.

use super::is_invisible;

/// Percent-encodes what would end an address in Markdown, or hide in it. Letters and digits of all scripts stay readable;
/// line ends and tabs go, as browsers have it.
pub fn safe_address(url: &str) -> String {
    // Most addresses are safe as they are, which their bytes tell at a glance.
    if url.bytes().all(|byte| SAFE[usize::from(byte)]) {
        return url.to_owned();
    }
    let mut encoded = String::with_capacity(url.len());
    for character in url.chars() {
        match character {
            '(' | ')' | '<' | '>' | '|' | '\\' | '`' | '"' | '*' | '[' | ']' | '{' | '}' | '^' => {
                push_encoded(&mut encoded, character);
            }
            '\n' | '\r' | '\t' => {}
            _ if character.is_ascii_graphic() => encoded.push(character),
            _ if character.is_alphanumeric() && !is_invisible(character) => encoded.push(character),
            _ => push_encoded(&mut encoded, character),
        }
    }
    encoded
}

/// The bytes that stay as they are wherever they stand.
const SAFE: [bool; 256] = {
    let mut safe = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        safe[byte as usize] = !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'|' | b'\\' | b'`' | b'"' | b'*' | b'[' | b']' | b'{' | b'}' | b'^'
        );
        byte += 1;
    }
    safe
};

/// Appends the bytes of `character`, each as `%` and two digits.
pub fn push_encoded(encoded: &mut String, character: char) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        encoded.push('%');
        encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
        encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
