# Sourced by run.sh, test.sh and .ci/run; run by itself it only installs packages.
# Everything here is quiet when there is nothing to do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C.UTF-8

fail() { echo "$1" >&2; exit "${2:-1}"; }

# ---- packages ----------------------------------------------------------------------------------

missing_packages() {
  # An unknown package is one line on stderr; what is not listed as installed is missing.
  comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# install_packages NAME...: those that are missing.
install_packages() {
  command -v dpkg-query >/dev/null || return 0 # not Debian: CMake says what it does not find
  local missing sudo=()
  missing=$(missing_packages "$@" | paste -sd' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    # sudo counts if it needs no password, or if somebody sits there to type it.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ]; }; }; then
      sudo=(sudo)
    else
      fail "Packages are missing. As root: apt-get update && apt-get install -y --no-install-recommends $missing" 2
    fi
  fi
  echo "installing $missing"
  local log apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
  log=$(mktemp)
  # A broken third-party source must not stop us: only a failed installation does.
  # shellcheck disable=SC2086
  "${apt[@]}" update >"$log" 2>&1 || true
  # shellcheck disable=SC2086
  if ! "${apt[@]}" install -y --no-install-recommends $missing >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get install failed: $missing"
  fi
  rm -f "$log"
}

# ---- configure and build -----------------------------------------------------------------------

# configure PRESET DIR: only when the folder is new, was made for another place, or presets changed.
# A changed CMakeLists.txt is noticed by the build itself.
configure() {
  local preset=$1 dir=$2 fresh=() log
  if [ -f "$dir/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$dir/CMakeCache.txt"; then
    fresh=(--fresh)
  elif [ -f "$dir/build.ninja" ] && [ ! CMakePresets.json -nt "$dir/build.ninja" ]; then
    return 0
  fi
  echo "configuring $dir"
  mkdir -p "$dir"
  log=$dir/configure.log
  cmake "${fresh[@]}" --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; fail "the configuration of $dir failed"; }
}

# As many compilers as processors, but 1.5 GB of memory for each.
parallel_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo 2>/dev/null)
  [ -n "$memory" ] && [ "$memory" -lt "$processors" ] && processors=$((memory > 0 ? memory : 1))
  echo "$processors"
}

# Shows where the build stands: in place on a terminal, every quarter elsewhere.
progress() {
  local line done total quarter=0
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    done=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
    if [ -t 1 ]; then
      printf '\r  %s/%s ' "$done" "$total"
    elif [ "$total" -ge 8 ] && [ $((4 * done / total)) -gt "$quarter" ]; then
      quarter=$((4 * done / total))
      echo "  $done/$total"
    fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

# build DIR [TARGET...]: output goes to DIR/build.log and comes out only if something is wrong.
build() {
  local dir=$1 log=$1/build.log
  shift
  if ! NINJA_STATUS='[%f/%t] ' cmake --build "$dir" -j "$(parallel_jobs)" ${1:+--target "$@"} 2>&1 | tee "$log" | progress; then
    # From the first failure on, without the compilers' command lines.
    { grep -q '^FAILED' "$log" && sed -n '/^FAILED/,$p' "$log" || cat "$log"; } |
      grep -vF -e ' -E env ' | sed -n 1,100p >&2
    fail "the build in $dir failed; all of it is in $log"
  fi
  if grep -q 'warning:' "$log"; then
    echo "warnings (all of them in $log):"
    grep 'warning:' "$log" | sort -u | head -n 20
  fi
}

# shellcheck disable=SC2046
install_packages $(sed 's/#.*//' packages.txt)
