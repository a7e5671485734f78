"""Asks Hugging Face (oracle.py) for the answers that tests/gist/test_golden.c compares with, and writes them beside this file.

    venv/bin/python make_golden.py [NAME...]      NAME: a golden file without .json; default: all

Models are not stored: synthetic.py writes the same numbers as t5/synthetic.c. A request whose answer hangs on rounding (a margin below STABLE, other tokens in f64 than in
f32, or a log-probability further from f64's than half of what tests/support/tolerance.h allows) is replaced by one with the next pair of texts.
"""
import json
import operator
import os
import sys
import tempfile

import torch

import synthetic
from oracle import Oracle

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZER = os.path.join(HERE, "../data/flan-t5")
STABLE = 5e-3

TASKS = ["Translate the sentence to German.", "Is the review positive or negative? Answer with one word.",
         "Rewrite the text so that a child of eight understands it, in at most two sentences, without any foreign word.",
         "List the cities.", "Write a title for the article below; do not use more than six words, and no colon.", "Sort the numbers from large to small.",
         "Correct the spelling", "Extract the name of the customer, the order number and the date, separated by semicolons.",
         "Give three reasons why the plan may fail. Number them 1 to 3."]
INPUTS = ["The house by the river is small, but it has a garden.", "We waited forty minutes for a cold soup. Never again!",
          "Photosynthesis is the process by which plants turn light, water and carbon dioxide into sugar and oxygen.",
          "Last summer we went from Lisbon to Madrid, then by train to Lyon and Turin.", "3 17 8 99 -4 0.5", "I recieved teh parcell yestreday",
          "Order 4711-B: Ms Karin Weber, Hauptstr. 9, asks for delivery on 12 May 2025.", "The bridge will be closed for repairs from Monday to Thursday.",
          "def add(a, b): return a + b", "a"]
ODD = ["Ä Ö Ü ß é è ñ: Zürich, München, São Paulo", "日本語のテキスト and English 東京", "emoji 🙂🚀 and \u200bzero width, ﬁ ligature, ½", "Привет, мир! Γειά σου",
       "  many   spaces \n and\tlines\n\n", "before <extra_id_0> between <extra_id_1><extra_id_99> after", "<GIST> </s> <pad> <unk> stay plain text <extra_id_100>"]
TARGETS = ["Das Haus ist klein.", "negative", "Lisbon, Madrid, Lyon and Turin", "x <extra_id_3> y"]
LONG = " ".join(f"{INPUTS[i % 8]} ({i})" for i in range(40))


