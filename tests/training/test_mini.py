#!/usr/bin/env python3
"""The figures of the bundled model's card, bars and ladder, from results that are made up."""
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
import xml.dom.minidom

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../training/mini")
sys.path.insert(0, SCRIPTS)
import common  # noqa: E402
import card  # noqa: E402
import ladder  # noqa: E402


def cell(estimate, width=1.0):
    return {"estimate": estimate, "low": estimate - width, "high": estimate + width}


def row(name, exact, k=None):
    of = {"exact_match": cell(exact), "rougeL": cell(exact + 1)}
    if name == "pos_control":
        of["above_neg_control"] = {"exact_match": cell(exact - 10)}
    elif name != "neg_control":
        of["recovered"] = {"exact_match": cell((exact - 10) / 86, 0.01)}
    return {"name": name, "k": k, "splits": {split: of for split in common.SPLITS}}


def results(seed=1, gist=94.5, int8=-0.4):
    rows = [row("full", 95.5), row("pos_control", 96), row("gist-1", gist, 1), row("gist-4", gist + 0.5, 4), row("words-1", 30, 1), row("neg_control", 10)]
    families = {"count": {"split": "seen", "examples": 40, "full": 99.0, "gist-1": 98.0, "neg_control": 12.0},
                "case": {"split": "seen", "examples": 50, "full": 77.0, "gist-1": 66.0, "neg_control": 1.0},
                "initials": {"split": "unseen_families", "examples": 60, "full": 3.0, "gist-1": 2.0, "neg_control": 0.0}}
    compared = {s: {"examples": 100, "f32": 94.5, "int8": 94.5 + int8, "difference": int8, "half_width": 0.3} for s in common.SPLITS + ["all"]}
    return {"config": {"d_model": 256, "d_ff": 512, "num_heads": 8, "d_kv": 32, "num_layers": 5, "num_decoder_layers": 3, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
                       "t5gist": {"gist_token_ids": [2148], "gists": [1, 4], "conditions": ["gist", "full"], "default_gists": 4, "max_task_tokens": 64}},
            "bytes": 14500000, "train_examples": 2000000, "floor": {"steps": 5000},
            "training": {"steps": 26000, "seconds": 4210.0, "whole_seconds": 4801.0, "ended": "2026-01-02", "loss": 0.1234, "recipe": {"seed": seed, "batch_examples": 64, "loss.copy": 1.0}},
            "table": {"models": [{"parameters": 7123456}], "machine": {"cpu": "Some CPU", "isa": "avx512", "threads": 2}, "splits": [{"name": s, "examples": 1000} for s in common.SPLITS], "rows": rows},
            "families": families, "int8": {"gist-1": compared},
            "prompts": [{"task": "Count | say.", "input": "a b", "output": "2", "full": "2", "gist-1": "3", "gist-4": ""}]}


class Scripts(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def results(self, name, **changes):
        folder = os.path.join(self.dir.name, name)
        common.write(os.path.join(folder, "results.json"), results(**changes))
        common.write_text(os.path.join(folder, "mini-bits.svg"), "<svg/>")
        return folder

    def run_script(self, name, *arguments):
        return subprocess.run([sys.executable, os.path.join(SCRIPTS, name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_card(self):
        out = os.path.join(self.dir.name, "out")
        done = self.run_script("card.py", self.results("one"), "--second", self.results("two", seed=7, gist=93.0), "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(out, "README.md"), encoding="utf-8") as file:
            text = file.read()
        for part in ("7.12 M parameters, bf16 (14.5 MB", "2,048 sentencepiece pieces", "26,000 steps of 64 examples, 70 minutes of steps (80 with", "| gist-1 | 94.5 (93.5–95.5) / 95.5 |",
                     "| gist-1 | 98.3 (97.3–99.3) |", "seed 1 / seed 7", "| gist-1 | 94.5 / 93.0 |", "94.1 (-0.4 ± 0.3)", "| `Count \\| say.` | `a b` | `2` | `3` ✗ | (nothing) ✗ |",
                     "through one gist token: count.", "less than 80 % of the time: case (66 %).", "never trained (initials) work 94 % of the time", "to say the input again"):
            self.assertIn(part, text)
        self.assertNotIn("{", text)
        xml.dom.minidom.parse(os.path.join(out, "gists.svg"))
        self.assertTrue(os.path.exists(os.path.join(out, "results.json")))

    def test_bars(self):
        good, bad = self.run_script("bars.py", self.results("good")), self.run_script("bars.py", self.results("bad", gist=85.0, int8=-1.5))
        self.assertEqual((good.returncode, good.stdout.count("MISSED")), (0, 0), good.stdout)
        self.assertEqual(bad.returncode, 1)
        missed = [line for line in bad.stdout.splitlines() if line.startswith("MISSED")]
        self.assertEqual(sum("recovered" in line for line in missed), 8)
        self.assertEqual(sum("int8" in line for line in missed), 1)
        self.assertEqual(len(missed), 9)

    def branch(self, name, seed, right):
        """A branch that has so many of 10 examples right, from the first on; as many in every split."""
        rows = [name] if name.endswith("_control") else ["gist-1", "gist-4"]
        common.write(os.path.join(self.dir.name, f"{name}-{seed}.json"), {"name": name, "seed": seed, "steps": 5, "seconds": 60 * seed,
                     "right": {r: {s: "1" * right + "0" * (10 - right) for s in ladder.SPLITS} for r in rows}})

    def test_ladder(self):
        for seed in (1, 2):
            self.branch("neg_control", seed, 1)
            self.branch("pos_control", seed, 9)
            self.branch("base", seed, 5)
            self.branch("kl", seed, 6 + seed)
        ladder.table(types.SimpleNamespace(out=self.dir.name, seeds=[1, 2]))
        with open(os.path.join(self.dir.name, "ladder.md"), encoding="utf-8") as file:
            lines = [line for line in file if line.startswith(("| base", "| kl"))]
        self.assertEqual(len(lines), 4)  # k = 1 and k = 4
        self.assertIn("| 50.0 (0.0) | – | 50.0 (0.0) |", lines[0])
        self.assertIn("| 75.0 (10.0) | +25.0 ± ", lines[1])
        self.assertIn("| 81.2 (12.5) |", lines[1])  # of 75 and 87.5
        self.assertTrue(lines[1].rstrip().endswith("| 1.5 (1.0) |"))

    def test_recipe_of_a_run(self):
        common.write(os.path.join(self.dir.name, "run/recipe.json"), {"model": None, "threads": -1, "vocab.texts": [], "shape.d_model": 64, "vocab.size": 600, "data.eval": ["a=b"], "loss.copy": 0.0})
        recipe = common.recipe_of(self.dir.name)
        self.assertEqual(recipe, {"shape.d_model": 64, "vocab.size": 600, "loss.copy": 0.0})
        self.assertEqual(common.from_folder(recipe, "m"), {"loss.copy": 0.0, "model": "m"})
        self.assertEqual(json.loads(json.dumps(common.only(gist=1)))["conditions.full"], 0.0)


if __name__ == "__main__":
    unittest.main()
