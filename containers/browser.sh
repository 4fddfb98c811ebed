#!/usr/bin/env bash
# Makes sure that Chromium is there, in which the tests open the report's pages; installs it where that is possible.
# Silent when there is nothing to do. FOMO_EVAL_CHROMIUM names another one.
set -euo pipefail

stop() {
    echo "browser.sh: $*" >&2
    exit 1
}

command -v "${FOMO_EVAL_CHROMIUM:-chromium}" >/dev/null && exit 0
command -v apt-get >/dev/null || stop "there is no chromium; install it, or name one with FOMO_EVAL_CHROMIUM."
[[ $EUID -eq 0 ]] || stop "there is no chromium; install it (Debian: 'sudo apt-get install chromium')."

echo "browser.sh: installing chromium" >&2
export DEBIAN_FRONTEND=noninteractive
if ! output=$({ apt-get -q update && apt-get -q install -y --no-install-recommends chromium fonts-dejavu-core libcairo2; } 2>&1); then
    tail -n 20 <<<"$output" >&2
    stop "apt-get could not install chromium; its last lines are above."
fi
# On Ubuntu the package is a stub for a snap.
command -v chromium >/dev/null || stop "chromium was installed but is not there; name one with FOMO_EVAL_CHROMIUM."
