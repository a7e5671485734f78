"""Ten steps of each optimiser as PyTorch and transformers take them: makes optimisers.json for tests/training/test_optimiser.c.

    make_optimisers.py > optimisers.json

Needs torch, transformers 4 and numpy. AdamW scaled is Hugging Face's former AdamW with the step of PiotrNawrot/nanoT5's AdamWScale, written out below.
Numbers u of tensor NAME under seed s: (bits24 - 2^23) 2^-23. Weights: u / 2, the final norms u / 2^12 (below the least scale); gradients of step t: u of seed 100 + t, times 2^-6, times t,
clipped to a norm of 1. Matrices and embeddings decay, norms and position biases do not.
"""
import json, math
import numpy as np
import torch
from transformers.optimization import Adafactor
from synthetic import bits24, shapes

CONFIG = dict(vocab_size=9, d_model=5, d_kv=3, d_ff=7, num_heads=2, num_layers=1, num_decoder_layers=1, relative_attention_num_buckets=8, feed_forward_proj="gated-gelu")
STEPS, BETA1, BETA2, EPS, DECAY = 10, float(np.float32(0.9)), float(np.float32(0.999)), float(np.float32(1e-8)), float(np.float32(0.1))
RATES = {"adamw": 0.01, "adamw_scaled": 0.05, "adafactor": 0.02, "muon": 0.01}


def numbers(seed, name, shape):
    u = (bits24(seed, name, math.prod(shape)).astype(np.int64) - (1 << 23)).astype(np.float32) * np.float32(2.0 ** -23)
    return torch.from_numpy(u.reshape(shape))


class AdamWScaled(torch.optim.Optimizer):
    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                state["step"] += 1
                m, v, t = state["m"], state["v"], state["step"]
                m.mul_(BETA1).add_(p.grad, alpha=1 - BETA1)
                v.mul_(BETA2).addcmul_(p.grad, p.grad, value=1 - BETA2)
                size = group["lr"] * math.sqrt(1 - BETA2 ** t) / (1 - BETA1 ** t) * max(1e-3, (p.norm(2) / p.numel() ** 0.5).item())
                p.addcdiv_(m, v.sqrt().add_(EPS), value=-size)
                if group["weight_decay"] > 0:
                    p.add_(p, alpha=-group["lr"] * group["weight_decay"])


class Muon(torch.optim.Optimizer):
    """torch.optim.Muon with Nesterov's momentum and adjust_lr_fn="match_rms_adamw", in f32, on the rows (o, wo: columns) of one head, or of up to 128 hidden units."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - BETA1)
                ahead = p.grad.lerp(m, BETA1)
                name = group["names"][id(p)]
                turned = name.endswith((".o.weight", ".wo.weight"))
                size = 128 if ".wi" in name or ".wo." in name else CONFIG["d_kv"]
                units = [self.orthogonal(u) for u in (ahead.T if turned else ahead).split(size)]
                step = torch.cat(units)
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * (step.T if turned else step))

    @staticmethod
    def orthogonal(x):
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        return 0.2 * math.sqrt(max(x.shape)) * x


def make(kind, groups):
    if kind == "adamw":
        return torch.optim.AdamW(groups, lr=RATES[kind], betas=(BETA1, BETA2), eps=EPS)
    if kind == "adamw_scaled":
        return AdamWScaled(groups, dict(lr=RATES[kind]))
    return Adafactor(groups, lr=RATES[kind], scale_parameter=True, relative_step=False, warmup_init=False, clip_threshold=1.0)


def run(kind):
    names = list(shapes(CONFIG, False))
    weights = {n: torch.nn.Parameter(numbers(1, n, s) * (2.0 ** -12 if "final_layer_norm" in n else 0.5)) for n, s in names}
    still = [p for n, p in weights.items() if "norm" in n or "relative" in n]
    moving = [p for n, p in weights.items() if not ("norm" in n or "relative" in n)]
    if kind == "muon":
        layers = {n: p for n, p in weights.items() if "block" in n and p.dim() == 2 and "relative" not in n}
        rest = [p for p in moving if all(p is not q for q in layers.values())]
        optimisers = [Muon([dict(params=list(layers.values()), names={id(p): n for n, p in layers.items()})], dict(lr=RATES[kind], weight_decay=DECAY)),
                      make("adamw", [dict(params=rest, weight_decay=DECAY), dict(params=still, weight_decay=0.0)])]
    else:
        optimisers = [make(kind, [dict(params=moving, weight_decay=DECAY), dict(params=still, weight_decay=0.0)])]
    for t in range(1, STEPS + 1):
        for n, s in names:
            weights[n].grad = numbers(100 + t, n, s) * 2.0 ** -6 * t
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        for optimiser in optimisers:
            optimiser.step()
    return [float(f"{x:.9g}") for n, _ in names for x in weights[n].detach().flatten().tolist()]


print(json.dumps({kind: run(kind) for kind in RATES}))
