#!/usr/bin/env python3
"""t5gist train as scripts see it: runs that are killed, interrupted, out of disk or of the wrong kind; several processes.

    T5GIST=build/release/bin/t5gist python3 tests/cli/test_train.py [CLASS[.test]]...

T5GIST_KILLS: how often the run of Killed is killed (default 5). T5GIST_MPIRUN: where mpirun is, if the program was built with MPI; without it class Processes exits with status 77."""
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

from test_cli import MINI, PROGRAM, ROOT, CommandLine

RECIPE = {
    "shape": {"like": "tiny"}, "vocab": {"from": str(MINI)}, "out": "out", "data": {"train": "data.jsonl", "eval": ["seen=data.jsonl"]}, "gists": [1, 2],
    "conditions": {"gist": 2, "pos_control": 1}, "steps": 40, "batch_examples": 8, "micro_tokens": 100, "optimiser": "adamw_scaled", "rate": 0.01, "schedule": "cosine", "warmup": 4,
    "dropout": 0.1, "average": 0.9, "scale_q": True, "seed": 3, "threads": 2, "save_every": 5, "eval_every": 10}


def tensors(path):
    """Name to bytes, of a safetensors file."""
    data = path.read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    return {name: data[8 + n + t["data_offsets"][0]:8 + n + t["data_offsets"][1]] for name, t in header.items() if name != "__metadata__"}


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


