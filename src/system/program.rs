//! A program of the user's that runs beside this one, with whatever it starts itself.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// For how long a program that closes its output may go on before it is asked to end.
const LINGER: Duration = Duration::from_millis(200);
/// For how long it may go on after that: long enough to log off from a camera.
const FAREWELL: Duration = Duration::from_secs(1);
/// Time between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A program that runs, in a process group of its own. It ends with its value, and with the thread that started it.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Program {
    /// Starts it, without a shell and without standard input. What it writes comes through the pipes.
    ///
    /// # Errors
    /// There is no such program, or the system starts none.
    pub(crate) fn start(
        program: &str,
        arguments: &[String],
    ) -> io::Result<(Self, Option<ChildStdout>, Option<ChildStderr>)> {
        let mut command = Command::new(program);
        command.args(arguments).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let die_with_parent = || {
            // SAFETY: takes integers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong, 0, 0, 0) };
            Ok(())
        };
        // SAFETY: between fork and exec it makes one system call, allocates nothing and takes no lock.
        unsafe { command.pre_exec(die_with_parent) };
        let mut child = command.spawn()?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        Ok((Self { child, ended: None }, output, errors))
    }

    /// Ends it and what it has started, and returns how it has ended: by itself, if it does so in a moment, else as
    /// it is asked to, else it is killed.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            if !self.ends_within(LINGER) {
                self.signal(libc::SIGTERM);
                self.ends_within(FAREWELL);
            }
            // Its number is its own until it is waited for: no other group can be meant.
            self.signal(libc::SIGKILL);
            self.ended = self.child.wait().ok();
        }
        self.ended
    }

    fn ends_within(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }

    /// Whether it has ended; it is not waited for, which would free its number.
    pub(crate) fn has_ended(&self) -> bool {
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: all zeros are a value of this structure of integers; the call writes to it alone; then the field is
        // there, whichever kind of signal it tells of.
        unsafe {
            let mut about: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, self.child.id(), &raw mut about, options) != 0 || about.si_pid() != 0
        }
    }

    fn signal(&self, signal: i32) {
        let group = i32::try_from(self.child.id()).unwrap_or_default();
        if group > 1 {
            // SAFETY: takes numbers.
            unsafe { libc::kill(-group, signal) };
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn shell(script: &str) -> (Program, Option<ChildStdout>) {
        let (program, output, _) = Program::start("/bin/sh", &["-c".to_owned(), script.to_owned()]).unwrap();
        (program, output)
    }

    fn line(output: &mut impl Read) -> String {
        let mut text = String::new();
        let mut byte = [0];
        while output.read(&mut byte).unwrap() > 0 && byte != *b"\n" {
            text.push(char::from(byte[0]));
        }
        text
    }

    #[test]
    fn a_program_ends_by_itself_or_is_made_to_with_all_that_it_has_started() {
        let (mut program, _) = shell("exit 3");
        assert_eq!(program.end().unwrap().code(), Some(3));
        let (mut program, _) = shell("exec sleep 100");
        assert_eq!(program.end().unwrap().signal(), Some(libc::SIGTERM));
        // One that takes no hint, and a child that would outlive it.
        let (mut program, output) = shell("trap '' TERM; sleep 100 & echo $!; wait; wait");
        let mut output = output.unwrap();
        let child: i32 = line(&mut output).parse().unwrap();
        assert_eq!(program.end().unwrap().signal(), Some(libc::SIGKILL));
        // The pipe ends with the last who holds it.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert!(child > 1);
        assert!(Program::start("/no/such/program", &[]).is_err());
    }
}
