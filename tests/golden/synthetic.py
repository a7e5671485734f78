"""Seeded random checkpoints, number for number those of t5/synthetic.c (which explains the generator), for asking Hugging Face what the right answers are.

    synthetic.py OUT_DIR SHAPE VARIANT SEED [--vocab N] [--tokenizer DIR]     writes config.json, model.safetensors, spiece.model
    synthetic.py --compare DIR_A DIR_B                                        do two folders hold the same config and bit-identical tensors?
    synthetic.py --sha256 SHAPE VARIANT SEED VOCAB                            of all tensors' bytes, in t5/names.c's order

Needs numpy and safetensors.
"""
import argparse, hashlib, json, math, pathlib, shutil, sys
import numpy as np
from safetensors.numpy import load_file, save_file

SHAPES = {  # d_model, d_ff, d_kv, heads, layers
    "tiny": (64, 128, 16, 4, 2), "mini": (256, 512, 64, 4, 4), "small": (512, 1024, 64, 6, 8), "base": (768, 2048, 64, 12, 12),
    "large": (1024, 2816, 64, 16, 24), "xl": (2048, 5120, 64, 32, 24), "xxl": (4096, 10240, 64, 64, 24)}
VARIANTS = ("flan", "t5v1", "tied", "uneven", "wide", "v5config", "outlier")
MASK = (1 << 64) - 1
STEP = 0x9e3779b97f4a7c15


def mix(z):
    """splitmix64's finaliser, over Python integers."""
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb & MASK
    return z ^ (z >> 31)


def bits24(seed, name, count):
    """The top 24 bits of elements 0 .. count - 1 of tensor name."""
    label = 0xcbf29ce484222325
    for byte in name.encode():
        label = (label ^ byte) * 0x100000001b3 & MASK
    key = mix(mix(seed + STEP & MASK) + label & MASK)
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(STEP) + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return (z ^ (z >> np.uint64(31))) >> np.uint64(40)


def make_config(shape, variant, vocab):
    d, ff, kv, heads, layers = SHAPES[shape]
    wide, tied = variant == "wide", variant in ("t5v1", "tied")
    config = dict(architectures=["T5ForConditionalGeneration"], model_type="t5", is_encoder_decoder=True, vocab_size=vocab, d_model=d, d_kv=kv * 3 // 2 if wide else kv,
                  d_ff=ff, num_heads=heads, num_layers=layers + (variant == "uneven"), num_decoder_layers=layers, relative_attention_num_buckets=16 if wide else 32,
                  relative_attention_max_distance=64 if wide else 128, layer_norm_epsilon=1e-6, feed_forward_proj="relu" if variant == "t5v1" else "gated-gelu",
                  tie_word_embeddings=tied or variant == "v5config", pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, dtype="float32")
    if variant == "v5config":
        config["scale_decoder_outputs"] = False
    if vocab != 32101:
        config["t5gist"] = {"gist_token_ids": [vocab - 1]}
    config["transformers_version"] = "5.23.0" if variant == "v5config" else "4.57.1"
    return config, tied


def shapes(c, tied):
    """Name and shape of every tensor."""
    d, ff, inner = c["d_model"], c["d_ff"], c["num_heads"] * c["d_kv"]
    wi = ["wi_0", "wi_1"] if c["feed_forward_proj"] == "gated-gelu" else ["wi"]
    yield "shared.weight", (c["vocab_size"], d)
    for stack, layers, attentions in (("encoder", c["num_layers"], ["SelfAttention"]), ("decoder", c["num_decoder_layers"], ["SelfAttention", "EncDecAttention"])):
        for block in range(layers):
            for layer, attention in enumerate(attentions):
                at = f"{stack}.block.{block}.layer.{layer}"
                yield from ((f"{at}.{attention}.{p}.weight", (inner, d)) for p in "qkv")
                yield f"{at}.{attention}.o.weight", (d, inner)
                if block == layer == 0:
                    yield f"{at}.{attention}.relative_attention_bias.weight", (c["relative_attention_num_buckets"], c["num_heads"])
                yield f"{at}.layer_norm.weight", (d,)
            at = f"{stack}.block.{block}.layer.{len(attentions)}"
            yield from ((f"{at}.DenseReluDense.{p}.weight", (ff, d)) for p in wi)
            yield f"{at}.DenseReluDense.wo.weight", (d, ff)
            yield f"{at}.layer_norm.weight", (d,)
        yield f"{stack}.final_layer_norm.weight", (d,)
    if not tied:
        yield "lm_head.weight", (c["vocab_size"], d)


