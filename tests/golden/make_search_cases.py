"""What Hugging Face's generate answers over scripted logits: the cases of tests/t5/test_search.c.

    make_search_cases.py > tests/data/search_cases.json          the checked-in selection
    make_search_cases.py --random N --seed S > cases.json        more; then: test_search cases.json

A scripted model is a function from the ids so far to logits over 50 tokens, written alike here and in the test. Needs torch and transformers 4.57.1.
"""
import argparse, itertools, json, random
import numpy as np
import torch
from transformers import T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from synthetic import MASK, STEP, mix

VOCABULARY, PAD, END, GIST = 50, 0, 1, 49


def key(parent, label):
    return mix(mix(parent + STEP & MASK) + label & MASK)


def uniform(k, span):
    """f32 [VOCABULARY], uniform on +-span."""
    u = np.array([mix(k + (i + 1) * STEP & MASK) >> 40 for i in range(VOCABULARY)], np.int64)
    return (2 * u + 1 - (1 << 24)).astype(np.float32) * np.float32(span * 2.0 ** -24)


def logits(script, ids):
    """f32 logits [VOCABULARY] after ids: the last `order` ids decide, so that paths run in loops and repeat themselves; their number adds a little, so that
    no two ways round a loop score the same."""
    count = k = key(script["seed"], len(ids))
    if script["order"]:
        k = script["seed"]
        for token in ids[-script["order"]:]:
            k = key(k, token)
    row = uniform(k, script["spread"]) + uniform(mix(count), 0.0625)
    row[END] += np.float32(script["end_bias"])
    return row


class Scripted(T5ForConditionalGeneration):
    def forward(self, decoder_input_ids=None, encoder_outputs=None, **ignored):
        rows = [logits(self.script, ids) for ids in decoder_input_ids.tolist()]
        return Seq2SeqLMOutput(logits=torch.from_numpy(np.stack(rows))[:, None])


torch.set_num_threads(1)
model = Scripted(T5Config(vocab_size=VOCABULARY, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=1, decoder_start_token_id=PAD)).eval()


def cut(row):
    row = row[1:]
    return row[: row.index(END) + 1] if END in row else [t for t in row if t != PAD]


def plain_logprobs(script, tokens):
    ids, found = [PAD], []
    for token in tokens:
        found.append(torch.from_numpy(logits(script, ids)).log_softmax(-1)[token].item())
        ids.append(token)
    return found


@torch.inference_mode()
def answer(case):
    model.script = case["script"]
    options = {k: v for k, v in case["options"].items() if k not in ("beams", "n_best")}
    beams = case["options"].get("beams", 1)
    out = model.generate(encoder_outputs=BaseModelOutput(torch.zeros(1, 1, 8)), num_beams=beams, num_return_sequences=case["options"].get("n_best", 1), do_sample=False,
                         use_cache=False, return_dict_in_generate=True, output_scores=True, suppress_tokens=[PAD, GIST], **options)
    tokens, *others = [cut(row) for row in out.sequences.tolist()]
    case["tokens"], case["logprobs"] = tokens, plain_logprobs(case["script"], tokens)
    if beams > 1:
        scores = out.sequences_scores.tolist()
        case["sequence_score"], case["others"] = scores[0], [dict(tokens=t, score=s) for t, s in zip(others, scores[1:])]
    return case


def selection():
    """Every option against every other at least once, over end tokens from rare to likely."""
    seed = itertools.count(1)
    biases = itertools.cycle([0, 2, 4, 6, -2])
    orders = itertools.cycle([1, 2, 3, 0])
    def case(**options):
        return dict(script=dict(seed=next(seed), order=next(orders), spread=4.0, end_bias=float(next(biases))), options=dict(dict(max_new_tokens=16), **options))
    for beams, early, penalty in itertools.product((2, 4), (False, True), (0.5, 1.0, 2.0, -1.0)):
        yield case(beams=beams, early_stopping=early, length_penalty=penalty, n_best=beams)
        yield case(beams=beams, early_stopping=early, length_penalty=penalty, n_best=2, no_repeat_ngram_size=2, repetition_penalty=1.3, min_new_tokens=4)
    for beams in (1, 2, 4):
        yield from (case(beams=beams, n_best=beams, **more) for more in (
            {}, dict(min_new_tokens=5), dict(no_repeat_ngram_size=1), dict(no_repeat_ngram_size=2), dict(repetition_penalty=1.3), dict(repetition_penalty=0.8),
            dict(max_new_tokens=1), dict(max_new_tokens=3), dict(max_new_tokens=40, min_new_tokens=30)))
    yield case(beams=10, n_best=10, length_penalty=0.0)


def fuzz(n, seed):
    r = random.Random(seed)
    for _ in range(n):
        options = dict(max_new_tokens=r.choice([1, 2, 5, 12, 24]), beams=r.choice([1, 2, 3, 4, 6]))
        if r.random() < 0.3: options["min_new_tokens"] = r.randrange(options["max_new_tokens"] + 1)
        if r.random() < 0.3: options["no_repeat_ngram_size"] = r.choice([1, 2, 3])
        if r.random() < 0.3: options["repetition_penalty"] = r.choice([0.7, 1.3, 2.0])
        if options["beams"] > 1:
            options.update(n_best=r.randint(1, options["beams"]), early_stopping=r.random() < 0.5, length_penalty=r.choice([0.0, 0.5, 1.0, 1.0, 2.0, -1.0]))
        yield dict(script=dict(seed=r.getrandbits(32), order=r.choice([0, 1, 2, 3]), spread=r.choice([1.0, 4.0, 16.0]), end_bias=r.choice([0.0, 2.0, 4.0, 8.0, 14.0])),
                   options=options)


ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--random", type=int); ap.add_argument("--seed", type=int, default=1)
a = ap.parse_args()
cases = [answer(c) for c in (selection() if a.random is None else fuzz(a.random, a.seed))]
print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
