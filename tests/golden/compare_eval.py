"""Compares the table of `t5gist eval --answers` with the rouge_score package on a CSV of model outputs, such as jayelm/gisting releases.

    venv/bin/python tests/golden/compare_eval.py build/release/bin/t5gist OUTPUTS.csv [--answer y_pred] [--reference y_true]

Prints the means (times 100) of both; fails where they are further than 0.01 apart, where exact match differs, or where an interval does not hold its mean.
"""
import argparse
import csv
import json
import subprocess
import sys
import tempfile

from rouge_score.rouge_scorer import RougeScorer

KINDS = ["rouge1", "rouge2", "rougeL"]
ALLOWED = 0.01
WHITE = " \t\n\v\f\r"


def table(program, pairs):
    """The one row of the table: metric -> {estimate, low, high}."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        f.writelines(json.dumps({"prediction": answer, "reference": reference}) + "\n" for reference, answer in pairs)
        f.flush()
        done = subprocess.run([program, "eval", "--answers", f.name, "--json", "--quiet"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["rows"][0]["splits"]["all"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("csv")
    parser.add_argument("--answer", default="y_pred")
    parser.add_argument("--reference", default="y_true")
    arguments = parser.parse_args()
    csv.field_size_limit(1 << 30)
    with open(arguments.csv, encoding="utf-8", newline="") as f:
        pairs = [(row[arguments.reference], row[arguments.answer]) for row in csv.DictReader(f)]
    scorer = RougeScorer(KINDS, use_stemmer=True)
    scores = [scorer.score(reference, answer) for reference, answer in pairs]
    expected = {kind: 100 * sum(s[kind].fmeasure for s in scores) / len(scores) for kind in KINDS}
    expected["exact_match"] = 100 * sum(r.strip(WHITE) == a.strip(WHITE) for r, a in pairs) / len(pairs)
    found = table(arguments.program, pairs)
    bad = found["examples"] != len(pairs)
    for metric, mean in expected.items():
        value = found[metric]
        bad |= abs(value["estimate"] - mean) > ALLOWED or not value["low"] <= value["estimate"] <= value["high"]
        print(f"{metric}: eval {value['estimate']:.4f} ({value['low']:.4f} to {value['high']:.4f}), rouge_score {mean:.4f}")
    print(f"{len(pairs)} answers")
    sys.exit(bad)


if __name__ == "__main__":
    main()
