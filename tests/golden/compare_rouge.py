"""Compares measure/rouge.c with the rouge_score package on every row of a CSV of model outputs, such as jayelm/gisting releases.

    venv/bin/python compare_rouge.py BUILD/tests/rouge_lines OUTPUTS.csv [--answer y_pred] [--reference y_true]

Prints the means (times 100) of both and the largest difference of any of the nine numbers of any row; fails where that is above 1e-6.
"""
import argparse
import csv
import json
import subprocess
import sys

from rouge_score.rouge_scorer import RougeScorer

KINDS = ["rouge1", "rouge2", "rougeL"]
ALLOWED = 1e-6


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
    lines = "".join(json.dumps({"reference": r, "answer": a}) + "\n" for r, a in pairs)
    found = [[float(v) for v in line.split()] for line in subprocess.run([arguments.program], input=lines, text=True, check=True, capture_output=True).stdout.splitlines()]
    scorer = RougeScorer(KINDS, use_stemmer=True)
    expected = [[v for k in KINDS for v in scores[k]] for scores in (scorer.score(r, a) for r, a in pairs)]
    if not pairs or len(found) != len(expected):
        sys.exit(f"expected {len(expected)} rows and at least one, found {len(found)}")
    worst = max(abs(f - e) for row_f, row_e in zip(found, expected) for f, e in zip(row_f, row_e))
    for i, kind in enumerate(KINDS):
        means = [100 * sum(row[3 * i + 2] for row in rows) / len(rows) for rows in (found, expected)]
        print(f"{kind} F1: measure {means[0]:.6f}, rouge_score {means[1]:.6f}")
    print(f"{len(pairs)} rows, largest difference {worst:.3g}")
    sys.exit(worst > ALLOWED)


if __name__ == "__main__":
    main()
