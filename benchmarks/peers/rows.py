"""What is measured: each function below measures one kind of row with the engines given, in turn, and returns dictionaries for the report.

Engines that fail get the reason as their `error` and leave the dictionary of engines. A turn is one engine's work under the machine's lock."""
import contextlib, fcntl, json, os, statistics, time

from engines import ROOT, is_ours, precision, timed

WORDS = "please sort the letters by date and write one short line about each of them for your office in Paris with name time place then count all other good words".split()
PAUSE = 0.3  # seconds: the threads of the engine before spin for a while; then one request brings the next one's weights back into the caches
REPEATS = 5  # short requests per turn
SLOW = 60  # seconds: an engine whose first turn takes longer is measured by that turn alone


class Machine:
    """The lock, if any, that measurements of other programs on this machine take too."""

    def __init__(self, lock):
        self.lock = open(lock, "a") if lock else None

    @contextlib.contextmanager
    def turn(self):
        if self.lock:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        time.sleep(PAUSE)
        try:
            yield
        finally:
            if self.lock:
                fcntl.flock(self.lock, fcntl.LOCK_UN)


def rotated(names, by):
    names = list(names)
    return names[by % len(names):] + names[: by % len(names)]


def drop_failed(engines, *series):
    for name in [name for name in engines if engines[name].error]:
        del engines[name]
        for one in series:
            for key in [key for key in one if key == name or key[0] == name]:
                del one[key]


def same_tokens(found, reference):
    """Tokens up to the first difference, and how many there are."""
    same = sum(next((i for i, (a, b) in enumerate(zip(x, y)) if a != b), len(y)) for x, y in zip(found, reference))
    return same, sum(map(len, reference))


def text_of(ours, n_tokens, variant):
    """A text of n_tokens tokens, the end token counted: every word of the list is one."""
    n = n_tokens - 1
    for _ in range(8):
        text = " ".join(WORDS[(variant * 7 + i) % len(WORDS)] for i in range(n))
        found = ours.ask([text], 1)["counts"][0][2]
        if found == n_tokens:
            return text
        n += n_tokens - found
    raise SystemExit(f"no text of {n_tokens} tokens with this tokenizer")


def ratio(theirs, mine):
    return round(statistics.median(a / b for a, b in zip(theirs, mine)), 3) if theirs and mine else None


# ------------------------------------------------------------------------------------------------------------------------------- a request's stages

def steps(row, engines, machine, batch, tokens, n_steps, rounds):
    """Encoder, first token and decoding step of a batch of prompts of equal length."""
    source = next(e for n, e in engines.items() if is_ours(n))
    texts = [text_of(source, tokens, v) for v in range(batch)]
    seen, slow = {name: {"encode": [], "first": [], "step": [], "tokens": None} for name in engines}, set()
    for round_ in range(rounds + 1):
        for name in rotated(engines, round_):
            if name in slow:
                continue
            with machine.turn():
                begin = time.perf_counter()
                engines[name].ask(texts, 1)
                first, one = timed(engines[name], texts, 1)
                whole, many = timed(engines[name], texts, n_steps + 1)
            engines[name].error = one.get("error") or many.get("error")
            if round_ == 0 and time.perf_counter() - begin > SLOW:
                slow.add(name)
            if engines[name].error or (round_ == 0 and name not in slow):  # the first round warms up
                continue
            seen[name]["first"].append(first)
            seen[name]["step"].append((whole - first) / n_steps)
            seen[name]["tokens"] = many["tokens"]
            if one.get("encode_ms") is not None:
                seen[name]["encode"].append(one["encode_ms"])
        drop_failed(engines, seen)
    reference = seen.get("t5gist-f32", {}).get("tokens")
    found = []
    for name, series in seen.items():
        entry = {"row": row, "kind": "steps", "engine": name, "batch": batch, "tokens": tokens, "steps": n_steps, "rounds": len(series["first"])}
        mine = seen.get("t5gist-" + precision(name)) or seen.get("t5gist-f32") or {}
        for key in ("encode", "first", "step"):
            entry[key + "_ms"] = round(statistics.median(series[key]), 3) if series[key] else None
            entry[key + "_ratio"] = ratio(series[key], mine.get(key))
        if reference and precision(name) == "f32":
            entry["same_tokens"], entry["of"] = same_tokens(series["tokens"], reference)
        found.append(entry)
    return found


# --------------------------------------------------------------------------------------------------------------------------- gist or full prompt

