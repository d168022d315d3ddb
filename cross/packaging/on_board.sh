# Runs on the board, a Debian without systemd; test.sh reads its output.
# shellcheck shell=sh

dpkg -i /edgeclip.deb
echo "INSTALL $?"
edgeclip --version
edgeclip detect /cat.jpg --prompt "cat, dog"
echo "CONFFILES $(dpkg-query -W -f '${Conffiles}\n' edgeclip | while read -r file _; do printf '%s ' "$file"; done)"
unit=/usr/lib/systemd/system/edgeclip.service
program=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' $unit)
settings=$(sed -n 's/^LoadCredential=edgeclip.toml://p' $unit)
[ -x "$program" ] && edgeclip run --config "$settings" --print-config >/dev/null && echo "UNIT $program $settings $(stat -c %a "$settings")"
echo mine >/etc/edgeclip/prompts.txt
dpkg -i /edgeclip.deb
echo "KEPT $(cat /etc/edgeclip/prompts.txt)"
gone() {
    [ -e /usr/bin/edgeclip ] || echo gone
}
dpkg -r edgeclip
echo "REMOVE $? $(gone) $(cat /etc/edgeclip/prompts.txt)"
dpkg -P edgeclip
code=$?
[ -e /etc/edgeclip ] || echo "PURGE $code $(gone)"
