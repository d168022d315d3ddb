//! Messages as each service wants them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::message::Facts;
use super::target::Target;
use crate::config::By;

/// What separates the parts of a form: no JPEG or text of ours holds it.
const BOUNDARY: &str = "edgeclip-7f3c1d60a9b84e52";

/// What is posted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Of the target's path.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// For this target: what has happened, and what it looked like.
    pub(super) fn new(
        target: &Target,
        facts: Facts,
        title: &str,
        body: Option<&Value>,
        jpeg: Option<&[u8]>,
    ) -> Self {
        let message = facts.message();
        let mut request = match target.by {
            By::Webhook => {
                let picture = jpeg.map(|jpeg| format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)));
                let body = match body {
                    Some(template) => facts.with_picture(picture).filled_json(template),
                    None => facts.line(picture),
                };
                Self::json(target.path(""), &body)
            }
            By::Ntfy => {
                // A picture is the body, and what is said a header.
                let mut headers = vec![("Title", in_header(title))];
                let body = match jpeg {
                    Some(jpeg) => {
                        headers.extend([
                            ("Message", in_header(&message)),
                            ("Filename", "picture.jpg".to_owned()),
                        ]);
                        jpeg.to_vec()
                    }
                    None => message.into_bytes(),
                };
                Self { path: target.path(""), headers, body }
            }
            By::Telegram => {
                let bot = |method: &str| {
                    target.path(&format!("/bot{}/{method}", target.token.as_deref().unwrap_or_default()))
                };
                match jpeg {
                    Some(jpeg) => {
                        let fields = [("chat_id", target.to.as_str()), ("caption", &message)];
                        Self::form(bot("sendPhoto"), &fields, ("photo", jpeg))
                    }
                    None => Self::json(bot("sendMessage"), &json!({ "chat_id": target.to, "text": message })),
                }
            }
            By::Pushover => {
                let path = target.path("/1/messages.json");
                let token = target.token.as_deref().unwrap_or_default();
                match jpeg {
                    Some(jpeg) => {
                        let fields = [
                            ("token", token),
                            ("user", target.to.as_str()),
                            ("title", title),
                            ("message", &message),
                        ];
                        Self::form(path, &fields, ("attachment", jpeg))
                    }
                    None => {
                        let body =
                            json!({ "token": token, "user": target.to, "title": title, "message": message });
                        Self::json(path, &body)
                    }
                }
            }
        };
        let is_token = matches!(target.by, By::Webhook | By::Ntfy);
        if let Some(token) = target.token.as_ref().filter(|_| is_token) {
            request.headers.push(("Authorization", format!("Bearer {token}")));
        } else if let Some(login) = target.basic() {
            request.headers.push(("Authorization", format!("Basic {login}")));
        }
        request
    }

    fn json(path: String, body: &Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self { path, headers, body: body.to_string().into_bytes() }
    }

    /// `multipart/form-data` with a picture.
    fn form(path: String, fields: &[(&str, &str)], (name, jpeg): (&str, &[u8])) -> Self {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"picture.jpg\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        body.extend([head.as_bytes(), jpeg, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat());
        let headers = vec![("Content-Type", format!("multipart/form-data; boundary={BOUNDARY}"))];
        Self { path, headers, body }
    }

    /// As it is sent to this host.
    pub(super) fn bytes(&self, host: &str) -> Vec<u8> {
        let agent = concat!("edgeclip/", env!("CARGO_PKG_VERSION"));
        let mut bytes = format!(
            "POST {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\
             Content-Length: {}\r\n",
            self.path,
            self.body.len()
        )
        .into_bytes();
        for (name, value) in &self.headers {
            // Nothing may begin another header.
            let value = value.replace(char::is_control, " ");
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// Text in a header: as it is, or encoded (RFC 2047) where it is not ASCII.
fn in_header(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { format!("=?UTF-8?B?{}?=", STANDARD.encode(text)) }
}
