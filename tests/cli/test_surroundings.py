#!/usr/bin/env python3
"""The program in surroundings that nobody wished for: variables, locales, closed streams, full disks, no home, little memory; and how it was built.

    T5GIST=build/release/bin/t5gist python3 tests/cli/test_surroundings.py [CLASS[.test]]...

Standard library only."""
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from test_cli import ANSWER, INPUT, MINI, PROGRAM, ROOT, TASK, CommandLine

PLAIN = not os.environ.get("T5GIST_SANITIZE")  # sanitizers want memory and streams of their own
LIBRARIES = [path for path in os.environ.get("T5GIST_LIBRARIES", "").split(":") if path]
REQUEST = ("generate", "--task", TASK, "--input", INPUT, "--threads", "2", "--no-store")


def close_stream(fd):
    return lambda: os.close(fd)


class Variables(CommandLine):
    """Answers and log-probabilities are those of an empty environment, and nothing is written beside them."""

    def numbers(self, **variables):
        answer = json.loads(self.good(*REQUEST, "--json", env=dict(self.env, **variables)))
        self.assertEqual(list(self.dir.iterdir()), [], variables)
        return answer["text"], answer["tokens"], answer["logprobs"]

    def unchanged(self, *settings):
        usual = self.numbers()
        self.assertEqual(usual[0], ANSWER)
        for variables in settings:
            self.assertEqual(self.numbers(**variables), usual, variables)

    def test_onednn(self):
        values = {"MAX_CPU_ISA": "SSE41", "DEFAULT_FPMATH_MODE": "BF16", "PRIMITIVE_CACHE_CAPACITY": "0", "VERBOSE": "2", "JIT_DUMP": "1", "JIT_PROFILE": "0", "CPU_ISA_HINTS": "PREFER_YMM"}
        for prefix in ("ONEDNN_", "DNNL_"):
            self.unchanged({prefix + "VERBOSE": "2"}, {prefix + name: value for name, value in values.items()})

    def test_openmp(self):
        self.unchanged({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "999999"}, {"OMP_NUM_THREADS": "many", "OMP_THREAD_LIMIT": "1", "OMP_DYNAMIC": "true"},
                       {"OMP_SCHEDULE": "dynamic,1", "OMP_PROC_BIND": "spread", "OMP_WAIT_POLICY": "active", "OMP_CANCELLATION": "true", "OMP_NESTED": "true"},
                       {"OMP_STACKSIZE": "16K", "GOMP_SPINCOUNT": "infinity"})

    def test_memory_allocator(self):
        self.unchanged({"MALLOC_PERTURB_": "171", "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1"})


class Locales(CommandLine):
    def test_decimal_comma_and_dotless_i(self):
        made = [name for name, source in (("de_DE.UTF-8", "de_DE"), ("tr_TR.UTF-8", "tr_TR"))
                if subprocess.run(["localedef", "-i", source, "-f", "UTF-8", str(self.store / name)], stderr=subprocess.DEVNULL, check=False).returncode in (0, 1)
                and (self.store / name).exists()]
        if not made:
            self.skipTest("no locale sources here")
        (self.dir / "c.yaml").write_text("temperature: 0.5\ntop_p: 0.75\nlength_penalty: 1.5\n")
        command = ("generate", "--task", TASK, "--input", INPUT, "--config", "c.yaml", "--json", "--no-store")
        usual = json.loads(self.good(*command))
        for name in made:
            answer = json.loads(self.good(*command, env=dict(self.env, LC_ALL=name, LANG=name, LOCPATH=str(self.store))))
            self.assertEqual((answer["text"], answer["logprobs"]), (usual["text"], usual["logprobs"]), name)


class Streams(CommandLine):
    """A closed stream's number must not become that of a file."""

    def test_closed(self):
        for fd in (0, 1, 2):
            done = subprocess.run([PROGRAM, "encode", "--task", TASK, "-o", f"{fd}.gist"], cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, preexec_fn=close_stream(fd), check=False)
            self.assertIn(done.returncode, (0, 1), (fd, done.stderr))
            if (self.dir / f"{fd}.gist").exists():
                self.assertIn("sound", self.good("verify", f"{fd}.gist"))
            else:
                self.assertEqual(done.returncode, 1)

    def test_all_closed(self):
        def close_all():
            for fd in (0, 1, 2):
                os.close(fd)
        done = subprocess.run([PROGRAM, *REQUEST], cwd=self.dir, env=self.env, preexec_fn=close_all, check=False)
        self.assertIn(done.returncode, (0, 1))
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_answers_to_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.bad(1, "No space left on device", *REQUEST, stdout=full)
            self.bad(1, "No space left on device", *REQUEST, "--json", stdout=full)


