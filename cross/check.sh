#!/usr/bin/env bash
# cross/check.sh PROGRAM…: checks that a program built by cross/build.sh is static and can take a backtrace,
# prints its size and what it consists of, and fails if it is too large: above 50 MB with text tower, 27 MB
# without. For a program with text tower it also checks that the one without would be within its limit: it is
# smaller by at least the tower's files.
set -euo pipefail
model=$(dirname "$0")/../models/default

mb() {
    awk -v bytes="$1" 'BEGIN { printf "%.2f", bytes / 1e6 }'
}

# Total size of the sections whose names match.
sections() {
    readelf -SW "$1" | sed 's/\[ */[/' | awk -v names="$2" '$2 ~ names && $3 != "NOBITS" { print "0x" $6 }' |
        { total=0; while read -r size; do total=$((total + size)); done; echo "$total"; }
}

# Bytes that FILE takes inside PROGRAM, stored or deflated (feature `packed`); fails if it is not there.
inside() { # PROGRAM FILE
    python3 - "$1" "$2" <<'PYTHON'
import re, sys, zlib

program, file = (open(path, "rb").read() for path in sys.argv[1:])
if file in program:
    print(len(file))
    sys.exit()
for start in re.finditer(re.escape(b"\x78\xda"), program):
    stream, packed = zlib.decompressobj(), memoryview(program)[start.start():]
    try:
        if stream.decompress(packed[:4096], 256) == file[:256] and zlib.decompressobj().decompress(packed, len(file)) == file:
            stream = zlib.decompressobj()
            stream.decompress(packed)
            print(len(packed) - len(stream.unused_data))
            sys.exit()
    except zlib.error:
        continue
sys.exit(1)
PYTHON
}

check() {
    local program=$1 size wrong=0 limit=27 models=0 text=0 file bytes
    size=$(stat -c %s "$program")
    echo "$program: $(readelf -h "$program" | sed -n 's/ *Machine: *//p'), $(mb "$size") MB"
    ! readelf -lW "$program" | grep -q INTERP || { echo "  NOT STATIC: asks for a loader" && wrong=1; }
    ! readelf -dW "$program" | grep -q NEEDED || { echo "  NOT STATIC: needs shared libraries" && wrong=1; }
    [ "$(sections "$program" '^\.(eh_frame|ARM\.exidx)$')" -gt 0 ] || { echo "  ABORTS at backtraces: the unwinder's own tables are missing" && wrong=1; }
    ! readelf -SW "$program" | grep -q '\.symtab' || { echo "  NOT STRIPPED" && wrong=1; }
    for file in "$model"/*; do
        case $file in *.md) continue ;; esac
        bytes=$(inside "$program" "$file") || continue
        models=$((models + bytes))
        printf '  %7s MB  %s\n' "$(mb "$bytes")" "$(basename "$file")"
        case $file in */text.onnx) limit=50 ;; esac
        case $file in */text.onnx | */tokenizer.json) text=$((text + bytes)) ;; esac
    done
    [ "$models" -gt 0 ] || { echo "  NO MODEL inside" && wrong=1; }
    local code unwinding constants data
    code=$(sections "$program" '^\.text')
    unwinding=$(sections "$program" '^\.(eh_frame|eh_frame_hdr|gcc_except_table|ARM\.ex.*)$')
    constants=$(($(sections "$program" '^\.rodata') - models))
    data=$(sections "$program" '^\.(data|data\.rel\.ro|rela\..*|rel\..*|got.*|init_array)$')
    printf '  %7s MB  %s\n' "$(mb "$code")" "machine code" "$(mb "$constants")" "constants beside the model" \
        "$(mb "$unwinding")" "unwinding tables" "$(mb "$data")" "data and relocations"
    if [ "$size" -gt $((limit * 1000000)) ]; then
        echo "  TOO LARGE: at most $limit MB"
        wrong=1
    fi
    if [ "$limit" = 50 ]; then
        echo "  without text tower at most $(mb $((size - text))) MB"
        [ $((size - text)) -le 27000000 ] || { echo "  TOO LARGE without text tower: at most 27 MB" && wrong=1; }
    fi
    [ "$wrong" = 0 ] && echo "  static, stripped, within $limit MB"
    return "$wrong"
}

[ $# -gt 0 ] || { echo "$0: found no program, expected what cross/build.sh made" >&2 && exit 2; }
failed=0
for program in "$@"; do
    [ -r "$program" ] || { echo "$0: $program: found nothing to read, expected a program of cross/build.sh" >&2 && exit 2; }
    check "$program" || failed=1
done
exit "$failed"
