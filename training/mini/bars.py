#!/usr/bin/env python3
"""Holds results.json (results.py) against what the bundled model must do; says by how much each bar is cleared or missed, and fails where one is missed.

    bars.py RESULTS_DIR"""
import os
import sys

import common

SEEN, UNSEEN = ["seen"], ["unseen_values", "unseen_paraphrases"]


def bars(results):
    """(what, splits, measure of a split, bar, whether it is a floor)"""
    rows = {row["name"]: row["splits"] for row in results["table"]["rows"]}
    exact = lambda name: lambda split: rows[name][split]["exact_match"]
    recovered = lambda name: lambda split: {key: value if value is None else 100 * value for key, value in rows[name][split]["recovered"]["exact_match"].items()}
    for name in ("full", "pos_control"):
        yield f"exact match, {name}", SEEN, exact(name), 95, True
        yield f"exact match, {name}", UNSEEN, exact(name), 85, True
    yield "exact match, neg_control", SEEN + UNSEEN, exact("neg_control"), 15, False
    for k, bar in ((1, 95), (4, 97)):
        yield f"recovered, gist-{k}", SEEN + UNSEEN, recovered(f"gist-{k}"), bar, True
        yield f"recovered, gist-{k}", ["unseen_combos"], recovered(f"gist-{k}"), 92, True


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    results, missed = common.read(os.path.join(sys.argv[1], "results.json")), 0
    for what, splits, measure, bar, is_floor in bars(results):
        for split in splits:
            cell = measure(split)
            clear = cell["estimate"] is not None and (cell["estimate"] >= bar if is_floor else cell["estimate"] <= bar)
            missed += not clear
            value = "no figure" if cell["estimate"] is None else f"{cell['estimate']:6.1f} ({cell['low']:.1f} to {cell['high']:.1f})"
            print(f"{'ok    ' if clear else 'MISSED'}  {what:26s} {split:20s} {value:28s} {'at least' if is_floor else 'at most'} {bar}")
    for condition, cells in results["int8"].items():
        cell = cells["all"]
        clear = cell["difference"] >= -1
        missed += not clear
        print(f"{'ok    ' if clear else 'MISSED'}  {'int8 against f32, ' + condition:26s} {'all':20s} {cell['difference']:+6.2f} ± {cell['half_width']:.2f}               at least -1")
    megabytes = results["bytes"] / 1e6
    missed += megabytes > 22
    print(f"{'ok    ' if megabytes <= 22 else 'MISSED'}  {'size, MB':47s} {megabytes:6.1f}                       at most 22")
    minutes = results["training"]["seconds"] / 60
    missed += minutes > 75
    print(f"{'ok    ' if minutes <= 75 else 'MISSED'}  {'minutes of steps':47s} {minutes:6.1f}                       at most 75")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
