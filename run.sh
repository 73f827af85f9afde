#!/usr/bin/env bash
# Installs what is missing, builds Release, and runs the main job on data embedded in the programs.
source "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

programs=(namaskar language_modeling)
configure release build
build build "${programs[@]}"

# ---- the main job: the precise calls stand here and nowhere else -------------------------------
build/tasks/namaskar
build/tasks/language_modeling train --quick
