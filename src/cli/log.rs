//! Log messages on standard error, in the form of all other messages.

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::failures::LINE;
use crate::error::printable;
use crate::system::Errors;

/// Lines such as `edgeclip: warning: …`. No time: the service manager adds it to logs.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG => "debug: ",
            Level::TRACE => "trace: ",
        };
        // Names and reasons in it may come from files and cameras.
        let mut message = String::new();
        context.field_format().format_fields(Writer::new(&mut message), event)?;
        writeln!(writer, "edgeclip: {level}{}", printable(&message, LINE))
    }
}

/// Sends messages of at least this level to standard error.
pub(crate) fn start(level: LevelFilter) {
    let subscriber =
        tracing_subscriber::fmt().event_format(Line).with_max_level(level).with_writer(|| Errors);
    // In tests, another one may be there already.
    let _ = subscriber.try_init();
}
