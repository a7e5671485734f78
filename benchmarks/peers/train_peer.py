"""PyTorch's training as a co-process: python train_peer.py MODEL_DIR DATA.json LONGEST_SOURCE LONGEST_TARGET.

T5ForConditionalGeneration in f32 with dropout 0.1, AdamW, gradients clipped at norm 1; a batch is padded to its longest source and target, as transformers' DataCollatorForSeq2Seq
does. The first line written lists the examples that are not too long, as [place in DATA, source tokens, target tokens]. Then requests, a JSON line each:
    {"train": [[places of a step's examples], ...], "threads": n}      -> {"seconds": [of each step], "processor": [seconds of it], "targets": [...]}
    {"product": [m, n_in, n_out], "threads": n}                        -> {"gflops": oneDNN's, best of some calls}
"""
import json, os, sys, time

import sentencepiece
import torch
from transformers import T5ForConditionalGeneration

CALLS = 40


def examples_of(folder, path, longest):
    """Source and target ids by place: template, gist token and end as t5gist puts them."""
    with open(os.path.join(folder, "config.json")) as file:
        block = json.load(file)["t5gist"]
    sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(folder, "spiece.model"))
    template, gist, found = block["template"], block["gist_token_ids"][0], {}
    with open(path) as file:
        for place, e in enumerate(json.load(file)):
            task = sp.encode(template["task"].replace("{task}", e["instruction"]))
            text = sp.encode(template["input"].replace("{input}", e["input"])) if e["input"] else []
            source, target = task + [gist] + text + [1], sp.encode(e["output"]) + [1]
            if len(source) <= longest[0] and len(target) <= longest[1]:
                found[place] = source, target
    return found


class Trainer:
    def __init__(self, folder, path, longest):
        self.examples = examples_of(folder, path, longest)
        self.model = T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, dropout_rate=0.1).train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-5)

    def pad(self, rows, filler):
        width = max(map(len, rows))
        return torch.tensor([row + [filler] * (width - len(row)) for row in rows])

    def step(self, places):
        sources, targets = zip(*(self.examples[p] for p in places))
        ids = self.pad(sources, 0)
        loss = self.model(input_ids=ids, attention_mask=(ids != 0).long(), labels=self.pad(targets, -100)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        loss.item()
        return sum(map(len, targets))

    def train(self, steps):
        seconds, processor, targets = [], [], []
        for places in steps:
            begin, processor_begin = time.perf_counter(), time.process_time()
            targets.append(self.step(places))
            seconds.append(time.perf_counter() - begin)
            processor.append(time.process_time() - processor_begin)
        return {"seconds": seconds, "processor": processor, "targets": targets}


@torch.inference_mode()
def product(m, n_in, n_out):
    x, w = torch.randn(m, n_in), torch.randn(n_out, n_in).to_mkldnn()
    best = float("inf")
    for _ in range(CALLS):
        begin = time.perf_counter()
        torch.ops.mkldnn._linear_pointwise(x, w, None, "none", [], "")
        best = min(best, time.perf_counter() - begin)
    return {"gflops": 2e-9 * m * n_in * n_out / best}


def main():
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print goes to stderr

    def say(value):
        out.write(json.dumps(value) + "\n")
        out.flush()

    trainer = Trainer(sys.argv[1], sys.argv[2], (int(sys.argv[3]), int(sys.argv[4])))
    say([[place, len(s), len(t)] for place, (s, t) in trainer.examples.items()])
    for line in sys.stdin:
        request = json.loads(line)
        torch.set_num_threads(request["threads"])
        say(trainer.train(request["train"]) if "train" in request else product(*request["product"]))


main()
