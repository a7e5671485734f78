#!/usr/bin/env python3
"""Bad files made by hand, from outside: each is refused with the sentence beside it, quickly, in little memory, and nothing in it ever runs.

    T5GIST=build/release/bin/t5gist python3 tests/hostile/test_files.py [CLASS[.test]]...

Standard library only. A case is (name, bytes or text, words that the message must have)."""
import base64
import hashlib
import json
import os
import resource
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(os.environ.get("T5GIST", ROOT / "build/release/bin/t5gist")).resolve())
MINI = ROOT / "models/mini"
SECONDS, MEMORY = float(os.environ.get("T5GIST_HOSTILE_SECONDS", 0.1)), 64 << 20  # more than a run that reads no file takes


def u16(n): return struct.pack("<H", n)
def u32(n): return struct.pack("<I", n)
def u64(n): return struct.pack("<Q", n)


class Hostile(unittest.TestCase):
    count = 0

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="t5gist-hostile-"))
        self.env = dict(os.environ, LC_ALL="C.UTF-8", T5GIST_MODEL=str(MINI), T5GIST_STORE=str(self.dir / "store"), XDG_CACHE_HOME=str(self.dir / "cache"))

    def tearDown(self):
        self.assertFalse((self.dir / "pwned").exists(), "something in a file ran")
        shutil.rmtree(self.dir)

    def run_measured(self, *args):
        """Status, both streams as one text, processor seconds, bytes of resident memory."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen([PROGRAM, *args], stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.dir, env=self.env)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            return process.returncode, said.read().decode("utf-8", "replace"), used.ru_utime + used.ru_stime, used.ru_maxrss << 10

    def baseline(self):
        if not hasattr(Hostile, "least"):
            runs = [self.run_measured("verify", "no-such-folder") for _ in range(5)]
            Hostile.least = max(r[2] for r in runs), max(r[3] for r in runs)
        return Hostile.least

    def refused(self, words, *args, status=(1,), limit=SECONDS):
        seconds, memory = self.baseline()
        code, text, used, resident = self.run_measured(*args)
        self.assertIn(code, status, text)
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, text)
        self.assertLess(used, seconds + limit, text)
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10  # what a child counts as its own until it has become the program
        self.assertLessEqual(resident, max(memory + MEMORY, own), text)
        Hostile.count += 1
        return text

    def folder(self, name, files):
        """A copy of models/mini by links, with these files (bytes, text, or None: left out) in place of its own."""
        folder = self.dir / name
        folder.mkdir()
        for file in ("config.json", "model.safetensors", "spiece.model"):
            if file not in files:
                (folder / file).symlink_to(MINI / file)
        for file, data in files.items():
            if data is not None:
                (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)
        return str(folder)

    def each(self, cases, check):
        """Runs all cases, and sees that no two of them get the same sentence where their words differ."""
        said = {}
        for name, data, words in cases:
            with self.subTest(name):
                text = check(data, words)
                said.setdefault(text.split(": ", 1)[-1].replace(str(self.dir), ""), set()).add(str(words))
        for text, words in said.items():
            self.assertEqual(len(words), 1, (text, words))

    def fresh(self):
        self.number = getattr(self, "number", 0) + 1
        return f"m{self.number}"


# ------------------------------------------------------------------------------------------------------------------- safetensors

def container(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return u64(len(text) if length is None else length) + text + data


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


class Safetensors(Hostile):
    def test_each(self):
        a4 = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}%s}'
        many = '{"a0":' + json.dumps(entry([4], 0, 16)) + "".join(f',"a{i}":' + json.dumps(entry([4], 0, 16)) for i in range(1, 50)) + "}"
        self.each([
            ("empty", b"", "found 0"),
            ("seven bytes", b"\2\0\0\0\0\0\0", "at least 8 bytes, found 7"),
            ("length beyond the file", container("{}", length=3), "header of 3 bytes, found only 2"),
            ("length of 2^64 - 1", container("{}", length=2**64 - 1), "found a length of 18446744073709551615"),
            ("length of 100 MB", container("{}", length=100_000_000), "found a length of 100000000"),
            ("no JSON", container("{oops}"), "expected JSON, found at line 1"),
            ("not UTF-8", container(b'{"\xff":1}'), "expected JSON"),
            ("a list", container("[]"), "begins with '{'"),
            ("deep", container('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), "maximum parsing depth"),
            ("a name twice", container('{"a":%s,"a":%s}' % (json.dumps(entry([1], 0, 4)), json.dumps(entry([1], 4, 8))), bytes(8)), "duplicate"),
            ("tail", container(a4 % "", bytes(5)), "expected 4 bytes of tensor data, found 5"),
            ("cut", container(a4 % "", bytes(3)), "found only 3 bytes of data"),
            ("hole", container({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)), "begin at byte 4, where the previous tensor ends, found 8"),
            ("overlap", container({"a": entry([2], 0, 8), "b": entry([1], 4, 8)}, bytes(8)), "begin at byte 8, where the previous tensor ends, found 4"),
            ("fifty over the same bytes", container(many, bytes(16)), "where the previous tensor ends, found 0"),
            ("end before begin", container({"a": entry([1], 4, 0)}, bytes(4)), "a begin and an end behind it"),
            ("shape wraps", container({"a": entry([2**32, 2**32], 0, 0)}), "shape is too large"),
            ("bytes wrap", container({"a": entry([2**62], 0, 0)}), "shape is too large for this machine"),
            ("2^63", container('{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}', bytes(4)), "too big integer"),
            ("negative", container({"a": entry([-1], 0, 4)}, bytes(4)), "integers of at least 0, found -1"),
            ("fraction", container({"a": entry([1.5], 0, 4)}, bytes(4)), "found 1.5"),
            ("rank 9", container({"a": entry([1] * 9, 0, 4)}, bytes(4)), "at most 8 numbers, found 9"),
            ("unknown type", container({"a": entry([1], 0, 4, "F8_E5M2")}, bytes(4)), 'found "F8_E5M2"'),
            ("more keys", container('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', bytes(4)), "found other keys"),
            ("long name", container({"n" * 513: entry([1], 0, 4)}, bytes(4)), "names of at most 512 bytes"),
            ("metadata of numbers", container({"__metadata__": {"a": 1}}), "a: expected a string, found an integer"),
            ("metadata of 100 KB", container({"__metadata__": {"a": "x" * 100_000}}), "at most 65536 bytes, found 100001"),
            ("shape [0]", container({"shared.weight": entry([0], 0, 0)}), "shared.weight"),
        ], lambda data, words: self.refused(words, "verify", self.folder(self.fresh(), {"model.safetensors": data})))

    def test_another_file_altogether(self):
        self.refused("header", "verify", self.folder("elf", {"model.safetensors": Path(PROGRAM).read_bytes()[:4096]}))
        (self.dir / "pipe").mkdir()
        for file in ("config.json", "spiece.model"):
            (self.dir / "pipe" / file).symlink_to(MINI / file)
        os.mkfifo(self.dir / "pipe/model.safetensors")
        self.refused("pipe", "verify", str(self.dir / "pipe"))


# ------------------------------------------------------------------------------------------------------------------- pytorch_model.bin

class Zip:
    """An archive as torch.save writes it; fields that end in _local stand in the member's own header only."""

    def __init__(self):
        self.members = []

    def add(self, name, data, **fields):
        self.members.append((name if isinstance(name, bytes) else name.encode(), data, fields))
        return self

    @staticmethod
    def header(name, data, f, central, offset):
        get = lambda key, default: f.get(key + ("" if central else "_local"), f.get(key, default))
        name = get("name", name)
        crc, size = get("crc", zlib.crc32(f.get("plain", data))), get("size", len(f.get("plain", data)))
        fields = u16(get("flags", 1 << 11)) + u16(get("method", 0)) + u32(0) + u32(crc) + u32(get("stored", len(data))) + u32(size)
        extra, comment = get("extra", b""), f.get("comment", b"")
        if not central:
            return b"PK\3\4" + u16(20) + fields + u16(len(name)) + u16(len(extra)) + name + extra
        return (b"PK\1\2" + u16(20) + u16(20) + fields + u16(len(name)) + u16(len(extra)) + u16(len(comment)) + u16(f.get("disk", 0)) + u16(0) + u32(0) +
                u32(f.get("offset", offset)) + name + extra + comment)

    def bytes(self, count=None, comment=b"", before=b"", between=b"", after=b"", size=None, at=None):
        out, directory = before, b""
        for name, data, f in self.members:
            directory += self.header(name, data, f, True, len(out))
            out += self.header(name, data, f, False, 0) + data
        out += between
        n = len(self.members) if count is None else count
        end = b"PK\5\6" + u32(0) + u16(n) + u16(n) + u32(len(directory) if size is None else size) + u32(len(out) if at is None else at) + u16(len(comment)) + comment
        return out + directory + end + after


