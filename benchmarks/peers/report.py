"""The run as Markdown and as a picture."""
import html

from engines import is_ours, precision


def number(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def same(entry):
    return f"{entry['same_tokens']} of {entry['of']}" if "of" in entry else "–"


def sections(run):
    """Rows that belong together, in the order measured: (heading, entries)."""
    groups = {}
    for e in run["rows"]:
        what = {"steps": lambda: f"batch {e['batch']}, prompts of {e['tokens']} tokens, {e['steps']} steps",
                "gist": lambda: f"a warm request to its first token: a task of {e['n_task']} and an input of {e['n_input']} tokens",
                "throughput": lambda: f"{e['prompts']} human prompts, {e['new_tokens']} new tokens each"}[e["kind"]]()
        groups.setdefault((e["row"], e["shape"], what), []).append(e)
    return [(f"{row}: {shape} shape, {what}", entries) for (row, shape, what), entries in groups.items()]


def table(entries):
    kind = entries[0]["kind"]
    if kind == "steps":
        lines = ["| engine | encode | ratio | first | ratio | step | ratio | same tokens |", "|---|---|---|---|---|---|---|---|"]
        return lines + [f"| {e['engine']} | " + " | ".join(f"{number(e[k + '_ms'])} | {number(e[k + '_ratio'])}" for k in ("encode", "first", "step")) + f" | {same(e)} |"
                        for e in entries]
    if kind == "gist":
        lines = ["| engine | prompt | tokens | first | ratio | same tokens |", "|---|---|---|---|---|---|"]
        return lines + [f"| {e['engine']} | {e['prompt']} | {e['tokens']} | {number(e['first_ms'])} | {number(e['first_ratio'])} | {same(e)} |" for e in entries]
    lines = ["| engine | prompt | batch (seconds tried) | seconds | tokens/s | ratio to gists | ratio to full | same tokens |", "|---|---|---|---|---|---|---|---|"]
    for e in entries:
        tried = "; ".join(f"{size}: {seconds:.1f}" for size, seconds in (e["tried"] or {}).items())
        lines.append(f"| {e['engine']} | {e['prompt']} | {'all' if is_ours(e['engine']) else e['batch']}{f' ({tried})' if tried else ''} | {number(e['seconds'])} | "
                     f"{number(e['tokens_per_second'], 0)} | {number(e['gist_ratio'])} | {number(e['full_ratio'])} | {same(e)} |")
    return lines


def best_peers(entries):
    """One line per number format: the fastest peer and how far behind t5gist it is. Many prompts and gists: of all peers, whatever their precision."""
    kind, lines = entries[0]["kind"], []
    measures = {"steps": ("encode", "first", "step"), "gist": ("first",), "throughput": ("seconds",)}[kind]
    for mine in [e for e in entries if is_ours(e["engine"])]:
        for measure in measures:
            key = measure if measure == "seconds" else measure + "_ms"
            peers = [e for e in entries if not is_ours(e["engine"]) and e[key] and (kind != "steps" or precision(e["engine"]) == precision(mine["engine"]))]
            if peers and mine[key]:
                peer = min(peers, key=lambda e: e[key])
                lines.append(f"- {mine['engine']}{', ' + mine['prompt'] if 'prompt' in mine else ''}, {measure}: best peer {peer['engine']}, {peer[key] / mine[key]:.2f} x its time")
    return lines


def markdown(run):
    lines = [f"# {run['title']}", "", f"{run['date']}; {run['machine']}, {run['threads']} threads; random weights.", "", f"    {run['command']}", "",
             "Wall times in milliseconds, medians, engines interleaved: encode is the encoder alone, first a whole request of one new token, step a warm decoding step. Ratio: theirs / "
             "t5gist's at the same precision (q8_0: int8), median over rounds; prompt *gist*: the task lies in a kept gist of one token, t5gist alone can do that. Same tokens: greedy tokens "
             "up to the first difference from t5gist's, f32 only.", ""]
    for heading, entries in sections(run):
        lines += [f"## {heading}", ""] + table(entries) + [""]
        best = best_peers(entries)
        lines += best + [""] if best else []
    lines += ["## Processes", "", "| shape | engine | start, s | peak memory, MB |", "|---|---|---|---|"]
    lines += [f"| {p['shape']} | {p['engine']} | {p['load_s']:.2f} | {p['peak_mb']:.0f} |" for p in run["processes"]]
    if run["missing"]:
        lines += ["", "Cannot run:", "", "| engine | row | reason |", "|---|---|---|"]
        lines += [f"| {m['engine']} | {m['row']} | {html.escape(m['reason']).replace('|', '&#124;')} |" for m in run["missing"]]
    return "\n".join(lines) + "\n"


def bars(run):
    """(title, [(label, value)]) of every picture's part; of several lengths at one batch size the middle one."""
    groups = sections(run)
    lengths = [g for g in groups if g[1][0]["row"] == "length"]
    found = []
    for heading, entries in groups:
        if entries[0]["row"] == "length" and heading != lengths[len(lengths) // 2][0]:
            continue
        kind = entries[0]["kind"]
        keys = {"steps": (("first_ms", "first token"), ("step_ms", "a decoding step")), "gist": (("first_ms", "first token"),), "throughput": (("seconds", "all"),)}[kind]
        for key, what in keys:
            label = lambda e: e["engine"] + (", gist" if e.get("prompt") == "gist" else "")
            unit = "s" if kind == "throughput" else "ms"
            found.append((f"{heading}: {what}, {unit}", [(label(e), e[key]) for e in entries]))
    return found


def picture(run):
    left, width, step = 170, 900, 20
    out, y = [], 58
    for title, values in bars(run):
        out.append(f'<text x="10" y="{y}">{html.escape(title)}</text>')
        y += 8
        longest = max(value for _, value in values)
        for label, value in values:
            w = max(0, value) / longest * (width - left - 90)
            colour = "#2e7d5b" if is_ours(label) else "#9db7d2"
            out.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{label}</text><rect x="{left}" y="{y}" width="{w:.1f}" height="14" fill="{colour}"/>'
                       f'<text x="{left + w + 5:.1f}" y="{y + 12}">{value:.1f}</text>')
            y += step
        y += 24
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="sans-serif" font-size="12"><rect width="{width}" height="{y}" fill="#fff"/>'
            f'<text x="10" y="20" font-size="15">{html.escape(run["title"])}</text><text x="10" y="37" fill="#666">'
            f'{html.escape("random weights; " + run["machine"] + ", " + str(run["threads"]) + " threads, " + run["date"])}</text>')
    return head + "\n".join(out) + "</svg>\n"
