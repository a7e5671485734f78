#!/usr/bin/env python3
"""Writes the bundled model's card, README.md, from results.json (results.py) and the template card.md; every figure comes from there.

    card.py RESULTS_DIR --out models/mini [--second RESULTS_DIR] [--model RUN]

--second: the results of another seed, whose table stands beside the first's. --model: the trained folder, whose files are copied to --out. Pictures and results.json are
put beside the card, so that anybody can ask `bars.py models/mini`."""
import argparse
import math
import os
import shutil

import common

GOOD, WEAK = 95, 80  # percent of exact match at one gist token, for the list of what it does well and badly


def interval(cell, scale=1, digits=1):
    return f"{scale * cell['estimate']:.{digits}f} ({scale * cell['low']:.{digits}f}–{scale * cell['high']:.{digits}f})"


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def main_table(table):
    head = ["condition"] + [f"{s['name']} ({s['examples']})" for s in table["splits"]]
    cell = lambda row, split: interval(row["splits"][split]["exact_match"]) + f" / {row['splits'][split]['rougeL']['estimate']:.1f}"
    return markdown(head, [[row["name"]] + [cell(row, s["name"]) for s in table["splits"]] for row in table["rows"]])


def has_room(table, split):
    room = next(row for row in table["rows"] if row["name"] == "pos_control")["splits"][split]["above_neg_control"]["exact_match"]
    return room["low"] > 0


def recovered_table(table):
    rows = [row for row in table["rows"] if row["name"].startswith(("gist", "words"))]
    cell = lambda row, split: interval(row["splits"][split]["recovered"]["exact_match"], 100) if has_room(table, split) else "–"
    return markdown(["condition"] + [s["name"] for s in table["splits"]], [[row["name"]] + [cell(row, s["name"]) for s in table["splits"]] for row in rows])


def second_table(first, second):
    """Exact match of two seeds side by side."""
    shown = [row for row in first["table"]["rows"] if not row["name"].startswith("words")]
    other = {row["name"]: row for row in second["table"]["rows"]}
    estimate = lambda row, split: f"{row['splits'][split]['exact_match']['estimate']:.1f}"
    cells = [[row["name"]] + [f"{estimate(row, s['name'])} / {estimate(other[row['name']], s['name'])}" for s in first["table"]["splits"]] for row in shown]
    seeds = [r["training"]["recipe"].get("seed", 0) for r in (first, second)]
    return (f"The same recipe with another seed, exact match of seed {seeds[0]} / seed {seeds[1]}:\n\n" + markdown(["condition"] + [s["name"] for s in first["table"]["splits"]], cells) + "\n\n")


def families_table(families):
    columns = [c for c in next(iter(families.values())) if c != "examples"]
    order = sorted(families, key=lambda name: -families[name]["gist-1"])
    return markdown(["kind", "examples"] + columns, [[name, families[name]["examples"]] + [f"{families[name][c]:.0f}" for c in columns] for name in order])


def int8_table(int8):
    splits = list(next(iter(int8.values())))
    cell = lambda c: f"{c['int8']:.1f} ({c['difference']:+.1f} ± {c['half_width']:.1f})"
    return markdown(["condition"] + splits, [[name] + [cell(cells[s]) for s in splits] for name, cells in int8.items()])


def prompts_table(prompts):
    code = lambda text: "`" + text.replace("|", "\\|") + "`" if text else "(nothing)"
    answer = lambda p, c: code(p[c]) + ("" if p["output"] is None or p[c] == p["output"] else " ✗")
    return markdown(["instruction", "input", "full prompt", "one gist token", "four gist tokens"],
                    [[code(p["task"]), code(p["input"]), answer(p, "full"), answer(p, "gist-1"), answer(p, "gist-4")] for p in prompts])


def spread(words):
    words = list(map(str, words))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def losses(recipe):
    names = {"loss.rebuild": "to say the instruction from its gist tokens", "loss.copy": "to say the input again", "loss.kl_forward": "from the teacher's distributions",
             "loss.match": "from the teacher's cross-attention"}
    return spread([name for key, name in names.items() if recipe.get(key)] or ["nothing"])


def limits(families, unseen):
    """What goes well and badly, from the families' figures."""
    known = {name: cells for name, cells in families.items() if name not in unseen}
    good = [name for name, cells in known.items() if cells["gist-1"] >= GOOD]
    weak = sorted((name for name, cells in known.items() if cells["gist-1"] < WEAK), key=lambda name: known[name]["gist-1"])
    text = f"- Right at least {GOOD} % of the time through one gist token: {', '.join(good) or 'no family'}."
    return text + (f"\n- Right less than {WEAK} % of the time: " + ", ".join(f"{name} ({known[name]['gist-1']:.0f} %)" for name in weak) + "." if weak else "")


# --------------------------------------------------------------------------------------------------------------- pictures
COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"]


