#!/busybox sh
# The board's only program: loads the camera driver, runs /tests.sh and switches off.
# Programs of a whole system take precedence over busybox's.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/busybox-bin
/busybox mkdir -p /busybox-bin
/busybox --install -s /busybox-bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
# The kernel's own messages would end up between the lines of the tests.
dmesg -n 1
while read -r module; do
    case $module in
    # A webcam at /dev/video0 with a video output beside it, and a camera with planar pictures.
    vivid) insmod /modules/vivid.ko n_devs=2 node_types=0x101,0x1 input_types=0x0,0x0 multiplanar=1,2 || echo "BOARD no vivid" ;;
    *) insmod "/modules/$module.ko" || echo "BOARD no $module" ;;
    esac
done </modules/order
echo "BOARD up $(cut -d' ' -f1 /proc/uptime) s: Linux $(uname -r) $(uname -m), $(echo /dev/video* /dev/fb*)"
# busybox's shell would run its own applets instead of the system's programs.
shell=/usr/bin/dash
[ -x $shell ] || shell=/busybox-bin/sh
$shell /tests.sh
echo "BOARD down $(cut -d' ' -f1 /proc/uptime) s"
poweroff -f
