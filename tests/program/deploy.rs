//! `cross/deploy.sh` against a board that is a folder: `ssh` and `scp` are stand-ins that write down what they are asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::{TempDir, tempdir};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What the board answers to `mktemp -d`.
const BOARD_FOLDER: &str = "/tmp/edgeclip.Ab3xYz09Qr";

/// A cache with one package, and stand-ins for `ssh` and `scp`; the board answers `about` when asked what it is.
fn workshop(package: &str, about: &str) -> TempDir {
    let folder = tempdir().unwrap();
    let packages = folder.path().join("cross/packages");
    fs::create_dir_all(&packages).unwrap();
    fs::write(packages.join(package), "package").unwrap();
    let sums = Command::new("sha256sum").arg(package).current_dir(&packages).output().unwrap();
    fs::write(packages.join("SHA256SUMS"), sums.stdout).unwrap();
    let ssh =
        format!("case \"$*\" in *uname*) printf '%s\\n' {about};; *mktemp*) echo {BOARD_FOLDER};; esac");
    for (name, body) in [("ssh", ssh.as_str()), ("scp", "")] {
        let script = folder.path().join(name);
        let log = folder.path().join("log");
        fs::write(&script, format!("#!/bin/sh\necho {name} \"$@\" >>{}\n{body}\n", log.display())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn deploy(folder: &Path, arguments: &[&str]) -> Output {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/deploy.sh"))
        .args(arguments)
        .env("EDGECLIP_CACHE", folder)
        .env("PATH", path)
        .output()
        .unwrap()
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[track_caller]
fn refused(output: &Output, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(
        stderr.lines().filter(|line| line.starts_with("cross/deploy.sh: found")).count(),
        1,
        "{stderr}"
    );
    for part in parts {
        assert!(stderr.contains(part), "no \"{part}\" in: {stderr}");
    }
}

#[test]
fn a_board_gets_its_package_and_is_asked() {
    let package = format!("edgeclip_{VERSION}_arm64.deb");
    let folder = workshop(&package, "aarch64 arm64 900000");
    let output = deploy(folder.path(), &["pi@board.local"]);
    assert!(output.status.success(), "{output:?}");
    let log = log(folder.path());
    let steps: Vec<&str> = log.lines().collect();
    assert_eq!(steps.len(), 6, "{log}");
    assert!(steps[1].contains("mktemp -d"), "{log}");
    assert!(
        steps[2].starts_with("scp ")
            && steps[2].ends_with(&format!("pi@board.local:{BOARD_FOLDER}/{package}")),
        "{log}"
    );
    // Of "package".
    let hash = "bc4a71180870f7945155fbb02f4b0a2e3faa2a62d6d31b7039013055ed19869a";
    assert!(steps[3].contains(&format!("cd {BOARD_FOLDER} && echo '{hash}")), "{log}");
    assert!(steps[3].contains(&format!("sha256sum -c - >/dev/null && sudo dpkg -i {package}")), "{log}");
    assert!(steps[4].ends_with("edgeclip --version") && steps[5].ends_with("edgeclip doctor"), "{log}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = workshop(&format!("edgeclip_{VERSION}_armhf.deb"), "aarch64 armhf 900000");
    let output = deploy(folder.path(), &["--dry-run", "pi@board"]);
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().filter(|line| line.starts_with("would run: ")).count(), 3, "{stdout}");
    let log = log(folder.path());
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("uname -m"), "{log}");
}

#[test]
fn a_board_without_dpkg_gets_the_archive_and_keeps_its_settings() {
    let package = format!("edgeclip-{VERSION}-arm64.tar.gz");
    let folder = workshop(&package, "aarch64 none 900000");
    assert!(deploy(folder.path(), &["root@jetson"]).status.success());
    let log = log(folder.path());
    assert!(log.contains("--skip-old-files --exclude=usr") && log.contains(&package), "{log}");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_copied() {
    let package = format!("edgeclip_{VERSION}_arm64.deb");
    let with = |about: &str, change: &dyn Fn(&Path), arguments: &[&str], parts: &[&str]| {
        let folder = workshop(&package, about);
        change(folder.path());
        refused(&deploy(folder.path(), arguments), parts);
        assert!(!log(folder.path()).contains("scp"), "{about}");
    };
    let nothing = |_: &Path| {};
    with("aarch64 arm64 900000", &nothing, &[], &["0 arguments", "USER@HOST"]);
    with("aarch64 arm64 900000", &nothing, &["pi@a;reboot"], &["USER@HOST"]);
    with("aarch64 arm64 900000", &nothing, &["-oProxyCommand=x"], &["USER@HOST"]);
    with("riscv64 none 900000", &nothing, &["pi@b"], &["riscv64"]);
    with("armv7l armhf 900000", &nothing, &["pi@b"], &["armhf.deb", "cross/build.sh armv7"]);
    with(
        "aarch64 arm64 0",
        &|folder| {
            let file = folder.join("cross/packages").join(&package);
            fs::write(&file, vec![b'x'; 4096]).unwrap();
            let sums =
                Command::new("sha256sum").arg(&package).current_dir(file.parent().unwrap()).output().unwrap();
            fs::write(folder.join("cross/packages/SHA256SUMS"), sums.stdout).unwrap();
        },
        &["pi@b"],
        &["0 KiB free"],
    );
    with(
        "aarch64 arm64 900000",
        &|folder| {
            fs::write(folder.join("cross/packages").join(&package), "tampered").unwrap();
        },
        &["pi@b"],
        &["SHA256SUMS"],
    );
    with(
        "aarch64 arm64 900000",
        &|folder| fs::write(folder.join("ssh"), "#!/bin/sh\nexit 255\n").unwrap(),
        &["pi@b"],
        &["no ssh access"],
    );
}
