#!/usr/bin/env bash
# Installs what is missing, builds Release, and runs the main job on data embedded in the programs.
source "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

programs=(namaskar language_modeling)
configure release build
build build "${programs[@]}"

# ---- the main job: the precise calls stand here and nowhere else -------------------------------
model=build/harbour_year.safetensors
build/tasks/language_modeling train --save "$model" --batch 8 --epochs 30
echo
build/tasks/namaskar
echo
build/tasks/language_modeling generate --model "$model" --length 400 --temperature 0.6
