"""One peer as a co-process: python peer.py ENGINE MODEL_DIR WORK_DIR THREADS.

Reads requests as JSON lines, {"texts": [...], "new_tokens": n}, and answers each with {"encode_ms", "tokens"}: encode_ms is the time of the encoder alone where the engine
lets it be run alone, tokens are n greedy ones per text. The first line that it writes says {"ready": true} or {"error": reason}.
"""
import json, os, sys, time

ENGINES = {}


def engine(name):
    def register(make):
        ENGINES[name] = make
        return make
    return register


class HuggingFace:
    def __init__(self, model, vocabulary):
        self.model, self.vocabulary = model, vocabulary

    def run(self, batch, n):
        import torch
        width = max(map(len, batch))
        ids = torch.tensor([ids + [0] * (width - len(ids)) for ids in batch])
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in batch])
        with torch.inference_mode():
            begin = time.perf_counter()
            states = self.model.get_encoder()(input_ids=ids, attention_mask=mask)
            encode = time.perf_counter() - begin
            out = self.model.generate(encoder_outputs=states, attention_mask=mask, max_new_tokens=n, min_new_tokens=n, do_sample=False, num_beams=1,
                                      suppress_tokens=[0, self.vocabulary - 1])
        return encode * 1e3, out[:, 1:].tolist()


def torch_model(path, threads, dtype):
    import torch
    from transformers import T5ForConditionalGeneration
    torch.set_num_threads(threads)
    return T5ForConditionalGeneration.from_pretrained(path, dtype=dtype).eval()


@engine("hf-f32")
def hf_f32(path, work, threads):
    import torch
    model = torch_model(path, threads, torch.float32)
    return HuggingFace(model, model.config.vocab_size)


@engine("hf-bf16")
def hf_bf16(path, work, threads):
    import torch
    model = torch_model(path, threads, torch.bfloat16)
    return HuggingFace(model, model.config.vocab_size)


@engine("hf-int8")
def hf_int8(path, work, threads):
    import torch
    model = torch_model(path, threads, torch.float32)
    return HuggingFace(torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8), model.config.vocab_size)


class CTranslate2:
    def __init__(self, path, work, threads, compute):
        import ctranslate2, sentencepiece
        folder = os.path.join(work, f"ctranslate2-{compute}")
        if not os.path.exists(os.path.join(folder, "model.bin")):
            import transformers
            tokenizer = os.path.join(work, "ctranslate2-source")  # the converter wants a tokenizer of transformers beside the weights
            os.makedirs(tokenizer, exist_ok=True)
            for name in ("config.json", "model.safetensors"):
                if not os.path.lexists(os.path.join(tokenizer, name)):
                    os.symlink(os.path.join(os.path.abspath(path), name), os.path.join(tokenizer, name))
            transformers.T5Tokenizer(os.path.join(path, "spiece.model"), legacy=True).save_pretrained(tokenizer)
            ctranslate2.converters.TransformersConverter(tokenizer).convert(folder, quantization=compute, force=True)
        self.translator = ctranslate2.Translator(folder, device="cpu", compute_type=compute, inter_threads=1, intra_threads=threads)
        self.sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(path, "spiece.model"))
        with open(os.path.join(folder, "shared_vocabulary.json")) as file:
            self.names = json.load(file)
        self.ids = {}
        for i, name in enumerate(self.names):
            self.ids.setdefault(name, i)

    def run(self, batch, n):
        tokens = [[self.names[i] for i in ids] for ids in batch]
        out = self.translator.translate_batch(tokens, beam_size=1, max_decoding_length=n, min_decoding_length=n, max_batch_size=0, return_end_token=True,
                                              suppress_sequences=[["<pad>"], [self.names[-1]]])
        return None, [[self.ids[token] for token in r.hypotheses[0]] for r in out]


@engine("ctranslate2-f32")
def ctranslate2_f32(path, work, threads):
    return CTranslate2(path, work, threads, "float32")


@engine("ctranslate2-int8")
def ctranslate2_int8(path, work, threads):
    return CTranslate2(path, work, threads, "int8")


def optimum_source(path, work):
    """A folder of links that optimum may write beside."""
    folder = os.path.join(work, "optimum-source")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(path):
        if not os.path.lexists(os.path.join(folder, name)):
            os.symlink(os.path.join(os.path.abspath(path), name), os.path.join(folder, name))
    return folder


@engine("onnxruntime-f32")
def onnxruntime_f32(path, work, threads):
    import onnxruntime
    from optimum.onnxruntime import ORTModelForSeq2SeqLM
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    folder = os.path.join(work, "onnx")
    if not os.path.exists(os.path.join(folder, "config.json")):
        ORTModelForSeq2SeqLM.from_pretrained(optimum_source(path, work), export=True).save_pretrained(folder)
    model = ORTModelForSeq2SeqLM.from_pretrained(folder, session_options=options)
    return HuggingFace(model, model.config.vocab_size)


def openvino(path, work, threads, int8):
    from optimum.intel import OVModelForSeq2SeqLM
    folder = os.path.join(work, "openvino-int8" if int8 else "openvino")
    if not os.path.exists(os.path.join(folder, "config.json")):
        OVModelForSeq2SeqLM.from_pretrained(optimum_source(path, work), export=True, compile=False, load_in_8bit=int8).save_pretrained(folder)
    model = OVModelForSeq2SeqLM.from_pretrained(folder, ov_config={"INFERENCE_NUM_THREADS": str(threads), "PERFORMANCE_HINT": "LATENCY",
                                                                   **({} if int8 else {"INFERENCE_PRECISION_HINT": "f32"})})
    return HuggingFace(model, model.config.vocab_size)


@engine("openvino-f32")
def openvino_f32(path, work, threads):
    return openvino(path, work, threads, False)


@engine("openvino-int8")
def openvino_int8(path, work, threads):
    return openvino(path, work, threads, True)


def main():
    name, path, work, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print goes to stderr

    def say(value):
        out.write(json.dumps(value) + "\n")
        out.flush()

    try:
        import sentencepiece
        os.makedirs(work, exist_ok=True)
        sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(path, "spiece.model"))
        peer = ENGINES[name](path, work, threads)
    except BaseException as error:  # the reason goes into the report
        return say({"error": f"{type(error).__name__}: {error}"[:300]})
    say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            encode, tokens = peer.run([sp.encode(text) + [1] for text in request["texts"]], request["new_tokens"])
            say({"encode_ms": encode, "tokens": tokens})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"[:300]})


main()