class Disks(CommandLine):
    def test_files_that_may_not_grow(self):
        """A limit on file sizes is what a full disk looks like from inside; the old file stays."""
        gist = self.dir / self.encode()
        before = gist.read_bytes()

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        self.bad(1, ["cannot write", "File too large"], "encode", "--task", "Another task.", "-o", "x.gist", preexec_fn=limit)
        self.bad(1, ["cannot write", "File too large"], "convert", str(MINI), "out", "--dtype", "bf16", preexec_fn=limit)
        self.assertEqual(gist.read_bytes(), before)
        self.assertEqual([name for name in os.listdir(self.dir) if name.startswith(".tmp")], [])

    @unittest.skipUnless(shutil.which("mount"), "there is no mount")
    def test_full_file_system(self):
        mount = self.dir / "small"
        mount.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no right to mount")
        try:
            self.bad(1, ["cannot write", "No space left on device"], "convert", str(MINI), "small/out", "--dtype", "bf16")
            self.bad(1, ["cannot write", "No space left on device"], "encode", "--task", TASK, "--gists", "64", "-o", "small/x.gist")
            left = [name for folder in os.walk(mount) for name in folder[2]]
            self.assertEqual(left, [])
            env = dict(self.env, T5GIST_STORE=str(mount / "store"), XDG_CACHE_HOME=str(mount / "cache"))
            self.assertEqual(self.good("generate", "--task", TASK, "--input", INPUT, "--gists", "8", env=env), ANSWER + "\n")
        finally:
            subprocess.run(["umount", str(mount)], check=True)

    def test_homes(self):
        file = self.store / "file"
        file.write_text("")
        locked = self.store / "locked"
        locked.mkdir(mode=0o555)
        for variables in ({"HOME": "/proc/nonexistent"}, {"HOME": str(file)}, {"HOME": str(locked)}, {"HOME": ""}, {"HOME": "relative"}, {"XDG_CACHE_HOME": "/dev/null", "HOME": "/proc"}):
            env = {name: value for name, value in self.env.items() if name not in ("T5GIST_STORE", "XDG_CACHE_HOME", "HOME")}
            self.assertEqual(self.good("generate", "--task", TASK, "--input", INPUT, env=dict(env, **variables)), ANSWER + "\n", variables)
        env = {name: value for name, value in self.env.items() if name not in ("T5GIST_STORE", "XDG_CACHE_HOME", "HOME")}
        self.assertEqual(self.good("generate", "--task", TASK, "--input", INPUT, env=env), ANSWER + "\n")
        self.assertEqual(list(self.dir.iterdir()), [])


