#!/bin/bash
# Compresses a few instructions into one gist token each with the bundled model and answers several inputs with each.
#     examples/demo.sh [PATH/TO/t5gist]
set -euo pipefail
t5gist=${1:-t5gist}
options=(--quiet --no-store --threads 1) # the bundled model is too small for a second thread to pay
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export XDG_CACHE_HOME=$dir/cache # nothing of the demonstration stays behind
bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi

# The number behind a key of the JSON answer in $json.
number() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" <<<"$json"; }

# demo TASK INPUT...: encode the task once, then answer every input from the file.
demo() {
  local task=$1 input json answer
  shift
  json=$("$t5gist" encode --task "$task" --gists 1 -o "$dir/task.gist" --json "${options[@]}")
  printf '\n%s%s%s\n' "$bold" "$task" "$plain"
  printf '  %s tokens -> %s gist token, compressed in %.1f ms, %s bytes on disk\n' "$(number n_task)" "$(number n_gist)" "$(number encode_ms)" "$(wc -c <"$dir/task.gist")"
  for input in "$@"; do
    json=$("$t5gist" generate --gist "$dir/task.gist" --input "$input" --json "${options[@]}")
    answer=$("$t5gist" generate --gist "$dir/task.gist" --input "$input" "${options[@]}")
    printf '  %-56s -> %-40s %6.1f ms\n' "$input" "$answer" "$(number total)"
  done
}

printf 'Each instruction is compressed once. Its gist file then stands for it: every answer below is computed from the file and the input alone.\n'
demo "Route the ticket to billing, shipping or technical." \
  "I was charged twice for order A-4821." "Where is my package?" "The app crashes when I log in."
demo "Return JSON with the keys city and name." \
  "Anna Berg wants the lamps delivered to Oslo." "Please send the chairs to Paul Weber in Lyon." "Maria Lopez lives in Madrid."
demo 'Extract the name and the date, separated by ";".' \
  "The meeting with Nora Klein is on 12 May 2025 at 10:00." "Anna Berg will arrive on 3 June 2024."
demo "Write the date in ISO format." "5 March 2024" "28 February 2023" "9 November 2021"
demo "Classify the review as positive or negative. Answer with one word only." \
  "The hotel was terrible, I want my money back." "The food was excellent and the waiter was friendly."
demo "Translate to German." "house, water" "bread, milk"
printf '\nYour turn:  %s generate --task "Write the number in words." --input 42\n' "$t5gist"
