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

use super::super::live::{CapturedFrame, Next};
use super::super::network::{Fault, Patience, seconds};
use super::FAREWELL;
use super::clock::{CameraClock, Load};
use super::decoder::{DecodedPicture, PictureDecoder};
use super::faults::{choose, first_line, refusal};

/// How long to wait for a packet before the caller can see whether to stop.
const TICK: Duration = Duration::from_millis(100);
/// A key frame may take this many times longer than any frame.
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
    decoder: PictureDecoder,
    sessions: Arc<SessionGroup>,
    /// Longest time without a frame.
    stall: Duration,
    /// When the last frame arrived, decodable or not.
    heard: Instant,
    /// When the last picture was decoded.
    shown: Instant,
    /// Whether it has been told that there is none.
    told: bool,
    load: Load,
    /// A frame that arrived with a fault, which was reported first.
    held: Option<VideoFrame>,
}

impl Camera {
    /// Makes the camera play its first H.264 stream.
    pub(crate) async fn connect(&self, patience: Patience) -> Result<Playing, Fault> {
        let connected = timeout(patience.connect, self.play(patience)).await;
        connected.unwrap_or_else(|_| {
            let found = format!("no answer within {}", seconds(patience.connect));
            Err(Fault::new(found, "a camera that answers: is the address right, is the camera switched on?"))
        })
    }

    async fn play(&self, patience: Patience) -> Result<Playing, Fault> {
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
        let mut playing = Playing::new(frames, stream, sessions, patience.stall);
        playing.adopt()?;
        Ok(playing)
    }
}

impl Playing {
    fn new(frames: Demuxed, stream: usize, sessions: Arc<SessionGroup>, stall: Duration) -> Self {
        let now = Instant::now();
        Self {
            frames,
            stream,
            decoder: PictureDecoder::new(),
            sessions,
            stall,
            heard: now,
            shown: now,
            told: false,
            load: Load::begin(now),
            held: None,
        }
    }

    /// Adopts the stream's parameters where they are known.
    fn adopt(&mut self) -> Result<(), Fault> {
        let stream = self.frames.streams().get(self.stream);
        match stream.and_then(|stream| stream.parameters()) {
            Some(ParametersRef::Video(parameters)) => self.decoder.adopt(parameters),
            _ => Ok(()),
        }
    }

    /// Waits a moment for the next frame and decodes it.
    ///
    /// # Errors
    /// Why the session is over.
    pub(crate) async fn read(
        &mut self,
        into: &mut CapturedFrame,
        clock: &mut CameraClock,
    ) -> Result<Next, String> {
        // Frames that cannot be decoded may be waited out, but not in silence.
        if !self.told && self.shown.elapsed() >= self.stall && self.heard.elapsed() < self.stall {
            self.told = true;
            return Ok(Next::Stalled(format!(
                "frames, but no {} for {}",
                self.missing(),
                seconds(self.stall)
            )));
        }
        let frame = match self.held.take() {
            Some(frame) => frame,
            None => match self.receive().await? {
                None => return Ok(Next::Nothing),
                Some((frame, true)) if !self.decoder.is_waiting() => {
                    let advice = "decoding is slower than the camera: skipped to the next key frame; use a \
                                  smaller sub-stream";
                    return Ok(self.skip_from(frame, advice.to_owned()));
                }
                Some((frame, _)) => frame,
            },
        };
        let next = self.decode(frame, into, clock);
        let next = next.map_err(|Fault { found, expected }| format!("{found}, expected {expected}"))?;
        if next == Next::Frame {
            (self.shown, self.told) = (Instant::now(), false);
        }
        Ok(next)
    }

    /// What frames without pictures wait for.
    fn missing(&self) -> &'static str {
        if self.decoder.is_waiting() { "key frame" } else { "picture" }
    }

    /// The next frame, and whether decoding is too slow for this camera; `None` if none arrives within a
    /// moment.
    async fn receive(&mut self) -> Result<Option<(VideoFrame, bool)>, String> {
        let asked = Instant::now();
        if asked.duration_since(self.heard) >= self.stall {
            return Err(format!("no frame for {}", seconds(self.stall)));
        }
        let longest = KEY_FRAME_STALLS * self.stall;
        if asked.duration_since(self.shown) >= longest {
            return Err(format!("no {} for {}", self.missing(), seconds(longest)));
        }
        let next = poll_fn(|context| Pin::new(&mut self.frames).poll_next(context));
        let next = timeout(TICK.min(self.stall), next).await;
        let answered = Instant::now();
        let too_much = self.load.is_too_much(answered.duration_since(asked), answered);
        match next {
            Ok(Some(Ok(CodecItem::VideoFrame(frame)))) => {
                self.heard = answered;
                Ok(Some((frame, too_much)))
            }
            Ok(Some(Err(error))) => Err(first_line(&error)),
            Ok(None) => Err("the camera has closed the connection".to_owned()),
            // Nothing yet, or a report on the sender's clock.
            Err(_) | Ok(Some(Ok(_))) => Ok(None),
        }
    }

    /// Gives up on pictures up to the next key frame, which `frame` itself may be.
    fn skip_from(&mut self, frame: VideoFrame, why: String) -> Next {
        self.decoder.lose();
        self.held = Some(frame);
        Next::Broken(why)
    }

    /// Decodes one access unit.
    ///
    /// # Errors
    /// The session is of no use: its video cannot be decoded.
    fn decode(
        &mut self,
        frame: VideoFrame,
        into: &mut CapturedFrame,
        clock: &mut CameraClock,
    ) -> Result<Next, Fault> {
        if frame.has_new_parameters() {
            self.adopt()?;
        }
        // What is lost while waiting for a key frame does no further harm.
        if frame.loss() > 0 && !self.decoder.is_waiting() {
            let why = format!("{} lost packets; waiting for a key frame", frame.loss());
            return Ok(self.skip_from(frame, why));
        }
        if self.decoder.is_waiting() && !frame.is_random_access_point() {
            return Ok(Next::Nothing);
        }
        let stamp = frame.timestamp();
        let stamp = i128::from(stamp.elapsed()) * 1_000_000 / i128::from(stamp.clock_rate().get());
        let stamp = i64::try_from(stamp).unwrap_or_default();
        Ok(match self.decoder.decode(frame.data(), stamp, frame.end_ctx().received()) {
            Ok(None) => Next::Nothing,
            Ok(Some(DecodedPicture { encoding, stamp, taken })) => {
                std::mem::swap(&mut into.bytes, &mut self.decoder.bytes);
                into.encoding = encoding;
                into.media_time = Some(clock.place(stamp, taken));
                into.stamp(taken);
                Next::Frame
            }
            Err(why) => Next::Broken(format!("{why}; waiting for a key frame")),
        })
    }

    /// Tells the camera that the session is over. It may be gone.
    pub(crate) async fn end(self) {
        let Self { frames, sessions, .. } = self;
        drop(frames);
        drop(timeout(FAREWELL, sessions.await_teardown()).await);
    }
}
