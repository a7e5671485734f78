"""Makes the pytorch_model.bin fixtures of tests/t5/test_torch_bin.c and test_convert.c. Needs torch: python3 make_torch_bin.py [OUT_DIR]

good.bin         every accepted type, a transposed view, shared storage, a slice with an offset, a parameter
weights.bin      what convert keeps, transposes and drops; more.bin: another shard
strided.bin      a view that is neither row-major nor a plain transpose
reduce.bin       a pickle that would run a command if it were unpickled: must be refused
compressed.bin   good.bin with its members deflated
old.bin          the format before torch 1.6: no zip
"""
import collections, os, sys, zipfile
import torch

out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")
os.makedirs(out, exist_ok=True)
path = lambda name: os.path.join(out, name)

base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
state = collections.OrderedDict([
    ("f32", base.clone()),
    ("bf16", torch.arange(-6, 6, dtype=torch.bfloat16).reshape(3, 4)),
    ("f16", torch.arange(10, dtype=torch.float16) / 4),
    ("transposed", (torch.arange(15, dtype=torch.float32).reshape(3, 5)).t()),
    ("shared.weight", base),
    ("encoder.embed_tokens.weight", base),
    ("slice", base[1:3]),
    ("parameter", torch.nn.Parameter(torch.ones(2, 2))),
    ("f64", torch.tensor([1.5, 2.5], dtype=torch.float64)),
    ("i64", torch.tensor([[7]])),
    ("scalar", torch.tensor(3.0)),
])
state._metadata = collections.OrderedDict([("", {"version": 1})])
torch.save(state, path("good.bin"))
embedding = torch.arange(-8, 8, dtype=torch.float32).reshape(4, 4) * 1.00390625  # not all of them are bf16 numbers
torch.save(collections.OrderedDict([("shared.weight", embedding), ("encoder.embed_tokens.weight", embedding), ("decoder.embed_tokens.weight", embedding),
                                    ("lm_head.weight", embedding), ("t.weight", state["transposed"])]), path("weights.bin"))
torch.save(collections.OrderedDict([("more.weight", state["f16"])]), path("more.bin"))
torch.save({"strided": base[:, ::2]}, path("strided.bin"))
torch.save(collections.OrderedDict(a=base), path("old.bin"), _use_new_zipfile_serialization=False)


class Command:
    def __reduce__(self):
        return os.system, ("touch t5gist-was-here",)


torch.save({"a": Command()}, path("reduce.bin"))
with zipfile.ZipFile(path("good.bin")) as source, zipfile.ZipFile(path("compressed.bin"), "w", zipfile.ZIP_DEFLATED) as target:
    for info in source.infolist():
        target.writestr(zipfile.ZipInfo(info.filename), source.read(info), zipfile.ZIP_DEFLATED)
