#!/usr/bin/env python3
"""Writes the corpus of the bundled model: instruction data made from word lists of its own, deterministic by seed, standard library only.

    generate.py --split train --blocks 448000 --first 75000 --out train.jsonl     blocks of 4 examples that share their instruction
    generate.py --split seen --n 500                                 evaluation: one example per instruction
    generate.py --stats

A line: {"instruction", "input", "output", "family", "bits", "split"}. bits: how much the instruction says, as the logarithm of how many parameters could stand in its place.

Splits. No normalised instruction of one stands in another, but for train and seen, which share theirs and differ in their inputs:
  train, seen         wordings, values and combinations of training; about one (instruction, input) in 41 belongs to seen and is never trained on
  unseen_values       an open value (a label, a word to replace, a template ...) that is never trained on in its family; about one in 10 are
  unseen_paraphrases  wordings that are never trained on
  unseen_combos       combinations of parameters, or of an operation and a second one, that are never trained on, though each parameter alone is; about one in 7
  unseen_families     whole families that are never trained on
  human               human.jsonl, written by hand in other words"""
import argparse
import json
import os
import random
import re
import sys

from families import CHAINS, FAMILIES, WORD_SEPARATORS, Draw, capital, fill, hashed

BLOCK = 4
SPLITS = ["train", "seen", "unseen_values", "unseen_paraphrases", "unseen_combos", "unseen_families"]
ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")


def is_held_combination(*key):
    return hashed("combination", *key) % 7 == 3


def is_seen(instruction, text):
    return hashed("seen", instruction, text) % 41 == 0


def normalised(instruction):
    return " ".join(re.findall(r"\w+|[^\w\s.?!,]", instruction.lower()))


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "human.jsonl"), encoding="utf-8") as lines:
    HUMAN = {normalised(json.loads(line)["instruction"]) for line in lines}


def worded(r, text):
    """Takes one of each [a|b]."""
    while match := ALTERNATIVES.search(text):
        text = text[:match.start()] + r.choice(match.group(1).split("|")) + text[match.end():]
    return re.sub(r"  +", " ", text).strip()


NO_REQUEST = tuple("""According After All Amount And Article As At Between Both By Can City Class Cost Could Country Date Digits Discount Do English Everything First Fit For From
Has How If In Item Just Length Location Merchandise Must Next Not Number Of Only Order Organization Please Product Really Result Separator Should Size Surname Telephone The To Under We What When Where
Which With Without Word Words Would Is Does""".split())


def casual(r, instruction):
    """People write "Please ..." and forget full stops."""
    chance = r.random()
    if chance < 0.06 and re.match(r"[A-Z][a-z]+ (the|only|this|it|to|in|with)\b", instruction) and instruction.split()[0] not in NO_REQUEST and "please" not in instruction:
        return "Please " + instruction[0].lower() + instruction[1:]
    return instruction[:-1] if chance < 0.1 and instruction.endswith(".") else instruction


# The first blocks of training: copies and edits of any word. Among all families they are a third of the examples.
FIRST = {"replace_word": 4, "delete_word": 2, "labelled": 0.7, "add_text": 0.7, "join_list": 1, "extract_one": 1, "extract_two": 1}


def draw_instruction(r, split, weights=None):
    """An instruction of the split with its family, bits and a function that makes examples; None: another draw is needed. weights: of the families to draw from, else their own."""
    unseen = split == "unseen_families"
    weights = weights or {f.name: f.weight for f in FAMILIES.values() if f.unseen == unseen}
    family = FAMILIES[r.choices(list(weights), list(weights.values()))[0]]
    draw = Draw(r, family.name)
    words, example = family.draw(draw)
    chain = r.choice(list(CHAINS) if family.chains is True else family.chains) if family.chains and r.random() < (0.6 if split == "unseen_combos" else 0.25) else None
    held_value = draw.has_held_value()
    held_combination = (draw.combination is not None and is_held_combination(*draw.combination)) or (chain is not None and is_held_combination("chain", family.name, chain))
    if not unseen and (held_value != (split == "unseen_values") or held_combination != (split == "unseen_combos")):
        return None
    wording = r.choice(family.held if split == "unseen_paraphrases" else family.trained)
    instruction = worded(r, fill(wording, words))
    if not wording.startswith(("{ns}", "{ds}", "{c}")):  # names of classes are copied as they are
        instruction = capital(instruction)
    if family.bare and not wording.startswith('"') and r.random() < 0.8:
        bare = lambda m: m.group(0 if m.group(1) in WORD_SEPARATORS else 1)  # "put and between them" would say something else
        instruction = re.sub(r'"([a-zA-Z]+:?)"', bare, instruction)  # people write words with and without quotation marks
    finish, bits = str, draw.bits
    if chain is not None:
        finish, wordings = CHAINS[chain]
        bits += 3
        instruction = re.sub(r"[:,]?$", "" if instruction.endswith((".", "?", "!")) else ".", instruction, count=1) + " " + worded(r, r.choice(wordings))
    if split in ("train", "seen"):
        instruction = casual(r, instruction)
    if normalised(instruction) in HUMAN:
        return None
    return instruction, family.name + ("+" + chain if chain else ""), bits, lambda: [f(x) for f, x in zip((str, finish), example(r))]


def block(seed, split, index, size, weights=None):
    """`size` examples of one instruction; the same for the same arguments."""
    r = random.Random(hashed("block", seed, split, index))
    while True:
        drawn = draw_instruction(r, split, weights)
        if drawn is None:
            continue
        instruction, family, bits, example = drawn
        lines = []
        for _ in range(20 * size):
            text, answer = example()
            if split not in ("train", "seen") or is_seen(instruction, text) == (split == "seen"):
                lines.append({"instruction": instruction, "input": text, "output": answer, "family": family, "bits": round(bits, 2), "split": split})
            if len(lines) == size:
                return lines


def evaluation(seed, split, n):
    """n examples, none twice."""
    known, index = set(), 0
    while len(known) < n:
        line = block(seed, split, index, 1)[0]
        index += 1
        key = (line["instruction"], line["input"])
        if key not in known:
            known.add(key)
            yield line


def statistics(out):
    for name, family in FAMILIES.items():
        wordings = lambda templates: sum(len(set(worded(random.Random(i), t) for i in range(300))) for t in templates)
        print(f"{name:18s} {wordings(family.trained):4d} wordings, {wordings(family.held):3d} held out{', chains' if family.chains else ''}{', never trained' if family.unseen else ''}", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--blocks", type=int, help=f"training: blocks of {BLOCK} examples")
    parser.add_argument("--first", type=int, default=0, help="of them, the number that teach copies and edits alone")
    parser.add_argument("--n", type=int, default=20, help="evaluation: examples")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="default: standard output")
    parser.add_argument("--stats", action="store_true")
    options = parser.parse_args()
    out = open(options.out, "w", encoding="utf-8") if options.out else sys.stdout
    if options.stats:
        return statistics(out)
    lines = (line for i in range(options.blocks) for line in block(options.seed, options.split, i, BLOCK, FIRST if i < options.first else None)) if options.blocks else evaluation(options.seed, options.split, options.n)
    for line in lines:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
    if out is not sys.stdout:
        out.close()


if __name__ == "__main__":
    main()
