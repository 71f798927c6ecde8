#!/usr/bin/env bash
# Brings up one OpenStack Swift with its face of S3 on 127.0.0.1: memcached, three stores, and the proxy.
# usage: swift-up.sh ROOT DATA PORT     ROOT as swift-unpack.sh made it; DATA is new; PORT and the four behind it are free.
# Prints nothing; the keys are test:tester and testing. Process ids are in DATA/*.pid.
set -euo pipefail
root=$1 data=$2 port=$3
export PYTHONPATH=$root/usr/lib/python3/dist-packages
LD_LIBRARY_PATH=$(dirname "$(find "$root/usr/lib" -name 'liberasurecode.so.1' | head -n 1)")
export LD_LIBRARY_PATH
mkdir -p "$data"/{etc,srv/d1}
cd "$data/etc"
cat >swift.conf <<END
[swift-hash]
swift_hash_path_suffix = test
swift_hash_path_prefix = test
[storage-policy:0]
name = gold
default = yes
policy_type = replication
END
# Swift looks for its settings under /etc.
cat >launch.py <<END
import sys, runpy, swift.common.utils as utils
utils.SWIFT_CONF_FILE = '$data/etc/swift.conf'
script = sys.argv[1]
sys.argv = sys.argv[1:]
runpy.run_path(script, run_name='__main__')
END
common="bind_ip = 127.0.0.1
workers = 0
swift_dir = $data/etc
log_address = $data/nolog
user = $(id -un)"
number=0
for store in object container account; do
  number=$((number + 1))
  cat >$store-server.conf <<END
[DEFAULT]
$common
bind_port = $((port + number))
devices = $data/srv
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = $store-server
[app:$store-server]
use = egg:swift#$store
END
  ring="/usr/bin/python3 $root/usr/bin/swift-ring-builder $store.builder"
  $ring create 4 1 1 >/dev/null
  $ring add "r1z1-127.0.0.1:$((port + number))/d1" 1 >/dev/null
  $ring rebalance >/dev/null
done
cat >proxy-server.conf <<END
[DEFAULT]
$common
bind_port = $port
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((port + 4))
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
END
for filter in catch_errors gatekeeper healthcheck listing_formats bulk slo dlo; do
  printf '[filter:%s]\nuse = egg:swift#%s\n' $filter $filter >>proxy-server.conf
done
as_user=()
[ "$(id -u)" = 0 ] && as_user=(-u root)
"$root/usr/bin/memcached" "${as_user[@]}" -l 127.0.0.1 -p $((port + 4)) >/dev/null 2>&1 &
echo $! >"$data/memcached.pid"
for server in account container object proxy; do
  /usr/bin/python3 launch.py "$root/usr/bin/swift-$server-server" "$data/etc/$server-server.conf" \
    >"$data/$server.out" 2>&1 &
  echo $! >"$data/$server.pid"
done
