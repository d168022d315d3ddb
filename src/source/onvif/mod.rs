//! Cameras in the network that speak ONVIF: who is there, and where their streams are.

mod discovery;
mod xml;

use super::http::Client;
use super::network::{Address, Fault, Patience};
use crate::error::{Error, Result};
use discovery::{EVERYBODY, Found, PATIENCE, discover};
use xml::{MOST, attribute, elements, escaped, text};

/// Namespaces of what cameras are asked for.
const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
const SCHEMA: &str = "http://www.onvif.org/ver10/schema";
/// Most streams of a camera that are asked for.
const MOST_STREAMS: usize = 16;

/// A camera that has answered.
#[derive(Debug)]
pub(crate) struct NetworkCamera {
    /// The address of its device service.
    pub service: String,
    /// What it calls itself; may be empty.
    pub name: String,
    /// Its streams, or why it does not tell them.
    pub streams: Result<Vec<Stream>>,
}

/// A stream of a camera.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub name: String,
    /// `H264`, `H265`, `JPEG`.
    pub encoding: String,
    /// Pixels, as `640x360`.
    pub size: String,
    /// For `--source`, without user and password.
    pub address: String,
}

/// Asks the network who is there, and each camera for its streams, with this `user:password` if it wants one.
///
/// # Errors
/// [`Error::Device`] if there is no network.
pub(crate) fn network_cameras(login: &str) -> Result<Vec<NetworkCamera>> {
    ask(EVERYBODY, login)
}

fn ask(everybody: &str, login: &str) -> Result<Vec<NetworkCamera>> {
    let found = discover(everybody, PATIENCE).map_err(|error| {
        Error::device(
            "onvif",
            format!("a network that takes no question ({error})"),
            "one that does multicast",
        )
    })?;
    let camera = |Found { service, name }: Found| {
        let shown = service.to_string();
        let streams =
            streams(&shown, login).map_err(|fault| Error::device(&shown, fault.found, fault.expected));
        NetworkCamera { service: shown, name, streams }
    };
    Ok(found.into_iter().map(camera).collect())
}

/// The streams of the camera whose device service is at `service`.
fn streams(service: &str, login: &str) -> std::result::Result<Vec<Stream>, Fault> {
    let mut device = client(service, login)?;
    let body = format!("<GetCapabilities xmlns=\"{DEVICE}\"><Category>Media</Category></GetCapabilities>");
    let capabilities = soap(&mut device, &body)?;
    let (_, media) = elements(&capabilities, "Media").into_iter().next().unwrap_or_default();
    let media = text(media, "XAddr").and_then(|address| url::Url::parse(&address).ok());
    let mut media = client(&at_home(media, service), login)?;
    let profiles = soap(&mut media, &format!("<GetProfiles xmlns=\"{MEDIA}\"/>"))?;
    let mut streams = Vec::new();
    for (tag, profile) in elements(&profiles, "Profiles").into_iter().take(MOST_STREAMS) {
        let Some(token) = attribute(tag, "token") else { continue };
        let (_, encoder) =
            elements(profile, "VideoEncoderConfiguration").into_iter().next().unwrap_or_default();
        let side = |name: &str| text(encoder, name).unwrap_or_else(|| "?".to_owned());
        let body = format!(
            "<GetStreamUri xmlns=\"{MEDIA}\"><StreamSetup><Stream xmlns=\"{SCHEMA}\">RTP-Unicast</Stream>\
             <Transport xmlns=\"{SCHEMA}\"><Protocol>RTSP</Protocol></Transport></StreamSetup>\
             <ProfileToken>{}</ProfileToken></GetStreamUri>",
            escaped(&token)
        );
        let Some(address) = text(&soap(&mut media, &body)?, "Uri") else { continue };
        streams.push(Stream {
            name: text(profile, "Name").unwrap_or(token),
            encoding: side("Encoding"),
            size: format!("{}x{}", side("Width"), side("Height")),
            address: without_login(&address),
        });
    }
    Ok(streams)
}

/// A client of a service that shows a password to nobody else.
fn client(service: &str, login: &str) -> std::result::Result<Client, Fault> {
    let login = if login.is_empty() { String::new() } else { format!("{login}@") };
    let address = service.replacen("http://", &format!("http://{login}"), 1);
    let address = Address::parse(&address, "http").map_err(|error| {
        Fault::new(error.to_string(), "--onvif user:password, special characters percent-encoded")
    })?;
    let patience = Patience { connect: PATIENCE, ..Patience::default() };
    Ok(Client::new(address, patience, None))
}

/// The media service, on the machine of the device service: cameras that were moved tell old addresses.
fn at_home(media: Option<url::Url>, service: &str) -> String {
    let home = url::Url::parse(service).ok();
    match (media, home) {
        (Some(media), Some(mut home)) if media.scheme() == "http" => {
            home.set_path(media.path());
            home.set_query(media.query());
            home.to_string()
        }
        _ => service.to_owned(),
    }
}

/// A stream's address, to which the user adds his own login.
fn without_login(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return address.to_owned() };
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    if cleared.is_ok() { url.to_string() } else { address.to_owned() }
}

/// What a camera answers to a question.
fn soap(client: &mut Client, body: &str) -> std::result::Result<String, Fault> {
    let envelope = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">\
         <s:Body>{body}</s:Body></s:Envelope>"
    );
    client.post("application/soap+xml; charset=utf-8", &envelope, MOST)
}

#[cfg(test)]
mod tests;
