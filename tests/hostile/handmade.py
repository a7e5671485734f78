#!/usr/bin/env python3
"""Writes the handmade files of corpus/model and corpus/inspect: damaged in one place each, most of them with lengths and checksums that fit, so that
what begins from them reaches the checks behind. Run it again, and commit what it writes, when a format changes.

    hostile inspect seeds tests/hostile/corpus/inspect; hostile model seeds tests/hostile/corpus/model; python3 tests/hostile/handmade.py
"""
import hashlib
import json
import re
import struct
from pathlib import Path

from test_files import container, entry, u64

CORPUS = Path(__file__).resolve().parent / "corpus"
ZEROS = "0" * 64


def write(folder, files):
    for name, data in files.items():
        assert len(data) < 2048, name
        (CORPUS / folder / name).write_bytes(data)


# ------------------------------------------------------------------------------------------------------------------------------- gists

def take_apart(path):
    data = path.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:end]), data[end:]


def seal(text, data):
    """A file of this header, as text that has 64 zeros for the checksum."""
    file = container(text, data)
    return file.replace(ZEROS.encode(), hashlib.sha256(file).hexdigest().encode(), 1)


def gist(path, change=None, metadata=None, without=(), data=None, text=lambda t: t):
    """The sound gist of path with its header changed: by a function, keys of its metadata replaced or left out, or its text."""
    header, tensors = take_apart(path)
    header["__metadata__"].update(checksum=ZEROS, **(metadata or {}))
    for key in without:
        header["__metadata__"].pop(key, None) or header.pop(key)
    if change:
        change(header)
    return seal(text(json.dumps(header, separators=(",", ":"))), tensors if data is None else data)


def float_of(dtype):
    def change(header):
        for name, tensor in header.items():
            if name != "__metadata__":
                tensor["dtype"] = dtype
    return change


def tensor(name, **fields): return lambda header: header[name].update(fields)
def renamed(old, new): return lambda header: header.update({new: header.pop(old)})


