"""Golden gradients: PyTorch's autograd in double through transformers' T5, for tests/training/test_gradients.c.

    make_gradients.py [--check] [CASE ...]        writes gradients-CASE.safetensors beside this file (--check: compares with it instead); all cases when none is named

Weights come from the counter-based generator of tg_parameters_initialise (training/parameters.h), which T5's own initialisation scale makes unsaturated; norms, which
start at 1, are spread so that their place matters. A file holds, per condition, one row per tensor in the order of t5/names.h: norm, largest magnitude, the sum with
signs of the generator, and entries at places of the generator; its metadata has the configuration, the examples and the losses.

Needs torch, transformers 4.57.1, numpy and safetensors.
"""
import argparse, itertools, json, math, pathlib, sys
import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.t5 import modeling_t5

from oracle import masks
from synthetic import MASK, STEP, mix, shapes

HERE = pathlib.Path(__file__).resolve().parent
CONDITIONS = ("gist", "pos_control", "neg_control", "prefix", "full")
SEED, TEACHER_SEED, SAMPLE_SEED, SIGN_SEED = 7, 8, 101, 102
TAUGHT = dict(forward=0.7, reverse=0.3, match=0.5, smoothing=0.1, share=0.8)  # share: of the cross-entropy's weights
BASE = dict(model_type="t5", relative_attention_num_buckets=32, relative_attention_max_distance=128, layer_norm_epsilon=1e-6, pad_token_id=0, eos_token_id=1,
            decoder_start_token_id=0, dropout_rate=0.0)
TINY = dict(BASE, vocab_size=97, d_model=64, d_ff=128, d_kv=16, num_heads=4, num_layers=2, num_decoder_layers=2)
SMALL = dict(BASE, vocab_size=32101, d_model=512, d_ff=1024, d_kv=64, num_heads=6, num_layers=8, num_decoder_layers=8)
GATED, RELU = dict(feed_forward_proj="gated-gelu"), dict(feed_forward_proj="relu")
UNTIED, TIED = dict(tie_word_embeddings=False), dict(tie_word_embeddings=True)
# configuration, sampled entries per tensor, lengths of (task, gists, input, target) of each example; the first two examples share their task
LENGTHS = [(11, 2, 19, 9), (11, 2, 7, 5), (3, 1, 1, 12), (40, 3, 60, 30), (5, 1, 150, 2)]
CASES = {
    "tiny-gated-untied": ({**TINY, **GATED, **UNTIED}, 96, LENGTHS),
    "tiny-gated-tied": ({**TINY, **GATED, **TIED, "num_layers": 3}, 96, LENGTHS),
    "tiny-relu-untied": ({**TINY, **RELU, **UNTIED, "num_heads": 3, "relative_attention_num_buckets": 16, "relative_attention_max_distance": 24}, 96, LENGTHS),
    "tiny-relu-tied": ({**TINY, **RELU, **TIED}, 96, LENGTHS),
    "small-gated-untied": ({**SMALL, **GATED, **UNTIED}, 48, LENGTHS[:3]),
    "small-relu-tied": ({**SMALL, **RELU, **TIED}, 48, [(3, 1, 2, 3), (3, 1, 3, 2)]),
}
KINK = 5e-6  # relu's slope jumps at 0: examples are taken that leave no channel nearer to it, where f32 could fall on the other side
STEPS = dict(case="tiny-gated-untied", steps=100, examples=16, batch=4, lr=5e-5, weight_decay=0.01)


# ---------------------------------------------------------------------------------------------------------- numbers by counter
def label(name):
    value = 0xcbf29ce484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001b3 & MASK
    return value


def random(seed, name, count, first=0):
    """Elements first .. first + count - 1 of the stream (t5/random.h)."""
    key = mix(mix(seed + STEP & MASK) + label(name) & MASK)
    z = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(STEP) + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return z ^ (z >> np.uint64(31))


def deviation(c, name):
    if name in ("shared.weight", "lm_head.weight"): return 1.0
    if name.endswith(".q.weight"): return 1 / math.sqrt(c["d_model"] * c["d_kv"])
    if name.endswith(".o.weight"): return 1 / math.sqrt(c["num_heads"] * c["d_kv"])
    if name.endswith(".wo.weight"): return 1 / math.sqrt(c["d_ff"])
    return 1 / math.sqrt(c["d_model"])


def initial(c, seed):
    """Name and value of every tensor."""
    for name, shape in shapes(c, c["tie_word_embeddings"]):
        count = math.prod(shape)
        if len(shape) == 1:
            values = np.float32(0.75) + (random(seed, name, count) >> np.uint64(40)).astype(np.float32) * np.float32(2.0 ** -25)
        else:
            z = random(seed, name, count + count % 2)
            radius = np.sqrt(-2 * np.log(((z[0::2] >> np.uint64(11)) + np.uint64(1)).astype(np.float64) * 2.0 ** -53))
            angle = 2 * np.pi * ((z[1::2] >> np.uint64(11)).astype(np.float64) * 2.0 ** -53)
            values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count]
            values = (deviation(c, name) * values).astype(np.float32)
        yield name, values.reshape(shape)


