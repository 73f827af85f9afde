#!/usr/bin/env bash
# Installs what is missing, builds Release, and runs the main job on data embedded in the programs;
# at the end the networks that come with them are measured on the built-in test rows.
source "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

programs=(language_modeling namaskar pos_tagging sentiment_rating)
configure release build
build build "${programs[@]}"
SECONDS=0

# ---- the main job: the precise calls stand here and nowhere else -------------------------------
model=build/reviews.safetensors
build/tasks/sentiment_rating train --model mlp-bow --batch 8 --epochs 30 --min-freq 2 --save "$model"
build/tasks/sentiment_rating evaluate --model "$model"
build/tasks/sentiment_rating predict "A quiet, funny film, beautifully acted." --model "$model"
build/tasks/sentiment_rating predict "Boring and badly acted, a waste of time." --model "$model"

model=build/tagger.safetensors
echo
build/tasks/pos_tagging train --model bilstm --batch 8 --epochs 20 --save "$model"
build/tasks/pos_tagging evaluate --model "$model"
build/tasks/pos_tagging tag "The old boat turned slowly in the wind." --model "$model"

model=build/harbour_year.safetensors
echo
build/tasks/language_modeling train --save "$model" --batch 8 --epochs 30

build/tasks/language_modeling generate --model "$model" --length 400 --temperature 0.6

# ---- the shortest of all -----------------------------------------------------------------------
echo
build/tasks/namaskar

# ---- networks that come with the programs, trained on more (tasks/pretrained) ------------------
echo
build/tasks/sentiment_rating evaluate --model pretrained
build/tasks/sentiment_rating predict "I expected little and was moved to tears." --model pretrained
echo
build/tasks/pos_tagging evaluate --model pretrained
build/tasks/pos_tagging tag "Time flies like an arrow." --model pretrained
echo
build/tasks/language_modeling evaluate --model pretrained
build/tasks/language_modeling score --model pretrained
build/tasks/language_modeling generate --model pretrained --prompt "The old elephant" --temperature 0.7
echo
# Shakespeare's plays hold every character of the built-in text but the quotation mark.
tr -d '"' <tasks/data/harbour_year.txt >build/harbour_year.txt
build/tasks/language_modeling evaluate build/harbour_year.txt --model pretrained:characters
build/tasks/language_modeling generate --model pretrained:characters --prompt "ROMEO:" --length 200
echo
echo "all of this took $SECONDS s"
