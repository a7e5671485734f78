#!/usr/bin/env python3
"""Training by t5gist beside training by PyTorch in one run: the same shapes, the same examples step by step, taking turns.

    benchmarks/peers/environments huggingface         makes PyTorch's environment under build/peers/, once
    benchmarks/peers/train.py [--shapes mini small] [--rounds 9] [--batch 16] [--busy] [--lock FILE] [-o DIR]

`t5gist train` runs from scratch with one gist token per example (condition gist; every example has another task, so that nothing is shared) and is stopped by signal while PyTorch
works; PyTorch gets the same tokens without masks (train_peer.py). A step is drawing or padding the examples, forward, backward, clipping and AdamW, dropout 0.1. Examples are
tests/data/human.json's, at most 128 source and 256 target tokens, in batches as they come. PyTorch's number of threads is the fastest of those tried; t5gist has one per core.
Rates are real target tokens per second. Beside them oneDNN's f32 product at M = 256 (d_model to d_ff, the oneDNN inside PyTorch), measured before and after each
turn. --busy, for a machine that others use: one thread each, and seconds of processor time instead of the clock's. --lock: a file to hold a lock on during each round, where others measure too. Writes NAME.json and NAME.md into the folder of -o. Standard library only.
"""
import argparse, contextlib, fcntl, json, os, platform, re, signal, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = os.path.join(ROOT, "build/peers/huggingface/bin/python")
DATA = os.path.join(ROOT, "tests/data/human.json")
LONGEST = 128, 256
TOKENIZERS = {"mini": "models/mini"}  # else FLAN-T5's
M = 256


