//! The process that reads a source, and the one that starts it again when it dies.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic::{self, PanicHookInfo};
use std::process::{ExitStatus, abort, exit};
use std::time::Duration;

use super::here::here;
use super::message::{AGAIN, Answer, Header, Job, LONGEST_FRAME, NEXT, Order, receive_first, send};
use super::sealing::{call_apart, is_sealed, seal_worker};
use crate::error::{Error, ErrorKind, ErrorParts, Result};
use crate::source::live::{CapturedFrame, Live, Next};
use crate::source::picture::Picture;
use crate::system::{self, Forked};

/// Longest that one frame of a camera may be computed.
const COMPUTING: Duration = Duration::from_secs(10);
/// Longest that one step may take; no time limit of a network source is longer.
const WAITING: Duration = Duration::from_secs(60);
/// The same for one picture, for which others wait.
const DECODING: Duration = Duration::from_secs(3);
const DECODING_WAITS: Duration = Duration::from_secs(10);

/// Serves the source that the order on standard input names. It reads nothing of the source itself: it splits
/// off a process that does, and another one when that has died. Starting those from here rather than anew
/// leaves the program free to give up the right to start any.
///
/// # Errors
/// [`Error::Settings`] if standard input and output are not those of [`super::open`].
pub(crate) fn keep() -> Result<()> {
    let foreign = |_| Error::settings("apart", "no order", "`edgeclip run`, which starts this by itself");
    let own = |descriptor: io::Result<std::os::fd::OwnedFd>| descriptor.map_err(foreign);
    let mut control = UnixStream::from(own(io::stdin().as_fd().try_clone_to_owned())?);
    let frames = File::from(own(io::stdout().as_fd().try_clone_to_owned())?);
    let order: Order = receive_first(&mut control).map_err(foreign)?;
    call_apart();
    serve_order(&mut control, &frames, &order)
}

/// The same with an order that is known.
///
/// # Errors
/// [`Error::Device`] if a process cannot be waited for.
pub(super) fn serve_order(control: &mut UnixStream, frames: &File, order: &Order) -> Result<()> {
    system::depend_on_parent();
    loop {
        match system::fork() {
            Ok(Forked::New) => {
                // Nobody is told of a source that nobody waits for.
                let worked = control.try_clone().and_then(|control| work(control, frames, order));
                exit(i32::from(worked.is_err()));
            }
            Ok(Forked::Old(process)) => {
                let status = system::wait(process);
                let status = status.map_err(|source| Error::io(ErrorKind::Device, "apart", source))?;
                if let Some(why) = died(status, order)
                    && send(control, &Answer::Died(why)).is_err()
                {
                    return Ok(());
                }
            }
            Err(error) => {
                if send(control, &Answer::Died(format!("it cannot be started ({error})"))).is_err() {
                    return Ok(());
                }
            }
        }
        let mut asked = [0];
        while asked != [AGAIN] {
            if control.read_exact(&mut asked).is_err() {
                return Ok(());
            }
        }
    }
}

/// How the process died; `None` if it has ended on its own.
fn died(status: ExitStatus, order: &Order) -> Option<String> {
    Some(match status.signal() {
        None if status.success() => return None,
        None => format!("code {}", status.code().unwrap_or_default()),
        Some(libc::SIGABRT) => format!("signal 6, as when its {} MB of memory are used up", order.megabytes),
        Some(libc::SIGKILL) => "signal 9, as when the system has no memory left".to_owned(),
        Some(libc::SIGXCPU) => "it computed one frame for too long".to_owned(),
        Some(libc::SIGSYS) => "it did what the seal forbids (signal 31)".to_owned(),
        Some(libc::SIGALRM) => "it did nothing for too long".to_owned(),
        Some(signal) => format!("signal {signal}"),
    })
}

/// Does what is asked for until nobody asks any more.
fn work(control: UnixStream, frames: &File, order: &Order) -> io::Result<()> {
    system::depend_on_parent();
    system::limit_memory(order.megabytes << 20);
    if !is_sealed() {
        // Of all processes here it is the one to be killed.
        let _ = fs::write("/proc/self/oom_score_adj", "500");
    }
    let last_words = control.try_clone()?;
    panic::set_hook(Box::new(move |panic| die(&last_words, panic)));
    seal_worker(order)?;
    match &order.job {
        Job::Camera { address, fps } => camera(control, frames, address, *fps),
        Job::Pictures { .. } => pictures(control, frames),
    }
}

/// Reads a camera.
fn camera(mut control: UnixStream, frames: &File, address: &str, fps: Option<u32>) -> io::Result<()> {
    system::limit_time(COMPUTING, WAITING);
    let mut source = match here(address, fps) {
        Ok(source) => source,
        Err(error) => return send(&mut control, &Answer::Refused(ErrorParts::from(&error))),
    };
    send(&mut control, &Answer::Opened)?;
    let mut frame = CapturedFrame::empty();
    while is_asked(&mut control) {
        system::limit_time(COMPUTING, WAITING);
        let answer = answer(source.as_mut(), &mut frame, frames);
        let over = matches!(answer, Answer::End | Answer::Refused(_));
        send(&mut control, &answer)?;
        if over {
            break;
        }
    }
    Ok(())
}

/// Decodes pictures.
fn pictures(mut control: UnixStream, shared: &File) -> io::Result<()> {
    let mut bytes = Vec::new();
    while is_asked(&mut control) {
        let mut length = [0; 8];
        control.read_exact(&mut length)?;
        system::limit_time(DECODING, DECODING_WAITS);
        bytes.resize(usize::try_from(u64::from_le_bytes(length)).unwrap_or_default().min(LONGEST_FRAME), 0);
        shared.read_exact_at(&mut bytes, 0)?;
        let answer = match Picture::decode(String::new(), &bytes) {
            Ok(Picture { width, height, data, .. }) => {
                shared.write_all_at(&data, 0)?;
                Answer::Picture { width, height }
            }
            Err(error) => Answer::Failed(ErrorParts::from(&error)),
        };
        send(&mut control, &answer)?;
    }
    Ok(())
}

/// Waits until somebody asks for something; false if nobody does any more.
fn is_asked(control: &mut UnixStream) -> bool {
    system::unlimit_waiting();
    let mut asked = [0];
    control.read_exact(&mut asked).is_ok() && asked == [NEXT]
}

fn answer(source: &mut dyn Live, frame: &mut CapturedFrame, frames: &File) -> Answer {
    match source.next(frame) {
        Ok(Next::Frame) => match Header::of(frame) {
            Some(header) if header.length <= LONGEST_FRAME => match frames.write_all_at(&frame.bytes, 0) {
                Ok(()) => Answer::Frame(header),
                Err(error) => Answer::Broken(format!("no memory to share ({error})")),
            },
            _ => Answer::Broken("a frame of unexpected form".to_owned()),
        },
        Ok(Next::Broken(why)) => Answer::Broken(why),
        Ok(Next::Stalled(why)) => Answer::Stalled(why),
        Ok(Next::Nothing) => Answer::Nothing,
        Ok(Next::End) => Answer::End,
        Err(error) => Answer::Refused(ErrorParts::from(&error)),
    }
}

/// Tells why, and ends the process, whatever the profile says about panics.
fn die(mut last_words: &UnixStream, panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
    let what = panic.payload_as_str().unwrap_or("a panic");
    let why = format!("{what}{}", place.unwrap_or_default()).replace(char::is_control, " ");
    let _ = send(&mut last_words, &Answer::Panicked(why.chars().take(300).collect()));
    let _ = last_words.flush();
    abort();
}