def gist(row, engines, machine, n_task, n_input, rounds):
    """A warm request to its first token: t5gist with the task in a kept gist of one token, and everybody with the full prompt."""
    source = next(e for n, e in engines.items() if is_ours(n))
    task, text, words = None, None, {"task": n_task, "input": n_input}
    for _ in range(16):  # labels take tokens as well
        task, text = " ".join(WORDS[: words["task"]]), " ".join(WORDS[5: 5 + words["input"]] + WORDS[: max(0, words["input"] - len(WORDS) + 5)])
        found = source.ask([{"task": task, "input": text, "gists": 1}], 1)["counts"][0]
        if (found[0], found[2]) == (n_task, n_input):
            break
        words["task"] += n_task - found[0]
        words["input"] += n_input - found[2]
    full = f"Instruction: {task}\nInput: {text}"
    n_full = source.ask([full], 1)["counts"][0][2]
    if (found[0], found[2], n_full) != (n_task, n_input, n_task + n_input):
        raise SystemExit(f"no prompt of {n_task} and {n_input} tokens with this tokenizer: {found}, whole {n_full}")
    turns = [(name, "full") for name in engines] + [(name, "gist") for name in engines if is_ours(name)]
    seen, tokens = {turn: [] for turn in turns}, {}
    for round_ in range(rounds):
        for name, prompt in rotated(seen, round_):
            if engines[name].error:
                continue
            request = [{"task": task, "input": text, "gists": 1} if prompt == "gist" else full]
            with machine.turn():
                engines[name].ask(request, 1)
                answers = [timed(engines[name], request, 1) for _ in range(REPEATS)]
            engines[name].error = next((a["error"] for _, a in answers if "error" in a), None)
            if prompt == "gist" and not engines[name].error and not all(a["cached"] for _, a in answers):
                engines[name].error = "a gist was not kept"
            if not engines[name].error:
                seen[name, prompt] += [ms for ms, _ in answers]
                tokens[name, prompt] = answers[0][1]["tokens"]
        drop_failed(engines, seen)
    entries = []
    for (name, prompt), series in seen.items():
        mine = seen.get(("t5gist-" + precision(name), "gist")) or seen.get(("t5gist-f32", "gist"))
        entry = {"row": row, "kind": "gist", "engine": name, "prompt": prompt, "n_task": n_task, "n_input": n_input, "rounds": rounds,
                 "tokens": 1 + n_input if prompt == "gist" else n_full, "first_ms": round(statistics.median(series), 3), "first_ratio": ratio(series, mine)}
        if prompt == "full" and precision(name) == "f32" and ("t5gist-f32", "full") in tokens:
            entry["same_tokens"], entry["of"] = same_tokens(tokens[name, prompt], tokens["t5gist-f32", "full"])
        entries.append(entry)
    return entries


# --------------------------------------------------------------------------------------------------------------------------------- many prompts

def human_prompts(n):
    """n of the human prompts, evenly over their lengths: (task, input, the full prompt), longest first."""
    with open(os.path.join(ROOT, "tests/data/human.json")) as file:
        entries = json.load(file)
    prompts = [(e["instruction"], e["input"], f"Instruction: {e['instruction']}" + (f"\nInput: {e['input']}" if e["input"] else "")) for e in entries]
    prompts.sort(key=lambda p: -len(p[2]))
    return [prompts[i * len(prompts) // n] for i in range(min(n, len(prompts)))]


def answer_all(engine, prompts, n, batch):
    """All prompts, so many at a time: milliseconds and the answers' parts one after the other."""
    tokens, counts, cached, begin = [], [], True, time.perf_counter()
    for at in range(0, len(prompts), batch):
        answer = engine.ask(prompts[at: at + batch], n)
        if "error" in answer:
            return 0, answer
        tokens += answer["tokens"]
        counts += answer.get("counts", [])
        cached = cached and answer.get("cached", True)
    return (time.perf_counter() - begin) * 1e3, {"tokens": tokens, "counts": counts, "cached": cached}


def throughput(row, engines, machine, n_prompts, n, sizes, rounds):
    """Many prompts answered with n tokens each: t5gist gets all at once, with kept gists and in full; peers get them in full, sorted by length, in batches of the
    size that was best for them. Sizes: of llama.cpp smaller ones, for there every token attends to every prompt of its batch before masking."""
    prompts = human_prompts(n_prompts)
    texts, gists = [p[2] for p in prompts], [{"task": p[0], "input": p[1], "gists": 1} for p in prompts]
    best, tried = {}, {}
    for name in list(engines):
        if is_ours(name):
            with machine.turn():
                engines[name].error = answer_all(engines[name], gists, 1, len(gists))[1].get("error")  # makes the gists
            best[name] = len(prompts)
            continue
        tried[name] = {}
        for size in [1, 4, 16] if name.startswith("llamacpp") else sizes:
            with machine.turn():
                engines[name].ask(texts[:size], 2)
                ms, answer = answer_all(engines[name], texts, n, size)
            engines[name].error = answer.get("error")
            if engines[name].error:
                break
            tried[name][size] = round(ms / 1e3, 3)
        if tried[name]:
            best[name] = min(tried[name], key=tried[name].get)
    drop_failed(engines)
    seen = {turn: [] for turn in [(name, "full") for name in engines] + [(name, "gist") for name in engines if is_ours(name)]}
    tokens, counts = {}, {}
    for round_ in range(rounds):
        for name, prompt in rotated(seen, round_):
            if engines[name].error:
                continue
            asked = gists if prompt == "gist" else texts
            with machine.turn():
                engines[name].ask(asked[: min(8, best[name])], 2)
                ms, answer = answer_all(engines[name], asked, n, best[name])
            engines[name].error = answer.get("error") or (None if prompt == "full" or answer["cached"] else "a gist was not kept")
            if not engines[name].error:
                seen[name, prompt].append(ms / 1e3)
                tokens[name, prompt], counts[name, prompt] = answer["tokens"], answer["counts"]
        drop_failed(engines, seen)
    entries = []
    for (name, prompt), series in seen.items():
        entry = {"row": row, "kind": "throughput", "engine": name, "prompt": prompt, "prompts": len(prompts), "new_tokens": n, "batch": best[name], "rounds": rounds,
                 "tried": tried.get(name), "seconds": round(statistics.median(series), 3), "tokens_per_second": round(len(prompts) * n / statistics.median(series), 1)}
        for other in ("gist", "full"):
            mine = seen.get(("t5gist-" + precision(name), other)) or seen.get(("t5gist-f32", other))
            entry[other + "_ratio"] = ratio(series, mine)
        if (name, prompt) in counts and counts[name, prompt]:
            entry["mean_tokens"] = [round(statistics.mean(c[i] for c in counts[name, prompt]), 1) for i in range(3)]
        if prompt == "full" and precision(name) == "f32" and ("t5gist-f32", "full") in tokens:
            entry["same_tokens"], entry["of"] = same_tokens(tokens[name, prompt], tokens["t5gist-f32", "full"])
        entries.append(entry)
    return entries
