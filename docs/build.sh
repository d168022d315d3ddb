#!/usr/bin/env bash
# docs/build.sh: makes a book of the pages in docs/SUMMARY.md and checks that its links lead somewhere. The last line printed
# is its first page, $EDGECLIP_CACHE/book/html/index.html.
#
# Needs mdbook 0.5: `cargo install --locked mdbook`, or a ready binary of it. Pages also lie beside what they describe
# (quantize/, cross/, benches/record/) and link to one another across folders; mdbook wants one folder, so they are copied
# with their paths.
set -euo pipefail
cd "$(dirname "$0")/.."
book=${EDGECLIP_CACHE:-$HOME/.cache/edgeclip}/book

die() {
    echo "docs/build.sh: $*" >&2
    exit 2
}

version=$(mdbook --version 2>/dev/null || echo "no mdbook")
[[ $version == "mdbook v0.5."* ]] || die "found $version, expected mdbook 0.5 (cargo install --locked mdbook)"
rm -rf "$book"
mkdir -p "$book/src"
cp docs/book.toml "$book"
git ls-files -z --cached --others --exclude-standard -- '*.md' 'docs/*.png' 'docs/*.jpg' 'docs/schema/*' 'LICENSE-*' |
    xargs -0 cp --parents --target-directory "$book/src"
# Links of the list are relative to docs/.
sed -e 's#](#](docs/#' -e 's#](docs/\.\./#](#' docs/SUMMARY.md >"$book/src/SUMMARY.md"
RUST_LOG=warn mdbook build --dest-dir "$book/html" "$book"

broken=0
while IFS= read -r page; do
    while IFS= read -r link; do
        [ -e "$(dirname "$page")/$link" ] || { echo "${page#"$book"/html/}: no $link" && broken=1; }
    done < <(sed -n '/<main>/,/<\/main>/p' "$page" | grep -oP '(?:href|src)="\K(?![a-z]+:)[^"#]+' | sort -u)
done < <(find "$book/html" -name '*.html' ! -name print.html ! -name 404.html ! -name toc.html)
[ $broken = 0 ] || die "found links that lead nowhere, expected them in docs/SUMMARY.md"
echo "$book/html/index.html"
