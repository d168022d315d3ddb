//! From a request to its answer: who asks, for what, with which body.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::app::App;
use super::arguments::part;
use super::guard::later;
use super::request::{Head, Length, Method, Request};
use super::response::Response;
use super::routes::{Access, Action, Found, Kind, Route, find};
use super::wire::{Unread, Wire};
use super::{ask, events, frigate, live, looked_for, page, pictures, state, taught};

/// How long an answer may take, streams aside.
const PATIENCE: Duration = Duration::from_secs(40);

/// A body that may be longer waits for its turn, but not for long.
const LARGE: usize = 1 << 20;
const TURN: Duration = Duration::from_secs(20);

/// The answer to a request, and whether its body has been read, so that another may follow.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    app: &Arc<App>,
    wire: &mut Wire<S>,
    head: Head,
    peer: IpAddr,
) -> (Response, bool) {
    let has_body = head.length != Length::Bytes(0);
    let (route, parts) = match admitted(app, &head, peer) {
        Ok(found) => found,
        Err(refused) => return (refused, !has_body),
    };
    // Of what is large, one is in memory at a time.
    let turn =
        if route.body > LARGE && has_body { Some(timeout(TURN, app.large.acquire()).await) } else { None };
    if matches!(turn, Some(Err(_))) {
        return (later(10, "the machine is busy"), false);
    }
    let body = match wire.body(&head, route.body).await {
        Ok(body) => body,
        Err(unread) => return (unread_answer(&unread, route), false),
    };
    let request = Request { head, peer, parts, body };
    let answered = timeout(PATIENCE, act(app, route.action, &request)).await;
    let answered = answered.unwrap_or_else(|_| Err(later(10, "the machine is busy")));
    (answered.unwrap_or_else(|refused| refused), true)
}

/// The route of a request that may be answered, with the parts that its path leaves open.
fn admitted(app: &App, head: &Head, peer: IpAddr) -> Result<(&'static Route, Vec<String>), Response> {
    let now = Instant::now();
    app.guard.rate(peer, now)?;
    app.guard.origin(head)?;
    let found = find(head.method, &head.path);
    let is_open = matches!(&found, Found::Route(route, _) if route.access == Access::Open);
    if !is_open {
        app.guard.token(head, peer, now)?;
    }
    let (route, parts) = match found {
        Found::Route(route, parts) => (route, parts.into_iter().map(str::to_owned).collect()),
        Found::Methods(methods) => {
            let allow = methods.join(", ");
            let refused = Response::refused(405, "method", head.method.name(), &allow);
            return Err(refused.with("Allow", allow));
        }
        Found::Nothing => {
            return Err(Response::problem(
                404,
                "found a path without a meaning here; /api/v1/openapi.json lists all",
            ));
        }
    };
    if route.pictures && !app.settings.pictures {
        return Err(Response::problem(404, "no pictures are handed out: http.pictures = true would"));
    }
    if route.changes && !app.settings.commands {
        return Err(Response::problem(403, "no commands are obeyed: http.commands = false"));
    }
    if head.length != Length::Bytes(0) && route.method != Method::Get {
        let kind = head.get("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        let (fits, expected) = match route.kind {
            Kind::Json => (kind == "application/json", "application/json"),
            Kind::Picture => {
                (kind.starts_with("image/"), "image/jpeg, image/png, image/webp, image/gif or image/bmp")
            }
        };
        if !fits {
            return Err(Response::refused(415, "Content-Type", &format!("{kind:?}"), expected));
        }
    }
    Ok((route, parts))
}

async fn act(app: &Arc<App>, action: Action, request: &Request) -> Result<Response, Response> {
    match action {
        Action::Page => page::file("index.html", &request.head),
        Action::PageFile => page::file(part(request, 0), &request.head),
        Action::Health => Ok(Response::text("ok\n")),
        Action::Ready => Ok(state::ready(app)),
        Action::Metrics => Ok(state::metrics(app)),
        Action::OpenApi => Ok(state::openapi()),
        Action::LogIn => state::log_in(app, request),
        Action::LogOut => Ok(Response::empty(204).with("Set-Cookie", app.guard.log_out())),
        Action::Status => state::status(app),
        Action::Cameras => state::cameras(app),
        Action::Camera => state::camera(app, part(request, 0)),
        Action::SetCamera => looked_for::set_camera(app, request).await,
        Action::Prompts => looked_for::prompts(app),
        Action::SetPrompts => looked_for::set_prompts(app, request).await,
        Action::Thresholds => looked_for::thresholds(app),
        Action::SetThreshold => looked_for::set_threshold(app, request).await,
        Action::Places => looked_for::places(app, part(request, 0)),
        Action::SetPlaces => looked_for::set_places(app, request).await,
        Action::Frame => pictures::frame(app, request, false).await,
        Action::Snapshot => pictures::frame(app, request, true).await,
        Action::Stream => pictures::stream(app, request),
        Action::Live => live::stream(app, request),
        Action::Events => events::list(app, request),
        Action::Event => events::one(app, part(request, 0)),
        Action::EventPicture | Action::FrigateSnapshot => events::picture(app, part(request, 0)),
        Action::FrigateVersion => Ok(Response::text(env!("CARGO_PKG_VERSION"))),
        Action::FrigateConfig => frigate::config(app),
        Action::FrigateStats => frigate::stats(app),
        Action::FrigateEvents => Ok(frigate::events(app, request)),
        Action::FrigateEvent => frigate::event(app, part(request, 0)),
        Action::FrigateLatest => pictures::frame(app, request, false).await,
        Action::FrigateReview => Ok(Response::json(&[(); 0])),
        Action::Hold => taught::hold(app, request).await,
        Action::Example => taught::example(app, request).await,
        Action::Verdict => taught::verdict(app, request).await,
        Action::Configuration => state::configuration(app).await,
        Action::Save => state::save(app, request).await,
        Action::Search => ask::search(app, request).await,
        Action::Detect => ask::detect(app, request).await,
        Action::Models => ask::models(app),
        Action::Embeddings => ask::embeddings(app, request).await,
    }
}

fn unread_answer(unread: &Unread, route: &Route) -> Response {
    match unread {
        Unread::TooLong if route.body == 0 => Response::refused(413, "body", "one", "none"),
        Unread::TooLong => {
            Response::refused(413, "body", "a longer one", &format!("at most {} bytes", route.body))
        }
        Unread::TooSlow => Response::problem(408, "found a body that does not end, expected it within 30 s"),
        Unread::Odd => Response::problem(400, "found a body in chunks that are none"),
        Unread::Gone => Response::problem(400, "found the end of the connection, expected the body"),
    }
}
