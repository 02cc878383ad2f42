#!/bin/sh
# Installs Linewarden on this machine, or upgrades it; safe to run twice. See docs/deploy.md.
#   sudo ./deploy/install.sh --prefix acme/plant1/area1/line1/cell1
# `install.sh packages` only gets what it needs from the distribution, for a machine that is then cut off.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# libgl1 and libglib2.0-0 are what OpenCV's wheel needs of the system.
packages="python3 python3-venv openssl mosquitto ca-certificates libgl1 libglib2.0-0"

missing() {
    for package in $packages; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || printf '%s ' "$package"
    done
    # Something must keep the clock right: chrony, ntpsec, or systemd's own.
    command -v chronyd >/dev/null || command -v ntpd >/dev/null ||
        [ -e /lib/systemd/systemd-timesyncd ] || printf 'systemd-timesyncd '
}

if [ "$(id -u)" != 0 ]; then
    echo "install.sh: it changes the system and must be root: sudo $0 $*" >&2
    exit 2
fi
wanted=$(missing)
if [ -n "$wanted" ]; then
    echo "packages        $wanted"
    # A broker that the distribution would start with everybody let in is not started.
    had_broker=$(command -v mosquitto || true)
    # shellcheck disable=SC2086
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted; } >/dev/null || {
        echo "install.sh: apt-get could not get $wanted: see what it said above" >&2
        exit 2
    }
    if [ -z "$had_broker" ] && [ -d /run/systemd/system ]; then systemctl disable --now --quiet mosquitto; fi
fi
if [ "${1:-}" = packages ]; then exit 0; fi
if [ "${1:-}" = install ]; then shift; fi
# Its own program, and the caller's folder for what --bundle and the like name.
run='import runpy, sys; sys.path[0] = sys.argv.pop(1); runpy.run_module("deploy.box", run_name="__main__", alter_sys=True)'
exec python3 -c "$run" "$here" install "$@"