def peak_mb(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024e-6


class Ours:
    """A run of `t5gist train` that goes on when asked; its log says what each step took."""

    def __init__(self, program, folder, shape, batch, data, threads, only_start=False):
        self.out, self.read = os.path.join(folder, "out"), 0
        recipe = {"shape": {"like": shape}, "vocab": {"from": os.path.join(ROOT, TOKENIZERS.get(shape, "tests/data/flan-t5"))}, "out": self.out, "data": {"train": data, "block": batch, "max_source":
                  LONGEST[0], "max_target": LONGEST[1]}, "conditions": {"gist": 1}, "gists": [1], "steps": 1 if only_start else 10**6, "batch_examples": 1 if only_start else batch, "optimiser": "adamw",
                  "rate": 1e-5, "weight_decay": 0.01, "clip": 1, "dropout": 0.1, "threads": threads, "tensorboard": False}
        if only_start:
            recipe["data"]["block"] = 1
        path = os.path.join(folder, "recipe.yaml")
        with open(path, "w") as file:
            json.dump(recipe, file)  # JSON is YAML
        self.process = subprocess.Popen([program, "train", path, "--overwrite"], stderr=subprocess.PIPE, text=True)

    def begin(self):
        """Reads what it says before its first step, and stops it."""
        said = ""
        while "time predicted" not in said:
            line = self.process.stderr.readline()
            if not line:
                raise SystemExit(f"t5gist train ended: {said}")
            said += line
        self.predicted_mb = float(re.search(r"memory predicted: ([\d.]+) GB", said)[1]) * 1e3
        self.process.send_signal(signal.SIGSTOP)

    def steps(self):
        try:
            with open(os.path.join(self.out, "run/log.jsonl")) as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def wait(self, n):
        """Until n steps are done; processor time until then."""
        while len(self.steps()) < n:
            if self.process.poll() is not None:
                raise SystemExit("t5gist train ended: " + self.process.stderr.read())
            time.sleep(0.005)
        with open(f"/proc/{self.process.pid}/stat") as stat:
            return sum(map(int, stat.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def turn(self, n, busy):
        """The log of n whole steps and their seconds together: the step that was under way when it was stopped does not count."""
        first = len(self.steps()) + 1
        self.process.send_signal(signal.SIGCONT)
        begin, end = self.wait(first), self.wait(first + n)
        self.process.send_signal(signal.SIGSTOP)
        log = self.steps()[first:first + n]
        return log, end - begin if busy else sum(s["seconds"] for s in log)

    def end(self):
        self.process.kill()
        self.process.wait()


class Peer:
    def __init__(self, folder, data):
        self.process = subprocess.Popen([PYTHON, os.path.join(HERE, "train_peer.py"), folder, data, *map(str, LONGEST)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.examples = self.line()

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise SystemExit(f"{PYTHON} train_peer.py ended with status {self.process.wait()}")
        return json.loads(text)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        return self.line()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def make_examples(peer, batch, folder):
    """The examples that both take, whole batches of them in one file; batches as places in DATA, by what a step's log says of them: (encoder and decoder rows, targets)."""
    kept = peer.examples[:len(peer.examples) // batch * batch]
    with open(DATA) as file:
        everything = json.load(file)
    path = os.path.join(folder, "examples.json")
    with open(path, "w") as file:
        json.dump([everything[place] for place, _, _ in kept], file)
    batches = {}
    for i in range(0, len(kept), batch):
        some = kept[i:i + batch]
        key = sum(s + t for _, s, t in some), sum(t for _, _, t in some)
        if key in batches:
            raise SystemExit("two batches have the same numbers of tokens; another --batch tells them apart")
        batches[key] = [place for place, _, _ in some]
    widths = [(max(s for _, s, _ in b) + max(t for _, _, t in b)) * len(b) for b in (kept[i:i + batch] for i in range(0, len(kept), batch))]
    return path, batches, sum(s + t for _, s, t in kept) / sum(widths)


def best_threads(peer, batches, cores):
    """The number of threads with which PyTorch is fastest, over two batches, twice each in turn."""
    seconds = {n: 0.0 for n in sorted({1, max(1, cores // 2), cores, 2 * cores})}
    some = list(batches.values())[:2]
    for _ in range(2):
        for n in seconds:
            seconds[n] += min(peer.ask(train=some, threads=n)["seconds"])
    return min(seconds, key=seconds.get), seconds


def one_round(ours, peer, batches, shape, a, threads):
    rate = lambda: peer.ask(product=[M, *shape], threads=a.threads)["gflops"]
    before = rate()
    log, seconds = ours.turn(a.steps, a.busy)
    between = rate()
    theirs = peer.ask(train=[batches[int(s["tokens"]), int(s["targets"])] for s in log], threads=threads)
    torch = sum(theirs["processor" if a.busy else "seconds"])
    after = rate()
    if theirs["targets"] != [s["targets"] for s in log]:
        raise SystemExit("the two did not train on the same tokens")
    targets = sum(theirs["targets"])
    gflops = sum(s["gflops"] * s["seconds"] for s in log) / seconds
    return {"ours": targets / seconds, "torch": targets / torch, "ratio": torch / seconds, "gflops": gflops,
            "onednn": [before, between, after], "share": gflops / ((before + between) / 2), "targets": targets}


def measure(a, name, held):
    with tempfile.TemporaryDirectory(dir=a.scratch) as folder:
        start = Ours(a.t5gist, folder, name, 1, DATA, a.threads, only_start=True)
        if start.process.wait() != 0:
            raise SystemExit(start.process.stderr.read())
        with open(os.path.join(start.out, "config.json")) as file:
            config = json.load(file)
        peer = Peer(start.out, DATA)
        data, batches, dense = make_examples(peer, a.batch, folder)
        ours = Ours(a.t5gist, folder, name, a.batch, data, a.threads)
        ours.begin()
        rounds = []
        try:
            with held():
                threads, tried = (1, {}) if a.busy else best_threads(peer, batches, a.threads)
            for i in range(a.rounds + 1):
                with held():
                    r = one_round(ours, peer, batches, (config["d_model"], config["d_ff"]), a, threads)
                print(f"{name}: {r['ours']:.0f} and {r['torch']:.0f} target tokens/s, ratio {r['ratio']:.2f}, share {r['share']:.2f}{'' if i else ' (first round, left out)'}", file=sys.stderr, flush=True)
                if i:
                    rounds.append(r)
            return {"shape": name, "config": {k: config[k] for k in ("d_model", "d_ff", "d_kv", "num_heads", "num_layers", "vocab_size")}, "torch_threads": threads,
                    "torch_threads_tried": tried, "dense": dense, "rounds": rounds, "peak_mb": peak_mb(ours.process), "predicted_mb": ours.predicted_mb, "torch_peak_mb": peak_mb(peer.process)}
        finally:
            ours.end()
            peer.end()


def spread(rounds, key, digits):
    values = [r[key] for r in rounds]
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def markdown(run):
    lines = ["# Training beside PyTorch", "", f"{run['date']}; {run['machine']}, {'one thread each, seconds of processor time' if run['busy'] else str(run['threads']) + ' threads'}; PyTorch {run['torch']}, transformers {run['transformers']}, f32.", "", f"    {run['command']}", "",
             f"Steps of {run['batch']} examples of tests/data/human.json (at most {LONGEST[0]} source and {LONGEST[1]} target tokens), {run['rounds']} rounds of {run['steps']} steps each in turn; medians, and the "
             "smallest and largest of the rounds. A step is forward, backward, clipping and AdamW, dropout 0.1. Share: the floating-point operations that the step needs per second, beside oneDNN's product at "
             f"M = {M} around it (d_model to d_ff).", "",
             "| shape | t5gist, target tokens/s | PyTorch | ratio | t5gist, GFLOP/s | oneDNN at M = 256 | share |", "|---|---|---|---|---|---|---|"]
    for s in run["shapes"]:
        rounds = [{**r, "onednn": statistics.mean(r["onednn"][:2])} for r in s["rounds"]]
        lines.append(f"| {s['shape']} | {spread(rounds, 'ours', 0)} | {spread(rounds, 'torch', 0)} | {spread(rounds, 'ratio', 2)} | {spread(rounds, 'gflops', 0)} | {spread(rounds, 'onednn', 0)} | "
                     f"{spread(rounds, 'share', 2)} |")
    lines += ["", "| shape | vocabulary | real tokens of PyTorch's padded ones | PyTorch's threads | peak memory, MB | predicted | PyTorch's |", "|---|---|---|---|---|---|---|"]
    lines += [f"| {s['shape']} | {s['config']['vocab_size']} | {100 * s['dense']:.0f} % | {s['torch_threads']} | {s['peak_mb']:.0f} | {s['predicted_mb']:.0f} | {s['torch_peak_mb']:.0f} |" for s in run["shapes"]]
    return "\n".join(lines) + "\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--t5gist", default=f"{ROOT}/build/release/bin/t5gist")
    ap.add_argument("--shapes", nargs="+", default=["mini", "small"])
    ap.add_argument("--batch", type=int, default=16, help="examples of a step")
    ap.add_argument("--steps", type=int, default=3, help="of a turn")
    ap.add_argument("--rounds", type=int, default=9)
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--lock", help="file to lock during each round")
    ap.add_argument("--scratch", help="folder for what is written on the way")
    ap.add_argument("--name", default="training")
    ap.add_argument("-o", "--output", help="folder for the files")
    ap.add_argument("--busy", action="store_true", help="one thread each, processor time")
    a = ap.parse_args()
    a.threads = 1 if a.busy else a.threads

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what it started ends with it

    @contextlib.contextmanager
    def held():
        with open(a.lock, "a") if a.lock else contextlib.nullcontext() as file:
            if file:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    versions = subprocess.run([PYTHON, "-c", "import torch, transformers; print(torch.__version__, transformers.__version__)"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    run = {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": cpu, "threads": a.threads, "torch": versions[0], "transformers": versions[1],
           "command": " ".join(["benchmarks/peers/train.py"] + sys.argv[1:]), "busy": a.busy, "batch": a.batch, "rounds": a.rounds, "steps": a.steps, "shapes": [measure(a, name, held) for name in a.shapes]}
    text = markdown(run)
    print(text, end="")
    if a.output:
        os.makedirs(a.output, exist_ok=True)
        for suffix, content in ((".json", json.dumps(run, indent=1) + "\n"), (".md", text)):
            with open(os.path.join(a.output, a.name + suffix), "w") as file:
                file.write(content)


main()