def text(s): return b"X" + u32(len(s)) + s.encode()


STORAGE = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\6tQ"


def tensor(storage=STORAGE, offset=b"K\0", shape=b"K\2K\3\x86", strides=b"K\3K\1\x86", hooks=b"ccollections\nOrderedDict\n)R"):
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + strides + b"\x89" + hooks + b"tR"


def state(value=tensor(), key="a"):
    return b"\x80\2}" + text(key) + value + b"s."


def archive(pickle=None, data=bytes(24), **more):
    return Zip().add("r/data.pkl", state() if pickle is None else pickle).add("r/data/0", data, **more)


def evasions():
    """Pickles that scanners have let through, and what they are refused with. Each would make a file if it ran."""
    run = "touch pwned"
    call = lambda name: b"\x80\2c" + name.replace(".", "\n", 1).encode() + b"\n" + text(run) + b"\x85R."
    allowed = "not allowed: only dicts and tensors are"
    opcode = "an opcode that is not allowed (opcode 0x%02x"
    cases = [(name, call(name), [name, allowed]) for name in (
        "os.system", "posix.system", "nt.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "__builtin__.eval", "runpy._run_code", "pty.spawn",
        "importlib.import_module", "torch.load", "torch._inductor.codecache", "asyncio.run", "timeit.timeit", "pip.main", "bdb.Bdb", "operator.attrgetter",
        "webbrowser.open", "collections.Counter", "torch.FloatTensor", "torch._utils._rebuild_qtensor", "numpy.core.multiarray")]
    return cases + [
        ("trailing space in a name", call("os .system"), allowed),
        ("upper case", b"\x80\2ctorch\nfloatstorage\n.", allowed),
        ("a storage's name in another module", b"\x80\2cos\nFloatStorage\n.", allowed),
        ("dotted name", b"\x80\2ctorch\nFloatStorage.__init__\n.", allowed),
        ("NUL in a name", b"\x80\2cos\0x\nsystem\n.", allowed),
        ("no end of a name", b"\x80\2cos", "an unfinished global"),
        ("STACK_GLOBAL", b"\x80\2" + text("os") + text("system") + b"\x93.", opcode % 0x93),
        ("INST", b"\x80\2(" + text(run) + b"ios\nsystem\n.", opcode % ord("i")),
        ("OBJ", b"\x80\2(cos\nsystem\n" + text(run) + b"o.", allowed),
        ("OBJ of an allowed class", b"\x80\2(ccollections\nOrderedDict\no.", opcode % ord("o")),
        ("NEWOBJ", b"\x80\2ccollections\nOrderedDict\n)\x81.", opcode % 0x81),
        ("NEWOBJ_EX", b"\x80\2ccollections\nOrderedDict\n)}\x92.", opcode % 0x92),
        ("EXT1", b"\x80\2\x82\1.", opcode % 0x82),
        ("EXT2", b"\x80\2\x83\1\0.", opcode % 0x83),
        ("EXT4", b"\x80\2\x84\1\0\0\0.", opcode % 0x84),
        ("PERSID", b"\x80\2P0\n.", opcode % ord("P")),
        ("a frame", b"\x80\2\x95" + u64(4) + b"}...", opcode % 0x95),
        ("protocol 0", b"cos\nsystem\n(S'touch pwned'\ntR.", "expected a pickle of protocol 2"),
        ("protocol 4", b"\x80\4}.", "a pickle of protocol 2"),
        ("PROTO again", b"\x80\2\x80\2}.", opcode % 0x80),
        ("REDUCE of a tuple", b"\x80\2))R.", "a call of something that is not a global"),
        ("REDUCE of a storage class", b"\x80\2ctorch\nFloatStorage\n)R.", "a call of a storage class"),
        ("REDUCE without arguments", b"\x80\2ccollections\nOrderedDict\n}R.", "arguments that are not a tuple"),
        ("BUILD of a storage", b"\x80\2" + STORAGE + b"}b.", "a state for something that is not a dict"),
        ("BUILD with a tuple", b"\x80\2})b.", "a state that is not a dict"),
        ("SETITEM on a tensor", b"\x80\2" + tensor() + text("x") + b"K\1s.", "an item set on something that is not a dict (opcode 0x73"),
        ("SETITEMS on a storage", b"\x80\2" + STORAGE + b"(" + text("x") + b"K\1u.", "an item set on something that is not a dict (opcode 0x75"),
        ("APPEND", b"\x80\2}K\1a.", opcode % ord("a")),
        ("a list", b"\x80\2].", opcode % ord("]")),
        ("POP", b"\x80\2}N0.", opcode % ord("0")),
        ("POP_MARK", b"\x80\2}(N1.", opcode % ord("1")),
        ("DUP", b"\x80\2}2.", opcode % ord("2")),
        ("two values at the end", b"\x80\2}}.", "an end with other than one value (opcode 0x2e at byte 4"),
        ("an open mark at the end", b"\x80\2(.", "an end with other than one value (opcode 0x2e at byte 3"),
        ("stack underflow", b"\x80\2s.", "an empty stack"),
        ("below a mark", b"\x80\2}" + text("a") + b"K\1(s.", "an empty stack (opcode 0x73"),
        ("no mark", b"\x80\2}t.", "no mark"),
        ("no STOP", b"\x80\2}", "ends with STOP"),
        ("bytes after STOP", b"\x80\2}.cos\nsystem\n)R.", "bytes after the end"),
        ("memo not there", b"\x80\2h\0.", "a memo entry that does not exist"),
        ("sparse memo", b"\x80\2}r\xff\xff\xff\x7f.", "a memo out of order"),
        ("string of 4 GiB", b"\x80\2X\xff\xff\xff\xff.", "a string of more than 512 bytes"),
        ("string beyond the end", b"\x80\2X\x10\0\0\0ab.", "the end of the pickle"),
        ("NUL in a string", b"\x80\2X\2\0\0\0a\0.", "a string with a NUL byte"),
        ("integer of 255 bytes", b"\x80\2\x8a\xff" + bytes(255) + b".", "an integer of more than 8 bytes"),
        ("memo bomb", b"\x80\2)" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(200)) + b".", "something that is not a dict"),
        ("a million marks", b"\x80\2" + b"(" * 1_000_000, "more than 64 marks"),
        ("a million values", b"\x80\2" + b"N" * 1_000_000, "more than 65536 values on the stack"),
        ("nested without end", b"\x80\2N" + b"\x85" * 1_100_000 + b".", "more than 262144 values"),
        ("a dict of itself", b"\x80\2}q\0" + text("a") + b"h\0s.", "expected a tensor under this name"),
        ("an int for a tensor", state(b"K\1"), "tensor a: expected a tensor under this name, found something else"),
        ("no tensors", b"\x80\2}.", "found an empty dict"),
        ("the same name twice", b"\x80\2}" + text("a") + tensor() + b"s" + text("a") + tensor() + b"s.", "tensor a is there twice"),
        ("storage of 7 elements", state(tensor(STORAGE.replace(b"K\6", b"K\7"))), "7 elements"),
        ("storage of -1 elements", state(tensor(STORAGE.replace(b"K\6", b"J\xff\xff\xff\xff"))), "-1 elements"),
        ("storage not there", state(tensor(STORAGE.replace(text("0"), text("1")))), "data/1"),
        ("storage ../../etc/passwd", state(tensor(STORAGE.replace(text("0"), text("../../etc/passwd")))), "a storage of at most six digits"),
        ("offset beyond", state(tensor(offset=b"K\1")), "reaches beyond its storage"),
        ("offset -1", state(tensor(offset=b"J\xff\xff\xff\xff")), "beyond its storage"),
        ("shape 2^62 x 2^62", state(tensor(shape=(b"\x8a\x08" + u64(2**62)) * 2 + b"\x86")), "overflow"),
        ("shape 0", state(tensor(shape=b"K\0K\3\x86")), "positive sizes"),
        ("negative stride", state(tensor(strides=b"J\xfd\xff\xff\xffK\1\x86")), "strides that are not negative"),
        ("broadcast", state(tensor(strides=b"K\0K\0\x86")), "a contiguous tensor or a transposed matrix"),
        ("stride 2^62", state(tensor(strides=b"\x8a\x08" + u64(2**62) + b"K\1\x86")), "beyond its storage"),
        ("rank 5", state(tensor(shape=b"(K\1K\1K\1K\2K\3t", strides=b"(K\6K\6K\6K\3K\1t")), "dimensions"),
        ("more strides than sizes", state(tensor(strides=b"K\6K\3K\1\x87")), "tensor a"),
        ("hooks", state(tensor(hooks=b"}" + text("h") + b"K\1s")), "a tensor with hooks"),
    ]


