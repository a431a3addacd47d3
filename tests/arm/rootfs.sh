#!/usr/bin/env bash
# Makes what emulation needs, in a cache folder: qemu, and a root file system of a Raspberry Pi OS base (Debian, unpacked but not
# configured: no maintainer script runs, so none needs emulation). What is there already is kept, but for the stand-ins.
#   rootfs.sh CACHE qemu
#   rootfs.sh CACHE NAME ARCH SUITE PACKAGES
set -euo pipefail
cache=$(readlink -f "$1")
name=$2
wanted="$*"
complete() { [ "$(cat "$cache/$name/complete" 2>/dev/null)" = "$wanted" ]; }
export PATH=$PATH:/usr/sbin:/sbin:$cache/tools/usr/bin

if ! complete; then
  if ! command -v mmdebstrap >/dev/null; then
    apt-get -qq update || true
    mkdir -p "$cache/debs" "$cache/tools"
    (cd "$cache/debs" && apt-get -qq download mmdebstrap 2>/dev/null)
    dpkg -x "$cache"/debs/mmdebstrap_*.deb "$cache/tools"
  fi

  # unpack FOLDER ARCH SUITE PACKAGES
  unpack() {
    rm -rf "$1"
    # Without the security and updates suites: their mirrors are seldom in step for Arm ("File has unexpected size").
    mmdebstrap --quiet --variant=extract --mode=root --arch="$2" --include="$4" "$3" "$1" \
      "deb http://deb.debian.org/debian $3 main" 2>&1 | grep -v '^W:' >&2 || true
    [ -d "$1/usr/share/doc" ] || { echo "the root file system could not be built: mmdebstrap $2 $3" >&2; exit 1; }
  }

  if [ "$name" = qemu ]; then
    # Debian 13's, static: with Debian 12's qemu 7.2 ai-edge-litert crashes, because the guest reads the host's /proc/cpuinfo.
    unpack "$cache/unpacked" amd64 trixie qemu-user
    mkdir -p "$cache/qemu"
    cp "$cache"/unpacked/usr/bin/qemu-{aarch64,arm} "$cache/qemu/"
    rm -rf "$cache/unpacked"
  else
    root=$cache/$name
    unpack "$root" "$3" "$4" "$5"
    for link in bin sbin lib; do # Debian 13's packages bring none
      [ -e "$root/$link" ] || ln -s "usr/$link" "$root/$link"
    done
    for library in blas lapack; do # what update-alternatives would have done, for Debian's NumPy
      for folder in "$root"/usr/lib/*/"$library"; do
        [ -d "$folder" ] && ln -sfn "$library/lib$library.so.3" "$(dirname "$folder")/lib$library.so.3"
      done
    done
    mkdir -p "$root"/{proc,sys,dev,tmp,work,root,etc/ssl/certs}
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    cp -L /etc/resolv.conf "$root/etc/"
  fi
  echo "$wanted" >"$cache/$name/complete"
fi
[ "$name" = qemu ] && exit 0
root=$cache/$name
# The guide's commands say sudo apt; here the packages are unpacked already, and apt only says whether they are.
mkdir -p "$root/usr/local/bin"
printf '#!/bin/sh\nexec "$@"\n' >"$root/usr/local/bin/sudo"
cat >"$root/usr/local/bin/apt" <<'APT'
#!/bin/sh
for package; do
  case $package in install | update | -*) continue ;; esac
  ls /usr/share/doc/"$package" >/dev/null 2>&1 || { echo "apt: $package is not there" >&2; exit 100; }
done
APT
# Nor is there a systemd to enable a unit: here the service of a path unit is run once, and any other stays in the background.
cat >"$root/usr/local/bin/systemctl" <<'SYSTEMCTL'
#!/bin/sh
for unit; do :; done
service=$HOME/.config/systemd/user/${unit%.*}.service
setting() { sed -n "s|^$1=||p" "$service" | sed "s|%h|$HOME|g"; }
for file in $(setting EnvironmentFile); do set -a && . "$file" && set +a; done
case $unit in
  *.path) grep -q DirectoryNotEmpty "$HOME/.config/systemd/user/$unit" && exec sh -c "$(setting ExecStart)" ;;
  *) sh -c "exec $(setting ExecStart)" >"$HOME/${unit%.*}.log" 2>&1 & ;;
esac
SYSTEMCTL
chmod +x "$root"/usr/local/bin/{sudo,apt,systemctl}
