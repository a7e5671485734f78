#!/usr/bin/env python3
"""What each loss and each trick adds: short branches from one trunk, all of the same length, each with two seeds, asked the same examples.

    ladder.py RUN --out DIR [--steps 1900] [--seeds 1 2] [--only NAME ...]

RUN: the folder of a trained bundled model: its recipe, its vocabulary and its tokenised examples are taken. The trunk is a model of the same shape that has
learned the plain prompt and no gist (--trunk-steps), or a folder (--trunk). A branch starts from the trunk's weights and trains cross-entropy alone through 1, 2, 4 or 8
repeated gist tokens (`base`), or that with one thing changed. `neg_control` (neither instruction nor gist) is the floor and `pos_control` the ceiling of
    recovered = (gist - neg_control) / (pos_control - neg_control)
in exact match, on the same seed. Every branch leaves DIR/NAME-SEED.json at once; those that are there are not run again. DIR/ladder.md is the table; DIR/NAME-SEED.log says how the training went."""
import argparse
import collections
import glob
import json
import os
import shutil

import common

GISTS = [1, 2, 4, 8]
SPLITS = ["seen", "unseen_values", "unseen_paraphrases", "unseen_combos"]
UNSEEN = SPLITS[1:]

# What a branch changes of base, and how the table calls it. A value that can be called takes the options and the base recipe.
VARIANTS = {
    "neg_control": (common.only(neg_control=1), "the floor: neither instruction nor gist"),
    "pos_control": (common.only(pos_control=1), "the ceiling: instruction and gist, nothing masked"),
    "base": ({}, "cross-entropy alone, one row repeated, k drawn from 1, 2, 4, 8"),
    "distinct": ({"distinct_gists": 8}, "a row of its own for each gist token"),
    "kl": ({"teacher": "start", "loss.kl_forward": 1.0}, "+ KL to the trunk that sees the full prompt"),
    "teacher_outputs": (lambda options, base: {"data.train": teacher_outputs(options, base)}, "the trunk's answers to the full prompt as targets"),
    "match": ({"teacher": "start", "loss.match": 0.1}, "+ distance of cross-attention to the trunk's, 0.1"),
    "rebuild": ({"loss.rebuild": 1.0, "loss.rebuild_share": 0.2, "loss.rebuild_until": 0.8}, "+ saying the instruction from its gist, a fifth of the examples"),
    "copy": ({"loss.copy": 1.0, "loss.copy_share": 0.2}, "+ saying the input again, a fifth of the examples"),
    "fixed_k": ({"gists": [4]}, "k always 4"),
    "gist_factor": ({"gist_factor": 10.0}, "gist rows learn ten times as fast"),
    "mixed": (common.only(gist=0.5, pos_control=0.25, full=0.25), "half of the examples with a gist, the others with the plain prompt"),
    "recipe": (lambda options, base: {k: v for k, v in common.recipe_of(options.run).items() if k.startswith(("conditions.", "loss."))}, "conditions and losses of the bundled model"),
    "no_sharing": ({"share_tasks": False, "data.block": 1}, "inputs of one instruction apart, in steps of their own"),
}


def examples_of(options, recipe):
    """As many examples of the corpus as a branch sees, its last ones (the first are of few families): every branch sees the same ones."""
    path = os.path.join(options.out, "examples.jsonl")
    with open(os.path.join(options.corpus, "train.jsonl"), encoding="utf-8") as lines:
        common.write_text(path, "".join(collections.deque(lines, options.steps * recipe["batch_examples"])))
    return path


