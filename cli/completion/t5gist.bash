# bash completion for t5gist(1)

_t5gist() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} options
  local common='--model --config --threads --dtype --check-numerics --quiet --verbose --help --version'
  local keep='--store --no-store --store-budget --store-salt --store-read-only'
  local prompt='--task --task-file --gists --input --input-file --condition'
  local ask="$prompt --gist --raw --input-lines --batch --max-new-tokens --min-new-tokens --beams --n-best --length-penalty --early-stopping --temperature
    --top-k --top-p --seed --repetition-penalty --no-repeat-ngram-size --stop --max-input-tokens --top-logprobs --draft --wo-dtype --json $keep"
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W 'encode generate score inspect convert verify store info bench eval train help --help --version' -- "$word"))
    return
  fi
  case $before in
    --condition) COMPREPLY=($(compgen -W 'gist pos_control neg_control prefix full' -- "$word")); return ;;
    --dtype) COMPREPLY=($(compgen -W 'auto f32 bf16 int8 int4' -- "$word")); return ;;
    --wo-dtype) COMPREPLY=($(compgen -W 'auto f32 bf16 int8 int8x16 int4' -- "$word")); return ;;
    --rounding) COMPREPLY=($(compgen -W 'auto nearest search calibrated' -- "$word")); return ;;
    --draft) COMPREPLY=($(compgen -W 'none lookup recycle' -- "$word")); return ;;
    --payload) COMPREPLY=($(compgen -W 'f32 bf16' -- "$word")); return ;;
    --model | --store) compopt -o dirnames; COMPREPLY=(); return ;;
    --task | --input | --target | --stop | --gists | --beams | --n-best | --seed | --threads | --temperature | --top-k | --top-p | --top-logprobs | \
      --max-new-tokens | --min-new-tokens | --max-input-tokens | --length-penalty | --repetition-penalty | --no-repeat-ngram-size | --store-budget | --store-salt) COMPREPLY=(); return ;;
    --task-file | --input-file | --input-lines | --batch | --gist | --config | --output | -o | --svg | --data | --answers | --texts | --calibration) compopt -o default; COMPREPLY=(); return ;;
  esac
  case $command in
    encode) options="--task --task-file --gists --output --payload --cross --wo-dtype --json $keep $common" ;;
    store)
      ((COMP_CWORD == 2)) && { COMPREPLY=($(compgen -W 'ls rm pin unpin gc verify export import' -- "$word")); return; }
      options="--store --store-budget --store-salt --store-read-only --all --json $common" ;;
    generate) options="$ask --stream $common" ;;
    score) options="$ask --target $common" ;;
    inspect) options="$prompt --mask --svg --wo-dtype $common" ;;
    convert) options="--wo-dtype --rounding --texts --calibration --accept-drift $common" ;;
    info) options="--wo-dtype --json $common" ;;
    bench) options="--output $common" ;;
    eval) options="--data --limit --answers --gists --max-new-tokens --seed --output --json $common" ;;
    train) options="--resume --overwrite --output $common" ;;
    help) COMPREPLY=($(compgen -W 'encode generate score inspect convert verify store info bench eval train help' -- "$word")); return ;;
    *) options=$common ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    compopt -o default
    COMPREPLY=()
  fi
}
complete -F _t5gist t5gist