def make_examples(lengths, vocab, draw=0):
    """Text tokens are 2 .. vocab - 2; the gist token is the last of the vocabulary; inputs and targets end with 1."""
    made = []
    for i, (n_task, n_gist, n_input, n_target) in enumerate(lengths):
        def tokens(what, n): return (random(1000 * draw + i, what, n) % np.uint64(vocab - 3) + np.uint64(2)).tolist()
        task = made[0]["task"] if i == 1 else tokens("task", n_task)
        made.append(dict(task=task, gists=n_gist, input=tokens("input", n_input - 1) + [1], target=tokens("target", n_target - 1) + [1]))
    return made


# ------------------------------------------------------------------------------------------------------------------- the model
def norm_forward(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


modeling_t5.T5LayerNorm.forward = norm_forward  # transformers takes these two in f32 whatever the model's type
torch.Tensor.float = torch.Tensor.double


def make_model(c, seed, q_scale=1.0):
    model = T5ForConditionalGeneration._from_config(T5Config(**c), attn_implementation="eager").double()
    found = model.load_state_dict({name: torch.from_numpy(values).double() for name, values in initial(c, seed)}, strict=False)
    assert not found.unexpected_keys and all("embed_tokens" in k or k == "lm_head.weight" and c["tie_word_embeddings"] for k in found.missing_keys), found
    model.tie_weights()
    if q_scale != 1:
        for name, module in model.named_modules():
            if name.endswith(".q"):
                module.register_forward_hook(lambda _, __, out: out * q_scale)
    return model.train()


def logits_of(model, example, condition):
    """Logits of the target's tokens; encoder blocks are run one by one, because T5Stack's forward takes masks of keys only."""
    n_gist = 0 if condition == "full" else example["gists"]
    ids = example["task"] + [model.config.vocab_size - 1] * n_gist + example["input"]
    visible, cross = masks(len(ids), len(example["task"]), n_gist, condition)
    stack = model.encoder
    states, bias = stack.embed_tokens(torch.tensor([ids])), None
    blocked = (1.0 - visible.double())[None, None] * torch.finfo(torch.float64).min
    for block in stack.block:
        states, bias = block(states, attention_mask=blocked, position_bias=bias, cache_position=torch.arange(len(ids)))[:2]
    start = torch.tensor([[0] + example["target"][:-1]])
    return model(encoder_outputs=BaseModelOutput(stack.final_layer_norm(states)), attention_mask=cross[None].long(), decoder_input_ids=start).logits[0]


def examples_off_kinks(c, lengths):
    model, nearest, draw = make_model(c, SEED), [0.0], 0
    if c["feed_forward_proj"] != "relu":
        return make_examples(lengths, c["vocab_size"])
    for name, module in model.named_modules():
        if name.endswith(".wi"):
            module.register_forward_hook(lambda _, __, out: nearest.append(out.abs().min().item()))
    while min(nearest) < KINK:
        nearest.clear()
        examples, draw = make_examples(lengths, c["vocab_size"], draw), draw + 1
        for condition, example in itertools.product(CONDITIONS, examples):
            with torch.no_grad():
                logits_of(model, example, condition)
            if min(nearest) < KINK:
                break
    return examples


def watch_cross(model):
    """The list that the cross-attention's outputs of the latest forward pass are put into."""
    outputs = []
    for block in model.decoder.block:
        block.layer[1].EncDecAttention.o.register_forward_hook(lambda _, __, out: outputs.append(out[0]))
    return outputs


def cross_entropy(logits, example, smoothing=0.0):
    return torch.nn.functional.cross_entropy(logits, torch.tensor(example["target"]), reduction="sum", label_smoothing=smoothing)


def normalised(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def taught_parts(c, examples, total):
    """Cross-entropy, divergence and matching of a student under condition gist beside a teacher under full."""
    student, teacher = make_model(c, SEED, c["d_kv"] ** -0.5), make_model(c, TEACHER_SEED)
    mine, its = watch_cross(student), watch_cross(teacher)
    parts = [0.0, 0.0, 0.0]
    for example in examples:
        mine.clear(), its.clear()
        logits = logits_of(student, example, "gist")
        with torch.no_grad():
            target = logits_of(teacher, example, "full").log_softmax(-1)
        p = logits.log_softmax(-1)
        parts[0] += cross_entropy(logits, example, TAUGHT["smoothing"]) / total
        parts[1] += TAUGHT["share"] / total * (TAUGHT["forward"] * (target.exp() * (target - p)).sum() + TAUGHT["reverse"] * (p.exp() * (p - target)).sum())
        for a, b in zip(mine, its):
            parts[2] += TAUGHT["share"] / total * TAUGHT["match"] / len(mine) * (normalised(a) - normalised(b)).pow(2).mean(-1).sum()
    return student, parts


# ---------------------------------------------------------------------------------------------------------------------- files
def places(name, count, d_model, tokens, samples):
    """Where entries are taken: everywhere in small tensors; in the embedding every other one in a row that a prompt has."""
    if count <= samples:
        return np.arange(count)
    at = random(SAMPLE_SEED, name, samples)
    if name == "shared.weight":
        rows = np.array(tokens)[random(SAMPLE_SEED, "tokens", samples) % np.uint64(len(tokens))].astype(np.uint64)
        at = np.where(np.arange(samples) % 2 == 1, rows * np.uint64(d_model) + at % np.uint64(d_model), at)
    return (at % np.uint64(count)).astype(np.int64)


def describe(c, model, tokens, samples):
    rows = []
    for name, _ in shapes(c, c["tie_word_embeddings"]):
        g = model.get_parameter(name).grad.detach().numpy().reshape(-1)
        signs = 1.0 - 2.0 * (random(SIGN_SEED, name, g.size) >> np.uint64(63)).astype(np.float64)
        entries = np.zeros(samples)
        at = places(name, g.size, c["d_model"], tokens, samples)
        entries[: at.size] = g[at]
        rows.append(np.concatenate([[np.linalg.norm(g), np.abs(g).max(), g @ signs], entries]))
    return np.stack(rows).astype(np.float32)


def trajectory(c):
    """Losses of AdamW's steps, each over some examples, whose conditions differ."""
    examples = make_examples([(5 + i % 4, 1 + i % 3, 4 + i % 7, 3 + i % 5) for i in range(STEPS["examples"])], c["vocab_size"])
    model = make_model(c, SEED)
    decays = [p for n, p in model.named_parameters() if p.dim() == 2 and "relative_attention_bias" not in n]
    others = [p for n, p in model.named_parameters() if not (p.dim() == 2 and "relative_attention_bias" not in n)]
    optimiser = torch.optim.AdamW([dict(params=decays, weight_decay=STEPS["weight_decay"]), dict(params=others, weight_decay=0.0)], lr=STEPS["lr"])
    losses = []
    for step in range(STEPS["steps"]):
        chosen = [(step * STEPS["batch"] + i) % len(examples) for i in range(STEPS["batch"])]
        total = sum(len(examples[i]["target"]) for i in chosen)
        condition = CONDITIONS[step % len(CONDITIONS)]
        loss = sum(cross_entropy(logits_of(model, examples[i], condition), examples[i]) for i in chosen) / total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return dict(STEPS, examples=examples, losses=losses)


def make(case):
    c, samples, lengths = CASES[case]
    examples = examples_off_kinks(c, lengths)
    tokens = [t for e in examples for t in e["task"] + e["input"]]
    total = sum(len(e["target"]) for e in examples)
    tensors, losses = {}, {}
    for condition in CONDITIONS:
        model = make_model(c, SEED)
        loss = sum(cross_entropy(logits_of(model, e, condition), e) for e in examples) / total
        loss.backward()
        tensors[condition], losses[condition] = describe(c, model, tokens, samples), loss.item()
        print(f"{case} {condition}: loss {loss.item():.6f}", flush=True)
    meta = dict(config=c, examples=examples, samples=samples, losses=losses)
    if case == "tiny-gated-untied":
        model, parts = taught_parts(c, examples, total)
        sum(parts).backward()
        tensors["taught"] = describe(c, model, tokens, samples)
        meta["taught"] = dict(TAUGHT, parts=[p.item() for p in parts])
        meta["steps"] = trajectory(c)
        print(f"{case} taught: {meta['taught']['parts']}, steps: {meta['steps']['losses'][0]:.6f} to {meta['steps']['losses'][-1]:.6f}", flush=True)
    return tensors, json.dumps(meta, separators=(",", ":"))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--check", action="store_true")
    ap.add_argument("cases", nargs="*", metavar="CASE")
    arguments = ap.parse_args()
    wrong = False
    for case in arguments.cases or CASES:
        path = HERE / f"gradients-{case}.safetensors"
        tensors, meta = make(case)
        if not arguments.check:
            save_file(tensors, path, metadata={"case": meta})
            continue
        stored = load_file(path)
        same = stored.keys() == tensors.keys() and all(np.allclose(stored[k], tensors[k], rtol=1e-5, atol=1e-5 * np.abs(tensors[k]).max()) for k in tensors)
        print(f"{path.name}: {'same' if same else 'DIFFERENT'}")
        wrong |= not same
    sys.exit(wrong)


if __name__ == "__main__":
    main()
