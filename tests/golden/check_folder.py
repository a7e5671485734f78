"""Does transformers load a folder that `t5gist train` wrote, whole and number for number?

    check_folder.py FOLDER...

Needs torch, transformers and safetensors.
"""
import sys, warnings
import torch
from safetensors.torch import load_file
from transformers import T5ForConditionalGeneration

warnings.simplefilter("error")
wrong = 0
for folder in sys.argv[1:]:
    model, info = T5ForConditionalGeneration.from_pretrained(folder, output_loading_info=True, dtype="auto")
    problems = [f"{kind}: {sorted(names)}" for kind, names in info.items() if names]
    file, state = load_file(f"{folder}/model.safetensors"), model.state_dict()
    problems += [f"{n} differs" for n, t in file.items() if n not in state or t.dtype != state[n].dtype or not torch.equal(t, state[n])]
    head = model.lm_head.weight
    tied = head.data_ptr() == model.shared.weight.data_ptr()
    problems += [] if tied != ("lm_head.weight" in file) else [f"lm_head is {'' if tied else 'not '}tied"]
    answer = model.generate(torch.tensor([[3, 4, 1]]), max_new_tokens=4)
    print(f"{folder}: {len(file)} tensors, {head.dtype}, vocabulary {model.config.vocab_size}, answers {answer.tolist()[0]}: {'; '.join(problems) or 'equal'}")
    wrong += bool(problems)
sys.exit(wrong != 0)
