#!/usr/bin/env python3
"""The rows and reports of benchmarks/peers with engines that only pretend: what is compared with what, what a wrong answer and a failing engine look like."""
import os, sys, time, unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../benchmarks/peers"))
import report, rows  # noqa: E402

rows.PAUSE = 0


class Fake:
    """Answers at once; a word is a token, a label too, and the end."""

    def __init__(self, wrong=False, fails_at=None, kept=True):
        self.error, self.wrong, self.fails_at, self.kept, self.asked = None, wrong, fails_at, kept, []

    def ask(self, prompts, n):
        self.asked.append((len(prompts), n))
        time.sleep(0.002)
        if self.fails_at is not None and len(prompts) >= self.fails_at:
            return {"error": "too many"}
        counts = [(0, 0, len(p.split()) + 1) if isinstance(p, str) else (len(p["task"].split()) + 1, 1, len(p["input"].split()) + 2) for p in prompts]
        return {"tokens": [[i, 8 if self.wrong and i == 1 else 7][:n] + [9] * (n - 2) for i, _ in enumerate(prompts)], "encode_ms": 1.0, "counts": counts, "cached": self.kept}


class PeersTest(unittest.TestCase):
    machine = rows.Machine(None)

    def test_steps(self):
        engines = {"t5gist-f32": Fake(), "hf-f32": Fake(wrong=True), "hf-bf16": Fake()}
        entries = rows.steps("batch2", engines, self.machine, 2, 16, 4, 2)
        self.assertEqual([e["engine"] for e in entries], ["t5gist-f32", "hf-f32", "hf-bf16"])
        self.assertEqual((entries[0]["same_tokens"], entries[0]["of"]), (10, 10))
        self.assertEqual((entries[1]["same_tokens"], entries[1]["of"]), (6, 10))  # the second answer differs from its second token on
        self.assertNotIn("of", entries[2])  # not in f32
        self.assertIn((2, 5), engines["hf-f32"].asked)

    def test_slow_engine(self):
        slow, rows.SLOW = rows.SLOW, -1
        try:
            entries = rows.steps("batch2", {"t5gist-f32": Fake(), "hf-f32": Fake()}, self.machine, 2, 16, 4, 5)
        finally:
            rows.SLOW = slow
        self.assertEqual([e["rounds"] for e in entries], [1, 1])

    def test_gist(self):
        engines = {"t5gist-int8": Fake(), "llamacpp-q8_0": Fake()}
        entries = {(e["engine"], e["prompt"]): e for e in rows.gist("gist", engines, self.machine, 25, 37, 2)}
        self.assertEqual(set(entries), {("t5gist-int8", "full"), ("t5gist-int8", "gist"), ("llamacpp-q8_0", "full")})
        self.assertEqual((entries["t5gist-int8", "gist"]["tokens"], entries["llamacpp-q8_0", "full"]["tokens"]), (38, 62))
        self.assertGreater(entries["llamacpp-q8_0", "full"]["first_ratio"], 0)

    def test_gist_that_is_not_kept(self):
        engines = {"t5gist-int8": Fake(), "t5gist-f32": Fake(kept=False)}
        lost = engines["t5gist-f32"]
        rows.gist("gist", engines, self.machine, 25, 37, 1)
        self.assertEqual((list(engines), lost.error), (["t5gist-int8"], "a gist was not kept"))

    def test_throughput(self):
        engines = {"t5gist-int8": Fake(), "hf-int8": Fake(fails_at=4), "ctranslate2-int8": Fake(fails_at=9)}
        failing = engines["hf-int8"]
        entries = rows.throughput("throughput", engines, self.machine, 12, 4, [2, 8], 1)
        self.assertEqual([(e["engine"], e["prompt"]) for e in entries], [("t5gist-int8", "full"), ("ctranslate2-int8", "full"), ("t5gist-int8", "gist")])
        self.assertEqual(failing.error, "too many")
        self.assertEqual(list(entries[1]["tried"]), [2, 8])
        self.assertEqual(max(size for size, _ in engines["t5gist-int8"].asked), 12)

    def test_report(self):
        engines = {"t5gist-int8": Fake(), "hf-int8": Fake()}
        found = rows.throughput("throughput", dict(engines), self.machine, 4, 4, [2], 1) + rows.gist("gist", dict(engines), self.machine, 25, 37, 1)
        run = {"title": "A & B", "date": "today", "machine": "M", "threads": 2, "command": "c", "processes": [], "missing": [{"engine": "x", "row": "gist", "reason": "a | <b>"}],
               "rows": [{**e, "shape": "tiny"} for e in found]}
        text = report.markdown(run)
        self.assertIn("| x | gist | a &#124; &lt;b&gt; |", text)
        self.assertIn("t5gist-int8, gist, seconds: best peer hf-int8", text)
        self.assertIn("4 human prompts, 4 new tokens each", text)
        self.assertIn("A &amp; B", report.picture(run))

    def test_human_prompts(self):
        prompts = rows.human_prompts(252)
        self.assertEqual(len(prompts), 252)
        self.assertEqual([len(p[2]) for p in prompts], sorted((len(p[2]) for p in prompts), reverse=True))
        self.assertEqual(len(rows.human_prompts(10)), 10)


if __name__ == "__main__":
    unittest.main()