class TorchBin(Hostile):
    def check(self, data, words):
        folder = self.folder(self.fresh(), {"model.safetensors": None, "pytorch_model.bin": data})
        return self.refused(words, "convert", folder, str(self.dir / "out"))

    def test_evasions(self):
        for name, pickle, words in evasions():
            with self.subTest(name):
                self.check(archive(pickle).bytes(), words)

    def test_sound_one_passes(self):
        """The same archive, unharmed, is read."""
        code, said, _, _ = self.run_measured("convert", self.folder("good", {"model.safetensors": None, "pytorch_model.bin": archive().bytes()}), "out")
        self.assertEqual(code, 0, said)
        self.assertIn("1 tensors, 24 bytes", said)

    def test_archives(self):
        good = archive().bytes()
        deflated = zlib.compress(bytes(1 << 20), 9)[2:-4]
        pkl = state()
        two = Zip().add("r/data.pkl", pkl).add("r/data.pkl", evasions()[0][1]).add("r/data/0", bytes(24))
        named = lambda name, **f: archive().add(name, b"x", **f).bytes()
        self.each([
            ("empty", b"", "a file too short at byte 0"),
            ("no end record", good[:-1], "no end record as the file's last 22 bytes"),
            ("text behind the end", archive().bytes(after=b"x"), "no end record"),
            ("comment", archive().bytes(comment=b"hello"), "no end record"),
            ("no members", Zip().bytes(), "an impossible number of members"),
            ("65535 members", archive().bytes(count=65535), "an impossible number of members"),
            ("one member hidden", archive().bytes(count=1), "bytes after the last central header"),
            ("bytes before the directory's end", archive().bytes(size=60), "a central directory that does not end at the end record"),
            ("text before the archive", archive().bytes(before=b"#!/bin/sh\ntouch pwned\n"), "bytes that belong to no member at byte 0"),
            ("text between members and directory", archive().bytes(between=b"#!/bin/sh\n"), "bytes that belong to no member"),
            ("a bare pickle", evasions()[0][1], "found"),
            ("a tar file", b"pytorch" + bytes(2000), "no end record"),
            ("the same member twice", two.bytes(), "expected one member data.pkl, found two"),
            ("a name only in the local header", archive(name_local=b"r/data/1").bytes(), "a local header that disagrees with the directory"),
            ("another size in the local header", archive(size_local=12, stored_local=12).bytes(), "a local header that disagrees"),
            ("another checksum in the local header", archive(crc_local=1).bytes(), "a local header that disagrees"),
            ("wrong checksum", archive(crc=1).bytes(), "CRC"),
            ("members that overlap", archive(size=2000, stored=2000).bytes(), "members that overlap"),
            ("two names, one place", archive().add("r/data/1", bytes(24), offset=0).bytes(), "no local header at byte 0"),
            ("member beyond the file", archive(offset=2**31).bytes(), "bytes that belong to no member"),
            ("all members beyond the file", Zip().add("r/data.pkl", pkl, offset=2**31).bytes(), "bytes that belong to no member at byte 0"),
            ("two sizes", archive(stored=2**31, stored_local=24).bytes(), "a stored member of two sizes"),
            ("deflated bomb", archive(deflated, plain=bytes(1 << 20), method=8).bytes(), "a compressed member"),
            ("deflated in the local header", archive(method_local=8).bytes(), "disagrees with the directory"),
            ("encrypted", archive(flags=1 << 11 | 1).bytes(), "a member with unexpected flags"),
            ("comment of a member", archive(comment=b"x").bytes(), "a member with a comment or on another disk"),
            ("on another disk", archive(disk=1).bytes(), "on another disk"),
            ("broken extra field", archive(extra=b"\1\0\xff\xff", extra_local=b"").bytes(), "a broken extra field"),
            ("short zip64 field", archive(size=2**32 - 1, stored=2**32 - 1, extra=b"\1\0\0\0").bytes(), "a short zip64 field"),
            ("zip64 of 2^63 bytes", archive(size=2**32 - 1, stored=2**32 - 1, extra=b"\1\0\x10\0" + u64(2**63) * 2).bytes(), "members that overlap"),
            ("no data.pkl", Zip().add("r/data/0", bytes(24)).bytes(), "expected data.pkl in the archive"),
            ("big endian", archive().add("r/byteorder", b"big").bytes(), "byteorder"),
        ] + [("name " + repr(name), named(name), "a member of an unexpected name") for name in (
            "r/../../pwned", "/r/data/1", "r//data/1", "r\\data\\1", "r/data/1/", "r/data/-1", "r/data/1234567", "s/data/1", "r/data.pkl.py", "r/data.pkl\0.txt",
            "r/DATA.PKL", "r/code/__torch__.py", "", "r", "." * 300)
           ], self.check_archive)

    def check_archive(self, data, words):
        return self.check(data, words)


