#!/usr/bin/env bash
# Brings up one Ceph RGW on 127.0.0.1: a monitor, an object store in memory, and the gateway, all in this process group.
# usage: rgw-up.sh ROOT DATA PORT     ROOT as rgw-unpack.sh made it; DATA is new; PORT and the two behind it are free.
# Prints nothing; the keys are testkey and testsecret. Process ids are in DATA/*.pid.
set -euo pipefail
root=$1 data=$2 port=$3
lib=$(dirname "$(find "$root/usr/lib" -name librados.so.2 | head -n 1)")
arch=$(basename "$lib")
export LD_LIBRARY_PATH=$lib:$lib/ceph:$root/usr/lib:$root/lib/$arch
export PYTHONPATH=$root/usr/lib/python3/dist-packages PATH=$root/usr/bin:$PATH
mkdir -p "$data"/{mon,osd,run}
conf=$data/ceph.conf
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >"$conf" <<END
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$((port + 1))/0,v1:127.0.0.1:$((port + 2))/0]
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc secure
ms mon service mode = crc secure
ms mon cluster mode = crc secure
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 2
plugin dir = $lib/ceph
osd class dir = $lib/rados-classes
erasure code dir = $lib/ceph/erasure-code
admin socket = $data/run/\$name.asok
run dir = $data/run
log file = $data/\$name.log
[mon.a]
mon data = $data/mon
[osd.0]
osd data = $data/osd
osd objectstore = memstore
memstore device bytes = 4294967296
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw dns name = example.test
END
ceph() { timeout 60 /usr/bin/python3 "$root/usr/bin/ceph" -c "$conf" "$@" >/dev/null; }
# In the foreground, so that they stay in the group and end with it.
start() {
  local name=$1
  shift
  "$@" -c "$conf" -f >"$data/$name.out" 2>&1 </dev/null &
  echo $! >"$data/$name.pid"
}
monmaptool --create --fsid "$fsid" \
  --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$data/monmap" >/dev/null
ceph-mon -c "$conf" --mkfs -i a --monmap "$data/monmap"
start mon ceph-mon -i a
uuid=$(cat /proc/sys/kernel/random/uuid)
ceph osd new "$uuid" 0
ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$uuid" >/dev/null 2>&1
start osd ceph-osd -i 0
ceph osd crush add osd.0 1 root=default host=localhost 2>/dev/null
timeout 120 radosgw-admin -c "$conf" -n client.rgw --no-mon-config user create --uid=test \
  --display-name=test --access-key=testkey --secret-key=testsecret >/dev/null 2>&1
start rgw radosgw -n client.rgw
