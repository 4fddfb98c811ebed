#!/usr/bin/env bash
# Debian and Ubuntu ship Python without what virtual environments need; this installs it, or says how.
set -euo pipefail

version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
package=python$version-venv
if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "$1 cannot make virtual environments; install it (Debian, Ubuntu: sudo apt-get install $package)." >&2
    exit 1
fi
echo "installing $package" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >/dev/null
apt-get -q install -y --no-install-recommends "$package" >/dev/null
