#!/usr/bin/env bash
# Installs what is missing, builds everything, runs the tests. Arguments go to ctest: ./test.sh -R ops
source "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

SECONDS=0
configure test build
build build
built=$SECONDS

status=0
ctest --test-dir build --output-on-failure --no-tests=error -j2 "$@" || status=$?
sed -n -e 's/^-- consumer: main.cpp/consumer: main.cpp/p' -e '/^skipped: /p' build/Testing/Temporary/LastTest.log 2>/dev/null || true
echo "build $built s, tests $((SECONDS - built)) s"
exit "$status"
