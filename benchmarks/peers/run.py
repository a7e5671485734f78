#!/usr/bin/env python3
"""t5gist against other engines in one run: the same prompts, the same ids, the same numbers of greedy tokens, the same threads, warm, interleaved.

    benchmarks/peers/environments                     makes the peers' environments under build/peers/, once
    benchmarks/peers/run.py [--rows length ...] [--engines t5gist-f32 hf-f32 ...] [--quick] [-o DIR]

Rows:
    length      one prompt of each of --tokens: encoder, first token, decoding step
    batch8      8 prompts of 64 tokens: first token, decoding step
    batch32     32 of them
    gist        first token of a warm request: a task of 25 tokens in a kept gist of one and an input of 37, beside the full prompt of 62
    throughput  the 252 human prompts, 32 new tokens each: t5gist with kept gists and with full prompts, peers with full prompts at their best batch size
    small       decoding step and first token of the small shape in 8 bits, one prompt of 64 tokens

Every engine is a process of its own that answers line by line; one works at a time. Wall times are taken around a line and its answer: `first` is a request of one
new token (encoder and first step), `step` is (time of 1 + s tokens - time of 1) / s, a warm decoding step; `encode` is the encoder alone where an engine can say it.
Medians. Engines in f32 are checked to give the tokens that t5gist gives in f32. One that cannot be run is listed with the reason. Writes NAME.json, NAME.md and
NAME.svg into the folder of -o. Standard library only. Of the base shape all engines together take about 16 GB.
"""
import argparse, json, os, platform, subprocess, sys, tempfile, time

import report, rows
from engines import ALL, ROOT, Ours, Peer, is_ours, precision

ROWS = ["length", "batch8", "batch32", "gist", "throughput", "small"]
EIGHT_BITS = [name for name in ALL if precision(name) == "int8"]


