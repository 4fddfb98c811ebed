#!/usr/bin/env bash
# Makes sure that a Docker engine answers; installs and starts one where that is possible.
# Silent when there is nothing to do. Respects DOCKER_HOST and the current docker context.
set -euo pipefail

LOG=${FOMO_EVAL_ENGINE_LOG:-/var/log/fomo-eval-dockerd.log}

stop() {
    echo "engine.sh: $*" >&2
    exit 1
}

answers() {
    command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

wait_until_it_answers() {
    local attempt
    for ((attempt = 0; attempt < $1 * 5; attempt++)); do
        answers && return 0
        sleep 0.2
    done
    return 1
}

# One clear sentence for everyone whom this script cannot serve.
refuse_what_we_cannot_start() {
    if [[ -n ${DOCKER_HOST:-} ]]; then
        stop "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST."
    fi
    if [[ $(uname -s) != Linux ]]; then
        stop "no Docker engine answers; install Docker Desktop (or colima) and start it."
    fi
    if [[ $EUID -ne 0 && -S /var/run/docker.sock && ! -w /var/run/docker.sock ]]; then
        stop "a Docker engine is here, but you may not use it: 'sudo usermod -aG docker $(id -un)', then log in again."
    fi
    if [[ $EUID -ne 0 ]]; then
        stop "no Docker engine answers; install and start one (Debian, Ubuntu: 'sudo $0'; else docs.docker.com/engine/install)."
    fi
    if ! command -v dockerd >/dev/null && ! command -v apt-get >/dev/null; then
        stop "no Docker engine answers, and only Debian and Ubuntu are set up from here; see docs.docker.com/engine/install."
    fi
}

install_engine() {
    local output
    echo "engine.sh: installing docker.io" >&2
    if ! output=$(apt_install 2>&1); then
        tail -n 20 <<<"$output" >&2
        stop "apt-get could not install docker.io; its last lines are above."
    fi
}

apt_install() {
    local packages=(docker.io iptables ca-certificates)
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update || return
    # Since Debian 13 the client is a package of its own.
    if ! command -v docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then
        packages+=(docker-cli)
    fi
    apt-get -q install -y --no-install-recommends "${packages[@]}"
}

start_engine() {
    if [[ -d /run/systemd/system ]] && systemctl start docker >/dev/null 2>&1; then
        wait_until_it_answers 30 && return
    elif [[ -x /etc/init.d/docker ]] && service docker start >/dev/null 2>&1; then
        # Without cgroup mounts the init script reports success and starts nothing: hence the short wait.
        wait_until_it_answers 5 && return
    fi
    if ! pgrep -x dockerd >/dev/null 2>&1; then
        setsid dockerd >"$LOG" 2>&1 </dev/null &
    fi
    wait_until_it_answers 30 && return
    [[ -r $LOG ]] && tail -n 20 "$LOG" >&2
    stop "dockerd was started but does not answer; the end of its log ($LOG) is above."
}

answers && exit 0
refuse_what_we_cannot_start
{ command -v dockerd && command -v docker; } >/dev/null || install_engine
# The packages' own installation may already have started the engine.
answers || start_engine
echo "engine.sh: Docker $(docker version --format '{{.Server.Version}}') answers" >&2