# ------------------------------------------------------------------------------------------------------------------------- tokenizers

def varint(n):
    out = b""
    while n >= 0x80:
        out, n = out + bytes([n & 0x7f | 0x80]), n >> 7
    return out + bytes([n])


def field(number, data): return varint(number << 3 | 2) + varint(len(data)) + data
def number(n, value): return varint(n << 3) + varint(value)
def piece(s, score=-1.0, kind=1): return field(1, field(1, s if isinstance(s, bytes) else s.encode()) + b"\x15" + struct.pack("<f", score) + number(3, kind))


PIECES = piece("<pad>", 0, 3) + piece("</s>", 0, 3) + piece("<unk>", 0, 2) + piece("▁") + piece("a", -2) + piece("b", -3)


def charsmap(units, table=b"a\0", blocks=3):
    """A trie of so many blocks of 256 units, none of which matches but these."""
    trie = [0x80000000] * (256 * blocks)
    trie[0] = 256 << 10
    for at, value in units.items():
        trie[at] = value
    return u32(1024 * blocks) + b"".join(map(u32, trie)) + table


def normalizer(data): return PIECES + field(3, field(2, data))
def step(at, to, label, leaf=False): return (at ^ to) << 10 | (1 << 8 if leaf else 0) | label


class Spiece(Hostile):
    def test_each(self):
        chain = {}
        for i in range(33):
            chain[256 * (i + 1) ^ 65] = step(256 * (i + 1) ^ 65, 256 * (i + 2), 65, True)
            chain[256 * (i + 2)] = 0x80000000
        nested = b"".join(piece("x" * n, 0, 4) for n in range(1, 40))
        self.each([
            ("empty", b"", "expected one piece of type unknown, found 0"),
            ("text", b"not a model", "expected a sentencepiece model, found"),
            ("piece of 100 KB", PIECES + piece("x" * 100_000), "expected 1 to 1024 bytes, found 100000"),
            ("piece of 1025 bytes", PIECES + piece("x" * 1025), "expected 1 to 1024 bytes, found 1025"),
            ("empty piece", PIECES + piece(""), "expected 1 to 1024 bytes, found 0"),
            ("NUL piece", PIECES + piece(b"a\0b"), "a NUL byte in its text"),
            ("invalid UTF-8", PIECES + piece(b"\xc3("), "piece 6: expected valid UTF-8"),
            ("score NaN", PIECES + piece("x", float("nan")), "a finite score, found nan"),
            ("score infinite", PIECES + piece("x", float("-inf")), "a finite score, found -inf"),
            ("type 0", PIECES + piece("x", -1, 0), "a type from 1 to 6, found 0"),
            ("type 2^63", PIECES + piece("x", -1, 2**63), "a type from 1 to 6, found 9223372036854775808"),
            ("two unknown pieces", PIECES + piece("x", -1, 2), "one piece of type unknown, found 2"),
            ("a byte piece alone", PIECES + piece("<0x41>", -1, 6), "byte_fallback is off: expected 0 byte pieces, found 1"),
            ("a byte piece of letters", PIECES + piece("<0xZZ>", -1, 6), "a byte piece <0x00> to <0xFF>"),
            ("byte fallback without bytes", PIECES + field(2, number(35, 1)), "expected 256 byte pieces, found 0"),
            ("a piece twice", PIECES + piece("a"), "already defined"),
            ("user symbols 39 deep", PIECES + nested, "at most 32 deep"),
            ("BPE", PIECES + field(2, number(3, 2)), "expected a Unigram model (1), found 2"),
            ("two trainer_spec", PIECES + field(2, b"") * 2, "one trainer_spec, found two"),
            ("two normalizer_spec", PIECES + field(3, b"") * 2, "one normalizer_spec, found two"),
            ("denormalizer", PIECES + field(5, field(2, b"x")), "has a denormalizer"),
            ("self-test", PIECES + field(4, b"x"), "self-test data"),
            ("suffix", PIECES + field(2, number(24, 1)), "treat_whitespace_as_suffix"),
            ("length beyond the end", PIECES + b"\x0a\xff\xff\xff\xff\x0f", "a length beyond the end of the data"),
            ("a group", PIECES + b"\x0b", "an unknown wire type"),
            ("field 0", PIECES + b"\0\0", "a broken field tag"),
            ("endless varint", PIECES + b"\x08" + b"\xff" * 11, "a broken integer"),
            ("score as a string", PIECES + field(1, field(1, b"x") + field(2, b"1234")), "field score: expected wire type 5, found 2"),
        ] + [("charsmap of %d bytes" % n, normalizer(bytes(n)), "expected 1029 to 8388608 bytes, found %d" % n) for n in (1, 2, 3)] + [
            ("trie longer than its file", normalizer(u32(2048) + bytes(1025)), "within 1024, found 2048"),
            ("trie of 1000 bytes", normalizer(u32(1000) + bytes(2000)), "a trie of a multiple of 1024 bytes within 1999, found 1000"),
            ("trie of 4 GiB", normalizer(b"\0\xfc\xff\xff" + bytes(2000)), "found 4294966272"),
            ("root leaves the trie", normalizer(charsmap({0: 768 << 10})), "unit 0 of 768 leads outside the trie"),
            ("root far outside", normalizer(charsmap({0: 0x7ffffe00})), "leads outside the trie"),
            ("a unit leaves the trie", normalizer(charsmap({256 ^ 65: step(256 ^ 65, 768, 65)})), "unit 321 of 768 leads outside"),
            ("a circle", normalizer(charsmap({256 ^ 65: step(256 ^ 65, 256, 65)})), "leads back to where it came from"),
            ("33 matches", normalizer(charsmap(chain, blocks=36)), "more than 32 matches"),
            ("replacement outside the table", normalizer(charsmap({256 ^ 65: step(256 ^ 65, 512, 65, True), 512: 0x80000009})), "outside the table"),
            ("replacement inside a character", normalizer(charsmap({256 ^ 65: step(256 ^ 65, 512, 65, True), 512: 0x80000001}, b"\xc3\xa9\0")), "begin inside a character"),
            ("table without end", normalizer(charsmap({}, b"ab")), "in UTF-8 that end with NUL"),
            ("table of bytes", normalizer(charsmap({}, b"\xff\0")), "expected replacements in UTF-8"),
            ("denormal unk_surface", PIECES + field(2, field(44, b"x" * 65)), "unk_surface: expected at most 64 bytes"),
        ], lambda data, words: self.refused(words, "verify", self.folder(self.fresh(), {"spiece.model": data, "model.safetensors": container("{}")})))


