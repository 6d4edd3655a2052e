#!/usr/bin/env bash
# Make this machine ready: system packages, a virtual environment in .venv, the project installed into it.
# Usage: tools/setup.sh [EXTRAS]     e.g. tools/setup.sh dev
# Does nothing the second time unless pyproject.toml has changed. Exits non-zero with one clear line on failure.
set -euo pipefail
cd "$(dirname "$0")/.."
extras="${1:-}"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- system packages -------------------------------------------------------------------------------------
# Open3D needs libEGL and libusb to import; Panda3D needs libEGL and libGL (they bring Mesa's software renderer).
missing_libraries() {
  local known
  known="$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)"
  for library in libEGL.so.1:libegl1 libGL.so.1:libgl1 libusb-1.0.so.0:libusb-1.0-0; do
    grep -q "${library%%:*}" <<<"$known" || printf '%s ' "${library##*:}"
  done
}

install_packages() { # package names
  local sudo=""
  if ! command -v apt-get >/dev/null; then
    fail "please install these system packages (Debian names), then run this again: $*"
  fi
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo"; else
      fail "please run: sudo apt-get install --no-install-recommends $*"
    fi
  fi
  say "installing system packages: $*"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq >/dev/null 2>&1 || true # a stale list may still be good enough; install decides
  # shellcheck disable=SC2086
  $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null || fail "apt-get install $* failed"
}

if [ "$(uname -s)" = Linux ]; then
  packages="$(missing_libraries)"
  # shellcheck disable=SC2086
  [ -z "$packages" ] || install_packages $packages
fi

# --- Python ------------------------------------------------------------------------------------------------
usable() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; }
find_python() {
  for candidate in "${PYTHON:-}" python3 python3.12 python3.11 python3.10 python; do
    if [ -n "$candidate" ] && usable "$candidate"; then printf '%s' "$candidate"; return; fi
  done
}

if [ ! -x .venv/bin/python ] || ! usable .venv/bin/python; then
  python="$(find_python)"
  [ -n "$python" ] || fail "needs Python 3.10, 3.11 or 3.12 (the carla wheel exists for no other); set PYTHON=/path/to/python"
  if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    version="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    install_packages "$version"
  fi
  say "creating .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
fi

# --- packages ----------------------------------------------------------------------------------------------
stamp=".venv/.installed-${extras:-base}"
wanted="$(cat pyproject.toml <(printf '%s' "$extras") | sha256sum)"
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  target="."
  [ -z "$extras" ] || target=".[$extras]"
  say "installing $target (about 1.3 GB the first time, 2.5 GB with learning; a few minutes)"
  # torch first and by its exact version: resolved together with packages that want "any torch", pip may pick a build
  # of several GB.
  torch="$(sed -n 's/^ *"\(torch==[0-9.]*\)",$/\1/p' pyproject.toml)"
  case ",$extras," in *,learning,*)
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$torch" ||
      fail "pip could not install $torch; the message above says why" ;;
  esac
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable "$target" ||
    fail "pip could not install the packages; the message above says which"
  printf '%s' "$wanted" >"$stamp"
fi
say "ready: $(.venv/bin/python --version) in .venv"
