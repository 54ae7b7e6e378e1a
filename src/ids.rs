//! How sites are named, parsed at the border: what is inside can be compared and put into a path as it stands.

use std::fmt;

/// A site's id: a UUID in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloudId(String);

impl CloudId {
    /// Reads the 8-4-4-4-12 form of a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        let lengths = text.split('-').map(str::len);
        let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        (plain && lengths.eq([8, 4, 4, 4, 12])).then(|| Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CloudId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A site's host, such as `acme.atlassian.net`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteName(String);

impl SiteName {
    /// Reads a host name of two labels or more (RFC 1123 §2.1): letters, digits and inner hyphens, no address, no port.
    pub fn parse(text: &str) -> Option<Self> {
        let is_label = |label: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let (_, top) = text.rsplit_once('.')?;
        let is_host = text.len() <= 253 && text.split('.').all(is_label);
        (is_host && top.bytes().any(|byte| byte.is_ascii_alphabetic()))
            .then(|| Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One site, by its host or by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteRef {
    Name(SiteName),
    Id(CloudId),
}

impl SiteRef {
    pub fn parse(text: &str) -> Option<Self> {
        CloudId::parse(text).map(Self::Id).or_else(|| SiteName::parse(text).map(Self::Name))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(name) => name.as_str(),
            Self::Id(id) => id.as_str(),
        }
    }

    /// Whether the site of this host and id is meant.
    pub fn is(&self, host: &str, cloud_id: &CloudId) -> bool {
        match self {
            Self::Name(name) => name.as_str().eq_ignore_ascii_case(host),
            Self::Id(id) => id == cloud_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_id_is_a_uuid() {
        let id = CloudId::parse("11111111-AAAA-4bbb-8ccc-000000000001").unwrap();
        assert_eq!(id.as_str(), "11111111-aaaa-4bbb-8ccc-000000000001");
        for bad in [
            "",
            "------------------------------------",
            "11111111-aaaa-4bbb-8ccc-00000000000",
            "11111111-aaaa-4bbb-8ccc-0000000000012",
            "1111111-1aaaa-4bbb-8ccc-000000000001",
            "11111111aaaa4bbb8ccc0000000000011111",
            "11111111-aaaa-4bbb-8ccc-00000000000g",
            "../../../../../../../../../../../..",
        ] {
            assert_eq!(CloudId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_site_is_a_host_or_a_cloud_id_and_nothing_that_only_looks_like_one() {
        for host in ["acme.atlassian.net", "ACME.Atlassian.net", "wiki.a-b.example", "a.b1"] {
            assert!(matches!(SiteRef::parse(host), Some(SiteRef::Name(_))), "{host}");
        }
        assert!(matches!(SiteRef::parse("11111111-aaaa-4bbb-8ccc-000000000001"), Some(SiteRef::Id(_))));
        let long = format!("{}.net", "a".repeat(64));
        for bad in [
            "acme",
            "acme.",
            ".net",
            "acme..net",
            "-acme.atlassian.net",
            "acme-.atlassian.net",
            "acme.atlassian.net:443",
            "127.0.0.1",
            "acme_wiki.atlassian.net",
            "acme.atlassian.net/wiki",
            "ácme.atlassian.net",
            "..-..-..",
            "------------------------------------",
            &long,
        ] {
            assert_eq!(SiteRef::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_site_is_recognised_by_the_name_it_was_given() {
        let id = CloudId::parse("11111111-aaaa-4bbb-8ccc-000000000001").unwrap();
        let other = CloudId::parse("22222222-aaaa-4bbb-8ccc-000000000001").unwrap();
        let by_name = SiteRef::parse("acme.atlassian.net").unwrap();
        assert!(by_name.is("Acme.atlassian.net", &other) && !by_name.is("globex.atlassian.net", &id));
        let by_id = SiteRef::parse(id.as_str()).unwrap();
        assert!(by_id.is("whatever.example", &id) && !by_id.is("acme.atlassian.net", &other));
    }
}
