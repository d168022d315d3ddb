use super::super::values::Target;
use super::super::{read, resolve};
use super::*;

fn parse(text: &str) -> Result<Settings> {
    resolve(text.parse().unwrap())
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_gives_the_defaults_and_they_come_back() {
    let settings = parse("").unwrap();
    assert_eq!(settings, Settings::default());
    let printed = toml::to_string_pretty(&settings).unwrap();
    assert_eq!(parse(&printed).unwrap(), settings, "{printed}");
}

#[test]
fn files_of_words_are_known() {
    let files = |text: &str| parse(text).unwrap().files();
    assert_eq!(files("prompt = ' @words.txt'"), [PathBuf::from("words.txt")]);
    assert_eq!(files("vocab = 'a.vocab.safetensors'"), [PathBuf::from("a.vocab.safetensors")]);
    assert!(files("prompt = 'cat, @dog'").is_empty() && files("prompt = ['@cat']").is_empty());
}

#[test]
fn every_kind_of_setting_comes_back() {
    let settings = parse(
        r#"
        prompt = ["person", "cup = coffee cup"]
        threshold = 0.3
        fps = 2.5
        format = "csv"
        max_celsius = 70

        [[source]]
        url = "/dev/video0"
        size = "640x480"
        control = { brightness = 60, auto = true, mode = "Manual" }

        [[source.zone]]
        name = "gate"
        box = [0.1, 0.2, 0.5, 0.9]
        prompts = ["open gate", "closed gate"]

        [[source]]
        url = "clip.y4m"
        real_time = true

        [[line]]
        name = "door"
        from = [0.5, 0]
        to = [0.5, 1]

        [track]
        confirm_hits = 2

        [[label]]
        name = "person"
        threshold = 0.6
        "#,
    )
    .unwrap();
    assert_eq!((settings.fps, settings.track.confirm_hits), (Target::Fps(2.5), 2));
    assert_eq!((settings.events(0).zones.len(), settings.events(0).lines.len()), (1, 0), "its own");
    assert_eq!((settings.events(1).zones.len(), settings.events(1).lines.len()), (0, 1), "those of all");
    let printed = toml::to_string_pretty(&settings).unwrap();
    assert!(printed.contains("threshold = 0.3\n"), "{printed}");
    assert_eq!(parse(&printed).unwrap(), settings, "{printed}");
}

#[test]
fn unknown_keys_are_errors_that_suggest_the_nearest() {
    for (text, part) in [
        ("promt = 'cat'", "found the unknown key promt, expected prompt, or one of"),
        ("[track]\nconfirm_hit = 2", "found the unknown key confirm_hit, expected confirm_hits"),
        ("[[source]]\nurl = 'x'\nsizes = '1x1'", "found the unknown key sizes, expected size"),
        ("[[zone]]\nname = 'x'\nponts = []", "found the unknown key ponts, expected points"),
        ("format = 'jsn'", "found the unknown value jsn, expected jsonl"),
        ("snapshot_events = ['entr']", "found the unknown value entr, expected enter, or one of appear"),
    ] {
        let message = refusal(text);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn values_out_of_range_are_named() {
    for (text, part) in [
        ("threshold = 1.5", "threshold: found 1.5, expected 0 to 1"),
        ("tag_threshold = -0.1", "tag_threshold: found -0.1, expected 0 to 1"),
        ("fps = 'fast'", "fps = \"fast\", expected auto, or looks a second"),
        ("fps = 0", "expected auto, or looks a second from 0.01 to 1000"),
        ("max_celsius = 200", "max_celsius: found 200, expected 30 to 120"),
        ("[[source]]\nname = 'yard'", "yard: found no url"),
        ("threads = 0", "threads: found 0, expected 1 to 256"),
        ("skip_still = 3", "expected a boolean"),
        ("[[zone]]\nname = 'gate'\npoints = [[0, 0]]", "gate"),
    ] {
        let message = refusal(text);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn an_error_of_a_file_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, "fps = 2\n\npromt = 'cat'\n").unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("a.toml, line 3: found the unknown key promt"), "{message}");
    std::fs::write(&path, "fps = 2\nfps = \n").unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("a.toml, line 2: found"));
    assert!(read(&folder.path().join("none.toml")).unwrap_err().to_string().contains("none.toml: "));
}

#[test]
fn only_what_cannot_be_reloaded_needs_a_restart() {
    let before = parse("prompt = 'cat'\n[[source]]\nurl = 'a'").unwrap();
    let after =
        "prompt = 'dog'\nfps = 2\n[[source]]\nurl = 'a'\n[[source.zone]]\nname = 'z'\nbox = [0,0,1,1]";
    assert!(parse(after).unwrap().needs_restart(&before).is_empty());
    let other = parse("prompt = 'cat'\nthreads = 2\n[[source]]\nurl = 'b'").unwrap();
    assert_eq!(other.needs_restart(&before), ["source", "threads"]);
}

#[test]
fn sources_stay_through_a_reload_with_the_zones_that_their_new_entries_have() {
    let zone = |name: &str| format!("[[source.zone]]\nname = '{name}'\nbox = [0, 0, 1, 1]\n");
    let source = |url: &str| format!("[[source]]\nurl = '{url}'\n");
    let before = parse(&[source("a"), zone("old"), source("b"), zone("own")].concat()).unwrap();
    let after = parse(&["fps = 2".to_owned(), source("c"), source("a"), zone("new")].join("\n")).unwrap();
    assert_eq!(after.needs_restart(&before), ["source"]);
    let merged = after.with_sources_of(&before);
    let sources: Vec<(&str, &str)> =
        merged.source.iter().map(|source| (source.url.as_str(), source.zone[0].name.as_str())).collect();
    assert_eq!((sources, merged.fps), (vec![("a", "new"), ("b", "own")], Target::Fps(2.0)));
    assert!(merged.needs_restart(&before).is_empty());
}

#[test]
fn lines_of_status_do_not_mix_with_what_is_no_json() {
    let error = refusal("status = 1\nformat = 'csv'");
    assert_eq!(error, "status: found 1 with a format other than JSON, expected 0, or format jsonl or none");
    assert!(parse("status = 1\nformat = 'none'").is_ok());
}

#[test]
fn masks_of_all_and_of_a_source_add_up_and_come_back() {
    let text = "
        blur = ['face', 'screen']
        blur_threshold = 0.05
        mask = [{ box = [0, 0, 1, 0.1] }]
        [[source]]
        url = 'a'
        mask = [{ name = 'street', points = [[0, 0.5], [1, 0.5], [0.5, 1]] }]
        [[source]]
        url = 'b'
    ";
    let settings = parse(text).unwrap();
    let names = |source: usize| settings.masks(source).map(|mask| mask.name.clone()).collect::<Vec<_>>();
    assert_eq!((names(0), names(1)), (vec![None, Some("street".to_owned())], vec![None]));
    let printed = toml::to_string_pretty(&settings).unwrap();
    assert_eq!(parse(&printed).unwrap(), settings, "{printed}");
    let other =
        parse(&text.replace("[0, 0, 1, 0.1]", "[0, 0, 1, 0.2]").replace("0.5, 1]]", "0.5, 0.9]]")).unwrap();
    assert!(other.needs_restart(&settings).is_empty());
    let merged = other.with_sources_of(&settings);
    assert_eq!(merged.masks(0).map(|mask| mask.points.len()).collect::<Vec<_>>(), [0, 3]);
    assert_eq!(merged.source[0].mask[0].points[2], [0.5, 0.9]);
    assert_eq!(parse("blur = '@faces.txt'\nprompt = '@words.txt'").unwrap().files().len(), 2);
    for (text, part) in [
        ("blur_threshold = 1.1", "blur_threshold: found 1.1, expected 0 to 1"),
        ("[[mask]]\npoints = [[0, 0], [1, 1]]", "mask 1: found 2 points, expected at least 3"),
        (
            "[[source]]\nurl = 'a'\n[[source.mask]]\nbox = [0, 0, 320, 240]",
            "mask 1: found the point [320, 240]",
        ),
        ("[[mask]]\nname = 'x'\nponts = []", "found the unknown key ponts, expected points"),
    ] {
        assert!(refusal(text).contains(part), "{text}: {}", refusal(text));
    }
}
