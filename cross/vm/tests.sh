# Runs on the board. Each test prints TEST and its name, the program's output, and EXIT with its code;
# check.py reads that.
# shellcheck shell=sh

# No status line among the output.
export TERM=dumb

begin() { # NAME COMMAND…
    echo "TEST $1 $(cut -d' ' -f1 /proc/uptime)"
    shift
    "$@"
    echo "EXIT $?"
}

# frames FORMAT COUNT PROGRAM [FLAG]: without the camera's clock in the picture, so that every frame is the same.
frames() {
    "$3" run --source /dev/video0 --control osd_text_mode=none --vocab /tmp/v.vocab.safetensors --threshold 0 --pixel-format "$1" \
        --frames "$2" ${4:+"$4"}
}

# The prompts are embedded only once, since that takes longest.
begin vocab edgeclip vocab build --prompt "television test card, person, dog" --out /tmp/v.vocab.safetensors
begin list edgeclip run --list
begin doctor edgeclip doctor --json --source /dev/video0
begin YUYV frames YUYV 2 edgeclip
for format in RGB3 NV12 YU12 GREY; do
    begin "$format" frames "$format" 1 edgeclip
done
[ ! -x /usr/bin/edgeclip32 ] || begin armv7 frames YUYV 1 edgeclip32
begin sealed frames YUYV 2 edgeclip --seal
[ ! -x /usr/bin/edgeclip32 ] || begin sealed32 frames YUYV 1 edgeclip32 --seal

# The mode is set and then the controls, of which the last one is out of range: no frame is processed.
begin control edgeclip run --source /dev/video0 --prompt dog --control brightness=77 --control "Menu=menu item 4" --control button= \
    --control no_such=1
begin controlled edgeclip run --list
begin range edgeclip run --source /dev/video0 --prompt dog --control brightness=256
begin format edgeclip run --source /dev/video0 --pixel-format MJPG --prompt dog
begin output edgeclip run --source /dev/video1 --prompt dog
begin planes edgeclip run --source /dev/video2 --prompt dog
begin missing edgeclip run --source /dev/video9 --prompt dog

mkdir -p /etc
echo "guest:x:1000:1000::/:/busybox-bin/sh" >/etc/passwd
begin permission su guest -c "/usr/bin/edgeclip run --source /dev/video0 --prompt dog"

# While one program holds the camera, another cannot open it; then it is unplugged.
edgeclip run --source /dev/video0 --vocab /tmp/v.vocab.safetensors --size 320x180 --camera-fps 10 >/tmp/first 2>&1 &
while ! grep -q frame /tmp/first; do sleep 1; done
begin default grep -m 1 frame /tmp/first
begin busy edgeclip run --source /dev/video0 --prompt dog
kill -TERM $!
begin terminated wait $!

# The host captures what a display shows.
screen() { # NAME DISPLAY
    echo "SCREEN $1 $2"
    read -r _
}
# The contents of a framebuffer.
memory() { # FRAMEBUFFER
    gzip -c "$1" | base64
}
# await PATTERN FILE: waits until the program that was started last has written it, or has ended.
await() {
    while ! grep -q "$1" "$2" && kill -0 $!; do sleep 0.2; done
}
# show FRAMEBUFFER OUTPUT SOURCE SIZE [FORMAT [FLAG]]: starts edgeclip with nothing drawn but the clock, and waits
# until it reads frames.
show() {
    rm -f "$2"
    edgeclip run --vocab /tmp/v.vocab.safetensors --threshold 1 --status 0.5 --framebuffer "$1" --source "$3" --size "$4" \
        ${5:+--pixel-format "$5"} ${6:+"$6"} <>/tmp/pipe >"$2" 2>&1 &
    await '"type":"status"' "$2"
}
# A frame is on a framebuffer when the status line says so; the driver passes it on a moment later.
shown() { # FRAMEBUFFER OUTPUT
    await "\"name\":\"$1\",\"lag_ms\":[0-9.]*,\"write_ms\":{" "$2"
    sleep 0.5
}
console() {
    yes "a line of the console" | head -n 60 >/dev/tty1
    sleep 0.5
}
# Never at its end.
mkfifo /tmp/pipe

# The console prints before, during and after the picture.
console
screen before wide
show /dev/fb0 /tmp/wide - 640x480 RGB3
cat /blocks.rgb >/tmp/pipe
shown /dev/fb0 /tmp/wide
console
begin wide screen wide wide
kill -TERM $!
begin wide_ends wait $!
console
screen after wide

# The console is on the other screen and stays there.
show /dev/fb1 /tmp/narrow - 640x480 RGB3
cat /blocks.rgb >/tmp/pipe
shown /dev/fb1 /tmp/narrow
screen beside wide
begin narrow memory /dev/fb1
kill -TERM $!
begin narrow_ends wait $!

show /dev/fb1 /tmp/camera /dev/video0 640x360
shown /dev/fb1 /tmp/camera
begin camera memory /dev/fb1
kill -TERM $!
begin camera_ends wait $!

# Sealed, the camera is shown in place of the console, which comes back.
show /dev/fb0 /tmp/sealed /dev/video0 640x360 "" --seal
shown /dev/fb0 /tmp/sealed
console
begin sealed_screen screen sealed wide
kill -TERM $!
begin sealed_ends wait $!
console
screen sealed_after wide
begin sealed_says grep "^edgeclip" /tmp/sealed

# Without privileges, the console can be hidden only by a process that has it as controlling terminal.
chmod 666 /dev/fb0
chmod 644 /blocks.rgb
guest="edgeclip run --source - --vocab /tmp/v.vocab.safetensors --pixel-format RGB3 --size 640x480 --framebuffer /dev/fb0 </blocks.rgb >/tmp/guest 2>&1"
touch /tmp/guest
chmod 666 /tmp/guest
begin refused su guest -c "$guest"
begin refused_says grep "^edgeclip" /tmp/guest
begin owned openvt -c 1 -f -w -- su guest -c "$guest"
begin owned_says grep -c '"type":"frame"' /tmp/guest
begin owned_warns grep "^edgeclip" /tmp/guest

# Unplugged and plugged in again, last of all: it may then be another device, which the seal allows as well.
edgeclip run --seal --source /dev/video0 --vocab /tmp/v.vocab.safetensors >/tmp/second 2>&1 &
while ! grep -q frame /tmp/second; do sleep 1; done
looked() {
    grep -c '"type":"frame"' /tmp/second
}
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
while ! grep -q "unplugged camera" /tmp/second; do sleep 1; done
before=$(looked)
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
while [ "$(looked)" -le "$before" ]; do sleep 1; done
kill -TERM $!
begin replugged wait $!
begin replugged_says grep "^edgeclip" /tmp/second