def common():
    """Every condition, count of gists and kind of search, 12 new tokens each."""
    for condition, ks in (("gist", (1, 2, 5, 10)), ("pos_control", (1, 10)), ("neg_control", (1, 2)), ("prefix", (2, 5)), ("full", (1,))):
        for k in ks:
            yield dict(condition=condition, gists=k)
    yield dict(condition="gist", gists=2, task="")
    yield dict(condition="gist", gists=5, input="")
    yield dict(condition="full", input="")
    yield dict(raw=True)
    for i, text in enumerate(ODD):
        yield dict(condition=("gist", "prefix", "gist", "full")[i % 4], gists=1 + i % 3, **({"task": text} if i % 3 == 1 else {"input": text}))
    for i, condition in enumerate(("gist", "pos_control", "neg_control", "prefix", "full")):
        yield dict(condition=condition, gists=(1, 5)[i % 2], target=TARGETS[i % 4])
    yield dict(gists=1, repetition_penalty=1.5)
    yield dict(gists=2, no_repeat_ngram_size=2, condition="prefix")
    yield dict(gists=1, no_repeat_ngram_size=1, repetition_penalty=0.8)
    yield dict(gists=1, min_new_tokens=8)
    for beams in (2, 4):
        for early in (False, True):
            yield dict(gists=(1, 5)[early], beams=beams, early_stopping=early, n_best=beams // (1 + early))
    yield dict(gists=2, beams=4, length_penalty=2.0, no_repeat_ngram_size=3, n_best=4)
    yield dict(gists=1, beams=2, length_penalty=-0.5, repetition_penalty=1.3, early_stopping=True, condition="neg_control")
    yield dict(gists=10, beams=4, condition="prefix")
    yield dict(beams=4, condition="full", n_best=3)


def long():
    """Inputs over 512 tokens, tasks over 128, 160 new tokens."""
    for condition in ("gist", "pos_control", "neg_control", "prefix", "full"):
        yield dict(condition=condition, gists=5, input=LONG)
    yield dict(gists=2, task=LONG[:1200])
    yield dict(gists=1, max_new_tokens=160)
    yield dict(gists=10, max_new_tokens=160, no_repeat_ngram_size=3, repetition_penalty=1.2)
    yield dict(gists=1, max_new_tokens=160, beams=2, no_repeat_ngram_size=4, early_stopping=True)
    yield dict(gists=1, input=LONG, target=LONG[:400])


def few():
    for condition, k in (("gist", 1), ("gist", 10), ("pos_control", 2), ("neg_control", 1), ("prefix", 5), ("full", 1)):
        yield dict(condition=condition, gists=k)
    yield dict(gists=1, input=LONG, max_new_tokens=4)
    yield dict(gists=1, max_new_tokens=24, beams=2, no_repeat_ngram_size=3)
    yield dict(gists=1, target=TARGETS[2])
    yield dict(gists=2, no_repeat_ngram_size=2, max_new_tokens=40)


SKILLS = [("Route the ticket to billing, shipping or technical.", "I was charged twice for order A-4821."), ("Return JSON with the keys city and name.", "Maria Lopez lives in Madrid."),
          ("Extract the name and the date, separated by a semicolon.", "The meeting with Nora Klein is on 12 May 2025 at 10:00."), ("Write the date in ISO format.", "5 March 2024"),
          ("Write the time in 24-hour format.", "4:30 pm"), ("Write a formal greeting for this person.", "Ms Karin Weber"), ("Translate to German.", "house, water"),
          ("What are the last two words?", "my sister reads a long book"), ("Write the number in words.", "93"), ("Extract the price.", "We paid 120 euros for the chair."),
          ("Classify the review as positive or negative. Answer with one word only.", "The hotel was dirty and the staff were rude."), ("Grüße auf Zürichdeutsch 🙂", "日本 tea")]


def bundled():
    """Answers that end by themselves: what random models hardly ever do."""
    for i, (task, text) in enumerate(SKILLS):
        yield dict(task=task, input=text, gists=(1, 2, 4, 8)[i % 4], max_new_tokens=40)
    for i, condition in enumerate(("pos_control", "neg_control", "prefix", "full", "pos_control")):
        yield dict(task=SKILLS[i][0], input=SKILLS[i][1], condition=condition, gists=(1, 4)[i % 2])
    for i, (beams, early, penalty) in enumerate(((2, False, 1.0), (2, True, 1.0), (4, False, 1.0), (4, True, 1.0), (4, False, 2.0), (4, True, 0.0), (4, False, -1.0), (3, False, 0.5))):
        task, text = SKILLS[i + 1]
        yield dict(task=task, input=text, gists=1, beams=beams, early_stopping=early, length_penalty=penalty, n_best=beams, max_new_tokens=30)
    yield dict(task=SKILLS[5][0], input=SKILLS[5][1], gists=1, min_new_tokens=12)
    yield dict(task=SKILLS[3][0], input=SKILLS[3][1], gists=1, min_new_tokens=9, beams=4, n_best=4, max_new_tokens=12)
    yield dict(task=SKILLS[1][0], input=SKILLS[1][1], gists=4, repetition_penalty=1.4)
    yield dict(task=SKILLS[1][0], input=SKILLS[1][1], gists=4, no_repeat_ngram_size=1)
    yield dict(task=SKILLS[0][0], input="", gists=4)
    yield dict(task="", input=SKILLS[0][1], gists=4)
    yield dict(input="house, water", raw=True)
    for i, target in enumerate(("billing", '{"name": "Maria Lopez", "city": "Madrid"}', "Nora Klein; 12 May 2025")):
        yield dict(task=SKILLS[i][0], input=SKILLS[i][1], gists=(1, 4, 8)[i], target=target)


# The published gist checkpoints' vocabulary; "rows" has ten distinct gist rows behind the tokenizer's.
VOCABULARY, ROWS = 32101, {"vocab_size": 32110, "t5gist": {"gist_token_ids": list(range(32100, 32110)), "default_gists": 3}}
# name: (shape, variant of synthetic.py, what to change in its config.json, requests)
MODELS = {f"tiny-{variant}": ("tiny", variant, {}, [*common(), *(long() if variant == "flan" else [])])
          for variant in ("flan", "t5v1", "tied", "uneven", "wide", "v5config")}
MODELS["tiny-silu"] = ("tiny", "flan", {"feed_forward_proj": "gated-silu"}, list(common()))
MODELS["tiny-rows"] = ("tiny", "flan", ROWS, list(common()))
MODELS["mini-flan"] = ("mini", "flan", {}, [*common(), *long()])
MODELS["small-flan"] = ("small", "flan", {}, list(few()))
MODELS["bundled"] = (None, None, {}, list(bundled()))
SEED, ROUNDING = 7, {"small": 5e-4}


def stable(a, b, length_penalty, rounding):
    """Whether the answer a (f32) would be the same under another rounding: b is f64's. Beam scores are compared before their division by the length."""
    key = "target_logprobs" if "target_ids" in a else "logprobs"
    if max(map(abs, map(operator.sub, a[key], b[key]))) > rounding:
        return False
    if "target_ids" in a:
        return True
    if "margins" in a:
        return min(a["margins"]) >= STABLE
    hypotheses = lambda x: [x["tokens"], *(o["tokens"] for o in x["others"])]
    scores = [a["sequence_score"], *(o["score"] for o in a["others"])]
    return hypotheses(a) == hypotheses(b) and all((x - y) * len(a["tokens"]) ** length_penalty >= STABLE for x, y in zip(scores, scores[1:]))


def answer(oracles, request, turn, rounding):
    """The request with texts filled in, and its answer: the first of the stable ones."""
    for attempt in range(40):
        at = turn + attempt * 7
        full = {"task": TASKS[at % len(TASKS)], "input": INPUTS[(at * 3 + attempt) % len(INPUTS)], "max_new_tokens": 12, **request}
        if full.get("raw"):
            del full["task"]
        a, b = (o.answer(full) for o in oracles)
        if stable(a, b, request.get("length_penalty", 1.0), rounding):
            return full, a
    raise SystemExit(f"no stable answer: {request}")


def rounded(x, digits):
    return [round(v, digits) for v in x]


def main():
    for name in sys.argv[1:] or MODELS:
        shape, variant, changes, requests = MODELS[name]
        with tempfile.TemporaryDirectory() as folder:
            if shape:
                synthetic.write(folder, shape, variant, SEED, changes.get("vocab_size", VOCABULARY), TOKENIZER)
                path = os.path.join(folder, "config.json")
                config = json.load(open(path))
                json.dump({**config, **changes}, open(path, "w"))
            else:
                folder = os.path.join(HERE, "../../models/mini")
            oracles = Oracle(folder), Oracle(folder, torch.float64)
        entries = [answer(oracles, request, turn, ROUNDING.get(shape, 1e-4)) for turn, request in enumerate(requests)]
        lines = []
        for request, a in entries:
            for key in ("logprobs", "target_logprobs"):
                if key in a:
                    a[key] = rounded(a[key], 6)
            if "margins" in a:
                a["margins"] = rounded(a["margins"], 4)
            if shape:
                a.pop("text", None)
            lines.append(json.dumps({"request": request, "answer": a}, ensure_ascii=False))
        with open(os.path.join(HERE, name + ".json"), "w") as f:
            head = {"shape": shape, "variant": variant, "seed": SEED, "config": changes} if shape else {}
            f.write(json.dumps({**head, "entries": []})[:-2] + '\n' + ",\n".join(lines) + "\n]}\n")
        print(f"{name}: {len(lines)} answers, {os.path.getsize(os.path.join(HERE, name + '.json'))} bytes, "
              f"{sum(len(a.get('tokens', [])) for _, a in entries)} tokens")


main()