def base_recipe(options, trunk):
    recipe = common.recipe_of(options.run)
    recipe = {key: value for key, value in recipe.items() if not key.startswith(("loss.", "gist_factor", "distinct_gists", "default_gists", "teacher", "average"))}
    recipe = common.from_folder(recipe, trunk)
    return {**recipe, **common.only(gist=1), "gists": GISTS, "distinct_gists": 0, "data.train": examples_of(options, recipe), "data.cache": os.path.join(options.out, "data"),
            "data.shuffle": True,
            "steps": options.steps, "rate": options.rate, "schedule": "linear", "warmup": min(100, options.steps // 10), "save_every": 0, "keep": 1, "save_dtype": "f32"}


def trunk_of(options):
    """A model of the plain prompt: the run's recipe without gists, at a rate that does not fall."""
    if options.trunk:
        return options.trunk
    out = os.path.join(options.out, "trunk")
    recipe = {key: value for key, value in common.recipe_of(options.run).items() if not key.startswith(("vocab.", "loss.rebuild"))}
    common.say(f"trunk: {options.trunk_steps} steps")
    common.train(options.program, {**recipe, **common.only(pos_control=0.5, full=0.5), "vocab.from": options.run, "out": out, "data.train": os.path.join(options.corpus, "train.jsonl"),
                                   "data.cache": options.cache, "data.shuffle": True, "steps": options.trunk_steps, "schedule": "constant", "save_every": 500, "keep": 1, "save_dtype": "f32", "seed": 1})
    return out


def teacher_outputs(options, base):
    """The examples with the trunk's answers in the place of theirs; an empty answer leaves the example as it is."""
    path = os.path.join(options.out, "teacher_outputs.jsonl")
    if not os.path.exists(path):
        examples = common.read_lines(base["data.train"])
        common.say(f"teacher_outputs: {len(examples)} answers of the trunk")
        answers = []
        for at in range(0, len(examples), 10000):
            requests = [{"task": e["instruction"], "input": e["input"], "condition": "full", "max_new_tokens": base["data.max_target"]} for e in examples[at:at + 10000]]
            answers += common.ask(options.program, base["model"], requests)
        common.write_text(path, "".join(json.dumps({**e, "output": a or e["output"]}, ensure_ascii=False) + "\n" for e, a in zip(examples, answers)))
    return path


def measure(options, name, recipe):
    """Exact match of a branch on every split and k, and example by example as a string of 0 and 1."""
    kind = name if name.endswith("_control") else "gist"
    folder = recipe["out"] + "-eval"
    config = {"name": "eval", "model": recipe["out"], "data": [os.path.join(options.corpus, s + ".jsonl") for s in SPLITS], "conditions": [kind], "limit": options.limit,
              "max_new_tokens": recipe["data.max_target"], "resamples": 1}
    if kind == "gist":
        config["gists"] = recipe["gists"]
    common.evaluate(options.program, config, folder)
    right = {}
    for answer in common.read_lines(os.path.join(folder, "eval-answers.jsonl")):
        cell = right.setdefault(answer["condition"], {}).setdefault(answer["split"], [])
        cell.append("1" if answer["exact_match"] else "0")
    shutil.rmtree(folder)
    return {row: {split: "".join(cell) for split, cell in splits.items()} for row, splits in right.items()}


def branch(options, base, name, seed):
    path = os.path.join(options.out, f"{name}-{seed}.json")
    if os.path.exists(path):
        return
    common.say(f"{name}, seed {seed}")
    changes = VARIANTS[name][0]
    recipe = {**base, **(changes(options, base) if callable(changes) else changes), "out": os.path.join(options.out, f"{name}-{seed}"), "seed": seed}
    common.train(options.program, recipe)
    result = {"name": name, "seed": seed, "changes": {k: v for k, v in recipe.items() if base.get(k) != v and k not in ("out", "seed")}, "trunk": base["model"],
              **common.steps_of(recipe["out"]), "right": measure(options, name, recipe)}
    common.write(path, result)
    for snapshot in glob.glob(os.path.join(recipe["out"], "run/step-*")):
        shutil.rmtree(snapshot)


# ------------------------------------------------------------------------------------------------------------------ table
def share(cells, splits):
    """Exact match in percent, over the examples of several splits."""
    bits = "".join(cells[s] for s in splits)
    return 100 * bits.count("1") / len(bits)


def recovered(results, name, seed, k, splits):
    """In percent; None where a branch is missing."""
    floor, ceiling, this = (results.get((n, seed), {}).get("right") for n in ("neg_control", "pos_control", name))
    if not (floor and ceiling and this and f"gist-{k}" in this):
        return None
    low, high = share(floor["neg_control"], splits), share(ceiling["pos_control"], splits)
    return 100 * (share(this[f"gist-{k}"], splits) - low) / (high - low) if high > low else None


def gain(results, name, seeds, k):
    """Exact match on the unseen splits against base, in points, with a 95 % interval from the examples on which they differ, both seeds together."""
    wins = losses = n = 0
    for seed in seeds:
        this, base = (results.get((x, seed), {}).get("right", {}).get(f"gist-{k}") for x in (name, "base"))
        if not (this and base):
            return "–"
        pairs = [pair for split in UNSEEN for pair in zip(this[split], base[split])]
        wins, losses, n = wins + pairs.count(("1", "0")), losses + pairs.count(("0", "1")), n + len(pairs)
    difference = (wins - losses) / n
    return f"{100 * difference:+.1f} ± {196 * ((wins + losses) / n - difference ** 2) ** 0.5 / n ** 0.5:.1f}"


def mean(values, digits=1):
    """Of the seeds, with their difference."""
    values = [v for v in values if v is not None]
    if not values:
        return "–"
    return f"{sum(values) / len(values):.{digits}f}" + (f" ({max(values) - min(values):.{digits}f})" if len(values) > 1 else "")


def exact(results, name, seeds, k, splits):
    row = name if name.endswith("_control") else f"gist-{k}"
    found = [results[name, seed]["right"].get(row) for seed in seeds if (name, seed) in results]
    return mean([share(cells, splits) for cells in found if cells])


def table(options):
    results = {(r["name"], r["seed"]): r for r in map(common.read, sorted(glob.glob(os.path.join(options.out, "*-*.json")))) if "right" in r}
    names = [name for name in VARIANTS if any((name, seed) in results for seed in options.seeds)]
    one = next(iter(results.values()))
    n = len(next(iter(one["right"].values()))["seen"])
    text = [f"Branches of {one['steps']} steps from one trunk, {n} examples of each split. Mean of the seeds {', '.join(map(str, options.seeds))}, in brackets their difference. *unseen*: "
            f"{', '.join(UNSEEN)} together. *Against base*: points of exact match, with a 95 % interval over the same examples.", ""]
    for k in (1, 4):
        text += [f"k = {k}", "", "| branch | what it is | exact match unseen, % | against base | recovered unseen, % | " + " | ".join(f"recovered {s}, %" for s in SPLITS) + " | minutes |",
                 "|---" * (6 + len(SPLITS)) + "|"]
        for name in names:
            minutes = mean([results[name, s]["seconds"] / 60 for s in options.seeds if (name, s) in results])
            cells = [exact(results, name, options.seeds, k, UNSEEN), gain(results, name, options.seeds, k) if name != "base" else "–"]
            cells += [mean([recovered(results, name, s, k, splits) for s in options.seeds]) for splits in [UNSEEN] + [[s] for s in SPLITS]]
            text.append(f"| {name} | {VARIANTS[name][1]} | {' | '.join(cells)} | {minutes} |")
        text.append("")
    common.write_text(os.path.join(options.out, "ladder.md"), "\n".join(text))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--out", required=True)
    parser.add_argument("--corpus", default=common.CORPUS, help="folder of train.jsonl and the splits")
    parser.add_argument("--cache", help="of tokenised examples (default: the run's)")
    parser.add_argument("--trunk", help="a folder to branch from")
    parser.add_argument("--trunk-steps", type=int, default=6000)
    parser.add_argument("--steps", type=int, default=1900, help="of a branch; 1900 are about five minutes on 2 cores")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--limit", type=int, default=400, help="examples of each split")
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--table", action="store_true", help="write the table of what is there, run nothing")
    parser.add_argument("--program", default=common.PROGRAM)
    options = parser.parse_args()
    options.cache = options.cache or os.path.join(options.run, "run/data")
    if not options.table:
        base = base_recipe(options, trunk_of(options))
        for seed in options.seeds:  # one seed after the other: a ladder that is broken off is a whole one with fewer seeds
            for name in options.only:
                branch(options, base, name, seed)
                table(options)
    table(options)


if __name__ == "__main__":
    main()
