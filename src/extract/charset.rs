//! From bytes to text: what the file says of itself, else UTF-8, else what it looks like.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// How far into a file its own word on its charset is looked for, and how much of it is looked at for a guess, in bytes.
const HEAD: usize = 2_048;
const SAMPLE: usize = 256 * 1024;

/// The file as text, whatever it holds. Lines end in a line feed.
pub fn decode(bytes: &[u8]) -> String {
    let (text, _) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => encoding.decode_without_bom_handling(&bytes[length..]),
        None => encoding(bytes).decode_without_bom_handling(bytes),
    };
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into_owned() }
}

/// Whether the bytes are text at all.
pub fn is_text(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    Encoding::for_bom(sample).is_some()
        || !sample.iter().any(|byte| matches!(byte, 0..=8 | 0xe..=0x1a | 0x1c..=0x1f))
}

fn encoding(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    declared(&bytes[..bytes.len().min(HEAD)]).unwrap_or_else(|| guess(bytes))
}

/// What `<?xml encoding="…"?>`, `<meta charset=…>` or an editor's `coding:` says.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    ["encoding=", "charset=", "coding:", "coding="].iter().find_map(|word| {
        let (_, after) = head.split_once(word)?;
        let label = after.trim_start_matches(['"', '\'', ' ']);
        let end = label.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | ':'));
        Encoding::for_label(&label.as_bytes()[..end.unwrap_or(label.len())])
    })
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    detector.feed(sample, sample.len() == bytes.len());
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_charset_it_has() {
        for (bytes, text) in [
            (b"plain\r\ntext".as_slice(), "plain\ntext"),
            ("Grüße, 안녕".as_bytes(), "Grüße, 안녕"),
            (b"\xef\xbb\xbfwith a mark", "with a mark"),
            (b"\xff\xfeG\0r\0\xfc\0\xdf\0e\0", "Grüße"),
            (b"\xfe\xff\0G\0r\0\xfc\0\xdf\0e", "Grüße"),
            (
                b"<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><a>\xb1</a>",
                "<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><a>ą</a>",
            ),
            (b"Sch\xf6ne Gr\xfc\xdfe aus M\xfcnchen", "Schöne Grüße aus München"),
            (b"\x93\xfa\x96{\x8c\xea\x82\xcc\x83e\x83L\x83X\x83g\x82\xc5\x82\xb7", "日本語のテキストです"),
        ] {
            assert_eq!(decode(bytes), text);
        }
    }

    #[test]
    fn what_holds_zeros_is_no_text() {
        assert!(is_text("Grüße\t\n".as_bytes()) && is_text(b"\xff\xfeG\0") && is_text(b""));
        assert!(!is_text(b"\x7fELF\x02\x01\x01\0\0"));
    }
}
