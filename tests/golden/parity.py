"""t5gist against Hugging Face at length: `./dev parity` runs it in an environment that has torch (oracle.py says which).

    venv/bin/python parity.py T5GIST [--quick] [--trained] [--shapes tiny mini small] [--only NAME...] [--model DIR [--prompts FILE.jsonl]]

Models: every variant of synthetic.py, gated-silu and distinct gist rows, at each shape; every storage form of flan (sharded, bf16, f16, and pytorch_model.bin single
and sharded through `t5gist convert`); the bundled model. Requests: the 252 human instructions of tests/data/human.json, with conditions, counts of gists and kinds
of search in rotation. --trained: instead, models that `t5gist train` makes on the spot, from scratch and from a folder, with repeated and with distinct gist rows;
200 of those instructions each as a plain prompt and compressed into 1, 2 or 4 gist tokens, greedy. --model: instead, a folder on disk, asked in the same way those
instructions or the first 200 of --prompts, JSON objects with instruction and input. Fails when anything is beyond the limits of tests/support/tolerance.h; reports the largest deviation of each model.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import torch
from transformers import T5ForConditionalGeneration

import synthetic
from oracle import Oracle

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZER = os.path.join(HERE, "../data/flan-t5")
BUNDLED = os.path.join(HERE, "../../models/mini")
CONDITIONS, GISTS = ("gist", "pos_control", "neg_control", "prefix", "full"), (1, 2, 5, 10)
LIMITS = {"tiny": (2e-4, 1e-3), "mini": (2e-4, 1e-3), "small": (1e-3, 2e-3)}  # log-probability, tie
VARIANTS = ("flan", "t5v1", "tied", "uneven", "wide", "v5config", "silu", "rows")
FORMS = {"sharded": dict(max_shard_size=0.4), "bf16": dict(dtype=torch.bfloat16), "f16": dict(dtype=torch.float16), "bin": dict(safe_serialization=False),
         "bin-sharded": dict(safe_serialization=False, max_shard_size=0.4)}
SEARCHES = [{}, {}, {}, {"beams": 2, "early_stopping": True}, {}, {"beams": 4, "n_best": 4}, {"repetition_penalty": 1.3}, {"no_repeat_ngram_size": 2},
            {}, {"beams": 4, "length_penalty": 0.5, "no_repeat_ngram_size": 3, "early_stopping": True}, {"min_new_tokens": 12}]

# Recipes of --trained: what is said beside the common part.
TRAINED = {"repeated": {"distinct_gists": 0, "scale_q": True}, "distinct": {"distinct_gists": 4, "average": 0.9},
           "from-folder": {"distinct_gists": 4, "optimiser": "adafactor", "teacher": "start", "loss": {"cross_entropy": 1, "kl_forward": 0.1}}}
STEPS = {"tiny": 150, "mini": 60, "small": 20}


def train(folder, shape, name, seed, program):
    """A model of a recipe, trained on the instructions that are asked later; returns its folder."""
    recipe = {"data": {"train": os.path.join(HERE, "../data/human.json")}, "out": folder + "/out", "gists": [1, 2, 4], "conditions": {"gist": 2, "full": 1}, "optimiser": "adamw_scaled",
              "rate": 0.01, "warmup": 10, "steps": STEPS[shape], "batch_examples": 8, "seed": seed, "tensorboard": False, "log": False, **TRAINED[name]}
    if name == "from-folder":
        make(folder + "/model", shape, "flan", seed)
        recipe["model"] = folder + "/model"
    else:
        recipe.update({"shape": {"like": shape}, "vocab": {"from": TOKENIZER}})
    with open(folder + "/recipe.yaml", "w") as file:
        json.dump(recipe, file)  # JSON is YAML
    subprocess.run([program, "train", folder + "/recipe.yaml", "--quiet"], check=True)
    return folder + "/out"


def plain_and_gist(prompts):
    for i, p in enumerate(prompts[:200]):
        for condition in "full", "gist":
            yield {"task": p["instruction"], "input": p["input"], "condition": condition, "gists": (1, 2, 4)[i % 3], "max_new_tokens": 64 if i % 40 == 7 else 16}


def requests(prompts, turn):
    for i, p in enumerate(prompts):
        r = {"task": p["instruction"], "input": p["input"], "condition": CONDITIONS[(i + turn) % 5], "gists": GISTS[(i + turn // 5) % 4],
             "max_new_tokens": 160 if i % 60 == 7 else 16, **SEARCHES[(i + turn) % len(SEARCHES)]}
        yield r
        if i % 6 == 0:
            yield {**{k: r[k] for k in ("task", "input", "condition", "gists")}, "target": p["output"]}


def make(folder, shape, variant, seed):
    vocab = 32110 if variant == "rows" else 32101
    changes = {"silu": {"feed_forward_proj": "gated-silu"}, "rows": {"t5gist": {"gist_token_ids": list(range(32100, 32110))}}}.get(variant, {})
    synthetic.write(folder, shape, "flan" if changes else variant, seed, vocab, TOKENIZER)
    path = os.path.join(folder, "config.json")
    config = json.load(open(path))
    json.dump({**config, **changes}, open(path, "w"))


def make_form(folder, shape, form, seed, program):
    """flan stored in another form, as transformers writes it; .bin goes through t5gist convert. Two folders: theirs, ours."""
    how = dict(FORMS[form])
    make(folder + "/plain", shape, "flan", seed)
    model = T5ForConditionalGeneration.from_pretrained(folder + "/plain", dtype=how.pop("dtype", torch.float32))
    if "max_shard_size" in how:
        how["max_shard_size"] = f"{int(how['max_shard_size'] * sum(p.numel() * p.element_size() for p in model.parameters()) / 1e3)}KB"
    theirs = f"{folder}/{form}"
    model.save_pretrained(theirs, **how)
    shutil.copy(os.path.join(TOKENIZER, "spiece.model"), theirs)
    shutil.rmtree(folder + "/plain")
    if not form.startswith("bin"):
        return theirs, theirs
    subprocess.run([program, "convert", theirs, folder + "/converted", "--quiet"], check=True)
    return theirs, folder + "/converted"


def ours(program, model, asked):
    """Answers of t5gist, generate and score each in one batch, back in the order asked."""
    answers = [None] * len(asked)
    for command, chosen in (("generate", [i for i, r in enumerate(asked) if "target" not in r]), ("score", [i for i, r in enumerate(asked) if "target" in r])):
        lines = "".join(json.dumps(asked[i]) + "\n" for i in chosen)
        done = subprocess.run([program, command, "--batch", "-", "--model", model, "--no-store", "--json", "--quiet"], input=lines, capture_output=True, text=True)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        if len(found) != len(chosen):
            raise SystemExit(f"{model}: t5gist {command} gave {len(found)} answers to {len(chosen)} requests: {done.stderr}")
        for i, a in zip(chosen, found):
            answers[i] = a
    return answers


class Comparison:
    def __init__(self, shape, oracle, exact):
        self.limit, self.tie = LIMITS[shape]
        self.oracle, self.exact = oracle, exact
        self.worst, self.ties, self.failures, self.tokens = 0.0, 0, [], 0

    def near(self, a, b, limit):
        self.worst = max(self.worst, abs(a - b))
        return abs(a - b) <= limit

    def sequence(self, ids, logprobs, ids_ref, logprobs_ref, margins):
        """None when right up to the first tie."""
        for i, (x, y) in enumerate(zip(ids, ids_ref)):
            if x != y:
                if margins and margins[i] < self.tie:
                    self.ties += 1
                    return None
                return f"token {i}: expected {y}, found {x}"
            self.tokens += 1
            if not self.near(logprobs[i], logprobs_ref[i], self.limit):
                return f"log-probability of token {i}: expected {logprobs_ref[i]:.6f}, found {logprobs[i]:.6f}"
        return None if len(ids) == len(ids_ref) else f"expected {len(ids_ref)} tokens, found {len(ids)}"

    def one(self, r, ref, a):
        if "error" in a:
            return a["error"]
        if any(a[k] != ref[k] for k in ("n_task", "n_gist", "n_input")):
            return "another number of tokens"
        if "target" in r:
            return self.sequence(a["target_ids"], a["target_logprobs"], ref["target_ids"], ref["target_logprobs"], None)
        if r.get("beams", 1) > 1:
            n, penalty = len(ref["tokens"]), r.get("length_penalty", 1.0)
            if a["tokens"] != ref["tokens"]:
                if abs(a["sequence_score"] - ref["sequence_score"]) < self.tie or self.exact().answer(r)["tokens"] != ref["tokens"]:
                    self.ties += 1  # equal scores, or a choice that Hugging Face's f64 makes otherwise than its f32
                    return None
                return f"expected {ref['tokens']} ({ref['sequence_score']:.5f}), found {a['tokens']} ({a['sequence_score']:.5f})"
            scores = [ref["sequence_score"], *(o["score"] for o in ref["others"])]
            found = [a["sequence_score"], *(o["score"] for o in a.get("others", []))]
            if len(scores) != len(found) or not all(self.near(x, y, max(self.tie, self.limit * n ** (1 - penalty))) for x, y in zip(found, scores)):
                return f"scores: expected {scores}, found {found}"
        what = self.sequence(a["tokens"], a["logprobs"], ref["tokens"], ref["logprobs"], ref.get("margins"))
        return what or ("the text differs" if a["tokens"] == ref["tokens"] and a["text"] != ref["text"] else None)

    def all(self, asked, answers):
        for r, a in zip(asked, answers):
            what = self.one(r, self.oracle.answer(r), a)
            if what:
                self.failures.append((what, r))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("program")
    ap.add_argument("--quick", action="store_true", help="every 12th instruction")
    ap.add_argument("--trained", action="store_true", help="models trained on the spot")
    ap.add_argument("--shapes", nargs="+", choices=list(LIMITS), help="default: all; with --trained tiny and mini")
    ap.add_argument("--only", nargs="+", help="these variants and forms alone")
    ap.add_argument("--model", help="a folder on disk in the place of all these")
    ap.add_argument("--prompts", help="what --model is asked; default: the 252 human instructions")
    args = ap.parse_args()
    program = os.path.abspath(args.program)
    prompts = json.load(open(os.path.join(HERE, "../data/human.json")))
    if args.prompts:
        with open(args.prompts, encoding="utf-8") as lines:
            prompts = [json.loads(line) for line in lines]
    prompts = prompts[:: 12 if args.quick else 1]
    shapes = args.shapes or (["tiny", "mini"] if args.trained else list(LIMITS))
    jobs = [(s, "trained " + t, None) for s in shapes for t in TRAINED] if args.trained else [("mini", "bundled", None)] + [(s, v, None) for s in shapes for v in VARIANTS] + [(shapes[0], "flan", f) for f in FORMS]
    if args.model:
        jobs = [("mini", "folder", None)]
    failed = 0
    print(f"{'model':24} requests  tokens  largest deviation  ties  failures  seconds", flush=True)
    for turn, (shape, variant, form) in enumerate(jobs):
        if args.only and variant.removeprefix("trained ") not in args.only and form not in args.only:
            continue
        start = time.time()
        with tempfile.TemporaryDirectory() as folder:
            theirs = mine = args.model or BUNDLED
            if args.trained:
                theirs = mine = train(folder, shape, variant.removeprefix("trained "), 100 + turn, program)
            elif form:
                theirs, mine = make_form(folder, shape, form, 100 + turn, program)
            elif variant not in ("bundled", "folder"):
                make(folder, shape, variant, 100 + turn)
                theirs = mine = folder
            asked = list(plain_and_gist(prompts) if args.trained or args.model else requests(prompts, turn))
            c = Comparison(shape, Oracle(theirs), lambda: Oracle(theirs, torch.float64))
            c.all(asked, ours(program, mine, asked))
        name = args.model or variant if variant in ("bundled", "folder") else f"{shape} {variant}{' ' + form if form else ''}"
        print(f"{name:24} {len(asked):8} {c.tokens:7} {c.worst:18.1e} {c.ties:5} {len(c.failures):9} {time.time() - start:8.0f}", flush=True)
        for what, r in c.failures[:5]:
            print(f"    {what}\n        {json.dumps(r, ensure_ascii=False)[:300]}", flush=True)
        failed += len(c.failures)
    print(f"{failed} failures")
    return 1 if failed else 0


sys.exit(main())
