// Of the library's tests as well: `src/model/example_bundle.rs`.
//! The manifest of a model that compares examples, whatever the default one does.

/// What the default model's manifest says but for examples, and these keys; the regions' embeddings weigh
/// `embeddings[0]`, the pictures' `embeddings[1]`, and `hash` is that of `features.safetensors`.
pub(crate) fn with_examples(manifest: &str, [region, picture]: [f32; 2], hash: &str) -> String {
    let (before, files) = manifest.split_once("\n[files]\n").unwrap();
    let before = before.split_once("\n[examples]\n").map_or(before, |(before, _)| before);
    let files = files.lines().filter(|line| !line.starts_with("\"features.safetensors\""));
    let files: String = files.map(|line| format!("{line}\n")).collect();
    format!(
        r#"{before}
[examples]
scale = 10.0
floor = 0.55
counter_scale = 25.0
sharpness = 4.0
[examples.region]
maps = ["semantic"]
expand = 1.2
square = true
samples = 4
embedding = {region:?}
beside_words = [[0.907, 1.456, 2.696, -13.34], [0.765, 2.227, 0.987, -17.99]]
alone = [[2.521, -6.104], [2.978, -8.948]]
[examples.picture]
maps = ["semantic"]
expand = 1.0
square = false
samples = 7
embedding = {picture:?}
beside_words = [[0.813, 2.843, -7.951, -6.86], [0.444, 3.57, -11.409, -11.9]]
alone = [[3.975, -15.539], [4.253, -19.72]]

[files]
"features.safetensors" = "{hash}"
{files}"#
    )
}
