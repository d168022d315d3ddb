//! `names:` in the data files of detectors.

/// The key.
const KEY: &str = "names:";

/// What is written under the key.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::vocabulary) enum Names<'a> {
    /// `names: [cat, dog]`, on one line or several: what stands behind the colon.
    Flow(String),
    /// A name on each line, and the lines' numbers.
    Block(Vec<(usize, &'a str)>),
}

/// The names of a file that has them under `names:`.
pub(in crate::vocabulary) fn names(text: &str) -> Option<Names<'_>> {
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let behind = lines.find_map(|(_, line)| line.strip_prefix(KEY))?;
    let behind = uncommented(behind).trim();
    if behind.is_empty() {
        let block = lines.map(|(i, line)| (i, uncommented(line))).filter(|(_, line)| !line.trim().is_empty());
        let block = block.take_while(|(_, line)| line.starts_with([' ', '\t', '-']));
        return Some(Names::Block(block.map(|(i, line)| (i, line.trim())).collect()));
    }
    let mut flow = behind.to_owned();
    while flow.starts_with(['[', '{']) && !flow.ends_with([']', '}']) {
        let Some((_, line)) = lines.next() else { break };
        flow.push(' ');
        flow.push_str(uncommented(line).trim());
    }
    Some(Names::Flow(flow))
}

/// A line without its comment.
fn uncommented(line: &str) -> &str {
    match line.split_once(" #") {
        Some((line, _)) => line,
        None if line.starts_with('#') => "",
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_the_files_of_detectors() {
        let block = "# data\npath: ../coco\nnames:\n  0: cat  # pet\n\n  1: red dog\nnc: 2\n";
        assert_eq!(names(block), Some(Names::Block(vec![(4, "0: cat"), (6, "1: red dog")])));
        let dashes = "nc: 2\nnames:\n- cat\n- 'red dog'\n";
        assert_eq!(names(dashes), Some(Names::Block(vec![(3, "- cat"), (4, "- 'red dog'")])));
        let flow = "train: a\nnames: ['cat',\n  'red dog'] # two\nnc: 2";
        assert_eq!(names(flow), Some(Names::Flow("['cat', 'red dog']".to_owned())));
        assert_eq!(names("names: {0: cat, 1: dog}"), Some(Names::Flow("{0: cat, 1: dog}".to_owned())));
        assert_eq!(names("cat\nnames of dogs\n"), None);
        assert_eq!(names("names: [cat,"), Some(Names::Flow("[cat,".to_owned())));
    }
}
