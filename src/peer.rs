//! Who is at the other end of a connection, and whom the operator's proxies speak for.

use std::net::IpAddr;

use ipnet::IpNet;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The client that this peer speaks for: the peer itself, or where it is a trusted proxy, the last address in
    /// `forwarded` (the value of X-Forwarded-For) that is not one. What stands further left anybody may have written.
    pub fn client(self, forwarded: &str, proxies: &[IpNet]) -> IpAddr {
        let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
        let mut client = self.0;
        for hop in forwarded.rsplit(',') {
            if !trusted(client) {
                break;
            }
            let Some(address) = address(hop) else { break };
            client = address;
        }
        client
    }
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address =
        text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

/// What stands for an address where it is counted: of IPv6 the /64, which is one customer's.
pub fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &str, expected: &str) {
        let proxies = ["10.0.0.0/8", "::1/128", "2001:db8::/32"].map(|text| text.parse().unwrap());
        let client = Peer(peer.parse().unwrap()).client(forwarded, &proxies);
        assert_eq!(client.to_string(), expected);
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_another() {
        check("203.0.113.9", "198.51.100.1", "203.0.113.9");
        check("10.1.2.3", "198.51.100.1", "198.51.100.1");
        check("10.1.2.3", "", "10.1.2.3");
        check("10.1.2.3", "not an address", "10.1.2.3");
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        check("10.1.2.3", "192.0.2.1, 198.51.100.1", "198.51.100.1");
        check("10.1.2.3", "192.0.2.1, 198.51.100.1, 10.9.9.9", "198.51.100.1");
        check("::1", "192.0.2.1,[2001:db8::7]:443, 10.0.0.1:8080", "192.0.2.1");
    }

    #[test]
    fn a_household_of_ipv6_is_its_64_bits() {
        assert_eq!(household("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1:2::");
        assert_eq!(household("203.0.113.9".parse().unwrap()).to_string(), "203.0.113.9");
    }
}
