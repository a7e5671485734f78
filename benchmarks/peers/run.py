#!/usr/bin/env python3
"""t5gist against other engines in one run: the same prompts, the same ids, the same numbers of greedy tokens, the same threads, warm, interleaved.

    benchmarks/peers/environments                     makes the peers' environments under build/peers/, once
    benchmarks/peers/run.py [--shape base] [--tokens 16 64 128] [--batch 1] [--engines t5gist-f32 hf-f32 ...] [-o DIR]

Every engine is a process of its own that answers line by line; one works at a time. Wall times are taken here, around a line and its answer: `first` is a request of one
new token (encoder and first step), `step` is (time of 33 tokens - time of 1) / 32, a warm decoding step; `encode` is the encoder alone where an engine can say it.
Medians in milliseconds. Engines in f32 are checked to give the tokens that t5gist gives in f32. One that cannot be run is listed with the reason. Writes NAME.json,
NAME.md and NAME.svg into the folder of -o. Standard library only.
"""
import argparse, html, json, os, platform, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STEPS = 32
ENVIRONMENTS = {"hf": "huggingface", "ctranslate2": "ctranslate2", "onnxruntime": "onnxruntime", "openvino": "openvino"}
ALL = ["t5gist-f32", "hf-f32", "ctranslate2-f32", "onnxruntime-f32", "openvino-f32", "hf-bf16", "t5gist-int8", "hf-int8", "ctranslate2-int8", "openvino-int8"]
WORDS = "please sort the letters by date and write one short line about each of them for your office in Paris with name time place then count all other good words".split()


