//! As much of XML as annotations have: elements, attributes and texts, without entities of their own.

use crate::error::{Error, Result};

/// Deepest nesting; annotations have four or five.
const DEEPEST: usize = 32;

/// An element with what is in it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes.
    attributes: Vec<(String, String)>,
    /// Its text, without that of elements in it.
    pub text: String,
    /// What is in it.
    pub children: Vec<Element>,
}

impl Element {
    /// The elements of a name in it.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first element of a name in it.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.trim())
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The root element of a document, called `file` in errors.
///
/// # Errors
/// [`Error::Input`] if it is not well-formed.
pub(super) fn parse(file: &str, text: &str) -> Result<Element> {
    let wrong = |found: String| Error::input(file, found, "a well-formed XML file");
    // The document itself is the outermost.
    let mut open = vec![Element::default()];
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        if let Some(inner) = open.last_mut() {
            inner.text.push_str(&decoded(before));
        }
        let skip =
            |from: &str, end: &str| tag.get(from.len()..)?.find(end).map(|at| from.len() + at + end.len());
        let passed =
            [("<?", "?>"), ("<!--", "-->"), ("<!", ">")].iter().find(|(from, _)| tag.starts_with(from));
        if let Some((from, end)) = passed {
            let length = skip(from, end).ok_or_else(|| wrong(format!("{from} without {end}")))?;
            rest = tag.get(length..).unwrap_or_default();
            continue;
        }
        let length = skip("<", ">").ok_or_else(|| wrong("a tag without >".to_owned()))?;
        let inside = tag.get(1..length - 1).unwrap_or_default().trim();
        rest = tag.get(length..).unwrap_or_default();
        if let Some(name) = inside.strip_prefix('/') {
            let closed = open.pop().filter(|element| element.name == name.trim() && !open.is_empty());
            let closed = closed.ok_or_else(|| wrong(format!("</{}> without its beginning", name.trim())))?;
            open.last_mut().into_iter().for_each(|outer| outer.children.push(Element::default()));
            if let Some(place) = open.last_mut().and_then(|outer| outer.children.last_mut()) {
                *place = closed;
            }
            continue;
        }
        let (inside, is_empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let element = Element {
            name: name.to_owned(),
            attributes: pairs(attributes).ok_or_else(|| wrong(format!("attributes {attributes}")))?,
            ..Element::default()
        };
        if is_empty {
            open.last_mut().into_iter().for_each(|outer| outer.children.push(Element::default()));
            if let Some(place) = open.last_mut().and_then(|outer| outer.children.last_mut()) {
                *place = element;
            }
        } else if open.len() > DEEPEST {
            return Err(wrong(format!("more than {DEEPEST} elements in each other")));
        } else {
            open.push(element);
        }
    }
    let mut document = open.pop().unwrap_or_default();
    if let Some(unclosed) = open.get(1).or(Some(&document).filter(|_| !open.is_empty())) {
        return Err(wrong(format!("<{}> without its end", unclosed.name)));
    }
    match document.children.len() {
        1 => Ok(document.children.swap_remove(0)),
        count => Err(wrong(format!("{count} outermost elements"))),
    }
}

/// `key="value" key='value'`
fn pairs(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return Some(pairs);
        }
        let (key, rest) = text.split_once('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, behind) = rest.get(1..)?.split_once(quote)?;
        pairs.push((key.trim().to_owned(), decoded(value)));
        text = behind;
    }
}

/// The text behind the five entities that every document has.
fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    plain.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_texts_are_read() {
        let root = parse(
            "a.xml",
            "<?xml version=\"1.0\"?>\n<!-- <b> -->\n<a x='1 > 0' y=\"&lt;&amp;\"><b>one</b><c/><b> two </b></a>\n",
        );
        // A `>` in an attribute is allowed, but written by nobody; it is refused.
        assert!(root.is_err());
        let root =
            parse("a.xml", "<?xml?><!DOCTYPE a><a x='1' y=\"&lt;&amp;\"><b>one</b><c/><b> two </b></a>")
                .unwrap();
        assert_eq!(
            (root.attribute("x"), root.attribute("y"), root.attribute("z")),
            (Some("1"), Some("<&"), None)
        );
        assert_eq!(root.all("b").map(|b| b.text.trim()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!((root.text_of("b"), root.text_of("c"), root.text_of("d")), (Some("one"), Some(""), None));
    }

    #[test]
    fn what_is_not_well_formed_is_an_error() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a",
            "<a x=1/>",
            "<a/><b/>",
            "<!-- x",
            "<a><b></a></b>",
            &deep,
        ] {
            let message = parse("a.xml", bad).unwrap_err().to_string();
            assert!(
                message.starts_with("a.xml: found ") && message.contains("well-formed"),
                "{bad}: {message}"
            );
        }
    }
}
