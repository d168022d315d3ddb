//! WS-Discovery: a question to everybody in the network.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use url::Url;

use super::xml::text;

/// Where cameras listen.
pub(super) const EVERYBODY: &str = "239.255.255.250:3702";
/// How long answers are waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Most cameras that are taken.
const MOST: usize = 256;
/// Longest answer.
const LONGEST: usize = 64 << 10;

/// Who has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Of its device service, at the address from which it has answered.
    pub service: Url,
    /// What it calls itself.
    pub name: String,
}

/// Asks at `everybody`, and collects who answers for as long as `patience`.
///
/// # Errors
/// There is no network.
pub(super) fn discover(everybody: &str, patience: Duration) -> io::Result<Vec<Found>> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let until = Instant::now() + patience;
    let mut found = BTreeMap::new();
    let mut held = vec![0; LONGEST];
    let mut again = Instant::now();
    loop {
        let now = Instant::now();
        if now >= until || found.len() >= MOST {
            return Ok(found.into_values().collect());
        }
        if now >= again {
            // Packets get lost.
            socket.send_to(probe().as_bytes(), everybody)?;
            again = now + patience / 2;
        }
        let wait = until.min(again).saturating_duration_since(now).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait))?;
        match socket.recv_from(&mut held) {
            Ok((length, from)) => {
                let answer = String::from_utf8_lossy(held.get(..length).unwrap_or_default()).into_owned();
                if let Some(camera) = read(&answer, from) {
                    found.insert(camera.service.to_string(), camera);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // Somebody listens no more at that port: of another, this says nothing.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error),
        }
    }
}

/// Who answers. It is spoken to where it answers from, whatever it says of itself.
fn read(answer: &str, from: SocketAddr) -> Option<Found> {
    let addresses = text(answer, "XAddrs")?;
    let urls: Vec<Url> =
        addresses.split_whitespace().filter_map(|address| Url::parse(address).ok()).collect();
    let is_own = |url: &&Url| url.host_str() == Some(&from.ip().to_string());
    let mut service = urls.iter().find(is_own).or(urls.first())?.clone();
    if service.scheme() != "http" {
        return None;
    }
    service.set_ip_host(from.ip()).ok()?;
    service.set_username("").ok()?;
    service.set_password(None).ok()?;
    let scopes = text(answer, "Scopes").unwrap_or_default();
    let scope = |kind: &str| {
        let prefix = format!("onvif://www.onvif.org/{kind}/");
        let value =
            scopes.split_whitespace().find_map(|scope| scope.strip_prefix(&prefix).map(str::to_owned))?;
        Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
    };
    let names: Vec<String> = ["name", "hardware"].into_iter().filter_map(scope).collect();
    Some(Found { service, name: names.join(", ") })
}

fn probe() -> String {
    let number =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let id = format!("{:08x}-0000-4000-8000-{:012x}", std::process::id(), number & 0xffff_ffff_ffff);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><e:Header><w:MessageID>uuid:{id}</w:MessageID>\
         <w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>\
         <w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>\
         <e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_spoken_to_where_it_answers_from() {
        let from: SocketAddr = "10.0.0.7:3702".parse().unwrap();
        let answer = |addresses: &str| {
            let scopes = "onvif://www.onvif.org/name/Front%20door onvif://www.onvif.org/hardware/IPC-1 x";
            read(&format!("<a:XAddrs>{addresses}</a:XAddrs><d:Scopes>{scopes}</d:Scopes>"), from)
        };
        let service = |addresses: &str| answer(addresses).map(|found| found.service.to_string());
        assert_eq!(answer("http://10.0.0.7/onvif").unwrap().name, "Front door, IPC-1");
        assert_eq!(
            service("http://[fe80::1]/x http://10.0.0.7:8000/onvif").as_deref(),
            Some("http://10.0.0.7:8000/onvif")
        );
        assert_eq!(service("http://u:p@elsewhere.example/onvif").as_deref(), Some("http://10.0.0.7/onvif"));
        assert_eq!(service("file:///etc/passwd"), None);
        assert_eq!(read("<x/>", from), None);
    }
}
