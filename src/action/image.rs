//! Images beside an answer's JSON: only the MCP door shows them.

/// An image of one of the four kinds that models see.
#[derive(Debug)]
pub struct Image {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Image {
    /// What the bytes themselves say they are, whatever they are called; nothing for other kinds, such as SVG.
    pub fn of(bytes: Vec<u8>) -> Option<Self> {
        let media_type = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return None,
        };
        Some(Self { media_type, bytes })
    }
}
