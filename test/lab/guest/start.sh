#!/bin/bash
# The guest's first program once its root file system is mounted: sets the system up, installs the
# packed tarball, runs what /lab/settings.sh says, hands back /results and powers off. With the route
# "systemd" it makes that the first process in between, which goes on with it.
# Reports go to the second serial line, one JSON object per line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mkdir -p /results /root
source /lab/settings.sh
if [ $$ = 1 ]; then
  mountpoint -q /proc || mount -t proc proc /proc
  mount -t sysfs sys /sys
  mountpoint -q /dev || mount -t devtmpfs dev /dev
  mkdir -p /dev/pts /dev/shm
  mount -t devpts pts /dev/pts
  for where in /dev/shm /tmp; do mount -t tmpfs tmpfs $where; done
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tracefs tracefs /sys/kernel/tracing
  mount -t debugfs debugfs /sys/kernel/debug
  mount -t bpf bpf /sys/fs/bpf
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  ln -sfn /run /var/run
  ip link set lo up
  hostname lab
  echo '127.0.0.1 localhost lab' >/etc/hosts
  [ "$LAB_ROUTE" != systemd ] || source /lab/systemd.sh
fi
stty -F /dev/ttyS1 raw -echo
report() { echo "$1" >/dev/ttyS1; }

# libbpf looks up there what schedulers ask of the kernel's configuration.
mkdir -p /boot && cp /lab/config "/boot/config-$(uname -r)"
[ -f /lab/bpftool ] && install -m 755 /lab/bpftool /usr/sbin/bpftool
report "{\"type\":\"booted\",\"kernel\":\"$(uname -r)\",\"cpus\":$(nproc)}"

cd /tmp
node /lab/npm/bin/npm-cli.js install --global --offline --no-audit --no-fund --prefix /usr/local \
  /lab/tracewright.tgz >/results/install.txt 2>&1
status=$?
if [ $status -ne 0 ]; then
  echo 'lab: npm cannot install the tarball' && cat /results/install.txt
elif [ "$LAB_ROUTE" != root ] && ! source /lab/helper.sh; then
  status=1
  echo 'lab: the helper cannot be installed as tracewright setup says' && cat /results/setup.sh
else
  report '{"type":"installed"}'
  case $LAB_MODE in
    shell)
      echo 'The lab: tracewright is installed; /lab/schedulers has schedulers. "exit" powers off.'
      # A shell of a person ends with the status of its last command, which says nothing.
      setsid --ctty --wait bash -l </dev/console >/dev/console 2>&1
      ;;
    script) bash /lab/script ; status=$? ;;
    bench) node /lab/bench.mjs ; status=$? ;;
    tests)
      [ "$LAB_COVERAGE" ] && export NODE_V8_COVERAGE=/results/coverage &&
        install -d -m 1777 /results/coverage
      node --test-reporter=/lab/reporter.mjs \
        ${LAB_ONLY:+"--test-name-pattern=$LAB_ONLY"} /lab/tests.mjs
      status=$?
      ;;
  esac
fi
echo $status >/results/status
disk=$(grep -lx results /sys/block/vd*/serial | cut -d/ -f4)
tar -c -f /dev/"$disk" -C /results .
sync
busybox poweroff -f
