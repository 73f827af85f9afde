#!/usr/bin/env bash
# One table of unroll beside PyTorch, oneDNN and the GEMM floor, all measured here and now: each workload
# by all of them in turn, several times over, so that a busy moment meets everybody; with more threads
# than one, unroll by one of them too.
#   tests/bench/compare.sh [--only W1,W4] [--passes N] [--threads N] [--build DIR]
# One thread is pinned to processor $PIN_CORE (0). --build takes another build folder, say of a library
# with other options; it must have been configured. Every line measured is kept in DIR/compare.jsonl.
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/setup.sh"

only="" passes=3 threads=1 build=build
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=${2:?} ;;
    --passes) passes=${2:?} ;;
    --threads) threads=${2:?} ;;
    --build) build=${2:?} ;;
    *) fail "compare.sh: there is no option $1; expected --only, --passes, --threads or --build" 2 ;;
  esac
  shift 2
done
if [ "$threads" = 1 ]; then all=W1,W2,W3,W4,W5,W6,W7,W8,W9; else all=W1,W2,W5,W9; fi # those that shard
only=${only:-$all}

# ---- what is needed ------------------------------------------------------------------------------

needed=(libdnnl-dev libopenblas-dev libxsmm-dev python3-torch)
mapfile -t missing < <(for p in "${needed[@]}"; do dpkg -s "$p" >/dev/null 2>&1 || echo "$p"; done)
[ ${#missing[@]} = 0 ] || fail "Packages are missing. As root: apt-get install -y --no-install-recommends ${missing[*]}" 2

[ "$build" != build ] || configure release build
build "$build" bench
peers=tests/bench/peers
# peer NAME LIBRARY...: builds a harness, if it is older than its source.
peer() {
  local name=$1 source=$peers/$1.cpp
  shift
  if [ ! "$build/peers/$name" -nt "$source" ] || [ ! "$build/peers/$name" -nt $peers/peer.hpp ]; then
    mkdir -p "$build/peers"
    c++ -std=c++20 -O3 -march=native "$source" -o "$build/peers/$name" "$@"
  fi
}
peer onednn -ldnnl
peer gemm -ldnnl -l:libxsmm.a -lopenblas -lpthread -ldl

# ---- measuring -----------------------------------------------------------------------------------

export OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=passive
# PyTorch's OpenBLAS too has the kernels that unroll has it choose, not those that it falls back to.
export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE-$("$build/tests/bench" --kernels)}
pin=()
if [ "$threads" = 1 ] && command -v taskset >/dev/null; then pin=(taskset -c "${PIN_CORE:-0}"); fi

lines=$build/compare.jsonl
: >"$lines"
for ((pass = 1; pass <= passes; ++pass)); do
  for workload in ${only//,/ }; do
    echo "pass $pass/$passes $workload" >&2
    "${pin[@]}" "$build/tests/bench" --only "$workload" --threads "$threads" --json >>"$lines"
    if [ "$threads" != 1 ]; then
      "$build/tests/bench" --only "$workload" --threads 1 --json | sed 's/"unroll"/"unroll, one thread"/' >>"$lines"
      # What the machine has to give: as many processes, which have nothing to do with each other.
      for ((k = 0; k < threads; ++k)); do
        "$build/tests/bench" --only "$workload" --threads 1 --json >"$build/at-once.$k" &
      done
      wait
      cat "$build"/at-once.* | sed 's/"unroll"/"unroll, at once"/' >>"$lines"
      rm "$build"/at-once.*
    fi
    "${pin[@]}" /usr/bin/python3 $peers/pytorch.py --only "$workload" --threads "$threads" >>"$lines"
    "${pin[@]}" "$build/peers/onednn" "$threads" "$workload" >>"$lines"
    "${pin[@]}" "$build/peers/gemm" "$threads" "$workload" >>"$lines" 2>>"$build/compare-gemm.log"
  done
done
/usr/bin/python3 $peers/table.py "$lines"
