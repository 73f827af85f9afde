#!/usr/bin/env bash
# Fuzzes the readers of CSV, UTF-8, safetensors and .h5, one after another; clang must be there.
#   tests/fuzz/run.sh                  ten minutes each
#   tests/fuzz/run.sh 60 csv h5        these, a minute each
# Inputs that reach new code gather in build-fuzz/corpus, and the next run goes on from them; one
# that is a finding is in build-fuzz/findings, and `build-fuzz/tests/fuzz/fuzz_NAME FILE` repeats it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/setup.sh

seconds=${1:-600}
shift || true
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(csv utf8 safetensors h5)

configure fuzz build-fuzz
build build-fuzz "${names[@]/#/fuzz_}"

# repeat_findings FOLDER: whose each finding of h5 is. It is HDF5's if the innermost function of its
# stack that is in HDF5 or in a source of ours is in HDF5. Fails if one is ours.
repeat_findings() {
  local file log=build-fuzz/repeated.log ours=0
  for file in "$1"/*; do
    [ -f "$file" ] || continue
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0 \
      build-fuzz/tests/fuzz/fuzz_h5 -rss_limit_mb=3000 -timeout=20 "$file" >"$log" 2>&1 && continue
    if awk '/^ *#[0-9]+ / && /libhdf5|[.][ch]pp:/ {print; exit}' "$log" | grep -q libhdf5; then continue; fi
    echo "$file is ours: $(grep -m 1 -E '^violated: |ERROR: ' "$log")"
    ours=1
  done
  return $ours
}

declare -A seeds=(
  [csv]="tests/fuzz/seeds/csv/*" [utf8]="tests/fuzz/seeds/utf8/*"
  [safetensors]="tests/golden/schedule/*" [h5]="tests/golden/keras/*.h5")
failed=0
for name in "${names[@]}"; do
  work=build-fuzz/corpus/$name findings=build-fuzz/findings/$name
  mkdir -p "$work" "$findings"
  # shellcheck disable=SC2086
  cp ${seeds[$name]} "$work"
  options=(-max_total_time="$seconds" -max_len=32768 -rss_limit_mb=3000 -timeout=20
    -artifact_prefix="$findings/" -print_final_stats=1)
  asan=
  if [ "$name" = h5 ]; then
    # On broken files HDF5 asks for absurd sizes and forgets memory; where it crashes, a process
    # ends, but not the search. Whose a finding is, its stack says.
    options+=(-fork=1 -ignore_crashes=1 -ignore_ooms=1 -detect_leaks=0)
    asan=allocator_may_return_null=1:detect_leaks=0
  fi
  echo "$name: $seconds s"
  ASAN_OPTIONS=$asan build-fuzz/tests/fuzz/fuzz_"$name" "${options[@]}" "$work" \
    >"build-fuzz/$name.log" 2>&1 || failed=1
  grep -E 'cov: ' "build-fuzz/$name.log" | tail -n 1
  ls "$findings"
  if [ "$name" = h5 ]; then repeat_findings "$findings" || failed=1; fi
done
exit $failed
