"""Reference answers from Hugging Face T5 with the gist masks of jayelm/gisting: what the engine must reproduce.

    python3 -m venv venv && venv/bin/pip install --extra-index-url https://download.pytorch.org/whl/cpu \\
        torch==2.13.0 transformers==4.57.1 'huggingface-hub<1.0' sentencepiece
    venv/bin/python oracle.py MODEL_DIR < requests.jsonl > answers.jsonl

A request is one JSON object per line, its keys those of `t5gist generate --batch`: task, input, gists, condition ("gist", "pos_control", "neg_control", "prefix",
"full"), raw, max_new_tokens, min_new_tokens, beams, n_best, length_penalty, early_stopping, no_repeat_ngram_size, repetition_penalty; and target.
The answer has n_task, n_gist, n_input (tokens; </s> counts as input), tokens (start token removed, end token kept; gist ids and pad are never generated), text,
logprobs (natural log under the plain softmax), with beams sequence_score and others (the rest of the n best), without beams margins (best minus second best
processed score of each step: where it is tiny the choice is a tie), and with a target target_ids and target_logprobs (teacher forcing).

Transformers is pinned: release 5 ties T5 embeddings differently. A config.json in the style of release 5 (scale_decoder_outputs) is read as that release means it.
"""
import argparse
import json
import os
import re
import sys

import sentencepiece
import torch
from transformers import T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

GENERATE_KEYS = ("no_repeat_ngram_size", "repetition_penalty", "length_penalty", "early_stopping")


def masks(n, n_task, n_gist, condition):
    """Encoder visibility [n, n] (row attends to column) and decoder cross-attention visibility [n]."""
    enc, cross, end = torch.ones(n, n), torch.ones(n), n_task + n_gist
    if n_gist == 0 or condition in ("pos_control", "full"):
        return enc, cross
    enc[:end, end:] = 0  # task and gist never look at the input
    if condition == "gist":
        enc[end:, :n_task] = 0  # the input looks at gist and input
        cross[:n_task] = 0
    elif condition == "neg_control":
        enc[end:, :end] = 0  # the input looks at the input alone
        cross[:end] = 0
    elif condition != "prefix":
        raise SystemExit(f"unknown condition {condition!r}")
    return enc, cross


class Oracle:
    def __init__(self, model_dir, dtype=torch.float32):
        config = T5Config.from_pretrained(model_dir)
        raw = json.load(open(os.path.join(model_dir, "config.json")))
        if "scale_decoder_outputs" in raw:
            config.tie_word_embeddings = raw["scale_decoder_outputs"]
        self.model = T5ForConditionalGeneration.from_pretrained(model_dir, config=config, dtype=torch.float32).to(dtype).eval()
        self.sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(model_dir, "spiece.model"))
        block = raw.get("t5gist", {})
        self.gist_ids = block.get("gist_token_ids", [config.vocab_size - 1])
        self.default_gists = block.get("default_gists", 1)
        template = block.get("template", {})
        self.template = template.get("task", "Instruction: {task}"), template.get("input", "Input: {input}")
        self.start, self.eos, self.pad = config.decoder_start_token_id, config.eos_token_id, config.pad_token_id

    def pieces(self, text):
        """Ids of a text. <extra_id_N> is its special id, N counting down from the last; the stretches around it are tokenised on their own."""
        first, ids = self.sp.get_piece_size(), []
        for stretch in re.split(r"(<extra_id_[0-9]{1,2}>)", text):
            m = re.fullmatch(r"<extra_id_(0|[1-9][0-9]?)>", stretch)
            if m and first + 100 <= self.model.config.vocab_size:
                ids.append(first + 99 - int(m[1]))
            else:
                ids += self.sp.encode(stretch)
        return ids

    def prompt(self, r):
        """Ids of task, gist and input, the end token belonging to the input."""
        if r.get("raw"):
            return [], [], self.pieces(r["input"]) + [self.eos]
        k = 0 if r.get("condition") == "full" else r.get("gists", self.default_gists)
        gist = self.gist_ids * k if len(self.gist_ids) == 1 else self.gist_ids[:k]
        task, text = r.get("task"), r.get("input")
        return (self.pieces(self.template[0].replace("{task}", task)) if task else [], gist,
                (self.pieces(self.template[1].replace("{input}", text)) if text else []) + [self.eos])

    @torch.inference_mode()
    def encode(self, ids, n_task, n_gist, condition):
        enc, cross = masks(len(ids), n_task, n_gist, condition)
        stack = self.model.encoder  # its own forward takes key masks only, so the blocks are run here
        states, bias = stack.embed_tokens(torch.tensor([ids])), None
        blocked = ((1.0 - enc)[None, None] * torch.finfo(torch.float32).min).to(states.dtype)
        for block in stack.block:
            states, bias = block(states, attention_mask=blocked, position_bias=bias, cache_position=torch.arange(len(ids)))[:2]
        return stack.final_layer_norm(states), cross[None].long()

    @torch.inference_mode()
    def logprobs(self, states, cross, target):
        y = torch.tensor([[self.start] + target[:-1]])
        logits = self.model(encoder_outputs=BaseModelOutput(states), attention_mask=cross, decoder_input_ids=y).logits[0]
        return logits.log_softmax(-1)[range(len(target)), target].tolist()

    def cut(self, row):
        row = row[1:]
        return row[: row.index(self.eos) + 1] if self.eos in row else [t for t in row if t != self.pad]

    def text(self, tokens):
        return self.sp.decode([t for t in tokens if 1 < t < self.sp.get_piece_size()])

    @torch.inference_mode()
    def answer(self, r):
        task, gist, text = self.prompt(r)
        ids = task + gist + text
        states, cross = self.encode(ids, len(task), len(gist), r.get("condition", "gist"))
        a = dict(n_task=len(task), n_gist=len(gist), n_input=len(text))
        if r.get("target") is not None:
            a["target_ids"] = self.pieces(r["target"]) + [self.eos]
            a["target_logprobs"] = self.logprobs(states, cross, a["target_ids"])
            return a
        beams = r.get("beams", 1)
        out = self.model.generate(encoder_outputs=BaseModelOutput(states), attention_mask=cross, max_new_tokens=r.get("max_new_tokens", 32),
                                  min_new_tokens=r.get("min_new_tokens", 0), num_beams=beams, do_sample=False, num_return_sequences=r.get("n_best", 1),
                                  return_dict_in_generate=True, output_scores=True, suppress_tokens=[self.pad, *self.gist_ids],
                                  **{k: r[k] for k in GENERATE_KEYS if k in r})
        best, *others = [self.cut(row) for row in out.sequences.tolist()]
        a.update(tokens=best, text=self.text(best), logprobs=self.logprobs(states, cross, best))
        if beams > 1:
            scores = out.sequences_scores.tolist()
            a["sequence_score"], a["others"] = scores[0], [dict(tokens=t, score=v) for t, v in zip(others, scores[1:])]
        else:
            top = torch.stack(out.scores)[:, 0].topk(2).values
            a["margins"] = (top[:, 0] - top[:, 1]).tolist()
        return a


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model_dir")
    ap.add_argument("--f64", action="store_true", help="compute in f64: tells rounding from error")
    args = ap.parse_args()
    oracle = Oracle(args.model_dir, torch.float64 if args.f64 else torch.float32)
    for line in sys.stdin:
        if line.strip():
            request = json.loads(line)
            print(json.dumps(dict(request, **oracle.answer(request)), ensure_ascii=False), flush=True)