class Training(CommandLine):
    def recipe(self, name="x.yaml", **keys):
        recipe = {key: value for key, value in {**RECIPE, **keys}.items() if value is not None}
        recipe["warmup"] = min(recipe["warmup"], recipe["steps"])
        (self.dir / name).write_text(json.dumps(recipe))  # JSON is YAML
        return name

    def data(self, name="data.jsonl", examples=30):
        with open(self.dir / name, "w") as file:
            for i in range(examples):
                colour, thing = ("red", "blue", "green")[i // 2 % 3], ("lamp", "chair", "cup", "bed", "table")[i // 2 // 3 % 5]
                file.write(json.dumps({"instruction": ("Say the colour.", "Say the thing.")[i % 2], "input": f"the {colour} {thing}", "output": (colour, thing)[i % 2]}) + "\n")

    def setUp(self):
        super().setUp()
        self.data()

    def train(self, *args, **more):
        return self.good("train", self.recipe(), *args, **more)

    def log(self, out="out"):
        return [json.loads(line) for line in (self.dir / out / "run/log.jsonl").read_text().splitlines()]

    def steps(self, out="out"):
        return [line for line in self.log(out) if "norm" in line]

    def assert_same_run(self, a, b):
        for name in "model.safetensors", "config.json", "run/step-00000040/weights.safetensors", "run/step-00000040/optimiser.safetensors":
            self.assertEqual((self.dir / a / name).read_bytes(), (self.dir / b / name).read_bytes(), name)


class Runs(Training):
    def test_a_run_says_what_it_will_take_and_what_it_took(self):
        done = self.run_program("train", self.recipe())
        text = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout), (0, b""), text)
        for part in "memory predicted: ", "time predicted: ", "M parameters (d_model 64, 2 + 2 layers", "data.jsonl: 30 examples", "step 40: seen/gist2", "exact match":
            self.assertIn(part, text)
        self.assertRegex(text.splitlines()[-1], r"^t5gist: 40 steps in [\d.]+ s, loss [\d.]+, \d+ tokens/s, \d+ GFLOP/s, peak [\d.]+ GB of [\d.]+ predicted, best seen/gist1/loss [\d.]+ at step \d+ -> out$")
        self.assertEqual([line["step"] for line in self.steps()], list(range(1, 41)))
        self.assertEqual(len([line for line in self.log() if "eval" in line]), 4 * 3)
        self.good("train", self.recipe(), "--overwrite", "-q", "-o", "quiet")
        self.assertEqual(self.run_program("train", "x.yaml", "-o", "more", "-q").stderr, b"")
        self.assert_same_run("out", "quiet")

    def test_the_folder_answers(self):
        self.good("train", self.recipe(steps=400, eval_every=0, dropout=0, average=0, warmup=20))
        self.assertEqual(self.good("generate", "--model", "out", "--task", "Say the colour.", "--input", "the blue cup", "-q"), "blue\n")
        self.good("encode", "--model", "out", "--task", "Say the thing.", "--gists", "2", "-o", "x.gist", "-q")
        self.assertEqual(self.good("generate", "--model", "out", "--gist", "x.gist", "--input", "the blue cup", "-q"), "cup\n")

    def test_exact_match_is_greedy_decodings(self):
        self.good("train", self.recipe(steps=60, eval_every=0, average=0, eval_examples=0))
        found = {f"{line['condition']}{line['gists']}": line["exact_match"] for line in self.log() if "eval" in line}
        self.assertTrue(any(0 < value < 1 for value in found.values()) or len(set(found.values())) == 1, found)
        for condition, gists in ("gist", 1), ("gist", 2), ("pos_control", 2):
            requests = [dict(task=e["instruction"], input=e["input"], gists=gists, condition=condition) for e in map(json.loads, (self.dir / "data.jsonl").read_text().splitlines())]
            answers = self.good("generate", "--model", "out", "--batch", "-", "-q", stdin="".join(json.dumps(r) + "\n" for r in requests)).splitlines()
            wanted = [json.loads(line)["output"] for line in (self.dir / "data.jsonl").read_text().splitlines()]
            right = sum(json.loads(a)["text"] == w for a, w in zip(answers, wanted))
            self.assertAlmostEqual(right / 30, found[f"{condition}{gists}"], delta=0.04)  # one example: a tie between tokens

    def test_products_in_bf16(self):
        """Where the processor has none, auto is f32 and bf16 is refused; else runs are reproducible and learn as in f32."""
        self.good("train", self.recipe(out="f32"))
        said = self.run_program("train", self.recipe(out="auto", compute="auto")).stderr.decode()
        if "avx512_bf16" not in self.good("info"):
            self.assertIn("compute auto: f32, since this processor does not multiply pairs of bf16", said)
            self.assert_same_run("f32", "auto")
            self.bad(1, "compute: bf16: expected a processor that multiplies pairs of bf16 (avx512_bf16), found none", "train", self.recipe(out="bf16", compute="bf16"))
            return
        self.assertIn("compute auto: bf16\n", said)
        self.good("train", self.recipe(out="bf16", compute="bf16"))
        self.assert_same_run("auto", "bf16")
        self.bad(1, "compute", "train", self.recipe(out="bf16", compute="f32", steps=50), "--resume")
        exact, rounded = [[line["loss"] for line in self.steps(out)] for out in ("f32", "bf16")]
        self.assertNotEqual(exact, rounded)
        for a, b in zip(exact[:5], rounded):  # later steps of a rate that high go their own ways
            self.assertAlmostEqual(a, b, delta=0.02 * a)
        self.assertLess(rounded[-1], 0.7 * rounded[0])

    def test_from_a_folder(self):
        """A folder's own gist token stays; more of them stand behind what text can reach."""
        self.good("train", self.recipe(shape={}, vocab={}, model=str(MINI), steps=2, eval_every=0, eval_examples=5), "-q")
        with open(MINI / "config.json") as a, open(self.dir / "out/config.json") as b:
            self.assertEqual(json.load(a)["t5gist"]["gist_token_ids"], json.load(b)["t5gist"]["gist_token_ids"])
        self.good("verify", "out")

    def test_a_vocabulary_of_its_own(self):
        self.good("train", self.recipe(vocab={"size": 285}, steps=3), "-q")
        self.assertIn("out", self.good("inspect", "out"))

    def test_events_are_tensorboards(self):
        self.train("-q")
        data = next((self.dir / "out/run").glob("events.out.tfevents.*")).read_bytes()
        at, n = 0, 0
        while at < len(data):
            length = struct.unpack("<Q", data[at:at + 8])[0]
            self.assertEqual(masked(data[at:at + 8]), struct.unpack("<I", data[at + 8:at + 12])[0])
            event = data[at + 12:at + 12 + length]
            self.assertEqual(masked(event), struct.unpack("<I", data[at + 12 + length:at + 16 + length])[0])
            n += b"train/loss" in event
            at += 16 + length
        self.assertEqual(n, 40)
        self.assertIn(b"eval/seen/gist2/exact_match", data)

    @unittest.skipIf(os.environ.get("T5GIST_SANITIZE"), "sanitizers take memory of their own")
    def test_memory_is_what_was_predicted(self):
        keys = dict(steps=3, batch_examples=64, micro_tokens=2000, eval_every=0)
        for out, more in ("mini", dict(shape={"like": "mini"})), ("tiny", {}), ("own", dict(vocab={"size": 285})):
            done = self.run_program("train", self.recipe(out=out, **keys, **more))
            peak, predicted = (float(x) for x in done.stderr.decode().split("peak ")[1].split(" predicted")[0].split(" GB of "))
            self.assertLess(peak, 1.3 * predicted, out)
            self.assertLess(predicted, 1.3 * peak, out)


