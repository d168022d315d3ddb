//! To where a network source connects.

use url::{Host, Url};

use super::Address;

/// To where a network source connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// A name or an address.
    pub host: String,
    /// Port of the camera.
    pub port: u16,
    /// Whether the host is a name that has to be looked up.
    pub is_name: bool,
    /// Whether pictures come in packets of their own, over UDP.
    pub packets: bool,
    /// Whether the connection is encrypted, and a certificate checked.
    pub is_tls: bool,
}

impl Destination {
    /// Of a network source; `None` if the address cannot be used, which opening it says.
    pub(crate) fn of(address: &str) -> Option<Self> {
        let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        let (scheme, usual) = match scheme.as_str() {
            "rtsp" => ("rtsp", 554),
            "https" => ("https", 443),
            _ => ("http", 80),
        };
        let url: Url = Address::parse(address, scheme).ok()?.url;
        let host = url.host()?;
        let host_is_name = match &host {
            Host::Domain(name) => name.parse::<std::net::IpAddr>().is_err(),
            Host::Ipv4(_) | Host::Ipv6(_) => false,
        };
        let packets =
            scheme == "rtsp" && url.query_pairs().any(|pair| pair == ("transport".into(), "udp".into()));
        let host = host.to_string();
        let (port, is_tls) = (url.port().unwrap_or(usual), scheme == "https");
        Some(Self { host, port, is_name: host_is_name, packets, is_tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_those_that_are_connected_to() {
        for (address, host, port, is_name, packets) in [
            ("rtsp://u:p%40ss@192.168.1.20/stream2", "192.168.1.20", 554, false, false),
            ("rtsp://cam:8554/x@y?transport=udp", "cam", 8554, true, true),
            ("http://[fe80::1]/video.mjpg", "[fe80::1]", 80, false, false),
            ("HTTP://cam.local:8080/?transport=udp", "cam.local", 8080, true, false),
            ("HTTPS://cam.local/x", "cam.local", 443, true, false),
        ] {
            let found = Destination::of(address).unwrap();
            let is_tls = port == 443;
            assert_eq!(
                found,
                Destination { host: host.to_owned(), port, is_name, packets, is_tls },
                "{address}"
            );
        }
        assert_eq!(Destination::of("rtsp:///x"), None);
    }
}
