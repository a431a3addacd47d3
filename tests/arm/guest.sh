#!/usr/bin/env bash
# Runs a command in an emulated system: guest.sh CACHE NAME QEMU CPU WORK COMMAND...
# In name spaces of its own, with its own binfmt_misc: nothing is installed on this machine, and no other process is emulated.
# With ARM_ISOLATED=1 it has ports of its own, and no network.
set -euo pipefail
cache=$(readlink -f "$1") root=$(readlink -f "$1/$2") qemu=$3 cpu=$4 work=$(readlink -f "$5")
shift 5
export cache root qemu cpu work
exec unshare --user --map-root-user ${ARM_ISOLATED:+--net} --mount --pid --fork --kill-child bash -euc '
  if [ -n "${ARM_ISOLATED:-}" ]; then # the loopback device is down in a new name space: SIOCSIFFLAGS, IFF_UP
    python3 -c "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack(\"16sH\", b\"lo\", 1))"
  fi
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  case $qemu in aarch64) class=02 machine=b7 ;; arm) class=01 machine=28 ;; esac
  zeros="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00" ones="\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
  magic="\\x7fELF\\x$class\\x01\\x01\\x00$zeros\\x02\\x00\\x$machine\\x00"
  printf "%s" ":arm:M::$magic:$ones\\x00$ones\\xff\\xfe\\xff\\xff\\xff:$cache/qemu/qemu-$qemu:FPC" >/proc/sys/fs/binfmt_misc/register
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  mount -t proc proc "$root/proc"
  mount --bind "$work" "$root/work"
  # subtle: bash stays process 1 of the name space; a crash of the command then ends it, with exit code 139, and does not hang.
  env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin QEMU_CPU="$cpu" PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_FIND_LINKS=/work /usr/sbin/chroot "$root" "$@"
  exit $?' _ "$@"