def deviation(c, tied, name):
    d, louder = c["d_model"], 6.0 if tied else 1.0
    if name == "shared.weight": return 0.5 if tied else 1.0
    if name == "lm_head.weight": return 3.0 / math.sqrt(d)
    if "relative_attention_bias" in name: return 1.0
    if name.endswith(".q.weight"): return 2.0 / math.sqrt(d * c["d_kv"])
    if name.endswith(".k.weight"): return 2.0 / math.sqrt(d)
    if name.endswith(".o.weight"): return louder / math.sqrt(c["d_kv"] * c["num_heads"])
    if name.endswith(".wo.weight"): return louder / math.sqrt(c["d_ff"])
    return 1.0 / math.sqrt(d)


def tensors(c, tied, seed, outlier=False):
    for name, shape in shapes(c, tied):
        u = bits24(seed, name, math.prod(shape))
        if "layer_norm" in name:
            values = (np.uint64(5033165) + (u * np.uint64(6710886) >> np.uint64(24))).astype(np.float32) * np.float32(2.0 ** -23)
        else:
            scale = np.float32(deviation(c, tied, name) * math.sqrt(3.0)) * np.float32(2.0 ** -24)
            values = (2 * u.astype(np.int32) + 1 - (1 << 24)).astype(np.float32) * scale
        values = values.reshape(shape)
        if outlier and ".wi_1." in name: values[7::61] *= np.float32(64)
        if outlier and ".wo." in name: values[:, 7::61] *= np.float32(0.0625)
        yield name, values


def write(out, shape, variant, seed, vocab, tokenizer):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    config, tied = make_config(shape, variant, vocab)
    save_file(dict(tensors(config, tied, seed, variant == "outlier")), out / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(pathlib.Path(tokenizer) / "spiece.model", out / "spiece.model")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def compare(a, b):
    a, b = pathlib.Path(a), pathlib.Path(b)
    wrong = [] if json.loads((a / "config.json").read_text()) == json.loads((b / "config.json").read_text()) else ["config.json"]
    x, y = load_file(a / "model.safetensors"), load_file(b / "model.safetensors")
    wrong += [n for n in sorted(x.keys() | y.keys()) if n not in x or n not in y or x[n].shape != y[n].shape or x[n].tobytes() != y[n].tobytes()]
    print(f"{len(x)} tensors: " + ("identical" if not wrong else "different: " + ", ".join(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--compare":
        sys.exit(compare(*sys.argv[2:]))
    if len(sys.argv) == 6 and sys.argv[1] == "--sha256":
        shape, variant, seed, vocab = sys.argv[2:]
        sys.exit(print(hashlib.sha256(b"".join(t.tobytes() for _, t in tensors(*make_config(shape, variant, int(vocab)), int(seed), variant == "outlier"))).hexdigest()))
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out"); ap.add_argument("shape", choices=SHAPES); ap.add_argument("variant", choices=VARIANTS); ap.add_argument("seed", type=int)
    ap.add_argument("--vocab", type=int, default=32101)
    ap.add_argument("--tokenizer", default=pathlib.Path(__file__).resolve().parents[2] / "tests/data/mini", help="folder with spiece.model")
    arguments = ap.parse_args()
    write(arguments.out, arguments.shape, arguments.variant, arguments.seed, arguments.vocab, arguments.tokenizer)