def gists_svg(table):
    """Exact match against k, a line per split; the full prompt as a dashed line."""
    width, height, left, right, top, bottom = 760, 400, 60, 190, 50, 50
    rows = sorted((row for row in table["rows"] if row["name"].startswith("gist-")), key=lambda row: row["k"])
    full = next(row for row in table["rows"] if row["name"] == "full")
    span = math.log2(rows[-1]["k"]) or 1
    at_x = lambda k: left + math.log2(k) / span * (width - left - right)
    at_y = lambda percent: height - bottom - percent / 100 * (height - top - bottom)
    text = lambda x, y, anchor, words: f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'
    line = lambda x1, y1, x2, y2, style: f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>',
           text(left, 20, "start", "Exact match against the number of gist tokens, percent; bars: 95 % intervals; dashed: full prompt")]
    for percent in range(0, 101, 25):
        out += [line(left, at_y(percent), width - right, at_y(percent), 'stroke="#ddd"'), text(left - 6, at_y(percent) + 4, "end", percent)]
    out += [text(at_x(row["k"]), height - bottom + 18, "middle", row["k"]) for row in rows]
    out.append(text((left + width - right) / 2, height - bottom + 36, "middle", "gist tokens"))
    for i, split in enumerate(s["name"] for s in table["splits"]):
        colour, cells = COLOURS[i % len(COLOURS)], [row["splits"][split]["exact_match"] for row in rows]
        shift = 2 * (i - 2)  # bars of one k stand apart
        points = " ".join(f"{at_x(row['k']) + shift:.1f},{at_y(cell['estimate']):.1f}" for row, cell in zip(rows, cells))
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        out += [line(at_x(row["k"]) + shift, at_y(cell["low"]), at_x(row["k"]) + shift, at_y(cell["high"]), f'stroke="{colour}"') for row, cell in zip(rows, cells)]
        level = at_y(full["splits"][split]["exact_match"]["estimate"])
        out += [line(left, level, width - right, level, f'stroke="{colour}" stroke-dasharray="4 4"'),
                f'<rect x="{width - right + 14}" y="{top + 18 * i}" width="12" height="8" fill="{colour}"/>', text(width - right + 32, top + 18 * i + 9, "start", split)]
    return "\n".join(out + ["</svg>", ""])


# ------------------------------------------------------------------------------------------------------------------- card
def values_of(results, second):
    config, training, table = results["config"], results["training"], results["table"]
    block, recipe, machine = config["t5gist"], training["recipe"], table["machine"]
    rows = {row["name"]: row for row in table["rows"]}
    unseen, human = (rows["gist-1"]["splits"][s]["exact_match"] for s in ("unseen_families", "human"))
    unseen_names = [name for name, cells in results["families"].items() if cells["split"] == "unseen_families"]
    by_hand = common.read_lines(os.path.join(common.ROOT, "training/corpus/human.jsonl"))
    n_gist_rows = len(block["gist_token_ids"])
    return {
        "parameters": f"{table['models'][0]['parameters'] / 1e6:.2f}", "dtype": {"bfloat16": "bf16", "float32": "f32"}[config["torch_dtype"]], "megabytes": f"{results['bytes'] / 1e6:.1f}",
        "d_model": config["d_model"], "d_ff": config["d_ff"], "heads": config["num_heads"], "d_kv": config["d_kv"], "layers": config["num_layers"], "decoder_layers": config["num_decoder_layers"],
        "head": "tied head" if config["tie_word_embeddings"] else "untied head", "pieces": f"{block['gist_token_ids'][0] - 100:,}",
        "gist_rows": "`<GIST>`, one row that is repeated," if n_gist_rows == 1 else f"{n_gist_rows} gist rows", "train_examples": f"{results['train_examples']:,}",
        "products": {"f32": "in f32", "bf16": "products in bf16", "auto": "products in bf16 where the processor multiplies it"}[recipe.get("compute", "f32")],
        "seed": recipe.get("seed", 0), "steps": f"{training['steps']:,}", "batch": recipe["batch_examples"], "step_minutes": f"{training['seconds'] / 60:.0f}",
        "whole_minutes": f"{training['whole_seconds'] / 60:.0f}", "threads": machine["threads"], "cpu": machine["cpu"], "isa": machine["isa"], "ended": training["ended"], "loss": f"{training['loss']:.3f}",
        "conditions": spread(block["conditions"]), "gists": spread(block["gists"]), "default_gists": block["default_gists"], "losses": losses(recipe), "floor_steps": f"{results['floor']['steps']:,}",
        "table": main_table(table), "recovered": recovered_table(table), "second": second_table(results, second) if second else "", "families": families_table(
            {name: {k: v for k, v in cells.items() if k != "split"} for name, cells in results["families"].items()}),
        "int8": int8_table(results["int8"]), "prompts": prompts_table(results["prompts"]), "limits": limits(results["families"], unseen_names), "max_task": block["max_task_tokens"],
        "max_target": recipe.get("data.max_target", 256), "human": f"{human['estimate']:.0f}", "human_interval": f"{human['low']:.0f} to {human['high']:.0f}",
        "unseen": f"{unseen['estimate']:.0f}", "unseen_names": spread(unseen_names),
        "human_unseen": sum(example["family"].split("+")[0] in unseen_names for example in by_hand)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--second")
    parser.add_argument("--model")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    results = common.read(os.path.join(options.results, "results.json"))
    second = common.read(os.path.join(options.second, "results.json")) if options.second else None
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "card.md"), encoding="utf-8") as template:
        common.write_text(os.path.join(options.out, "README.md"), template.read().format_map(values_of(results, second)))
    common.write_text(os.path.join(options.out, "gists.svg"), gists_svg(results["table"]))
    shutil.copyfile(os.path.join(options.results, "mini-bits.svg"), os.path.join(options.out, "bits.svg"))
    shutil.copyfile(os.path.join(options.results, "results.json"), os.path.join(options.out, "results.json"))
    for name in ("config.json", "generation_config.json", "model.safetensors", "spiece.model") if options.model else ():
        shutil.copyfile(os.path.join(options.model, name), os.path.join(options.out, name))


if __name__ == "__main__":
    main()