class TokenizerJson(Hostile):
    def test_each(self):
        model = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1]]}
        good = {"pre_tokenizer": {"type": "Metaspace"}, "model": model}
        nested = {"type": "Sequence", "normalizers": []}
        for _ in range(6):
            nested = {"type": "Sequence", "normalizers": [nested]}
        change = lambda **keys: json.dumps({**good, **keys})
        self.each([
            ("BPE", change(model=dict(model, type="BPE")), 'model.type: expected "Unigram", found "BPE"'),
            ("no model", "{}", 'expected "Unigram", found ""'),
            ("no vocabulary", change(model=dict(model, vocab=[])), "a list of 1 to 1048576 pieces, found 0"),
            ("vocabulary of numbers", change(model=dict(model, vocab=[["<unk>", 0], 7])), "model.vocab[1]: expected [piece, score]"),
            ("score of text", change(model=dict(model, vocab=[["<unk>", "x"], ["a", 0]])), "model.vocab[0]: expected [piece, score]"),
            ("score 1e300", change(model=dict(model, vocab=[["<unk>", 0], ["a", 1e300]])), "a finite score, found inf"),
            ("unk_id outside", change(model=dict(model, unk_id=2)), "unk_id: expected an integer from 0 to 1, found 2"),
            ("unk_id missing", change(model=dict(model, unk_id=None)), "model.unk_id: expected an integer, found nothing"),
            ("long piece", change(model=dict(model, vocab=[["<unk>", 0], ["x" * 2000, 0]])), "expected 1 to 1024 bytes, found 2000"),
            ("NUL piece", change(model=dict(model, vocab=[["<unk>", 0], ["a\0b", 0]])), "\\u0000"),
            ("normalizer", change(normalizer={"type": "Lowercase"}), 'found "Lowercase", which is not supported'),
            ("normalizer's depth", change(normalizer=nested), 'found "Sequence", which is not supported'),
            ("not base64", change(normalizer={"type": "Precompiled", "precompiled_charsmap": "a?=="}), "expected base64, found another character at 1"),
            ("base64 cut", change(normalizer={"type": "Precompiled", "precompiled_charsmap": "aaa"}), "expected base64, found a length of 3"),
            ("short charsmap", change(normalizer={"type": "Precompiled", "precompiled_charsmap": base64.b64encode(b"abc").decode()}), "expected 1029 to 8388608 bytes, found 3"),
            ("charsmap of a list", change(normalizer={"type": "Precompiled", "precompiled_charsmap": []}), "precompiled_charsmap: expected a string, found a list"),
            ("pre_tokenizer", change(pre_tokenizer={"type": "ByteLevel"}), 'expected Metaspace, found "ByteLevel"'),
            ("replacement", change(pre_tokenizer={"type": "Metaspace", "replacement": "_"}), 'the replacement U+2581, found "_"'),
            ("added token of -1", change(added_tokens=[{"id": -1, "content": "<x>"}]), "-1"),
            ("deep", "[" * 100_000, "maximum parsing depth"),
            ("a list", "[]", 'model.type'),
        ], lambda data, words: self.refused(words, "verify", self.folder(self.fresh(), {"spiece.model": None, "tokenizer.json": data, "model.safetensors": container("{}")})))


