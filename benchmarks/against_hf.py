#!/usr/bin/env python3
"""t5gist against Hugging Face on PyTorch f32, in one run: encode, decode step, load time and peak memory, batch 1, interleaved.

    pip install 'torch==2.13.0' 'transformers==4.57.1' 'huggingface-hub<1.0' sentencepiece
    python3 benchmarks/against_hf.py [--t5gist build/release/bin/t5gist] [--shapes small base] [--rounds 15] [--tokens 16 64 128 512]

Models are seeded random checkpoints (speed needs no trained weights), written by tests/golden/synthetic.py. Both engines get the same ids (checked), the same number of threads and
the plain prompt. encode: the encoder alone. step: one warm greedy decoding step, (time of 33 tokens - time of 1) / 32. Medians in milliseconds; ratio: theirs / ours.
"""
import argparse, json, os, platform, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STEPS = 32


class Ours:
    """One t5gist process, asked line by line: every request is a batch of its own."""

    def __init__(self, program, model, threads):
        self.process = subprocess.Popen([program, "generate", "--batch", "-", "--model", model, "--threads", str(threads), "--json", "--quiet"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, text, new_tokens):
        request = {"input": text, "raw": True, "max_new_tokens": new_tokens, "min_new_tokens": new_tokens}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise SystemExit(f"t5gist: {answer['error']}")
        return answer

    def peak_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


class Theirs:
    def __init__(self, model, threads):
        import sentencepiece, torch
        from transformers import T5ForConditionalGeneration
        torch.set_num_threads(threads)
        self.torch = torch
        self.sp = sentencepiece.SentencePieceProcessor(model_file=f"{model}/spiece.model")
        self.model = T5ForConditionalGeneration.from_pretrained(model, dtype=torch.float32).eval()

    def ids(self, text):
        return self.sp.encode(text) + [1]

    def run(self, ids, suppress):
        """Milliseconds of the encoder and of a decoding step, and the tokens."""
        with self.torch.inference_mode():
            x = self.torch.tensor([ids])
            begin = time.perf_counter()
            states = self.model.encoder(input_ids=x)
            encoded = time.perf_counter()
            times = []
            for n in (1, STEPS + 1):
                start = time.perf_counter()
                out = self.model.generate(encoder_outputs=states, attention_mask=self.torch.ones_like(x), max_new_tokens=n, min_new_tokens=n, do_sample=False,
                                          suppress_tokens=suppress)
                times.append(time.perf_counter() - start)
        return (encoded - begin) * 1e3, (times[1] - times[0]) / STEPS * 1e3, out[0, 1:].tolist()


def text_of(sp, n_tokens):
    """A text of exactly n_tokens tokens, the end token counted."""
    words = "please sort the letters by date and write one short line about each of them for the office in Paris ".split()
    text = ""
    i = 0
    while len(sp.encode(text)) < n_tokens - 1:
        text += (" " if text else "") + words[i % len(words)]
        i += 1
    pieces = sp.encode(text)[: n_tokens - 1]
    return sp.decode(pieces), pieces + [1]


def compare(program, shape, lengths, rounds, threads, directory):
    model = os.path.join(directory, shape)
    subprocess.run([sys.executable, f"{ROOT}/tests/golden/synthetic.py", model, shape, "flan", "7"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([program, "info", "--model", model], check=True, stdout=subprocess.DEVNULL)  # the first opening computes the fingerprint
    begin = time.perf_counter()
    subprocess.run([program, "info", "--model", model], check=True, stdout=subprocess.DEVNULL)
    load = time.perf_counter() - begin
    ours, theirs = Ours(program, model, threads), Theirs(model, threads)
    vocabulary = theirs.model.config.vocab_size
    rows = []
    for n in lengths:
        text, ids = text_of(theirs.sp, n)
        if theirs.ids(text) != ids:
            raise SystemExit(f"the text of {n} tokens does not survive tokenisation")
        seen = {"ours": ([], []), "theirs": ([], [])}
        for round_ in range(rounds + 2):
            answer = ours.ask(text, STEPS + 1)
            encode, step, tokens = theirs.run(ids, [0, vocabulary - 1])
            if answer["n_input"] != n:
                raise SystemExit(f"t5gist saw {answer['n_input']} tokens instead of {n}")
            if round_ < 2:
                continue  # warm-up
            seen["ours"][0].append(answer["timings_ms"]["encode_input"])
            seen["ours"][1].append(answer["timings_ms"]["decode"] / STEPS)
            seen["theirs"][0].append(encode)
            seen["theirs"][1].append(step)
        same = next((i for i, (a, b) in enumerate(zip(answer["tokens"], tokens)) if a != b), len(tokens))
        m = {k: [statistics.median(x) for x in v] for k, v in seen.items()}
        rows.append((n, m["ours"][0], m["theirs"][0], m["ours"][1], m["theirs"][1], same))
    weights = os.path.getsize(os.path.join(model, "model.safetensors")) / 2**20
    print(f"\n### {shape}: load {load:.2f} s, peak memory {ours.peak_mb():.0f} MB of which weights {weights:.0f} MB\n")
    print("| tokens | encode ours | theirs | ratio | step ours | theirs | ratio | equal tokens |\n|---|---|---|---|---|---|---|---|")
    for n, oe, te, os_, ts, same in rows:
        print(f"| {n} | {oe:.2f} | {te:.2f} | {te / oe:.2f} | {os_:.2f} | {ts:.2f} | {ts / os_:.2f} | {same} of {STEPS + 1} |", flush=True)
    ours.process.stdin.close()
    ours.process.wait()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--t5gist", default=f"{ROOT}/build/release/bin/t5gist")
    ap.add_argument("--shapes", nargs="+", default=["small", "base"])
    ap.add_argument("--tokens", nargs="+", type=int, default=[16, 64, 128, 512])
    ap.add_argument("--rounds", type=int, default=15)
    ap.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    a = ap.parse_args()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    print(f"{time.strftime('%Y-%m-%d')}, {cpu}, {a.threads} threads; {' '.join(sys.argv)}")
    with tempfile.TemporaryDirectory() as directory:
        for shape in a.shapes:
            compare(a.t5gist, shape, a.tokens, a.rounds, a.threads, directory)


if __name__ == "__main__":
    main()
