//! One connection to a camera, from its description to the last picture.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_core::Stream as _;
use retina::client::{
    Credentials, Demuxed, PlayOptions, Session, SessionGroup, SessionOptions, SetupOptions, Transport,
};
use retina::codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame};
use tokio::time::timeout;
use url::Url;

use super::super::live::Next;
use super::super::network::{Fault, Mailbox, Patience, seconds};
use super::FAREWELL;
use super::clock::{Clock, Load};
use super::faults::{choose, first_line, refusal};
use super::pictures::{Pictures, Shown};

/// How often a silent connection is left to see whether anybody still wants it.
const TICK: Duration = Duration::from_millis(100);
/// A camera may take so many times longer for a key frame than for any frame.
const KEY_FRAME_STALLS: u32 = 6;

/// Where a camera is and how it is asked.
pub(super) struct Camera {
    pub url: Url,
    pub login: Option<Credentials>,
    pub transport: Transport,
}

/// A camera that plays.
pub(super) struct Playing {
    frames: Demuxed,
    /// Index of the stream.
    stream: usize,
    pictures: Pictures,
    sessions: Arc<SessionGroup>,
}

impl Camera {
    /// Has the camera play its first stream with H.264.
    pub async fn connect(&self, patience: Patience) -> Result<Playing, Fault> {
        let connected = timeout(patience.connect, self.ask()).await;
        connected.unwrap_or_else(|_| {
            let found = format!("no answer within {}", seconds(patience.connect));
            Err(Fault::new(found, "a camera that answers: is the address right, is it switched on?"))
        })
    }

    async fn ask(&self) -> Result<Playing, Fault> {
        let refused = |error| refusal(&error, self.login.is_some());
        let sessions = Arc::new(SessionGroup::default());
        let options = SessionOptions::default()
            .creds(self.login.clone())
            .user_agent(concat!("edgeclip/", env!("CARGO_PKG_VERSION")).to_owned())
            .session_group(Arc::clone(&sessions));
        let mut session = Session::describe(self.url.clone(), options).await.map_err(refused)?;
        let stream = choose(session.streams())?;
        let setup =
            SetupOptions::default().transport(self.transport.clone()).frame_format(FrameFormat::SIMPLE);
        session.setup(stream, setup).await.map_err(refused)?;
        let session = session.play(PlayOptions::default()).await.map_err(refused)?;
        let frames = session.demuxed().map_err(refused)?;
        let mut playing = Playing { frames, stream, pictures: Pictures::new(), sessions };
        playing.adopt()?;
        Ok(playing)
    }
}

impl Playing {
    /// Takes note of the stream's parameters, where they are known.
    fn adopt(&mut self) -> Result<(), Fault> {
        let stream = self.frames.streams().get(self.stream);
        match stream.and_then(|stream| stream.parameters()) {
            Some(ParametersRef::Video(parameters)) => self.pictures.adopt(parameters),
            _ => Ok(()),
        }
    }

    /// Decodes one access unit and leaves its picture.
    ///
    /// # Errors
    /// The session is of no use: its video cannot be decoded.
    fn take(&mut self, frame: &VideoFrame, mailbox: &Mailbox, clock: &mut Clock) -> Result<(), Fault> {
        let broken = |pictures: &mut Pictures, why: String| {
            // What is lost while waiting for a key frame does no further harm.
            if !pictures.is_waiting() {
                mailbox.tell(Next::Broken(why));
            }
            pictures.lose();
        };
        if frame.has_new_parameters() {
            self.adopt()?;
        }
        if frame.loss() > 0 {
            broken(&mut self.pictures, format!("{} lost packets; waiting for a key frame", frame.loss()));
        }
        if self.pictures.is_waiting() && !frame.is_random_access_point() {
            return Ok(());
        }
        let stamp = frame.timestamp();
        let stamp = i128::from(stamp.elapsed()) * 1_000_000 / i128::from(stamp.clock_rate().get());
        let stamp = i64::try_from(stamp).unwrap_or_default();
        match self.pictures.decode(frame.data(), stamp, frame.end_ctx().received()) {
            Ok(None) => {}
            Ok(Some(Shown { encoding, stamp, taken })) => {
                let time = clock.place(stamp, taken);
                mailbox.leave(&mut self.pictures.bytes, encoding, taken, Some(time));
            }
            Err(why) => mailbox.tell(Next::Broken(format!("{why}; waiting for a key frame"))),
        }
        Ok(())
    }
}

/// Leaves pictures until there are no more, and says why.
pub(super) async fn play(
    mut playing: Playing,
    mailbox: &Mailbox,
    patience: Patience,
    clock: &mut Clock,
) -> String {
    clock.begin_session();
    let why = read(&mut playing, mailbox, patience, clock).await;
    let Playing { frames, sessions, .. } = playing;
    drop(frames);
    // The session ends where the camera is told so. It may be gone.
    drop(timeout(FAREWELL, sessions.await_teardown()).await);
    why
}

async fn read(playing: &mut Playing, mailbox: &Mailbox, patience: Patience, clock: &mut Clock) -> String {
    let start = Instant::now();
    let (mut heard, mut decodable) = (start, start);
    let mut load = Load::begin(start);
    while !mailbox.is_abandoned() {
        let asked = Instant::now();
        if asked.duration_since(heard) >= patience.stall {
            return format!("no frame for {}", seconds(patience.stall));
        }
        if asked.duration_since(decodable) >= KEY_FRAME_STALLS * patience.stall {
            return format!("no key frame for {}", seconds(KEY_FRAME_STALLS * patience.stall));
        }
        let next = poll_fn(|context| Pin::new(&mut playing.frames).poll_next(context));
        let next = timeout(TICK.min(patience.stall), next).await;
        let answered = Instant::now();
        let too_much = load.is_too_much(answered.duration_since(asked), answered);
        let frame = match next {
            Ok(Some(Ok(CodecItem::VideoFrame(frame)))) => frame,
            Ok(Some(Err(error))) => return first_line(&error),
            Ok(None) => return "the camera has closed the connection".to_owned(),
            // Nothing yet, or reports on the sender's clock.
            Err(_) | Ok(Some(Ok(_))) => continue,
        };
        heard = answered;
        if too_much && !playing.pictures.is_waiting() {
            let advice =
                "decoding is slower than the camera: skipped to the next key frame; use a smaller sub-stream";
            mailbox.tell(Next::Broken(advice.to_owned()));
            playing.pictures.lose();
        }
        if let Err(Fault { found, expected }) = playing.take(&frame, mailbox, clock) {
            return format!("{found}, expected {expected}");
        }
        if !playing.pictures.is_waiting() {
            decodable = Instant::now();
        }
    }
    "no longer wanted".to_owned()
}
