# Sourced by start.sh as the first process: makes systemd that, which then runs start.sh again.
units=/etc/systemd/system
# Without one this were its first boot, on which it enables what packages would like.
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
# What a system boots with otherwise: the guest has all that it needs, and boots under emulation.
for unit in /usr/lib/systemd/system/sysinit.target.wants/*; do
  [ "${unit##*/}" = systemd-journald.service ] || ln -sfn /dev/null "$units/${unit##*/}"
done
cat >$units/lab.target <<'END'
[Unit]
Requires=lab.service
END
# Delegate: the tests make cgroups beside those of systemd, with all controllers.
cat >$units/lab.service <<'END'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/bash /lab/start.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Delegate=yes
TasksMax=infinity
LimitMEMLOCK=infinity
LimitCORE=infinity
END
exec /usr/lib/systemd/systemd --unit=lab.target