# --------------------------------------------------------------------------------------------------------------------- configurations

class Config(Hostile):
    def test_each(self):
        mini = json.loads((MINI / "config.json").read_text())
        block = mini["t5gist"]
        change = lambda **keys: json.dumps({**mini, **keys})
        gists = lambda **keys: change(t5gist={**block, **keys})
        self.each([
            ("empty", "", "config.json: expected JSON"),
            ("a list", "[]", "expected an object"),
            ("model type", change(model_type="llama"), '"llama"'),
            ("no heads", change(num_heads=0), "num_heads: expected an integer from 1"),
            ("negative layers", change(num_layers=-1), "num_layers: expected an integer from"),
            ("layers 2^31", change(num_layers=2**31), "found 2147483648"),
            ("d_model 2^40", change(d_model=2**40), "d_model: expected an integer"),
            ("d_kv 0", change(d_kv=0), "d_kv: expected an integer"),
            ("d_ff of text", change(d_ff="512"), 'd_ff: expected an integer from 1 to'),
            ("vocab_size 0", change(vocab_size=0), "vocab_size: expected"),
            ("no buckets", change(relative_attention_num_buckets=0), "relative_attention_num_buckets"),
            ("distance 0", change(relative_attention_max_distance=0), "relative_attention_max_distance"),
            ("eps 0", change(layer_norm_epsilon=-1), "layer_norm_epsilon"),
            ("activation", change(feed_forward_proj="gated-tanh", dense_act_fn="tanh"), "tanh"),
            ("end token outside", change(eos_token_id=10**6), "eos_token_id"),
            ("pad token -1", change(pad_token_id=-1), "pad_token_id"),
            ("gist ids twice", gists(gist_token_ids=[4, 4]), "expected distinct ids, found 4 twice"),
            ("gist id outside", gists(gist_token_ids=[10**6]), "gist_token_ids[0]: expected an integer from 0 to"),
            ("gist id is the end", gists(gist_token_ids=[mini.get("eos_token_id", 1)]), "is the pad, end or start token"),
            ("no gist ids", gists(gist_token_ids=[]), "expected a list of 1 to"),
            ("default_gists", gists(default_gists=100_000), "default_gists: expected an integer from 1"),
            ("template without task", gists(template={"task": "x", "input": "{input}"}), "{task}"),
            ("template with two tasks", gists(template={"task": "{task}{task}", "input": "{input}"}), 'found "{task}{task}"'),
            ("template of a list", gists(template=[]), "template: expected an object, found a list"),
            ("block of text", change(t5gist="x"), "t5gist: expected an object"),
            ("keys twice", '{"model_type":"t5","model_type":"t5"}', "duplicate"),
            ("number of 400 digits", '{"d_model":' + "9" * 400 + "}", "too big integer"),
            ("1e999", '{"layer_norm_epsilon":1e999}', "real number overflow"),
            ("deep", '{"a":' * 5000 + "1" + "}" * 5000, "maximum parsing depth"),
        ], lambda data, words: self.refused(words, "verify", self.folder(self.fresh(), {"config.json": data})))

    def test_templates_do_not_steer_the_terminal(self):
        mini = json.loads((MINI / "config.json").read_text())
        data = json.dumps({**mini, "t5gist": {**mini["t5gist"], "template": {"task": "\x1b[2J\x7f\x9b{task}", "input": "Input:\n{input}"}}})
        code, said, _, _ = self.run_measured("info", "--model", self.folder("templates", {"config.json": data}))
        self.assertEqual(code, 0, said)
        self.assertIn('template     " [2J   {task}", "Input: {input}"', said)

    def test_generation(self):
        self.each([
            ("beams 0", {"num_beams": 0}, "num_beams: expected an integer from 1"),
            ("beams of text", {"num_beams": "4"}, 'found "4"'),
            ("temperature", {"do_sample": True, "temperature": -1}, "temperature: expected a number"),
            ("top_p", {"do_sample": True, "top_p": 2}, "top_p: expected a number"),
            ("length", {"max_new_tokens": 0}, "max_new_tokens: expected"),
            ("early", {"early_stopping": "never"}, 'early_stopping: expected true or false, found "never"'),
        ], lambda data, words: self.refused(words, "verify", self.folder(self.fresh(), {"generation_config.json": json.dumps(data)})))

    def test_index(self):
        index = lambda **names: json.dumps({"weight_map": names})
        self.each([
            ("empty", "{}", "weight_map: expected an object from tensor to file names, found nothing"),
            ("a list", '{"weight_map":[]}', "file names, found a list"),
            ("numbers", '{"weight_map":{"a":1}}', "a: expected the name of a .safetensors file in the same folder, found an integer"),
            ("elsewhere", index(a="../x.safetensors"), "in the same folder, found ../x.safetensors"),
            ("absolute", index(a="/etc/x.safetensors"), "found /etc/x.safetensors"),
            ("another ending", index(a="pytorch_model.bin"), "found pytorch_model.bin"),
            ("the ending alone", index(a=".safetensors"), "found .safetensors"),
            ("hidden", index(a=".x.safetensors"), "found .x.safetensors"),
            ("a long name", index(a="n" * 300 + ".safetensors"), "in the same folder, found nnnn"),
            ("NUL in a name", index(a="x.safetensors\0.safetensors"), "expected JSON, found at line 1"),
            ("4097 files", index(**{str(i): f"{i}.safetensors" for i in range(4097)}), "expected at most 4096 files, found 4097"),
            ("not there", index(a="x.safetensors"), "x.safetensors"),
        ], lambda data, words: self.refused(words, "verify", self.folder(self.fresh(), {"model.safetensors": None, "model.safetensors.index.json": data})))

    def test_yaml(self):
        def check(data, words):
            (self.dir / "run.yaml").write_bytes(data if isinstance(data, bytes) else data.encode())
            return self.refused(words, "generate", "--config", "run.yaml", "--task", "x", "--input", "y", status=(1, 2))
        self.each([
            ("tab", "beams:\t- 4\n\t- 5", "run.yaml:"),
            ("unknown key", "beems: 4", 'unknown key "beems"; did you mean "beams"?'),
            ("twice", "beams: 4\nbeams: 5", 'key "beams" is set twice'),
            ("alias", "task: &a x\ninput: *a", "an anchor or alias"),
            ("bomb", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "run.yaml:1:1: unknown key"),
            ("tag", "beams: !!python/object/apply:os.system ['touch pwned']", "found a tag (!)"),
            ("range", "beams: 0", "beams: expected an integer from 1"),
            ("NUL", b"task: a\0b", "run.yaml:"),
            ("not UTF-8", b"task: \xff", "expected valid UTF-8"),
            ("UTF-16", "beams: 4".encode("utf-16"), "expected valid UTF-8, found byte 0xff"),
            ("two documents", "beams: 4\n---\nbeams: 5", "expected one document, found a second"),
            ("deep", "[" * 50_000, "expected a mapping (key: value), found a list"),
            ("2 MB", "#" * (2 << 20), "run.yaml"),
        ], check)


