# shellcheck shell=bash
# Sourced: keeps builds fresh in a fresh clone. Cargo goes by the times of a path dependency's files, which are all new in a clone: it would compile
# crates/* and whatever is above them, all of tract among it, once more in every clone that shares a target folder. So files whose contents are those of
# the last run get back the times that they had then.
#
#   restore_times TARGET-FOLDER…   before the builds
#   record_times                   after them
#
# A changed file always builds: other contents than the last run's get the present time, even where an old one was restored from elsewhere. If cargo has
# compiled the crate since the last run, outside of it and so from contents that nobody recorded, times stay as they are and cargo decides.

freshness=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/freshness

contents() { # FOLDER
    find "$1" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

restore_times() {
    local crate record name hash time
    for crate in crates/*; do
        record=$freshness/${crate#crates/}
        [ -e "$record" ] || continue
        name=$(sed -n 's/^name = "\(.*\)"/\1/p' "$crate/Cargo.toml" | head -1)
        read -r hash time <"$record"
        if [ "$(contents "$crate")" != "$hash" ]; then
            find "$crate" -type f -exec touch {} +
        elif [ -z "$(find "$@" -maxdepth 5 -path "*/.fingerprint/$name-*" -newer "$record" -print -quit 2>/dev/null)" ]; then
            find "$crate" -type f -exec touch --date="@$time" {} +
        fi
    done
}

record_times() {
    local crate
    mkdir -p "$freshness"
    for crate in crates/*; do
        echo "$(contents "$crate") $(find "$crate" -type f -printf '%T@\n' | sort -n | tail -1)" >"$freshness/${crate#crates/}"
    done
}