def make_model(program, shape, directory):
    """The synthetic model that `t5gist bench` keeps; written by it if it is not there."""
    model = os.path.join(directory, shape)
    if not os.path.exists(os.path.join(model, "config.json")):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(f"synthetic: {shape}\ncache: {directory}\ntask_tokens: 16\ninput_tokens: 16\nn_prompts: 1\nconditions: full\n")
            config.flush()
            subprocess.run([program, "bench", config.name, "--quiet"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return model


def measure(row, engines, machine, a):
    """The row's entries; engines that fail leave the dictionary."""
    quick = a.quick
    rounds = a.rounds or {"length": 7, "small": 7, "gist": 7, "throughput": 3}.get(row, 5) if not quick else a.rounds or 1
    if row == "length":
        return [entry for tokens in a.tokens for entry in rows.steps(row, engines, machine, 1, tokens, 32, rounds)]
    if row == "small":
        return rows.steps(row, engines, machine, 1, 64, 32, rounds)
    if row.startswith("batch"):
        return rows.steps(row, engines, machine, int(row[5:]), 64, 4 if quick else 16, rounds)
    if row == "gist":
        return rows.gist(row, engines, machine, 25, 37, rounds)
    return rows.throughput(row, engines, machine, a.prompts or (32 if quick else 252), 32, a.batch_sizes, rounds)


def start(a, shape, names, store, run):
    """The engines of a shape that start."""
    model, engines = make_model(a.t5gist, shape, a.cache), {}
    for name in names:
        begin = time.perf_counter()
        engine = Ours(a.t5gist, model, precision(name), a.threads, store) if is_ours(name) else Peer(name, model, os.path.join(a.cache, shape + "-peers"), a.threads)
        seconds = time.perf_counter() - begin
        print(f"{shape}, {name}: {engine.error or 'ready'} ({seconds:.1f} s)", file=sys.stderr, flush=True)
        if engine.error:
            run["missing"].append({"engine": name, "row": "all of " + shape, "reason": engine.error})
            engine.stop()
        else:
            engine.load_s = round(seconds, 3)
            engines[name] = engine
    return engines


def save(a, run):
    if not a.output:
        return
    os.makedirs(a.output, exist_ok=True)
    for suffix, content in ((".json", json.dumps(run, indent=1) + "\n"), (".md", report.markdown(run)), (".svg", report.picture(run))):
        with open(os.path.join(a.output, a.name + suffix), "w") as file:
            file.write(content)


def measure_shape(a, shape, chosen, machine, store, run):
    """All rows of one shape, with the engines that any of them needs started once."""
    wanted = {row: [name for name in (a.engines or (EIGHT_BITS + ["hf-bf16"] if row == "throughput" else ALL)) if row != "small" or name in EIGHT_BITS] for row in chosen}
    engines = start(a, shape, [name for name in ALL if any(name in names for names in wanted.values())], store, run)
    if not any(map(is_ours, engines)) and not a.prepare:
        raise SystemExit(f"t5gist itself does not run: {run['missing']}")
    for row in [] if a.prepare else chosen:
        begin, taking = time.perf_counter(), {name: engines[name] for name in wanted[row] if name in engines}
        taken = dict(taking)
        run["rows"] += [{**entry, "shape": shape} for entry in measure(row, taking, machine, a)]
        for name in [name for name in taken if name not in taking]:
            run["missing"].append({"engine": name, "row": row, "reason": engines[name].error})
            engines[name].error = None
            if engines[name].process.poll() is not None:
                del engines[name]
        print(f"{shape}, {row}: done ({time.perf_counter() - begin:.0f} s)", file=sys.stderr, flush=True)
        save(a, run)  # what is measured stays when the run is interrupted
    for name, engine in engines.items():
        run["processes"].append({"shape": shape, "engine": name, "load_s": engine.load_s, "peak_mb": round(engine.peak_mb(), 1)})
        engine.stop()


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--t5gist", default=f"{ROOT}/build/release/bin/t5gist")
    ap.add_argument("--rows", nargs="+", default=ROWS, choices=ROWS)
    ap.add_argument("--shape", help="of the synthetic model, in every row (default: base, in row small: small)")
    ap.add_argument("--tokens", nargs="+", type=int, default=[16, 64, 128], help="of row length")
    ap.add_argument("--prompts", type=int, help="of row throughput: so many of the human prompts, at most 252")
    ap.add_argument("--batch-sizes", nargs="+", type=int, default=[8, 16, 32, 64], help="of row throughput: what peers try (llama.cpp: 1, 4, 16)")
    ap.add_argument("--rounds", type=int, help="default: 7; batches 5, throughput 3")
    ap.add_argument("--quick", action="store_true", help="one round, few prompts: to see that everything runs, not for figures")
    ap.add_argument("--engines", nargs="+", choices=ALL, help="default: all; row throughput: those in 8 bits and hf-bf16; row small: those in 8 bits")
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--lock", help="a file locked during every turn of an engine, for other programs that measure on this machine to lock as well")
    ap.add_argument("--cache", default=os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "t5gist/bench"), help="where models are kept")
    ap.add_argument("--name", default="peers")
    ap.add_argument("-o", "--output", help="folder for the files")
    ap.add_argument("--prepare", action="store_true", help="only make the models and what engines convert, measure nothing")
    return ap.parse_args()


def main():
    a = arguments()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    run = {"title": "t5gist beside its peers", "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": cpu, "threads": a.threads,
           "command": " ".join(["benchmarks/peers/run.py"] + sys.argv[1:]), "missing": [], "processes": [], "rows": []}
    shapes = {}
    for row in a.rows:
        shapes.setdefault(a.shape or ("small" if row == "small" else "base"), []).append(row)
    with tempfile.TemporaryDirectory() as store:
        for shape, chosen in shapes.items():
            measure_shape(a, shape, chosen, rows.Machine(a.lock), os.path.join(store, shape), run)
    if a.prepare:
        return
    save(a, run)
    print(report.markdown(run), end="")


main()
