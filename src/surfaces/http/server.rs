//! Takes connections, and answers what comes on each.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::answer;
use super::app::App;
use super::clients::{Clients, Place};
use super::request::{Head, Method, Refused};
use super::response::{Body, Response};
use super::wire::Wire;

/// How long a head may take from its beginning, and a connection to shake hands.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may be idle between two requests.
const IDLE: Duration = Duration::from_secs(60);
/// What the system keeps at most of an answer that is not taken: more would be old pictures, for a reader that is slow.
const UNSENT: usize = 128 * 1024;
/// How long to wait where the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);
/// How long answers may take at the end.
const FAREWELL: Duration = Duration::from_millis(700);

/// Serves until it is told to end.
pub(super) async fn serve(app: Arc<App>, listener: std::net::TcpListener) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("http: {error}"),
    };
    let clients = Arc::new(Clients::default());
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = app.closed() => break,
        };
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = clients.enter() else { continue };
                let _ = stream.set_nodelay(true);
                let _ = SockRef::from(&stream).set_send_buffer_size(UNSENT);
                tasks.spawn(connection(Arc::clone(&app), stream, peer.ip().to_canonical(), place));
            }
            Err(error) => {
                tracing::debug!("http: {error}");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await;
}

async fn connection(app: Arc<App>, stream: TcpStream, peer: IpAddr, place: Place) {
    let Some(tls) = app.tls.clone() else { return talk(&app, stream, peer, &place).await };
    let shaken = tokio::select! {
        shaken = timeout(HEAD, tls.accept(stream)) => shaken,
        () = place.leave() => return,
        () = app.closed() => return,
    };
    if let Ok(Ok(stream)) = shaken {
        talk(&app, stream, peer, &place).await;
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send>(
    app: &Arc<App>,
    stream: S,
    peer: IpAddr,
    place: &Place,
) {
    let mut wire = Wire::new(stream);
    loop {
        place.set_idle(true);
        let Some(head) = next(app, &mut wire, place).await else { return };
        place.set_idle(false);
        let (response, bare, keep) = match head {
            Err(refused) => (refused, false, false),
            Ok(head) => {
                let (bare, keep) = (head.method == Method::Head, head.keep);
                let (response, whole) = answer(app, &mut wire, head, peer).await;
                (response, bare, keep && whole)
            }
        };
        if !respond(app, &mut wire, place, response, bare, keep).await {
            return wire.end().await;
        }
    }
}

/// The next head, or what to say of something else; `None` if nothing more is to be said.
async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    app: &App,
    wire: &mut Wire<S>,
    place: &Place,
) -> Option<Result<Head, Response>> {
    let read = async {
        if !matches!(timeout(IDLE, wire.begin()).await, Ok(true)) {
            return None;
        }
        match timeout(HEAD, wire.head()).await {
            Ok(Ok(head)) => head.map(Ok),
            Ok(Err(refused)) => Some(Err(refused)),
            Err(_) => Some(Err(Refused(408, "found a request that does not end, expected it within 10 s"))),
        }
    };
    let read = tokio::select! {
        read = read => read,
        () = place.leave() => return None,
        () = app.closed() => return None,
    };
    read.map(|read| read.map_err(|Refused(status, message)| Response::problem(status, message)))
}

/// Sends an answer; whether another request may follow.
async fn respond<S: AsyncRead + AsyncWrite + Unpin>(
    app: &App,
    wire: &mut Wire<S>,
    place: &Place,
    mut response: Response,
    bare: bool,
    keep: bool,
) -> bool {
    let keep = keep && !matches!(response.body, Body::Stream(_)) && !app.is_closed();
    let head = response.head(keep);
    let Body::Stream(stream) = &mut response.body else {
        let body = response.body.bytes().filter(|_| !bare).unwrap_or_default();
        // One segment for small answers.
        let sent = if body.len() < 4096 {
            wire.write(&[head.as_bytes(), body].concat()).await
        } else {
            match wire.write(head.as_bytes()).await {
                Ok(()) => wire.write(body).await,
                failed => failed,
            }
        };
        return sent.is_ok() && keep;
    };
    if wire.write(head.as_bytes()).await.is_err() || bare {
        return false;
    }
    loop {
        let piece = tokio::select! {
            piece = stream.next() => piece,
            () = wire.gone() => return false,
            () = place.leave() => return false,
            () = app.closed() => return false,
        };
        let Some(piece) = piece else { return false };
        if wire.write(&piece).await.is_err() {
            return false;
        }
    }
}