def masked(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


class Interrupted(Training):
    def start(self, *args):
        program = subprocess.Popen([PROGRAM, "train", self.recipe(steps=100000, save_every=0, eval_every=0), *args], stderr=subprocess.PIPE, env=self.env, cwd=self.dir)
        while not (self.dir / "out/run/log.jsonl").exists() or not (self.dir / "out/run/log.jsonl").read_text().count("\n") > 3:
            self.assertIsNone(program.poll())
            time.sleep(0.01)
        return program

    def test_a_signal_saves_and_says_how_to_go_on(self):
        for number in [signal.SIGINT] * 10 + [signal.SIGTERM, signal.SIGHUP]:  # often: a signal may come anywhere in a step
            shutil.rmtree(self.dir / "out", ignore_errors=True)
            with self.start() as program:
                program.send_signal(number)
                text = program.stderr.read().decode()
                self.assertEqual(program.wait(60), -number, text)
            step = int(text.split("stopped behind step ")[1].split()[0])
            self.assertIn(f"stopped behind step {step} of 100000, which is saved; to go on: t5gist train x.yaml --resume\n", text)
            self.assertEqual([p.name for p in (self.dir / "out/run").glob("step-*")], [f"step-{step:08}"])
            self.assertEqual(self.steps()[-1]["step"], step)
        self.recipe(steps=step + 2, eval_every=0)
        self.assertIn(f"goes on behind step {step}", self.run_program("train", "x.yaml", "--resume").stderr.decode())
        self.assertEqual([line["step"] for line in self.steps()], list(range(1, step + 3)))

    def test_a_second_signal_ends_it_at_once(self):
        with self.start("-q") as program:
            program.send_signal(signal.SIGSTOP)
            program.send_signal(signal.SIGINT)
            program.send_signal(signal.SIGTERM)
            program.send_signal(signal.SIGCONT)
            self.assertIn(program.wait(60), (-signal.SIGINT, -signal.SIGTERM))
        self.assertEqual([p.name for p in (self.dir / "out/run").rglob(".tmp.*")], [])


class Killed(Training):
    def test_killed_at_any_time_it_ends_with_the_same_bits(self):
        kills, rng = int(os.environ.get("T5GIST_KILLS", 5)), random.Random(int(os.environ.get("T5GIST_SEED", 1)))
        start = time.monotonic()
        self.train("-q", "-o", "whole")
        whole, killed, attempts = time.monotonic() - start, 0, 0
        while killed < kills:
            self.assertLess(attempts, 20 * kills)
            attempts += 1
            arguments = ["--resume"] if (self.dir / "out/run/recipe.json").exists() else []
            program = subprocess.Popen([PROGRAM, "train", "x.yaml", "-q", *arguments], stderr=subprocess.PIPE, env=self.env, cwd=self.dir)
            try:
                program.wait(rng.uniform(0.02, 1) * whole)
                self.assertEqual(program.returncode, 0, program.stderr.read().decode())
                self.assert_same_run("whole", "out")
                shutil.rmtree(self.dir / "out")  # it was faster: once more from the start
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
                killed += 1
            program.stderr.close()
        self.good("train", "x.yaml", "-q", *(["--resume"] if (self.dir / "out/run/recipe.json").exists() else []))
        self.assert_same_run("whole", "out")
        self.assertEqual([line["step"] for line in self.steps()], list(range(1, 41)))
        same = lambda out: [{k: v for k, v in line.items() if k in ("step", "loss", "norm", "rate", "exact_match")} for line in self.log(out)]
        self.assertEqual(same("out"), same("whole"))


class Refused(Training):
    def test_shipped_recipes_are_valid(self):
        recipes = [path for path in (ROOT / "configs").glob("*.yaml") if "\nsteps:" in path.read_text()]
        self.assertGreaterEqual(len(recipes), 5)
        for path in recipes:
            if "\nshape:" in path.read_text():  # from scratch
                self.bad(1, "build/corpus/train.jsonl", "train", str(path), "-o", "shipped-" + path.stem)
            else:
                self.bad(1, "nowhere: expected a model folder, found nothing of this name", "train", str(path), "--model", "nowhere", "-o", "shipped")

    def test_what_is_wrong_is_named(self):
        self.bad(1, "absent.yaml", "train", "absent.yaml")
        self.bad(2, "expected 1 argument", "train")
        self.bad(2, "--resume and --overwrite exclude each other", "train", self.recipe(), "--resume", "--overwrite")
        self.bad(2, 'unknown key "shape.d_modle"; did you mean "shape.d_model"?', "train", self.recipe(shape={"d_modle": 3}))
        self.bad(1, "nowhere.jsonl", "train", self.recipe(data={"train": "nowhere.jsonl"}))
        self.bad(1, "nowhere: expected a model folder", "train", self.recipe(shape={}, vocab={}, model="nowhere"))
        self.bad(1, ["line 1", 'expected a field "answer", found', '"output"'], "train", self.recipe(data={"train": "data.jsonl", "target_field": "answer"}))
        shutil.copytree(MINI, self.dir / "own")
        self.bad(2, "out: expected another folder than that of model", "train", self.recipe(shape={}, vocab={}, model="own", out="./own/"), "--overwrite")
        (self.dir / "empty.jsonl").write_text("")
        self.bad(1, "empty.jsonl", "train", self.recipe(data={"train": "empty.jsonl"}))
        (self.dir / "bad.jsonl").write_text((self.dir / "data.jsonl").read_text() + "{oops\n")
        self.bad(1, "bad.jsonl: line 31", "train", self.recipe(data={"train": "bad.jsonl"}))
        self.bad(2, "x.yaml: out: expected the folder that the trained model goes to", "train", self.recipe(out=None))
        self.good("train", "x.yaml", "-o", "named", "-q")
        text = self.run_program("train", self.recipe(data={"train": "bad.jsonl", "skip_bad": True}, steps=1)).stderr.decode()
        self.assertIn("left out: bad.jsonl: line 31", text.replace(str(self.dir) + "/", ""))

    def test_targets_that_are_too_long(self):
        with open(self.dir / "long.jsonl", "w") as file:
            file.write(json.dumps({"instruction": "a", "input": "b", "output": "c " * 500}) + "\n")
        self.assertIn("1 cut, 0 left out", self.run_program("train", self.recipe(data={"train": "long.jsonl"}, steps=1)).stderr.decode())
        self.bad(1, "expected examples, found none in 1 records", "train", self.recipe(data={"train": "long.jsonl", "truncate_target": False}, steps=1), "--overwrite")

    def test_another_shape_is_no_run_to_go_on_with(self):
        self.train("-q")
        self.bad(1, ["shape.d_ff: the run was begun with -1, the recipe now says 96"], "train", self.recipe(shape={"like": "tiny", "d_ff": 96}), "--resume")
        self.bad(2, ["out holds a run that came to step 40", '"t5gist train x.yaml --resume" goes on with it'], "train", self.recipe())
        self.assertIn("is complete: 40 steps are done", self.run_program("train", "x.yaml", "--resume").stderr.decode())
        start = self.dir / "out/run/start/config.json"
        start.write_text(start.read_text().replace('"d_ff": 128', '"d_ff": 96'))
        self.bad(1, "weights.safetensors", "train", "x.yaml", "--resume")

    def test_a_full_disk_loses_nothing(self):
        self.good("train", self.recipe(steps=10), "-q")
        before = (self.dir / "out/model.safetensors").read_bytes()
        for limit in 1 << 12, 1 << 16, len(before) // 2, len(before) + 4096:
            full = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            self.bad(1, "File too large", "train", self.recipe(steps=20), "--resume", preexec_fn=full)
            self.assertEqual((self.dir / "out/model.safetensors").read_bytes(), before)
            self.assertTrue((self.dir / "out/run/step-00000010/DONE").exists())
            self.assertEqual([p.name for p in self.dir.rglob(".tmp.*")], [])
        self.good("train", self.recipe(steps=20), "--resume", "-q")
        self.good("train", self.recipe(steps=20), "-o", "whole", "-q")
        self.good("verify", "out")


class Processes(Training):
    def start_mpi(self, n, *args, **more):
        command = [os.environ["T5GIST_MPIRUN"], "-n", str(n), PROGRAM, *args]
        env = dict(self.env, OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",  # containers, few cores
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none", OMPI_MCA_btl_vader_single_copy_mechanism="none")
        return subprocess.Popen(command, cwd=self.dir, env=env, **more)

    def run_mpi(self, n, *args):
        with self.start_mpi(n, *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            out, err = program.communicate(timeout=250)
        return subprocess.CompletedProcess(args, program.returncode, out, err)

    def moments(self, out, n):
        """AdamW's first moments behind step 1: the gradient, clipped, times 1 - beta1."""
        parts = [self.dir / out / "run/step-00000001" / f"optimiser{f'-{r}' if r else ''}.safetensors" for r in range(n)]
        return [x for part in parts for x in floats(tensors(part)["m"])]

    def test_two_processes_compute_what_one_does(self):
        keys = dict(average=0, dropout=0, threads=1, save_every=1, keep=1000, eval_every=50, steps=100)
        for n in 1, 2:
            done = self.run_mpi(n, "train", self.recipe(f"{n}.yaml", out=f"out{n}", **keys))
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(done.stderr.count(b"memory predicted"), 1)
        one, two = self.moments("out1", 1), self.moments("out2", 2)
        self.assertEqual(len(one), len(two))
        self.assertLess(sum((a - b) ** 2 for a, b in zip(one, two)) ** 0.5 / sum(a * a for a in one) ** 0.5, 1e-6)
        self.assertAlmostEqual(self.steps("out1")[99]["loss"], self.steps("out2")[99]["loss"], delta=1e-4)
        last = [[line for line in self.log(out) if "eval" in line][-1]["loss"] for out in ("out1", "out2")]
        self.assertAlmostEqual(*last, delta=1e-3)
        self.good("verify", "out2")

    def test_processes_go_on_together(self):
        keys = dict(threads=1, steps=20, save_every=5)
        for out, steps in ("whole", 20), ("cut", 10):
            self.assertEqual(self.run_mpi(2, "train", self.recipe(out=out, **{**keys, "steps": steps, "schedule": "constant"})).returncode, 0)
        done = self.run_mpi(2, "train", self.recipe(out="cut", schedule="constant", **keys), "--resume")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        for name in "weights", "optimiser", "optimiser-1":
            self.assertEqual(*((self.dir / out / f"run/step-00000020/{name}.safetensors").read_bytes() for out in ("whole", "cut")))
        self.bad(1, "expected a snapshot of 1 process", "train", "x.yaml", "--resume")

    def test_sigusr1_stops_them_behind_a_step(self):
        """mpirun hands it on to all processes, each of which may be at another step."""
        out = self.dir / "out"
        with self.start_mpi(2, "train", self.recipe(steps=100000, save_every=0, eval_every=0, threads=1), stderr=subprocess.PIPE) as program:
            while not (out / "run/log.jsonl").exists() or (out / "run/log.jsonl").read_text().count("\n") < 3:
                self.assertIsNone(program.poll())
                time.sleep(0.01)
            program.send_signal(signal.SIGUSR1)
            text = program.communicate(timeout=60)[1].decode()
        self.assertEqual(text.count("to go on: t5gist train x.yaml --resume"), 1, text)
        step = int(text.split("stopped behind step ")[1].split()[0])
        self.assertEqual([p.name for p in (out / "run").glob("step-*")], [f"step-{step:08}"])
        done = self.run_mpi(2, "train", self.recipe(steps=step + 2, eval_every=0, threads=1), "--resume")
        self.assertEqual((done.returncode, f"goes on behind step {step}" in done.stderr.decode()), (0, True), done.stderr.decode())

    def test_a_launcher_of_another_kind_is_noticed(self):
        """Its processes would not know of each other, and all train into one folder."""
        self.env["OMPI_COMM_WORLD_SIZE"] = "2"
        self.bad(1, "MPI: expected 2 processes, as its launcher says, found this one alone", "train", self.recipe())

    def test_one_that_fails_ends_all(self):
        done = self.run_mpi(2, "train", self.recipe(data={"train": "nowhere.jsonl"}))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"t5gist train: ", done.stderr)
        self.assertIn(b"nowhere.jsonl", done.stderr)


if __name__ == "__main__":
    if "Processes" in sys.argv and not os.environ.get("T5GIST_MPIRUN"):
        print("the program was built without MPI (cmake -DT5GIST_MPI=ON)")
        sys.exit(77)
    unittest.main()
