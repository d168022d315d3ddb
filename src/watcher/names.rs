//! What results and messages call the sources.

use std::collections::HashMap;

use crate::config::SourceSettings;
use crate::source::shown;

/// The sources' own names, else their addresses without what may be secret. Those that look alike then, such as
/// two channels that differ in the query only, are numbered: `rtsp://recorder/stream`, `rtsp://recorder/stream #2`.
pub(crate) fn names(sources: &[SourceSettings]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let name = |source: &SourceSettings| {
        let name = source.name.clone().unwrap_or_else(|| shown(&source.url));
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 || source.name.is_some() { name } else { format!("{name} #{count}") }
    };
    sources.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_differ_in_their_secrets_only_are_numbered() {
        let source = |url: &str, name: Option<&str>| SourceSettings {
            url: url.to_owned(),
            name: name.map(str::to_owned),
            ..SourceSettings::default()
        };
        let sources = [
            source("rtsp://u:p@nvr/s?channel=1&key=x", None),
            source("rtsp://u:p@nvr/s?channel=2&key=x", None),
            source("rtsp://nvr/other", None),
            source("rtsp://nvr/s?channel=3", Some("door")),
            source("rtsp://nvr/s?channel=4", None),
        ];
        let expected = ["rtsp://nvr/s", "rtsp://nvr/s #2", "rtsp://nvr/other", "door", "rtsp://nvr/s #3"];
        assert_eq!(names(&sources), expected);
    }
}
