#!/usr/bin/env bash
# Builds the example teams' images, fomo-eval-example/<team>:1, on whichever base image this machine can get.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TEAMS=$ROOT/containers/teams
BASE=python:3.11-slim
LOCAL_BASE=fomo-eval/base:local
KEY_LABEL=org.fomo-eval.example.key

usage() {
    cat <<'END'
usage: containers/build.sh [--cohort DIR] [--prefix NAME] [TEAM…]

Builds fomo-eval-example/<team>:1 for the teams named, or for all, and prints their names.
  --cohort DIR   where the finetuning cases lie that some teams learn from (default: demo/cohort)
  --prefix NAME  what stands before /<team>:1 (default: fomo-eval-example)
  --base         print the base image that they would be built on, made if need be, and stop
Environment: BASE_IMAGE sets the base image; PYTHON the interpreter that a local base image is made of.
END
}

main() {
    local cohort=$ROOT/demo/cohort prefix=fomo-eval-example teams=() team base dockerfile
    while (($#)); do
        case $1 in
            --cohort) cohort=$(realpath -m "${2:?--cohort needs a folder}"); shift 2 ;;
            --prefix) prefix=${2:?--prefix needs a name}; shift 2 ;;
            --base) choose_base; return ;;
            -h | --help) usage; return ;;
            -*) usage >&2; return 2 ;;
            *) teams+=("$1"); shift ;;
        esac
    done
    if ((${#teams[@]} == 0)); then
        for dockerfile in "$TEAMS"/*/Dockerfile; do
            teams+=("$(basename "${dockerfile%/Dockerfile}")")
        done
    fi
    for team in "${teams[@]}"; do
        require_sources "$team"
    done
    # The client warns of the classic builder unless told that it is meant; it is, where BuildKit's plug-in is missing.
    docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
    base=$(choose_base)
    echo "build.sh: on $base" >&2
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    for team in "${teams[@]}"; do
        build "$team"
        echo "$prefix/$team:1"
    done
}

stop() {
    echo "build.sh: $*" >&2
    exit 1
}

require_sources() {
    [[ -f $TEAMS/$1/Dockerfile ]] || stop "there is no team '$1' in $TEAMS."
    if [[ -n $(learned_from "$1") && ! -d $cohort/finetuning ]]; then
        stop "team $1 learns from $cohort/finetuning, which is not there; python -m examples.cohort --out $cohort makes it."
    fi
}

# The folders of the cohort that a team's Dockerfile copies; most teams need none.
learned_from() {
    sed -nE 's|^COPY (finetuning/[^ ]+) .*|\1|p' "$TEAMS/$1/Dockerfile"
}

# Prints the base image to build on: the one asked for, else python:3.11-slim, else one made of this machine's Python.
choose_base() {
    if [[ -n ${BASE_IMAGE:-} ]]; then
        here "$BASE_IMAGE" || docker pull --quiet "$BASE_IMAGE" >/dev/null
        echo "$BASE_IMAGE"
    elif here "$BASE" || { ! here "$LOCAL_BASE" && timeout 20 docker pull --quiet "$BASE" >/dev/null 2>&1; }; then
        echo "$BASE"
    else
        local python=${PYTHON:-$ROOT/.venv/bin/python}
        [[ -n ${PYTHON:-} || -x $python ]] || python=python3
        (cd "$ROOT" && "$python" -m containers.base.local_base)
    fi
}

here() {
    docker image inspect "$1" >/dev/null 2>&1
}

# Builds the image of one team, unless it is there already; prints the build's output only if it fails.
build() {
    local log=$scratch/$1.log key
    # The build cache would say the same, but only after the engine has taken in the whole context.
    key=$({ docker image inspect --format '{{.Id}}' "$base"; context "$1"; } | sha256sum | cut -c 1-16)
    [[ $(key_of_image "$1") == "$key" ]] && return
    # Some hosts give containers no way out, or no name server, on the bridge: those build on the host's network.
    if ! build_on default "$1" "$key" >"$log" 2>&1 && ! build_on host "$1" "$key" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        stop "the image of team $1 could not be built; the end of the build's output is above."
    fi
}

key_of_image() {
    docker image inspect --format "{{index .Config.Labels \"$KEY_LABEL\"}}" "$prefix/$1:1" 2>/dev/null || true
}

build_on() {
    context "$2" | docker build --network "$1" --build-arg "BASE_IMAGE=$base" --label "$KEY_LABEL=$3" \
        --tag "$prefix/$2:1" -
}

# Streams the build context of a team: its folder, the shared modules and what it learns from.
context() {
    local cases
    mapfile -t cases < <(learned_from "$1")
    ((${#cases[@]} == 0)) || cases=(--directory "$cohort" "${cases[@]}")
    # Readable for every user, whatever the umask of this checkout: containers run without root.
    tar --create --mode=a+rX,go-w --owner=0 --group=0 --mtime=@0 --sort=name --exclude=__pycache__ \
        --directory "$TEAMS/$1" . --directory "$TEAMS" shared "${cases[@]}"
}

main "$@"