# -------------------------------------------------------------------------------------------------------------------------------- gists

class Gist(Hostile):
    def setUp(self):
        super().setUp()
        code, said, _, _ = self.run_measured("encode", "--gists", "1", "--task", "Name the capital of each country.", "-o", "good.gist")
        self.assertEqual(code, 0, said)
        self.good = (self.dir / "good.gist").read_bytes()
        self.end = 8 + struct.unpack("<Q", self.good[:8])[0]

    def forge(self, before, after, data=None):
        """The gist with a part of its header changed and the checksum made right again."""
        data = bytearray(self.good if data is None else data)
        self.assertIn(before, data)
        at = data.index(before)
        data[at:at + len(before)] = after
        data[:8] = u64(self.end - 8 + len(after) - len(before))
        at = data.index(b'"checksum":"') + 12
        data[at:at + 64] = b"0" * 64
        data[at:at + 64] = hashlib.sha256(data).hexdigest().encode()
        return bytes(data)

    def cases(self):
        good, end = self.good, self.end
        flipped = bytearray(good)
        flipped[-1] ^= 1
        header = bytearray(good)
        header[end // 2] ^= 4
        nan = bytearray(good)
        nan[-4:] = struct.pack("<f", float("nan"))
        return [
            ("empty", b"", "found 0 bytes whose first eight are no header length"),
            ("seven bytes", good[:7], "found 7 bytes whose first eight"),
            ("cut in the header", good[:end // 2], "whose first eight are no header length"),
            ("cut in the tensors", good[:-5], "is damaged or cut off: expected checksum"),
            ("a bit of the tensors", bytes(flipped), "is damaged or cut off"),
            ("a bit of the header", bytes(header), "damaged"),
            ("more behind it", good + b"x", "is damaged or cut off: expected checksum"),
            ("a weight file", container({"a": entry([1], 0, 4)}, bytes(4)), 'found no "format":"t5gist" in its header'),
            ("no checksum", self.forge(b'"computed_with"', b'"computed_with"').replace(b'"checksum":"', b'"Checksum":"'), 'expected one "checksum" of 64 digits'),
            ("a newer version", self.forge(b'"format_version":"1"', b'"format_version":"7"'), "has gist format version 7"),
            ("version 0", self.forge(b'"format_version":"1"', b'"format_version":"0"'), "format_version: expected an integer of at least 1"),
            ("another condition", self.forge(b'"condition":"gist"', b'"condition":"full"'), 'condition: expected "gist", found "full"'),
            ("no gist tokens", self.forge(b'"n_gist":"1"', b'"n_gist":"0"'), "n_gist: expected an integer of at least 1"),
            ("two gist tokens", self.forge(b'"n_gist":"1"', b'"n_gist":"2"'), "expected n_gist = 2 in dimension 2, found 1"),
            ("a million gist tokens", self.forge(b'"n_gist":"1"', b'"n_gist":"1000000"'), "n_gist: expected at most 1024, found 1000000"),
            ("another task", self.forge(b"Name the capital", b"Name the Capital"), "task_sha256: expected that of the task"),
            ("no fingerprint", self.forge(b'"fingerprint"', b'"Fingerprint"'), 'expected the key "fingerprint", found none'),
            ("fingerprint of text", self.forge(b'"fingerprint":"', b'"fingerprint":"x'), "expected 64 hexadecimal digits"),
            ("another tensor", self.forge(b'"enc.k"', b'"enc.q"'), "expected the tensor enc.k, found none"),
            ("NaN", self.forge(b"t5gist", b"t5gist", bytes(nan)), "expected finite numbers, found"),
        ]

    def test_each(self):
        def check(data, words):
            (self.dir / "x.gist").write_bytes(data)
            self.refused(words, "verify", "x.gist")
            self.refused(words, "inspect", "x.gist")
            return self.refused(words, "generate", "--gist", "x.gist", "--input", "France", limit=5)  # the model is loaded first
        for name, data, words in self.cases():
            with self.subTest(name):
                check(data, words)

    def inspect(self, data):
        (self.dir / "x.gist").write_bytes(data)
        code, said, _, _ = self.run_measured("inspect", "x.gist")
        self.assertEqual(code, 1, said)
        return said

    def test_inspect_says_where(self):
        flipped = bytearray(self.good)
        flipped[-1] ^= 1
        said = self.inspect(bytes(flipped))
        self.assertIn("DIFFERS", said)
        self.assertIn("bytes 8 to %d" % (self.end - 1), said)
        self.assertIn("Name the capital", said)  # what can be read still is
        said = self.inspect(self.good[:100])
        self.assertIn("expected %d bytes at byte 8, found only 92" % (self.end - 8), said)
        broken = bytearray(self.good)
        broken[8 + 40] = 0
        self.assertRegex(self.inspect(bytes(broken)), "line 1, column")
        self.assertIn("cut off: expected 8 bytes of length, found 3", self.inspect(self.good[:3]))
        escape = self.forge(b"Name the capital", b"\\u001b[2J the cap")
        self.assertNotIn("\x1b", self.inspect(escape))  # nothing in a file reaches the terminal as it is

    def test_store(self):
        """A damaged entry is set aside, named and encoded anew."""
        ask = ["generate", "--gists", "1", "--task", "Name the capital of each country.", "--input", "France"]
        code, first, _, _ = self.run_measured(*ask)
        entries = list((self.dir / "store").glob("*.gist"))
        self.assertEqual((code, len(entries)), (0, 1), first)
        answer, whole = first.splitlines()[0], entries[0].read_bytes()
        self.run_measured("encode", "--gists", "1", "--task", "Name the river.", "-o", "other.gist")
        for name, data in ("empty", b""), ("cut", whole[:-1]), ("weights", container("{}")), ("another task", (self.dir / "other.gist").read_bytes()):
            with self.subTest(name):
                entries[0].write_bytes(data)
                code, said, _, _ = self.run_measured(*ask)
                self.assertEqual(code, 0, said)
                self.assertIn("moved to damaged/, not used", said)
                self.assertIn(answer, said.splitlines())
                self.assertEqual(entries[0].read_bytes(), whole)
                Hostile.count += 1
        entries[0].unlink()
        entries[0].mkdir()
        code, said, _, _ = self.run_measured(*ask)
        self.assertEqual(code, 0, said)
        self.assertIn("expected a regular file", said)


# ------------------------------------------------------------------------------------------------------------------------------- verify

class Verify(Hostile):
    """t5gist verify names the tensors that hold what is no number."""

    def test_names_tensors(self):
        weights = bytearray((MINI / "model.safetensors").read_bytes())
        n = struct.unpack("<Q", weights[:8])[0]
        header = json.loads(weights[8:8 + n])
        found = [k for k, v in header.items() if k != "__metadata__"]
        bad = [found[0], found[len(found) // 2], found[-1]]
        patterns = {"F32": (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff"), "BF16": (b"\xc0\x7f", b"\x80\x7f", b"\x80\xff")}
        places = {}
        for i, name in enumerate(bad):
            pattern = patterns[header[name]["dtype"]][i]
            begin, end = header[name]["data_offsets"]
            places[name] = [0, (end - begin) // len(pattern) // 2, (end - begin) // len(pattern) - 1][i]
            at = 8 + n + begin + places[name] * len(pattern)
            weights[at:at + len(pattern)] = pattern
        code, said, _, _ = self.run_measured("verify", self.folder("bad", {"model.safetensors": bytes(weights)}))
        self.assertEqual(code, 1, said)
        for name in bad:
            self.assertIn(f"{name}: expected finite numbers, found 1 NaN or infinite, the first at value {places[name]}", said)
        self.assertIn("found 3 problems", said)

    def test_names_do_not_steer_the_terminal(self):
        data = container({"\x1b[2J\nx": entry([1], 0, 4)}, struct.pack("<f", float("inf")))
        code, said, _, _ = self.run_measured("verify", self.folder("names", {"model.safetensors": data}))
        self.assertEqual(code, 1)
        self.assertIn("\\x1b[2J\\nx: expected finite numbers, found 1 NaN or infinite", said)
        self.assertIn("\\x1b[2J\\nx: not part of the model, ignored", said)
        self.assertNotIn("\x1b", said)

    def test_goes_on_behind_the_first_problem(self):
        code, said, _, _ = self.run_measured("verify", self.folder("two", {"model.safetensors": container("{}", b"x"), "spiece.model": b"x"}))
        self.assertEqual(code, 1)
        self.assertIn("spiece.model", said)
        self.assertIn("model.safetensors", said)
        self.assertIn("found 2 problems", said)

    def test_inspect_names_what_it_cannot_see(self):
        folder = self.folder("model", {})
        (Path(folder) / "vocabulary.txt").symlink_to("nowhere")
        code, said, _, _ = self.run_measured("inspect", folder)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, "file +vocabulary.txt: No such file")


GOOD_LINE = '{"instruction": "a", "input": "b", "output": "c"}'


class Lines(Hostile):
    """Training data."""

    def test_each(self):
        (self.dir / "run.yaml").write_text(f"model: {MINI}\nout: run\nsteps: 1\nconditions: {{gist: 1}}\ngists: [1]\ndata: {{train: x.jsonl}}\n")
        def check(data, words):
            (self.dir / "x.jsonl").write_bytes(data if isinstance(data, bytes) else data.encode())
            text = self.run_measured("train", "run.yaml")
            self.assertEqual(text[0], 1, text)
            self.assertIn(words, text[1])
            Hostile.count += 1
            return text[1]
        self.each([
            ("empty", "", "found an empty file"),
            ("an open list", "[", 'entry 1: expected "," or "]" behind it, found the end of the file'),
            ("an open text in a list", '[{"instruction": "a}]', 'entry 1: expected "," or "]" behind it, found the end of the file'),
            ("a comma too many", "[" + GOOD_LINE + ",]", 'entry 2: expected an object, found "]" in line 1'),
            ("no comma", "[" + GOOD_LINE + "\n" + GOOD_LINE + "]", "entry 1, from line 1 on: expected JSON, found at line 2, column 1"),
            ("more behind a list", "[" + GOOD_LINE + "]\n\nx", "expected nothing behind the list, found more in line 3"),
            ("a word in a list", "[" + GOOD_LINE + ",\n\noops]", "entry 2, from line 3 on: expected JSON, found at line 1"),
            ("a line of 17 MB", '{"instruction": "' + "a" * 17_000_000 + '", "output": "b"}', "line 1: expected at most 16777216 bytes, found more"),
            ("an entry of 17 MB", '[{"instruction": "' + "a" * 17_000_000 + '", "output": "b"}]', "entry 1: expected at most 16777216 bytes, found more"),
            ("5 million lists", "[" + "[]," * 5_000_000 + "[]]", "entry 1: expected an object, found a list"),
            ("5 million lists in one", "[[" + "[]," * 5_000_000 + "[]]]", "whose values take at most"),
            ("an open object", "{", "line 1: expected JSON"),
            ("a number in a list", "[1]", "entry 1: expected an object, found 1"),
            ("task of a number", '{"instruction": 1}', "instruction: expected a string, found 1"),
            ("answer of a number", '{"instruction":"a","output":7}', "output: expected a string, found 7"),
            ("input of a list", '{"instruction":"a","input":[],"output":"b"}', "input: expected a string, found a list"),
            ("bytes", b"\xff\xfe{}", "line 1: expected JSON"),
            ("deep", "[" * 100_000 + "]" * 100_000, "maximum parsing depth"),
            ("NUL", "\0" * 100, "line 1: expected JSON"),
            ("half a character", '{"instruction":"\\ud83d","output":"b"}', "expected JSON"),
        ], check)


def tearDownModule():
    print(f"{Hostile.count} bad files, each refused with its sentence")


if __name__ == "__main__":
    unittest.main()