@unittest.skipUnless(PLAIN, "sanitizers map terabytes")
class Memory(CommandLine):
    def test_address_space(self):
        """However little there is: an answer or a sentence, never a signal."""
        outcomes = []
        for megabytes in (60, 80, 100, 120, 140, 160, 180, 200, 240, 300, 400, 600):
            def limit(size=megabytes << 20):
                resource.setrlimit(resource.RLIMIT_AS, (size, size))
            done = self.run_program(*REQUEST, preexec_fn=limit)
            text = done.stderr.decode()
            if done.returncode == 127:
                continue  # the system's loader found no room for the libraries
            self.assertIn(done.returncode, (0, 1), (megabytes, text))
            if done.returncode == 0:
                self.assertEqual(done.stdout.decode(), ANSWER + "\n")
            else:
                self.assertRegex(text, r"(?m)^t5gist", megabytes)
            outcomes.append(done.returncode)
        self.assertIn(0, outcomes)


    def test_a_request_that_cannot_fit(self):
        """It is refused before it starts, with what it needs and what would fit; and what would fit does."""
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
        (self.dir / "long.txt").write_text("red " * 60000)
        command = ("generate", "--raw", "--max-new-tokens", "1", "--threads", "1", "--no-store", "--input-file")
        text = self.bad(1, ["the request needs", "MB for its 60", "tokens of prompt", "MB free, where prompts of up to"], *command, "long.txt", preexec_fn=limit)
        fit = int(text.split("up to ")[1].split()[0])
        self.assertTrue(1000 < fit < 60000, text)
        (self.dir / "fits.txt").write_text("red " * (min(fit, 8000) * 9 // 10))
        self.good(*command, "fits.txt", preexec_fn=limit)
        beams = ("generate", "--raw", "--input", "a", "--max-new-tokens", "256", "--min-new-tokens", "256", "--threads", "1", "--beams")
        self.bad(1, ["the request needs", "MB for decoding (256 beams, up to 256 tokens)", "ask for fewer beams or new tokens"], *beams, "256", preexec_fn=limit)


class Numbers(CommandLine):
    def damaged(self, tensor, value):
        """models/mini with a tensor of one number."""
        data = bytearray((MINI / "model.safetensors").read_bytes())
        size = int.from_bytes(data[:8], "little")
        about = json.loads(data[8:8 + size])[tensor + ".weight"]
        begin, end = about["data_offsets"]
        self.assertEqual(about["dtype"], "BF16")
        data[8 + size + begin:8 + size + end] = value * ((end - begin) // 2)
        return self.model(tensor, replace={"model.safetensors": bytes(data)})

    def test_the_first_tensor_is_named(self):
        """NaN, or numbers that are finite and too large for what is computed with them, under --check-numerics."""
        nan, largest = b"\xc0\x7f", b"\x7f\x7f"
        cases = [("shared", nan, "shared:"), ("encoder.block.0.layer.0.SelfAttention.relative_attention_bias", nan, "encoder.block.0.layer.0.SelfAttention's scores or relative_attention_bias"),
                 ("encoder.block.1.layer.0.layer_norm", nan, "encoder.block.1.layer.0.layer_norm:"), ("encoder.block.2.layer.1.DenseReluDense.wo", largest, None),
                 ("encoder.final_layer_norm", nan, None), ("decoder.block.1.layer.1.EncDecAttention.k", largest, "decoder.block.1.layer.1.EncDecAttention.k or v:"),
                 ("decoder.block.0.layer.0.SelfAttention.v", nan, "decoder.block.0.layer.0.SelfAttention.q, k or v:"),
                 ("decoder.block.2.layer.2.DenseReluDense.wi_1", nan, "decoder.block.2.layer.2.DenseReluDense.wi:"), ("decoder.final_layer_norm", nan, None), ("lm_head", nan, None)]
        for tensor, value, named in cases:
            model = self.damaged(tensor, value)
            text = self.bad(1, ["not finite come first from " + (named or tensor + ":")], *REQUEST, "--model", model, "--check-numerics", "--no-store")
            self.assertRegex(text, "found -?(nan|inf)", tensor)
        for dtype in "int8", "bf16", "int4":
            self.bad(1, ["not finite come first from encoder.block.2.layer.1.DenseReluDense.wo:"], *REQUEST, "--model", str(self.dir / "encoder.block.2.layer.1.DenseReluDense.wo"), "--dtype", dtype,
                     "--check-numerics", "--no-store")

    def test_without_looking(self):
        """What comes out of such a model is refused all the same, by generate and by score."""
        model = self.damaged("decoder.block.2.layer.2.DenseReluDense.wo", b"\xc0\x7f")
        self.bad(1, ["the logits of token 1 are not finite numbers"], *REQUEST, "--model", model, "--no-store")
        self.bad(1, ["the logits of token 1 are not finite numbers"], "score", *REQUEST[1:], "--target", "x", "--model", model, "--no-store")


class Reader(CommandLine):
    """examples/read_gist.py knows docs/FORMATS.md alone."""

    def setUp(self):
        super().setUp()
        candidates = [os.environ.get("PYTHON"), sys.executable, str(ROOT / "build/venv-reader/bin/python"), str(ROOT / "build/venv-torch/bin/python")]
        self.python = next((python for python in candidates if python and os.path.exists(python) and
                            subprocess.run([python, "-c", "import safetensors, numpy"], stderr=subprocess.DEVNULL, check=False).returncode == 0), None)
        if not self.python:
            self.skipTest("no Python with safetensors and numpy (PYTHON names one)")

    def read(self, path):
        return subprocess.run([self.python, str(ROOT / "examples/read_gist.py"), str(path)], cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def test_gist_files(self):
        for arguments, kept in (((), 3), (("--payload", "bf16"), 3), (("--cross",), 5)):
            self.encode("x.gist", "--gists", "2", *arguments)
            about = json.loads(self.read("x.gist").stdout)
            self.assertEqual((about["task"], about["n_gist"], len(about["tensors"])), (TASK, "2", kept))
            self.assertEqual(about["tensors"]["enc.k"], [5, 8, 2, 32])
        data = bytearray((self.dir / "x.gist").read_bytes())
        data[-1] ^= 1
        (self.dir / "x.gist").write_bytes(data)
        self.assertIn("is damaged", self.read("x.gist").stderr)

    def test_store(self):
        for text in (INPUT, "4 May 2021"):
            self.good("generate", "--task", TASK, "--input", text)
        self.good("generate", "--task", "Another task.", "--input", INPUT, "--store-salt", "secret")
        (self.store / ("0" * 64 + ".gist")).write_bytes(b"x" * 100)
        [damaged, *entries] = [json.loads(line) for line in self.read(self.store).stdout.splitlines()]
        self.assertEqual(damaged["key"], "0" * 64)
        self.assertIn("damaged", damaged)
        self.assertEqual(sorted((entry["task"], entry["hits"], entry["own_name"]) for entry in entries), [("Another task.", 0, False), (TASK, 1, True)])


class Build(unittest.TestCase):
    def readelf(self, *arguments):
        return subprocess.run(["readelf", "-W", *arguments], stdout=subprocess.PIPE, check=True, text=True).stdout

    def test_hardened(self):
        for file in [PROGRAM, *(path for path in LIBRARIES if path.endswith(".so"))]:
            self.assertRegex(self.readelf("-h", file), r"Type:\s+DYN", file)  # position-independent
            segments, dynamic = self.readelf("-l", file), self.readelf("-d", file)
            self.assertIn("GNU_RELRO", segments, file)
            self.assertRegex(dynamic, r"BIND_NOW|NOW", file)
            self.assertRegex(segments, r"GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW ", file)  # data is not code
            self.assertNotRegex(segments, r"LOAD\s.* RWE ", file)
            symbols = self.readelf("--dyn-syms", file)
            self.assertIn("__stack_chk_fail", symbols, file)
            if PLAIN:
                self.assertRegex(symbols, r"__\w+_chk@", file)  # _FORTIFY_SOURCE

    @unittest.skipUnless(PLAIN and os.environ.get("T5GIST_FORTIFY"), "sanitizers and debuggers want plain calls")
    def test_every_object_is_fortified(self):
        """A binary shows that it is fortified, not how far: the level stands in the commands."""
        flags = ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=" + os.environ["T5GIST_FORTIFY"]]
        checked = 0
        for unit in json.loads(Path(os.environ["T5GIST_COMMANDS"]).read_text()):
            if Path(unit["file"]).relative_to(ROOT).parts[0] not in ("tests", "benchmarks", "examples"):
                self.assertEqual([f for f in flags if f not in unit["command"].split()], [], unit["file"])
                checked += 1
        self.assertGreater(checked, 100)

    def test_library_neither_ends_the_program_nor_prints(self):
        forbidden = {"abort", "exit", "_exit", "_Exit", "quick_exit", "__assert_fail", "err", "errx", "perror", "puts", "putchar", "printf", "__printf_chk", "vprintf", "stdout", "stderr"}
        archives = [path for path in LIBRARIES if path.endswith(".a")]
        if not archives:
            self.skipTest("T5GIST_LIBRARIES names none")
        for path in archives:
            names = subprocess.run(["nm", "--undefined-only", "--format=posix", path], stdout=subprocess.PIPE, check=True, text=True).stdout
            used = {line.split()[0] for line in names.splitlines() if " U" in line}
            self.assertEqual(used & forbidden, set(), path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
