//! With the feature `packed`: deflates the default model's files, which `src/model/bundle.rs` then takes inside instead of the files themselves.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "packed")]
    pack()?;
    Ok(())
}

#[cfg(feature = "packed")]
fn pack() -> std::io::Result<()> {
    use std::env::var_os;
    use std::fs;
    use std::path::PathBuf;

    let folder = |name| var_os(name).map(PathBuf::from).ok_or_else(|| std::io::Error::other(name));
    let (model, out) = (folder("CARGO_MANIFEST_DIR")?.join("models/default"), folder("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", model.display());
    for entry in fs::read_dir(model)? {
        let entry = entry?;
        // 9 of 10: the last one takes twice as long for a ten-thousandth.
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&fs::read(entry.path())?, 9);
        fs::write(out.join(entry.file_name()), packed)?;
    }
    Ok(())
}
