#!/usr/bin/env bash
# Installs what is missing, builds Release, and runs the main job on data embedded in the programs.
source "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

programs=(namaskar language_modeling sentiment_rating)
configure release build
build build "${programs[@]}"

# ---- the main job: the precise calls stand here and nowhere else -------------------------------
model=build/harbour_year.safetensors
build/tasks/language_modeling train --save "$model" --batch 8 --epochs 30
echo
build/tasks/namaskar
echo
build/tasks/language_modeling generate --model "$model" --length 400 --temperature 0.6

reviews=build/reviews.safetensors
echo
build/tasks/sentiment_rating train --model mlp-bow --batch 8 --epochs 30 --min-freq 2 --save "$reviews"
build/tasks/sentiment_rating evaluate --model "$reviews"
build/tasks/sentiment_rating predict "A quiet, funny film, beautifully acted." --model "$reviews"
build/tasks/sentiment_rating predict "Boring and badly acted, a waste of time." --model "$reviews"
