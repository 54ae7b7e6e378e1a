//! The header `traceparent` (W3C Trace Context): which trace a request belongs to.

use std::fmt;

/// What a client says of the trace that its request is part of. It is anybody's word: good to connect what belongs together,
/// and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    pub trace: u128,
    pub span: u64,
    pub is_sampled: bool,
}

impl Traceparent {
    /// `version-trace-span-flags`, in lower-case hexadecimal digits. Later versions may say more at the end.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let [version, trace, span, flags] = [2, 32, 16, 2].map(|length| {
            let digits = parts.next().filter(|part| part.len() == length)?;
            digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(digits)
        });
        let version = version.filter(|version| *version != "ff")?;
        if version == "00" && parts.next().is_some() {
            return None;
        }
        let trace = u128::from_str_radix(trace?, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span?, 16).ok().filter(|span| *span != 0)?;
        let flags = u8::from_str_radix(flags?, 16).ok()?;
        Some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.is_sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_standard_has_it_or_not_at_all() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let read = Traceparent::parse(good).unwrap();
        assert_eq!((read.to_string().as_str(), read.is_sampled), (good, true));
        assert!(!Traceparent::parse(&format!("{}00", &good[..53])).unwrap().is_sampled);
        assert!(Traceparent::parse(&format!("01{}-later", &good[2..])).is_some());
        for bad in [
            "",
            "00",
            &good[..54],
            &format!("{good}-more"),
            &format!("ff{}", &good[2..]),
            &good.to_uppercase(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c8031+c-b7ad6b7169203331-01",
        ] {
            assert_eq!(Traceparent::parse(bad), None, "{bad}");
        }
    }
}
