#!/usr/bin/env python3
"""What the gist store costs a request: a first run keeps the gists of some tasks, a second one finds them, then has them in memory.

    python3 benchmarks/gist_store.py PROGRAM MODEL_DIR [GISTS]...      default: 1 gist token

One request at a time through a pipe, the first two of each run left out; medians. Standard library only."""
import json
import statistics
import subprocess
import sys
import tempfile

TASKS, COLD = 18, 2


def run(program, model, store, gists, times):
    """(source, milliseconds in the store, in all) of each request; every task is asked for `times` times."""
    process = subprocess.Popen([program, "generate", "--batch", "-", "--model", model, "--store", store, "--gists", gists, "--quiet"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    seen = []
    for i in range(TASKS * times):
        process.stdin.write(json.dumps({"task": f"Translate sentence number {i // times} to German.", "input": "The house is small.", "max_new_tokens": 1}) + "\n")
        answer = json.loads(process.stdout.readline())
        seen.append((answer["gist_source"], answer["timings_ms"]["store"], answer["timings_ms"]["total"]))
    process.stdin.close()
    process.wait()
    return seen[COLD * times:]


def main(program, model, *gists):
    print("| gist tokens | gist | requests | in the store, ms | slowest | in all, ms |\n|---|---|---|---|---|---|")
    for k in gists or ("1",):
        with tempfile.TemporaryDirectory() as store:
            seen = run(program, model, store, k, 1) + run(program, model, store, k, 2)
        for source in "encoded", "store", "memory":
            chosen = [s for s in seen if s[0] == source]
            print(f"| {k} | {source} | {len(chosen)} | {statistics.median(s[1] for s in chosen):.2f} | {max(s[1] for s in chosen):.2f} | "
                  f"{statistics.median(s[2] for s in chosen):.1f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