class Process:
    """A co-process that answers line by line."""

    def __init__(self, command, quiet=True, env=None):
        self.error = None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None, text=True, bufsize=1,
                                        env={**os.environ, **(env or {})})

    def line(self):
        text = self.process.stdout.readline()
        return json.loads(text) if text else {"error": f"ended with status {self.process.wait()}"}

    def send(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def peak_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


class Ours(Process):
    def __init__(self, program, model, dtype, threads):
        super().__init__([program, "generate", "--batch", "-", "--model", model, "--dtype", dtype, "--threads", str(threads), "--json", "--quiet"])
        self.ready = self.ask(["a"], 1)
        self.error = self.ready.get("error")

    def ask(self, texts, n):
        """Lines written at once are one batch."""
        self.send("".join(json.dumps({"input": text, "raw": True, "max_new_tokens": n, "min_new_tokens": n}) + "\n" for text in texts))
        answers = [self.line() for _ in texts]
        for answer in answers:
            if "error" in answer:
                return answer
        return {"encode_ms": answers[0]["timings_ms"]["encode_input"], "tokens": [a["tokens"] for a in answers], "n_input": answers[0]["n_input"]}


class Peer(Process):
    def __init__(self, name, model, work, threads):
        python = os.path.join(ROOT, "build/peers", ENVIRONMENTS[name.rsplit("-", 1)[0]], "bin/python")
        if not os.path.exists(python):
            self.error, self.process = f"not installed: {os.path.relpath(python, ROOT)} is missing", None
            return
        super().__init__([python, os.path.join(HERE, "peer.py"), name, model, work, str(threads)], env={"OMP_NUM_THREADS": str(threads)})
        self.error = self.line().get("error")

    def ask(self, texts, n):
        self.send(json.dumps({"texts": texts, "new_tokens": n}) + "\n")
        return self.line()

    def stop(self):
        if self.process:
            super().stop()


def make_model(program, shape, directory):
    """The synthetic model that `t5gist bench` keeps; written by it if it is not there."""
    model = os.path.join(directory, shape)
    if not os.path.exists(os.path.join(model, "config.json")):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(f"synthetic: {shape}\ncache: {directory}\ntask_tokens: 16\ninput_tokens: 16\nn_prompts: 1\nconditions: full\n")
            config.flush()
            subprocess.run([program, "bench", config.name, "--quiet"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return model


def text_of(ours, n_tokens, variant):
    """A text of n_tokens tokens, the end token counted: every word of the list is one."""
    n = n_tokens - 1
    for _ in range(8):
        text = " ".join(WORDS[(variant * 7 + i) % len(WORDS)] for i in range(n))
        found = ours.ask([text], 1)["n_input"]
        if found == n_tokens:
            return text
        n += n_tokens - found
    raise SystemExit(f"no text of {n_tokens} tokens with this tokenizer")


def timed(engine, texts, n):
    begin = time.perf_counter()
    answer = engine.ask(texts, n)
    return (time.perf_counter() - begin) * 1e3, answer


PAUSE = 0.3  # seconds: the threads of the engine before spin for a while; then one request brings the next one's weights back into the caches


def measure(engines, texts, rounds):
    """Per engine a dictionary of series; engines that fail are dropped with the reason."""
    seen = {name: {"encode": [], "first": [], "step": [], "tokens": None} for name in engines}
    for round_ in range(rounds + 1):
        names = list(engines)
        for name in names[round_ % len(names):] + names[: round_ % len(names)]:
            time.sleep(PAUSE)
            engines[name].ask(texts, 1)
            first, one = timed(engines[name], texts, 1)
            whole, many = timed(engines[name], texts, STEPS + 1)
            failed = one.get("error") or many.get("error")
            if failed:
                engines[name].error = failed
            if failed or round_ == 0:  # the first round warms up
                continue
            seen[name]["first"].append(first)
            seen[name]["step"].append((whole - first) / STEPS)
            seen[name]["tokens"] = many["tokens"]
            if one.get("encode_ms") is not None:
                seen[name]["encode"].append(one["encode_ms"])
        for name in [name for name in engines if engines[name].error]:
            del engines[name], seen[name]
    return seen


def summary(name, series, reference, batch, tokens, ours):
    row = {"engine": name, "batch": batch, "tokens": tokens}
    for key in ("encode", "first", "step"):
        row[key + "_ms"] = round(statistics.median(series[key]), 3) if series[key] else None
    row["same_tokens"] = row["of"] = None
    if reference and name.endswith("-f32"):
        pairs = list(zip(series["tokens"], reference))
        row["same_tokens"] = sum(next((i for i, (a, b) in enumerate(zip(x, y)) if a != b), len(y)) for x, y in pairs)
        row["of"] = sum(len(y) for _, y in pairs)
    mine = ours.get("t5gist-" + name.rsplit("-", 1)[1]) or ours.get("t5gist-f32")
    for key in ("encode", "first", "step"):
        both = series[key] and mine and mine[key]
        row[key + "_ratio"] = round(statistics.median(a / b for a, b in zip(series[key], mine[key])), 3) if both else None
    return row


def number(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def markdown(run):
    lines = [f"# {run['title']}", "", f"{run['date']}; {run['machine']}, {run['threads']} threads; {run['model']}.", "", f"    {run['command']}", "",
             "Wall times in milliseconds, medians, engines interleaved: encode is the encoder alone, first a whole request of one new token, step a warm decoding step. Ratio: theirs / "
             "t5gist at the same precision (for bf16: at f32), median over rounds. Same tokens: greedy tokens up to the first difference from t5gist's, f32 only.", ""]
    for batch, tokens in sorted({(r["batch"], r["tokens"]) for r in run["rows"]}):
        lines += [f"## batch {batch}, prompts of {tokens} tokens", "", "| engine | encode | ratio | first | ratio | step | ratio | same tokens |", "|---|---|---|---|---|---|---|---|"]
        for r in run["rows"]:
            if (r["batch"], r["tokens"]) == (batch, tokens):
                same = "–" if r["same_tokens"] is None else f"{r['same_tokens']} of {r['of']}"
                lines.append(f"| {r['engine']} | {number(r['encode_ms'])} | {number(r['encode_ratio'])} | {number(r['first_ms'])} | {number(r['first_ratio'])} | "
                             f"{number(r['step_ms'])} | {number(r['step_ratio'])} | {same} |")
        lines.append("")
    lines += ["## Processes", "", "| engine | start, s | peak memory, MB |", "|---|---|---|"]
    lines += [f"| {name} | {p['load_s']:.2f} | {p['peak_mb']:.0f} |" for name, p in run["processes"].items()]
    if run["missing"]:
        lines += ["", "Not measured:", ""] + [f"- {name}: {html.escape(reason)}" for name, reason in run["missing"].items()]
    return "\n".join(lines) + "\n"


def picture(run):
    """Bars: the request of one token and the decoding step of every engine, for the first batch and the middle length."""
    sets = sorted({(r["batch"], r["tokens"]) for r in run["rows"]})
    batch, tokens = sets[len([s for s in sets if s[0] == sets[0][0]]) // 2]
    rows = [r for r in run["rows"] if (r["batch"], r["tokens"]) == (batch, tokens)]
    left, width, step = 150, 860, 20
    out, y = [], 58
    for key, what in (("first_ms", f"one request of {tokens} tokens to its first token"), ("step_ms", "a decoding step")):
        out.append(f'<text x="10" y="{y}">{what}, batch {batch}, ms</text>')
        y += 8
        longest = max(r[key] for r in rows)
        for r in rows:
            w = r[key] / longest * (width - left - 90)
            colour = "#2e7d5b" if r["engine"].startswith("t5gist") else "#9db7d2"
            out.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{r["engine"]}</text><rect x="{left}" y="{y}" width="{w:.1f}" height="14" fill="{colour}"/>'
                       f'<text x="{left + w + 5:.1f}" y="{y + 12}">{r[key]:.1f}</text>')
            y += step
        y += 24
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="sans-serif" font-size="12"><rect width="{width}" height="{y}" fill="#fff"/>'
            f'<text x="10" y="20" font-size="15">{html.escape(run["title"])}</text><text x="10" y="37" fill="#666">'
            f'{html.escape(run["model"] + "; " + run["machine"] + ", " + str(run["threads"]) + " threads, " + run["date"])}</text>')
    return head + "\n".join(out) + "</svg>\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--t5gist", default=f"{ROOT}/build/release/bin/t5gist")
    ap.add_argument("--shape", default="base", help="of the synthetic model")
    ap.add_argument("--tokens", nargs="+", type=int, default=[16, 64, 128])
    ap.add_argument("--batch", nargs="+", type=int, default=[1])
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--engines", nargs="+", default=ALL, choices=ALL)
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ap.add_argument("--cache", default=os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "t5gist/bench"), help="where models are kept")
    ap.add_argument("--name", default="peers")
    ap.add_argument("-o", "--output", help="folder for the files")
    ap.add_argument("--prepare", action="store_true", help="only make the model and what engines convert, measure nothing")
    a = ap.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    model = make_model(a.t5gist, a.shape, a.cache)
    run = {"title": f"t5gist beside its peers, FLAN-T5-{a.shape}", "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": cpu, "threads": a.threads,
           "model": f"FLAN-T5-{a.shape} shape, random weights", "command": " ".join(["benchmarks/peers/run.py"] + sys.argv[1:]), "rounds": a.rounds, "missing": {}, "processes": {},
           "rows": []}
    engines, loads = {}, {}
    for name in a.engines:
        begin = time.perf_counter()
        family, dtype = name.rsplit("-", 1)
        engine = Ours(a.t5gist, model, dtype, a.threads) if family == "t5gist" else Peer(name, model, os.path.join(a.cache, a.shape + "-peers"), a.threads)
        loads[name] = time.perf_counter() - begin
        print(f"{name}: {engine.error or 'ready'} ({loads[name]:.1f} s)", file=sys.stderr, flush=True)
        if engine.error:
            run["missing"][name] = engine.error
            engine.stop()
        else:
            engines[name] = engine
    if a.prepare:
        return [engine.stop() for engine in engines.values()]
    source = next((e for n, e in engines.items() if n.startswith("t5gist")), None)
    if source is None:
        raise SystemExit(f"t5gist itself does not run: {run['missing']}")
    for batch in a.batch:
        for tokens in a.tokens:
            started = dict(engines)
            seen = measure(engines, [text_of(source, tokens, v) for v in range(batch)], a.rounds)
            run["missing"].update({name: e.error for name, e in started.items() if name not in engines})
            ours = {name: s for name, s in seen.items() if name.startswith("t5gist")}
            reference = seen.get("t5gist-f32", {}).get("tokens")
            run["rows"] += [summary(name, series, reference, batch, tokens, ours) for name, series in seen.items()]
            print(f"batch {batch}, {tokens} tokens: done", file=sys.stderr, flush=True)
    for name, engine in engines.items():
        run["processes"][name] = {"load_s": round(loads[name], 3), "peak_mb": round(engine.peak_mb(), 1)}
        engine.stop()
    text = markdown(run)
    print(text, end="")
    if a.output:
        os.makedirs(a.output, exist_ok=True)
        for suffix, content in ((".json", json.dumps(run, indent=1) + "\n"), (".md", text), (".svg", picture(run))):
            with open(os.path.join(a.output, a.name + suffix), "w") as file:
                file.write(content)


main()
