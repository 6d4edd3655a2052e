#!/usr/bin/env bash
# The official ASAM checkers, in an environment of their own inside .venv: what they pin (numpy<2, lxml<6) conflicts
# with the project. Does nothing the second time. Where they cannot be installed, the tests that need them skip.
set -euo pipefail
cd "$(dirname "$0")/.."
packages="asam-qc-opendrive==1.0.0 asam-qc-openscenarioxml==1.0.0"
folder=.venv/checkers
[ "$(cat $folder/.installed 2>/dev/null || true)" = "$packages" ] && exit 0
rm -rf "$folder"
# shellcheck disable=SC2086
if .venv/bin/python -m venv "$folder" &&
    timeout 300 "$folder/bin/python" -m pip install --quiet --disable-pip-version-check $packages; then
    printf '%s' "$packages" >"$folder/.installed"
    printf 'checkers: ready in %s\n' "$folder"
else
    rm -rf "$folder"
    printf 'checkers: not installed (is there a package index?); the tests that need them will skip\n' >&2
fi
