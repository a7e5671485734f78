#!/usr/bin/env python3
"""Measures a trained bundled model whole and writes DIR/results.json, from which card.py makes its card and bars.py says which bars it clears.

    results.py RUN --out DIR [--floor FOLDER | --floor-steps N] [--limit N]

RUN is the folder that `t5gist train` wrote. The floor of *recovered* is a checkpoint of its own: RUN trained on for --floor-steps steps, on examples of the whole corpus, in which it sees the input
alone (DIR/neg_control), or FOLDER. Then `t5gist eval` asks every split under full, pos_control, gist, words and neg_control in f32, and under full, pos_control, gist-1 and gist-4 in int8; DIR/mini.md is its report, DIR/mini-answers.jsonl has the answers. What is there already is not run again."""
import argparse
import glob
import os
import time

import common

CONDITIONS = ["full", "pos_control", "gist", "words", "neg_control"]
SHOWN = ["full", "pos_control", "gist-1", "gist-4", "neg_control"]


def floor_of(options):
    if options.floor:
        return options.floor
    out = os.path.join(options.out, "neg_control")
    recipe = {key: value for key, value in common.recipe_of(options.run).items() if not key.startswith("loss.")}
    common.say(f"neg_control: {options.floor_steps} steps")
    common.train(options.program, {**common.from_folder(recipe, options.run), **common.only(neg_control=1), "out": out, "data.train": os.path.join(options.corpus, "train.jsonl"),
                                   "data.cache": os.path.join(options.run, "run/data"), "data.shuffle": True, "steps": options.floor_steps, "schedule": "linear", "warmup": options.floor_steps // 20,
                                   "save_every": 500, "keep": 1})
    return out


def evaluate(options, name, floor, **changes):
    """A table of `t5gist eval`; its report."""
    path = os.path.join(options.out, name + ".json")
    if os.path.exists(path):
        return common.read(path)
    common.say(f"table: {name}")
    config = {"name": name, "title": "The bundled model", "model": options.run, "model_of": [f"neg_control={floor}"], "data": [os.path.join(options.corpus, s + ".jsonl") for s in common.SPLITS],
              "conditions": CONDITIONS, "gists": [1, 2, 4, 8], "limit": options.limit, "max_new_tokens": 48, **changes}
    return common.evaluate(options.program, config, options.out)


def answers_of(options, name):
    """Right or wrong, by condition and (split, line)."""
    right = {}
    for a in common.read_lines(os.path.join(options.out, name + "-answers.jsonl")):
        right.setdefault(a["condition"], {})[a["split"], a["number"]] = bool(a["exact_match"])
    return right


def by_family(options, right):
    """Exact match of each family, those with a second operation together: {"family": {"split": ..., "examples": n, "gist-1": percent ...}}."""
    family, splits = {}, {}
    for split in common.SPLITS:
        for number, example in enumerate(common.read_lines(os.path.join(options.corpus, split + ".jsonl")), 1):
            name, *chained = example["family"].split("+")
            family[split, number] = name = "with a second operation" if chained else name
            splits.setdefault(name, split)
    found = {}
    for condition in SHOWN:
        for example, is_right in right[condition].items():
            if example[0] != "human":
                found.setdefault(family[example], {}).setdefault(condition, []).append(is_right)
    return {name: {"split": splits[name], "examples": len(cells["full"]), **{c: 100 * sum(cells[c]) / len(cells[c]) for c in SHOWN}} for name, cells in sorted(found.items())}


def int8_of(options, right):
    """What int8 changes: by condition and split exact match in f32 and int8, and the interval of the difference over the same examples."""
    compared = {}
    for condition, cells in answers_of(options, "int8").items():
        for split in common.SPLITS + ["all"]:
            pairs = [(right[condition][example], now) for example, now in cells.items() if split in ("all", example[0])]
            worse, better, n = pairs.count((True, False)), pairs.count((False, True)), len(pairs)
            difference = (better - worse) / n
            compared.setdefault(condition, {})[split] = {"examples": n, "f32": 100 * sum(a for a, _ in pairs) / n, "int8": 100 * sum(b for _, b in pairs) / n, "difference": 100 * difference,
                                                         "half_width": 196 * max(0, (worse + better) / n - difference ** 2) ** 0.5 / n ** 0.5}
    return compared


def prompts_of(options):
    prompts = common.read_lines(os.path.join(os.path.dirname(os.path.abspath(__file__)), "prompts.jsonl"))
    answers = {}
    for name, how in {"full": {"condition": "full"}, "gist-1": {"gists": 1}, "gist-4": {"gists": 4}}.items():
        answers[name] = common.ask(options.program, options.run, [{"task": p["task"], "input": p["input"], "max_new_tokens": 48, **how} for p in prompts])
    return [{**p, **{name: texts[i] for name, texts in answers.items()}} for i, p in enumerate(prompts)]


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def training_of(options):
    """Steps and their time; and from the first file to the last, with tokenising and evaluations, where the folder was not copied since."""
    first = [os.path.join(options.run, "run/recipe.json"), *glob.glob(os.path.join(options.run, "run/start/*"))]
    times = min(map(os.path.getmtime, first)), os.path.getmtime(os.path.join(options.run, "run/log.jsonl"))
    return {**common.steps_of(options.run), "whole_seconds": round(times[1] - times[0], 1), "ended": time.strftime("%Y-%m-%d", time.gmtime(times[1])), "recipe": common.recipe_of(options.run)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--out", required=True)
    parser.add_argument("--corpus", default=common.CORPUS, help="folder of the splits and of train.jsonl")
    parser.add_argument("--floor", help="a neg_control checkpoint that is there already")
    parser.add_argument("--floor-steps", type=int, default=5000)
    parser.add_argument("--limit", type=int, default=0, help="examples of each split; 0: all")
    parser.add_argument("--program", default=common.PROGRAM)
    options = parser.parse_args()
    floor = floor_of(options)
    table = evaluate(options, "mini", floor)
    evaluate(options, "int8", floor, dtype="int8", conditions=["full", "pos_control", "gist"], gists=[1, 4], resamples=1)
    right = answers_of(options, "mini")
    for row in table["rows"]:
        del row["exact_match_by_family"]  # by_family has it without hundreds of combinations
    for model in table["models"]:
        model["dir"] = os.path.basename(os.path.abspath(model["dir"]))
    del table["command"], table["data"]  # folders of this machine
    files = [os.path.join(options.run, name) for name in os.listdir(options.run)]
    common.write(os.path.join(options.out, "results.json"), {
        "config": common.read(os.path.join(options.run, "config.json")), "bytes": sum(os.path.getsize(file) for file in files if os.path.isfile(file)),
        "train_examples": count_lines(os.path.join(options.corpus, "train.jsonl")), "training": training_of(options), "floor": common.steps_of(floor), "table": table,
        "families": by_family(options, right), "int8": int8_of(options, right), "prompts": prompts_of(options)})


if __name__ == "__main__":
    main()
