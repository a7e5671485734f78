"""What the scripts of this folder share: recipes that are made from a run's, and calls of t5gist."""
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build/release/bin/t5gist")
CORPUS = os.path.join(ROOT, "build/corpus")
SPLITS = ["seen", "unseen_values", "unseen_paraphrases", "unseen_combos", "unseen_families", "human"]
CONDITIONS = ["gist", "pos_control", "neg_control", "prefix", "full"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_text(path, text):
    """Whole or not at all."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def write(path, value):
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def say(text):
    print(text, file=sys.stderr, flush=True)


def recipe_of(run):
    """The recipe of a trained folder, key by key ("loss.copy"), without its evaluations and what was left to its default."""
    left_out = ("data.eval", "eval_conditions", "best")
    return {key: value for key, value in read(os.path.join(run, "run/recipe.json")).items() if value not in (None, -1, []) and key not in left_out}


def only(**weights):
    """The keys of a recipe that trains these conditions alone."""
    return {f"conditions.{c}": float(weights.get(c, 0)) for c in CONDITIONS}


def from_folder(recipe, folder):
    """The recipe with a folder in the place of a start from scratch."""
    return {**{key: value for key, value in recipe.items() if not key.startswith(("shape.", "vocab."))}, "model": folder}


def train(program, recipe):
    """Runs a recipe (JSON is YAML) without evaluations unless its folder is whole already; goes on where it was interrupted. Its log stands beside the folder."""
    out = recipe["out"]
    if os.path.exists(os.path.join(out, "config.json")):
        return
    write(out + ".recipe.json", {**recipe, "eval_every": 0, "tensorboard": False})
    go_on = "--resume" if glob.glob(os.path.join(out, "run/step-*/DONE")) else "--overwrite"
    with open(out + ".log", "a", encoding="utf-8") as log:
        done = subprocess.run([program, "train", out + ".recipe.json", go_on], stdout=log, stderr=log)
    if done.returncode:
        raise SystemExit(f"t5gist train {out}.recipe.json failed: see {out}.log")


def steps_of(run):
    """How long a trained folder's steps took, and how many there were."""
    lines = [line for line in read_lines(os.path.join(run, "run/log.jsonl")) if "seconds" in line]
    return {"steps": len(lines), "seconds": round(sum(line["seconds"] for line in lines), 1), "loss": lines[-1]["loss"] if lines else None}


def evaluate(program, config, out):
    """Runs an evaluation (JSON is YAML) into a folder; its report as an object."""
    path = os.path.join(out, config["name"])
    write(path + "-config.json", config)
    done = subprocess.run([program, "eval", path + "-config.json", "-o", out, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"t5gist eval {path}-config.json failed: {done.stderr}")
    return read(path + ".json")


def ask(program, model, requests):
    """Answers to requests of `t5gist generate --batch`, in their order."""
    lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in requests)
    done = subprocess.run([program, "generate", "--batch", "-", "--model", model, "--no-store", "--json", "--quiet"], input=lines, stdout=subprocess.PIPE, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(requests) or any("error" in a for a in answers):
        raise SystemExit(f"t5gist generate --model {model} answered {len(answers)} of {len(requests)} requests")
    return [a["text"] for a in answers]
