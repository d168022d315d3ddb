//! What is read of a camera's XML: elements by their local names, and their texts.

/// Most bytes of an answer that are read.
pub(super) const MOST: u64 = 1 << 20;

/// The elements called `name`, whatever their prefix: what stands in their tags, and within them. Those within another of
/// the same name are part of that.
pub(super) fn elements<'a>(xml: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let (mut found, mut open, mut at) = (Vec::new(), None, 0);
    while let Some((start, tag)) = next_tag(xml, at) {
        at = start + tag.len() + 2;
        let inner = tag.trim_start_matches('/').trim_end_matches('/');
        let qualified = inner.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        if qualified.rsplit(':').next() != Some(name) {
            continue;
        }
        open = match (open, tag.starts_with('/'), tag.ends_with('/')) {
            (None, false, true) => {
                found.push((inner, ""));
                None
            }
            (None, false, false) => Some((inner, at, 0u32)),
            (Some((attributes, from, 0)), true, _) => {
                found.push((attributes, xml.get(from..start).unwrap_or_default()));
                None
            }
            (Some((attributes, from, depth)), true, _) => Some((attributes, from, depth - 1)),
            (Some((attributes, from, depth)), false, false) => Some((attributes, from, depth + 1)),
            (open, ..) => open,
        };
    }
    found
}

/// The next tag from `at` on, without its brackets, and where it is.
fn next_tag(xml: &str, at: usize) -> Option<(usize, &str)> {
    let start = at + xml.get(at..)?.find('<')?;
    let rest = xml.get(start + 1..)?;
    Some((start, rest.get(..rest.find('>')?)?))
}

/// The text of the first element called `name`.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    let (_, inner) = elements(xml, name).into_iter().next()?;
    let text = unescaped(inner.trim());
    (!text.is_empty() && !inner.contains('<')).then_some(text)
}

/// The value of an attribute in a tag.
pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}="))?;
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(unescaped(rest.get(1..)?.split(quote).next()?))
}

fn unescaped(text: &str) -> String {
    let pairs =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#38;", "&"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// `text` within an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_whatever_their_prefix() {
        let xml = "<?xml version='1.0'?><a:E x=\"1\"><!-- no --><b:P token='m&amp;n' f=\"2\"><c:U> rtsp://h/?a=1&amp;b=2 </c:U></b:P>\
            <P token=\"two\"/><Q><P><P>in</P></P></Q></a:E>";
        let profiles = elements(xml, "P");
        assert_eq!(profiles.len(), 3);
        assert_eq!(attribute(profiles[0].0, "token").as_deref(), Some("m&n"));
        assert_eq!(text(profiles[0].1, "U").as_deref(), Some("rtsp://h/?a=1&b=2"));
        assert_eq!((profiles[1].1, profiles[2].1), ("", "<P>in</P>"));
        assert_eq!(text(xml, "Q"), None);
        assert_eq!(escaped("a<b&c"), "a&lt;b&amp;c");
    }

    #[test]
    fn what_is_no_xml_has_no_elements() {
        for xml in ["", "<", "<P", "<P>", "</P>", "<P></Q>", "a > b < c", "<P/", "</P></P><P></P>"] {
            assert!(elements(xml, "P").len() <= 1, "{xml}");
        }
    }
}
