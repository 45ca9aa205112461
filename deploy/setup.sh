#!/usr/bin/env bash
# Makes this checkout ready to run or to test: a virtual environment with the pinned packages, and the Debian
# packages beside it. Called by `make`; does nothing, at once, when all is there already.
#
#   deploy/setup.sh run     what the services and the gateway need
#   deploy/setup.sh test    that, and what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

stage=${1:-run}
venv=${VENV:-.venv}
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}   # Debian asks it before a package starts its daemon

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

case $stage in run | test) ;; *) fail "unknown stage '$stage': run or test" ;; esac

# --- Debian packages ---------------------------------------------------------------------------------

may_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

restore_policy() {
  as_root rm -f "$policy"
  if as_root test -e "$policy.before-setup"; then as_root mv "$policy.before-setup" "$policy"; fi
}

# Installs packages without letting any of them start a daemon, neither now nor at the next boot.
apt_install() {
  say "installing Debian packages: $*"
  if as_root test -e "$policy"; then as_root mv "$policy" "$policy.before-setup"; fi
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
  as_root "${apt[@]}" update || say "apt-get update failed; going on with the package lists that are there"
  as_root "${apt[@]}" install --no-install-recommends "$@" || fail "apt-get install $* failed"
  if command -v systemctl >/dev/null; then
    local package
    for package in "$@"; do
      case $package in
        nginx) as_root systemctl disable nginx >/dev/null 2>&1 || true ;;
        mariadb-server) as_root systemctl disable mariadb >/dev/null 2>&1 || true ;;
        redis-server | prometheus) as_root systemctl disable "$package" >/dev/null 2>&1 || true ;;
        openssh-server) as_root systemctl disable ssh >/dev/null 2>&1 || true ;;
      esac
    done
  fi
  restore_policy
  trap - EXIT INT TERM HUP
}

need_packages() {
  if may_install; then apt_install "$@"; else
    fail "missing Debian packages; please run: sudo apt-get install --no-install-recommends $*"
  fi
}

# Each line of a list: package, and the file (or a program of that name) by which it is known to be there.
missing_packages() {
  local package mark rest
  cat "$@" | while read -r package mark rest; do
    case $package in '' | '#'*) continue ;; esac
    [ -e "$mark" ] || command -v "$(basename "$mark")" >/dev/null || echo "$package"
  done
}

debian_packages() {
  local lists=(requirements/debian-run.txt) missing
  if [ "$stage" = test ]; then lists+=(requirements/debian-test.txt); fi
  mapfile -t missing < <(missing_packages "${lists[@]}")
  if [ ${#missing[@]} -gt 0 ]; then need_packages "${missing[@]}"; fi
}

# --- Python ------------------------------------------------------------------------------------------

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in python3.11 python3; do
    if command -v "$name" >/dev/null && new_enough "$name"; then command -v "$name"; return; fi
  done
  return 1
}

# Debian splits `ensurepip` off into python3-venv. An environment is little more than a link and a line of
# text, so without it we make one by hand and let the system's pip fill it.
venv_without_ensurepip() {
  local python=$1
  "$python" -m pip --version >/dev/null 2>&1 || return 1
  rm -rf "$venv"
  if ! "$python" -m venv --without-pip "$venv" 2>/dev/null; then
    rm -rf "$venv"
    mkdir -p "$venv/bin"
    ln -s "$("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$venv/bin/python"
    "$python" -c 'import os, sys
print("home =", os.path.dirname(os.path.realpath(sys.executable)))
print("include-system-site-packages = false")
print("version = %d.%d.%d" % sys.version_info[:3])' >"$venv/pyvenv.cfg"
  fi
  "$python" -m pip --python "$venv/bin/python" install --quiet pip
}

virtual_environment() {
  if new_enough "$venv/bin/python" && "$venv/bin/python" -c 'import pip' 2>/dev/null; then return; fi
  local python
  python=$(find_python) || fail "Python 3.11 or newer is missing; please run: sudo apt-get install python3 python3-venv"
  say "making the virtual environment $venv with $python"
  rm -rf "$venv"
  if "$python" -m venv "$venv" >/dev/null 2>&1 || venv_without_ensurepip "$python"; then return; fi
  rm -rf "$venv"
  need_packages python3-venv
  "$python" -m venv "$venv" || fail "cannot make a virtual environment with $python"
}

# Installs one lock file, unless its hash says that this very file is installed. The file names every package,
# so nothing is left to resolve: Debian's pip (23.0) takes `coverage[toml]` for another package than the pinned
# `coverage`, and stops as soon as a newer one has come out.
python_packages() {
  local name=$1 lock=requirements/$1.txt stamp=$venv/.installed-$1 hash
  hash=$(sha256sum <"$lock")
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$hash" ]; then return; fi
  say "installing $(grep -c '==' "$lock") Python packages of $lock"
  : >"$venv/setup.log"
  # Two halves at the same time: most of it is unpacking, and a pip does that on one core. So it is with
  # compiling, which comes afterwards for all.
  : >"$venv/.half-0" && : >"$venv/.half-1"
  awk -v half="$venv/.half-" '/^[^ #]/ {count++} {print > (half count % 2)}' "$lock"
  local half pips=()
  for half in 0 1; do
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --no-compile \
      --require-hashes -r "$venv/.half-$half" >>"$venv/setup.log" 2>&1 &
    pips+=($!)
  done
  trap 'kill "${pips[@]}" 2>/dev/null; exit 130' INT TERM HUP
  # One dot for each package that pip has come to.
  tail -n +1 -f --pid="${pips[1]}" "$venv/setup.log" |
    awk '/^(Collecting|Requirement already)/ {printf "."; fflush()} END {print ""}'
  for half in 0 1; do
    if ! wait "${pips[half]}"; then
      wait
      cat "$venv/setup.log" >&2
      fail "pip could not install $lock (its messages are above)"
    fi
  done
  rm -f "$venv"/.half-[01]
  # some packages bring files that are for another Python
  "$venv/bin/python" -m compileall -qq -j 0 "$venv"/lib/python*/site-packages || true
  trap - INT TERM HUP
  printf '%s\n' "$hash" >"$stamp"
}

# Two at once would fill the same environment.
mkdir -p .cache
exec 9>.cache/setup.lock
flock -n 9 || { say "waiting for another setup to finish"; flock 9; }

debian_packages
virtual_environment
python_packages run
if [ "$stage" = test ]; then python_packages test; fi