def inspect_files():
    small, large = CORPUS / "inspect/inspect-1", CORPUS / "inspect/inspect-0"  # bf16, one gist token; f32, two of them, cross K and V
    whole, tensors = small.read_bytes(), take_apart(small)[1]
    end = len(whole) - len(tensors)
    task = "Sort.\t\x1b[2J\x7f\x85"
    keys = take_apart(small)[0]["__metadata__"]
    files = {"key-missing-" + key: gist(small, without=[key]) for key in keys if key not in ("checksum", "format")}
    files.update({"key-of-a-number-" + key: gist(small, metadata={key: 1}) for key in ("n_gist", "task", "fingerprint")})
    files.update({"tensor-missing-" + name: gist(small, without=[name]) for name in ("enc.k", "enc.states")})
    files.update({
        "empty": b"",
        "seven-bytes": whole[:7],
        "length-alone": whole[:8],
        "length-0": u64(0) + tensors,
        "length-beyond": u64(len(whole)) + whole[8:],
        "length-2-64": u64(2**64 - 1) + whole[8:],
        "cut-in-the-header": whole[:end // 2],
        "cut-behind-the-header": whole[:end],
        "cut-in-the-tensors": whole[:-1],
        "more-behind-it": whole + b"\0",
        "bit-of-the-tensors": whole[:-1] + bytes([whole[-1] ^ 1]),
        "checksum-wrong": re.sub(rb'("checksum":"[0-9a-f]{63})[0-9a-f]', lambda m: m[1] + (b"0" if whole[m.end() - 1:m.end()] == b"1" else b"1"), whole),
        "checksum-of-65-digits": gist(small, text=lambda t: t.replace(ZEROS, ZEROS + "0")),
        "checksum-of-zeros": re.sub(rb'("checksum":")[0-9a-f]{64}', rb"\g<1>" + ZEROS.encode(), whole),
        "checksum-in-capitals": re.sub(rb'("checksum":")([0-9a-f]{64})', lambda m: m[1] + m[2].upper(), whole),
        "checksum-short": gist(small, text=lambda t: t.replace(ZEROS, "0" * 63)),
        "checksum-missing": gist(small, without=["checksum"]),
        "checksum-twice": gist(small, text=lambda t: t.replace('"condition":', '"Checksum":"","checksum":"%s","condition":' % ZEROS)),
        "format-missing": gist(small, without=["format"]),
        "format-of-another": gist(small, metadata={"format": "pt"}),
        "format-with-a-space": gist(small, text=lambda t: t.replace('"format":', '"format": ')),
        "version-2": gist(small, metadata={"format_version": "2"}),
        "version-0": gist(small, metadata={"format_version": "0"}),
        "version-01": gist(small, metadata={"format_version": "01"}),
        "version-10-digits": gist(small, metadata={"format_version": "1000000000"}),
        "version-of-a-number": gist(small, metadata={"format_version": 1}),
        "condition-full": gist(small, metadata={"condition": "full"}),
        "gists-0": gist(small, metadata={"n_gist": "0"}),
        "gists-2-of-1": gist(small, metadata={"n_gist": "2"}),
        "gists-1025": gist(small, metadata={"n_gist": "1025"}),
        "gists-negative": gist(small, metadata={"n_gist": "-1"}),
        "task-of-no-tokens": gist(small, metadata={"n_task": "0"}),
        "task-changed": gist(small, metadata={"task": "Sort."}),
        "task-of-controls": gist(small, metadata={"task": task, "task_sha256": hashlib.sha256(task.encode()).hexdigest()}),
        "task-empty": gist(small, metadata={"task": "", "task_sha256": hashlib.sha256(b"").hexdigest()}),
        "task-of-nul": gist(small, metadata={"task": "a\0b"}),
        "fingerprint-short": gist(small, metadata={"fingerprint": "a" * 63}),
        "fingerprint-in-capitals": gist(small, metadata={"fingerprint": "A" * 64}),
        "metadata-of-a-list": gist(small, lambda h: h.update(__metadata__=[h["__metadata__"]])),
        "metadata-unknown": gist(small, metadata={"payload_kind": "residual", "\x1b]0;x\x07": "\x9b2J"}),
        "payload-f16": gist(small, float_of("F16")),
        "payload-i8": gist(small, float_of("I8"), data=tensors[:len(tensors) // 2]),
        "payload-f8": gist(small, float_of("F8_E5M2")),
        "payload-mixed": gist(small, tensor("enc.v", dtype="F16")),
        "tensor-unknown": gist(small, renamed("enc.k", "enc.q")),
        "tensor-of-controls": gist(small, renamed("enc.v", "\x1b[2J")),
        "tensor-more": gist(small, lambda h: h.update(more=entry([0], len(tensors), len(tensors)))),
        "tensor-of-a-number": gist(small, lambda h: h.update({"enc.v": 7})),
        "shape-of-3": gist(small, tensor("enc.k", shape=[1, 2, 8])),
        "shape-of-9": gist(small, tensor("enc.k", shape=[1] * 7 + [2, 8])),
        "shape-of-0": gist(small, tensor("enc.k", shape=[0, 2, 1, 8])),
        "shape-of-two-layers": gist(small, tensor("enc.k", shape=[2, 1, 1, 8])),
        "shape-2-62": gist(small, tensor("enc.k", shape=[2**62, 2, 1, 8])),
        "shape-negative": gist(small, tensor("enc.k", shape=[-1, 2, 1, 8])),
        "shape-of-states": gist(small, tensor("enc.states", shape=[2, 8])),
        "offsets-overlap": gist(small, tensor("enc.v", data_offsets=[16, 48])),
        "offsets-end-first": gist(small, tensor("enc.v", data_offsets=[64, 32])),
        "nan": gist(small, data=tensors[:-2] + b"\xc0\x7f"),
        "infinity": gist(small, data=b"\x80\xff" + tensors[2:]),
        "cross-of-k-alone": gist(large, without=["cross.v"], data=bytes(512)),
        "cross-of-other-heads": gist(large, lambda h: (h["cross.k"].update(shape=[2, 1, 2, 8]), h["cross.v"].update(shape=[2, 1, 2, 8]))),
        "cross-of-two-shapes": gist(large, tensor("cross.v", shape=[1, 4, 2, 4])),
        "cross-in-bf16": gist(large, lambda h: (h["cross.k"].update(dtype="BF16", data_offsets=[384, 448]), h["cross.v"].update(dtype="BF16", data_offsets=[448, 512])),
                              data=bytes(512)),
        "key-twice": gist(small, text=lambda t: t.replace('"condition":', '"condition":"gist","condition":')),
        "json-broken": gist(small, text=lambda t: t[:-1] + ","),
        "json-of-a-list": gist(small, text=lambda t: "[" + t + "]"),
        "json-deep": gist(small, text=lambda t: t[:-1] + ',"x":' + "[" * 500 + "]" * 500 + "}"),
        "json-half-a-character": gist(small, text=lambda t: t.replace("Name", "\\ud800")),
        "json-of-bytes": seal(json.dumps({"__metadata__": {"format": "t5gist", "checksum": ZEROS}}, separators=(",", ":")).encode() + b"\xff\xfe", b""),
        "weights": container({"a": entry([1], 0, 4)}, bytes(4)),
    })
    return files


# --------------------------------------------------------------------------------------------------------------------------- model folders

SIZES = {"F64": 8, "I64": 8, "F32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1, "BOOL": 1}
WI, NORM = "encoder.block.0.layer.1.DenseReluDense.wi.weight", "encoder.final_layer_norm.weight"


def weights(*tensors, pad=0, metadata=None):
    """name, dtype, shape and, unless they are zeros, bytes of each tensor."""
    header, data = {"__metadata__": metadata} if metadata is not None else {}, b""
    for name, dtype, shape, *given in tensors:
        n = SIZES[dtype]
        for size in shape:
            n *= size
        header[name] = entry(shape, len(data), len(data) + n, dtype)
        data += given[0] if given else bytes(n)
    return container(json.dumps(header, separators=(",", ":")) + " " * pad, data)


def model_files():
    shared = ("shared.weight", "F32", [12, 2])
    scales = lambda *values: struct.pack("<%df" % len(values), *values)
    one = weights(shared)
    return {
        "empty": b"",
        "seven-bytes": one[:7],
        "length-0": u64(0),
        "length-2-64": u64(2**64 - 1) + one[8:],
        "length-100-mb": u64(100_000_001) + one[8:],
        "length-beyond": u64(len(one)) + one[8:],
        "no-tensors": container("{}"),
        "no-tensors-but-bytes": container("{}", b"x"),
        "header-padded": weights(shared, pad=64),
        "header-space-first": container(b" " + one[8:-96], one[-96:]),
        "header-of-a-list": container("[]"),
        "header-broken": container("{oops}"),
        "header-deep": container('{"a":' + "[" * 900 + "]" * 900 + "}"),
        "header-of-bytes": container(b'{"\xff":1}'),
        "metadata": weights(shared, metadata={"format": "pt"}),
        "metadata-of-a-number": weights(shared, metadata={"format": 1}),
        "metadata-of-a-list": weights(shared, metadata=[]),
        "cut": one[:-1],
        "tail": one + b"x",
        "hole": container({"shared.weight": entry([12, 2], 0, 96), NORM: entry([2], 100, 108)}, bytes(108)),
        "overlap": container({"shared.weight": entry([12, 2], 0, 96), NORM: entry([2], 92, 100)}, bytes(100)),
        "end-first": container({NORM: entry([2], 8, 0)}, bytes(8)),
        "offsets-of-one": container({NORM: dict(entry([2], 0, 8), data_offsets=[8])}, bytes(8)),
        "size-of-another-shape": container({NORM: entry([3], 0, 8)}, bytes(8)),
        "tensor-of-a-number": container({NORM: 8}),
        "tensor-of-more-keys": container({NORM: dict(entry([2], 0, 8), strides=[1])}, bytes(8)),
        "name-twice": container('{"%s":%s,"%s":%s}' % (NORM, json.dumps(entry([2], 0, 8)), NORM, json.dumps(entry([2], 8, 16))), bytes(16)),
        "name-of-513": weights(("n" * 513, "F32", [1])),
        "name-of-controls": weights(("\x1b[2J\n", "F32", [1])),
        "names-of-nobody": weights(("nobody's", "F64", [3]), ("counts", "I64", [1]), ("mask", "BOOL", [2])),
        "shape-transposed": weights(("shared.weight", "F32", [2, 12])),
        "shape-of-1": weights(("shared.weight", "F32", [24])),
        "shape-of-9": weights(("shared.weight", "F32", [12, 2] + [1] * 7)),
        "shape-of-none": weights((NORM, "F32", [])),
        "shape-of-0": weights(("shared.weight", "F32", [0, 2])),
        "shape-2-62": container({NORM: entry([2**62], 0, 0)}),
        "shape-wraps": container({NORM: entry([2**32, 2**32], 0, 0)}),
        "shape-negative": container({NORM: entry([-2], 0, 8)}, bytes(8)),
        "shape-of-halves": container({NORM: entry([0.5], 0, 8)}, bytes(8)),
        "dtype-unknown": container({NORM: entry([2], 0, 2, "F8_E4M3")}, bytes(2)),
        "dtype-of-a-number": container({NORM: entry([2], 0, 8, 32)}, bytes(8)),
        "dtype-f64": weights((NORM, "F64", [2])),
        "dtype-i8-of-a-norm": weights((NORM, "I8", [2])),
        "nan-f32": weights((NORM, "F32", [2], b"\0\0\x80\x3f\0\0\xc0\x7f")),
        "nan-f16": weights((NORM, "F16", [2], b"\0\x3c\0\x7e")),
        "infinite-bf16": weights((NORM, "BF16", [2], b"\x80\x7f\x80\xff")),
        "infinite-f64": weights(("nobody's", "F64", [1], struct.pack("<d", 1e300))),
        "int8": weights((WI, "I8", [3, 2]), (WI + "_scale", "F32", [3], scales(1, 0, 3e38))),
        "int8-without-scales": weights((WI, "I8", [3, 2])),
        "int8-scales-alone": weights((WI + "_scale", "F32", [3])),
        "int8-scales-of-2": weights((WI, "I8", [3, 2]), (WI + "_scale", "F32", [2])),
        "int8-scales-in-bf16": weights((WI, "I8", [3, 2]), (WI + "_scale", "BF16", [3])),
        "int8-scales-negative": weights((WI, "I8", [3, 2]), (WI + "_scale", "F32", [3], scales(1, -1, 1))),
        "int8-scales-nan": weights((WI, "I8", [3, 2]), (WI + "_scale", "F32", [3], scales(1, 1, float("nan")))),
        "int4": weights((WI, "U8", [3, 1]), (WI + "_scale", "BF16", [3, 1], b"\x80\x3f\x80\xbf\0\0")),
        "int4-without-scales": weights((WI, "U8", [3, 1])),
        "int4-of-2-bytes-a-row": weights((WI, "U8", [3, 2]), (WI + "_scale", "BF16", [3, 1])),
        "int4-scales-of-two-groups": weights((WI, "U8", [3, 1]), (WI + "_scale", "BF16", [3, 2])),
        "int4-scales-of-1-dimension": weights((WI, "U8", [3, 1]), (WI + "_scale", "BF16", [3])),
        "int4-scales-in-f32": weights((WI, "U8", [3, 1]), (WI + "_scale", "F32", [3, 1])),
        "int4-scales-infinite": weights((WI, "U8", [3, 1]), (WI + "_scale", "BF16", [3, 1], b"\x80\x3f\x80\xff\0\0")),
        "head-of-a-tied-model": weights(("lm_head.weight", "F32", [12, 2])),
        "head-in-int4": weights(("lm_head.weight", "U8", [12, 1]), ("lm_head.weight_scale", "BF16", [12, 1])),
        "head-in-int4-without-scales": weights(("lm_head.weight", "U8", [12, 1])),
        "head-in-int8": weights(("lm_head.weight", "I8", [12, 2]), ("lm_head.weight_scale", "F32", [12])),
        "embedding-under-its-other-name": weights(("encoder.embed_tokens.weight", "F32", [12, 2])),
    }


if __name__ == "__main__":
    write("inspect", inspect_files())
    write("model", model_files())
