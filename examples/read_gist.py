#!/usr/bin/env python3
"""Reads a gist file, or a store's folder, without t5gist: docs/FORMATS.md is all it knows.

    python3 examples/read_gist.py task.gist
    python3 examples/read_gist.py ~/.cache/t5gist/gists

Needs the packages safetensors and numpy."""
import hashlib
import json
import re
import struct
import sys
from pathlib import Path

from safetensors import safe_open


def check(path):
    """Every byte against the checksum: a SHA-256 of the file with the digits of the checksum as zeros."""
    data = bytearray(Path(path).read_bytes())
    end = 8 + struct.unpack("<Q", data[:8])[0]
    at = data.index(b'"checksum":"', 8, end) + len(b'"checksum":"')
    stored, data[at:at + 64] = bytes(data[at:at + 64]).decode(), b"0" * 64
    if hashlib.sha256(data).hexdigest() != stored:
        raise ValueError(f"{path} is damaged")


def read(path):
    """The metadata, and the tensors by name: of BF16 only the shapes, which numpy has no type for."""
    check(path)
    with safe_open(path, framework="np") as file:
        about = file.metadata()
        if about.get("format") != "t5gist" or int(about["format_version"]) > 1:
            raise ValueError(f"{path}: expected a gist file of version 1, found {about.get('format')} {about.get('format_version')}")
        tensors = {name: file.get_slice(name) for name in file.keys()}
        return about, {name: part.get_shape() if part.get_dtype() == "BF16" else part[:] for name, part in tensors.items()}


def store_key(about, salt=""):
    """The name of an entry in a store."""
    def text(value):
        return f"{len(value.encode())} {hashlib.sha256(value.encode()).hexdigest()}"
    computed_in = about["computed_with"].rsplit(" ", 1)[0]
    lines = ["t5gist store 1", f"program {about['program_version']}", f"fingerprint {about['fingerprint']}", f"template_task {text(about['template_task'])}",
             f"template_input {text(about['template_input'])}", "condition gist", f"n_gist {about['n_gist']}", "payload f32", f"computed_in {computed_in}",
             f"salt {text(salt)}", f"task {text(about['task'])}"]
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def read_store(folder):
    """Entries of a store: name, metadata, hits, whether pinned, whether the name is that of the content (it is not where a salt was used)."""
    for path in sorted(Path(folder).iterdir()):
        if not re.fullmatch("[0-9a-f]{64}[.]gist", path.name):
            continue
        try:
            about, _ = read(path)
        except Exception as problem:  # t5gist sets it aside and encodes its task anew
            yield {"key": path.stem, "damaged": str(problem)}
            continue
        use = path.with_suffix(".use")
        hits = max(0, use.stat().st_size - 16) if use.exists() else 0
        yield {"key": path.stem, "hits": hits, "pinned": path.with_suffix(".pin").exists(), "own_name": store_key(about) == path.stem, **about}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if Path(sys.argv[1]).is_dir():
        for entry in read_store(sys.argv[1]):
            print(json.dumps(entry))
        return
    about, tensors = read(sys.argv[1])
    shapes = {name: list(getattr(tensor, "shape", tensor)) for name, tensor in tensors.items()}
    print(json.dumps({**about, "tensors": shapes}, indent=2))


if __name__ == "__main__":
    main()
