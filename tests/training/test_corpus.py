#!/usr/bin/env python3
"""The generator of the bundled model's corpus: the same lines for the same seed, and splits that keep what they promise."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "training", "corpus"))
import families
import generate

TRAIN_BLOCKS, FIRST_BLOCKS, EVALUATION = 6000, 1500, 250


class Corpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.train = [line for i in range(TRAIN_BLOCKS) for line in generate.block(1, "train", i, generate.BLOCK, generate.FIRST if i >= TRAIN_BLOCKS - FIRST_BLOCKS else None)]
        cls.splits = {s: list(generate.evaluation(1, s, EVALUATION)) for s in generate.SPLITS if s not in ("train", "unseen_families")}
        cls.splits["unseen_families"] = list(generate.evaluation(1, "unseen_families", 100))
        with open(os.path.join(os.path.dirname(generate.__file__), "human.jsonl"), encoding="utf-8") as lines:
            cls.splits["human"] = [json.loads(line) for line in lines]

    def test_the_same_seed_gives_the_same_lines(self):
        self.assertEqual(self.train[:400], [line for i in range(100) for line in generate.block(1, "train", i, generate.BLOCK)])
        self.assertEqual(self.splits["seen"], list(generate.evaluation(1, "seen", EVALUATION)))
        self.assertNotEqual(self.train[:4], generate.block(2, "train", 0, generate.BLOCK))

    def test_a_block_has_one_instruction(self):
        for i in range(0, len(self.train), generate.BLOCK):
            self.assertEqual(len({line["instruction"] for line in self.train[i:i + generate.BLOCK]}), 1)

    def test_no_instruction_stands_in_two_splits(self):
        owner = {generate.normalised(line["instruction"]): "train" for line in self.train}
        for name, lines in self.splits.items():
            if name == "seen":  # shares the instructions of training, not its inputs
                continue
            for line in lines:
                key = generate.normalised(line["instruction"])
                self.assertEqual(owner.setdefault(key, name), name, line)

    def test_no_held_out_wording_is_trained(self):
        def said(wording):
            found = generate.ALTERNATIVES.search(wording)
            if not found:
                return {generate.normalised(wording.replace("{", "parameter_"))}  # normalising would drop the braces, and {a} would be "a"
            return {s for choice in found.group(1).split("|") for s in said(wording[:found.start()] + choice + wording[found.end():])}

        for family in families.FAMILIES.values():
            if not family.unseen:
                trained = set().union(*map(said, family.trained))
                for wording in family.held:
                    self.assertFalse(said(wording) & trained, (family.name, wording))

    def test_words_around_a_trained_word_are_trained(self):
        edited = [line for line in self.train if line["family"] in ("replace_word", "delete_word")]
        self.assertGreater(len(edited), 1000)
        for line in edited:
            for word in set(line["input"].split()) & set(families.SHORT_WORDS):
                self.assertFalse(families.is_held_value(line["family"], word), line)

    def test_seen_inputs_are_never_trained_on(self):
        trained = {(line["instruction"], line["input"]) for line in self.train}
        for line in self.splits["seen"]:
            self.assertNotIn((line["instruction"], line["input"]), trained)
            self.assertTrue(generate.is_seen(line["instruction"], line["input"]))

    def test_never_trained_families_are_never_trained(self):
        unseen = {name for name, family in families.FAMILIES.items() if family.unseen}
        self.assertTrue(unseen)
        self.assertFalse(unseen & {line["family"].split("+")[0] for line in self.train})
        self.assertEqual(unseen, {line["family"] for line in self.splits["unseen_families"]})

    def test_every_trained_family_is_there(self):
        self.assertEqual({name for name, family in families.FAMILIES.items() if not family.unseen}, {line["family"].split("+")[0] for line in self.train})

    def test_first_blocks_are_of_their_families(self):
        first = {line["family"].split("+")[0] for line in self.train[-FIRST_BLOCKS * generate.BLOCK:]}
        self.assertEqual(first, set(generate.FIRST))

    def test_a_word_to_delete_looks_like_its_neighbours(self):
        common, named = set(families.NOUN + families.ADJ), set(families.SHORT_WORDS)
        deleted, others = [], []
        for line in self.train:
            words, left = line["input"].split(), line["output"].split()
            if line["family"] == "delete_word" and len(left) < len(words):
                gone = next(w for i, w in enumerate(words) if left[i:i + 1] != [w])
                deleted.append(gone in common)
                others += [w in common for w in words if w in named and w != gone]
        share = lambda values: sum(values) / len(values)
        self.assertGreater(len(deleted), 500)
        self.assertAlmostEqual(share(deleted), share(others), delta=0.1)

    def test_lines_are_whole(self):
        for line in self.train + [line for lines in self.splits.values() for line in lines]:
            self.assertTrue(line["instruction"] and line["input"] and line["output"], line)
            self.assertNotRegex(line["instruction"], r"[\[\]{}]", line)
            self.assertGreaterEqual(line.get("bits", 0), 0)

    def test_hand_written_instructions(self):
        human = self.splits["human"]
        self.assertEqual(len({line["instruction"] for line in human}), 200)
        self.assertLessEqual({line["family"].split("+")[0] for line in human}, set(families.FAMILIES))

    def test_the_input_does_not_give_the_answer(self):
        """Guessing the most frequent answer of each family for an input alone stays poor: instructions carry the task."""
        copied = sum(line["input"] == line["output"] for line in self.train) / len(self.train)
        self.assertLess(copied, 0.06)


if __name__ == "__main__":
    unittest.main()
