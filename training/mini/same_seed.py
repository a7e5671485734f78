#!/usr/bin/env python3
"""Does the same seed give the same weights on this machine? Trains a recipe twice for some steps, from the vocabulary on, and compares the bytes of weights, vocabulary and config.json of the two models; a third time with
another seed, which must differ.

    same_seed.py RECIPE.yaml [--steps 300] [--out DIR]"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess

import common

FILES = ("model.safetensors", "spiece.model", "config.json")


def train(options, text, name, seed):
    """Trains the recipe with these top-level keys replaced; returns the digest of each file."""
    out = os.path.join(options.out, name)
    changes = {"out": out, "steps": options.steps, "seed": seed, "eval_every": 0, "save_every": 0, "tensorboard": "false"}
    for key, value in changes.items():
        text = re.sub(rf"^{key}:.*\n", "", text, flags=re.M) + f"{key}: {value}\n"
    text = re.sub(r"^best:.*\n", "", text, flags=re.M)
    common.write_text(out + ".yaml", text)
    common.say(f"{name}: {options.steps} steps, seed {seed}")
    subprocess.run([options.program, "train", out + ".yaml", "--overwrite", "--quiet"], check=True)
    digests = {}
    for file in FILES:
        with open(os.path.join(out, file), "rb") as content:
            digests[file] = hashlib.sha256(content.read()).hexdigest()
    shutil.rmtree(out)
    return digests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", default=os.path.join(common.ROOT, "build/same-seed"))
    parser.add_argument("--program", default=common.PROGRAM)
    options = parser.parse_args()
    with open(options.recipe, encoding="utf-8") as file:
        text = file.read().rstrip("\n") + "\n"
    first, again, other = train(options, text, "first", 1), train(options, text, "again", 1), train(options, text, "other", 2)
    for file in FILES:
        print(f"{file}: {first[file][:16]} and {again[file][:16]}: {'equal' if first[file] == again[file] else 'DIFFERENT'}")
    differs = first["model.safetensors"] != other["model.safetensors"]
    print(f"model.safetensors with another seed: {other['model.safetensors'][:16]}: {'different, as it must be' if differs else 'EQUAL'}")
    raise SystemExit(0 if first == again and differs else 1)


if __name__ == "__main__":
    main()
