"""Engines as co-processes that answer line by line: t5gist and its peers. One works at a time; wall times are taken here, around lines and answers."""
import json, os, subprocess, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ENVIRONMENTS = {"hf": "huggingface", "ctranslate2": "ctranslate2", "onnxruntime": "onnxruntime", "openvino": "openvino", "llamacpp": "llamacpp"}
ALL = ["t5gist-f32", "hf-f32", "ctranslate2-f32", "onnxruntime-f32", "openvino-f32", "llamacpp-f32", "t5gist-bf16", "hf-bf16",
       "t5gist-int8", "hf-int8", "ctranslate2-int8", "openvino-int8", "llamacpp-q8_0"]


def is_ours(name):
    return name.startswith("t5gist-")


def precision(name):
    """Which of t5gist's number formats an engine is held against."""
    last = name.rsplit("-", 1)[1]
    return "int8" if last == "q8_0" else last


class Process:
    """A co-process that answers line by line. error: why it cannot be used, or None."""

    def __init__(self, command, env=None):
        self.error = None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
                                        env={**os.environ, **(env or {})})

    def line(self):
        text = self.process.stdout.readline()
        return json.loads(text) if text else {"error": f"ended with status {self.process.wait()}"}

    def send(self, text):
        try:
            self.process.stdin.write(text)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # line() tells its end

    def peak_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1024

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
            self.process.wait()


class Ours(Process):
    """store: where gists are kept during a run; a session itself keeps those of the last 64 tasks."""

    def __init__(self, program, model, dtype, threads, store):
        super().__init__([program, "generate", "--batch", "-", "--model", model, "--dtype", dtype, "--threads", str(threads), "--store", store, "--quiet"])
        self.error = self.ask(["a"], 1).get("error")

    def ask(self, prompts, n):
        """Prompts: texts, or dictionaries of a request's options. Lines written at once are one batch; at most 256, which the program reads before it answers."""
        requests = [{"input": p, "raw": True} if isinstance(p, str) else p for p in prompts]
        self.send("".join(json.dumps({**request, "max_new_tokens": n, "min_new_tokens": n}) + "\n" for request in requests))
        answers = [self.line() for _ in requests]
        failed = next((a["error"] for a in answers if "error" in a), None)
        if failed:
            return {"error": failed if isinstance(failed, str) else json.dumps(failed)}
        # Requests that were encoded together say the same figure.
        return {"encode_ms": sum({a["timings_ms"]["encode_input"] for a in answers}), "tokens": [a["tokens"] for a in answers],
                "counts": [(a["n_task"], a["n_gist"], a["n_input"]) for a in answers], "cached": all(a["gist_cached"] for a in answers)}


class Peer(Process):
    def __init__(self, name, model, work, threads):
        python = os.path.join(ROOT, "build/peers", ENVIRONMENTS[name.rsplit("-", 1)[0]], "bin/python")
        if not os.path.exists(python):
            self.process, self.error = None, f"not installed: {os.path.relpath(python, ROOT)} is missing"
            return
        super().__init__([python, os.path.join(HERE, "peer.py"), name, model, work, str(threads)], env={"OMP_NUM_THREADS": str(threads)})
        self.error = self.line().get("error")

    def ask(self, prompts, n):
        self.send(json.dumps({"texts": prompts, "new_tokens": n}) + "\n")
        return self.line()


def timed(engine, prompts, n):
    """Milliseconds and the answer."""
    begin = time.perf_counter()
    answer = engine.ask(prompts, n)
    return (time.perf_counter() - begin) * 1e3, answer
