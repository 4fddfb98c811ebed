#!/usr/bin/env bash
# Builds the image of this folder and checks it as the organisers will; ends with the exit code of fomo-eval:
# 0 done, 1 the container failed, 2 something handed in cannot be used, 3 the machine failed.
#
# usage: validate.sh [--build-only]
# Environment: IMAGE what to call the image; TASK and CHALLENGE what it is for; BASE_IMAGE another base image, if any;
# FOMO_EVAL where pip is to install fomo-eval from, if it is not there yet.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
REPORT=validation.xml

stop() {
    echo "validate.sh: $*" >&2
    exit 2
}

build() {
    docker build ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} --tag "$IMAGE" .
}

require_fomo_eval() {
    command -v fomo-eval >/dev/null && return
    [[ -n ${FOMO_EVAL:-} ]] || stop "fomo-eval is not installed; install it, or set FOMO_EVAL to where pip finds it."
    [[ $FOMO_EVAL != *ORGANISATION* ]] || stop "FOMO_EVAL is still $FOMO_EVAL; set it in .github/workflows/validate.yml."
    python -m pip install --quiet "$FOMO_EVAL"
}

: "${IMAGE:?is not set: name the image, as in IMAGE=my-team/my-task:1}"
build
[[ ${1:-} == --build-only ]] && exit
: "${TASK:?is not set: name the task that the image is for}"
require_fomo_eval
fomo-eval validate "$IMAGE" --task "$TASK" --challenge "${CHALLENGE:-fomo25}" --junit "$REPORT"
