# Sourced by start.sh once Tracewright is installed: an ordinary user, and the helper for it, put
# there by what `tracewright setup` prints. Fails where a line of that does.
# The image belongs to whoever made it, without set-user-id bits.
chown root:root /usr/bin/sudo /etc/sudoers /etc/sudoers.d && chmod 4755 /usr/bin/sudo || return 1
useradd --create-home --shell /bin/bash analyst || return 1
as_analyst() {
  setpriv --reuid=analyst --regid=analyst --init-groups -- \
    env HOME=/home/analyst USER=analyst "$@"
}
# The last step of the first is to start the server: that do the tests.
as_analyst tracewright setup "$LAB_ROUTE" | sed '/^# 2\. The server/,$d' >/results/setup.sh
USER=analyst bash -euo pipefail /results/setup.sh
