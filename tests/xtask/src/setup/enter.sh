# Runs a command in another root, in namespaces of its own: with them all mounts and processes end.
# Arguments: the root, pairs of a name and a folder that is seen as /gridwalk/NAME there, `--`, the command, which runs
# in /gridwalk. Variables of the caller whose names begin with GRIDWALK_ are passed on.
set -eu
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/gridwalk"
mount -t tmpfs tmpfs "$root/gridwalk"
while [ "$1" != -- ]; do
    mkdir "$root/gridwalk/$1"
    mount --bind "$2" "$root/gridwalk/$1"
    shift 2
done
shift
for name in $(env | sed -n 's/^\(GRIDWALK_[A-Z_]*\)=.*/\1/p'); do
    eval "set -- \"\$name=\$$name\" \"\$@\""
done
exec chroot "$root" /usr/bin/env -i -C /gridwalk PATH=/usr/bin:/bin HOME=/gridwalk/tmp LANG=C.UTF-8 TMPDIR=/gridwalk/tmp "$@"
