//! A camera of the network, which can be silenced, killed and started again.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Serves Motion JPEG over HTTP, 20 pictures a second, until it is dropped.
pub(crate) struct Camera {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    dead: AtomicBool,
    picture: Mutex<Arc<[u8]>>,
    /// So many pictures are sent on a connection; no limit for 0.
    most: AtomicU64,
}

impl Camera {
    /// At a free port.
    pub(crate) fn new(picture: &[u8]) -> Self {
        Self::at(0, picture)
    }

    /// At this port.
    pub(crate) fn at(port: u16, picture: &[u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { picture: Mutex::new(picture.into()), ..State::default() });
        let theirs = Arc::clone(&state);
        listener.set_nonblocking(true).unwrap();
        let thread = Some(thread::spawn(move || work(&listener, &theirs)));
        Self { port, state, thread }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/video.mjpg", self.port)
    }

    /// From now on it sends these bytes as its pictures.
    pub(crate) fn shows(&self, picture: &[u8]) {
        *self.state.picture.lock().unwrap() = picture.into();
    }

    /// After so many pictures on a connection, nothing more comes.
    pub(crate) fn falls_silent_after(&self, pictures: u64) {
        self.state.most.store(pictures, Ordering::Relaxed);
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.state.dead.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn work(listener: &TcpListener, state: &Arc<State>) {
    let mut threads = Vec::new();
    while !state.dead.load(Ordering::Relaxed) {
        if let Ok((stream, _)) = listener.accept() {
            let state = Arc::clone(state);
            // Whoever hangs up ends it.
            threads.push(thread::spawn(move || drop(serve(stream, &state))));
        }
        thread::sleep(Duration::from_millis(10));
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut request = BufReader::new(stream.try_clone()?).lines();
    while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n")?;
    let mut sent = 0;
    while !state.dead.load(Ordering::Relaxed) {
        let most = state.most.load(Ordering::Relaxed);
        if most == 0 || sent < most {
            let picture = Arc::clone(&state.picture.lock().unwrap());
            write!(stream, "--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len())?;
            stream.write_all(&picture)?;
            stream.write_all(b"\r\n")?;
            sent += 1;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
