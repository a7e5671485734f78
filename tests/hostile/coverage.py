#!/usr/bin/env python3
"""Lines and branches of the readers that were reached: coverage.py BUILD_FOLDER [FILE: also list what was not]. Needs gcov."""
import collections
import json
import subprocess
import sys
from pathlib import Path

READERS = """runtime/safetensors.c runtime/json.c runtime/yaml.c runtime/records.c t5/torch_zip.c t5/pickle.c t5/torch_bin.c t5/spm_check.c t5/tokenizer.c
t5/tokenizer_json.c t5/config.c t5/checkpoint.c t5/shards.c gist/gist_file.c gist/inspect.c gist/verify.c training/shard.c""".split()
ROOT = Path(__file__).resolve().parents[2]


def percent(hit, all): return 100 * hit / all if all else 100


def main(build, shown=None):
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(dict)
    for data in Path(build).resolve().rglob("*.gcda"):
        if not any(str(data).endswith("/" + r + ".gcda") for r in READERS):
            continue
        report = json.loads(subprocess.run(["gcov", "-b", "-j", "-t", str(data)], capture_output=True, check=True, cwd=data.parent).stdout)
        for file in report["files"]:
            path = Path(file["file"])
            name = str(path.relative_to(ROOT)) if path.is_absolute() and path.is_relative_to(ROOT) else str(path)
            if name not in READERS:
                continue
            for line in file["lines"]:
                lines[name][line["line_number"]] += line["count"]
                for i, branch in enumerate(line["branches"]):
                    key = line["line_number"], i
                    branches[name][key] = branches[name].get(key, 0) + branch["count"]
    total = [0, 0, 0, 0]
    print(f"{'':26}{'lines':>15}{'branches':>18}")
    for name in READERS:
        n = [sum(map(bool, lines[name].values())), len(lines[name]), sum(map(bool, branches[name].values())), len(branches[name])]
        total = [a + b for a, b in zip(total, n)]
        print(f"{name:26}{n[0]:5}/{n[1]:<4}{percent(*n[:2]):5.1f} %{n[2]:7}/{n[3]:<4}{percent(*n[2:]):5.1f} %")
        if name == shown:
            print("  lines", [k for k, v in sorted(lines[name].items()) if not v], "branches", sorted({k[0] for k, v in branches[name].items() if not v}))
    print(f"{'all':26}{total[0]:5}/{total[1]:<4}{percent(*total[:2]):5.1f} %{total[2]:7}/{total[3]:<4}{percent(*total[2:]):5.1f} %")


if __name__ == "__main__":
    main(*sys.argv[1:])
