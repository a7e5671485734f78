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
                                                                   **({} if int8 else {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"})})
    return HuggingFace(model, model.config.vocab_size)


@engine("openvino-f32")
def openvino_f32(path, work, threads):
    return openvino(path, work, threads, False)


@engine("openvino-int8")
def openvino_int8(path, work, threads):
    return openvino(path, work, threads, True)


def llamacpp_file(path, work, quantised):
    """The model in llama.cpp's format, with all that its own converter writes but the vocabulary: peers are given ids."""
    import gguf, llama_cpp
    from safetensors import safe_open
    file, small = os.path.join(work, "llamacpp-f32.gguf"), os.path.join(work, "llamacpp-q8_0.gguf")
    if not os.path.exists(file):
        with open(os.path.join(path, "config.json")) as text:
            config = json.load(text)
        layers, decoder_layers = config["num_layers"], config.get("num_decoder_layers") or config["num_layers"]
        writer = gguf.GGUFWriter(file + ".part", "t5")
        writer.add_context_length(config.get("n_positions", 512))
        writer.add_embedding_length(config["d_model"])
        writer.add_feed_forward_length(config["d_ff"])
        writer.add_block_count(layers)
        writer.add_decoder_block_count(decoder_layers)
        writer.add_head_count(config["num_heads"])
        writer.add_key_length(config["d_kv"])
        writer.add_value_length(config["d_kv"])
        writer.add_layer_norm_eps(config["layer_norm_epsilon"])
        writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])
        writer.add_relative_attn_buckets_count(config["relative_attention_num_buckets"])
        writer.add_decoder_start_token_id(config["decoder_start_token_id"])
        writer.add_tokenizer_model("none")
        writer.add_vocab_size(config["vocab_size"])
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.T5, max(layers, decoder_layers))
        with safe_open(os.path.join(path, "model.safetensors"), "np") as tensors:
            embeddings = [name for name in ("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight") if name in tensors.keys()]
            for name in tensors.keys():
                if name not in embeddings[1:]:  # copies of the first
                    writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), tensors.get_tensor(name))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        os.replace(file + ".part", file)
    if quantised and not os.path.exists(small):
        options = llama_cpp.llama_model_quantize_default_params()
        options.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
        if llama_cpp.llama_model_quantize(file.encode(), (small + ".part").encode(), options) != 0:
            raise RuntimeError("llama_model_quantize failed")
        os.replace(small + ".part", small)
    return small if quantised else file


class LlamaCpp:
    """llama.cpp by its C interface: llama_encode for all prompts of a batch at once, then llama_decode, a token of each sequence per step."""

    def __init__(self, path, work, threads, quantised):
        import llama_cpp
        self.api, self.threads, self.contexts = llama_cpp, threads, {}
        llama_cpp.llama_backend_init()
        file = llamacpp_file(path, work, quantised)
        self.model = llama_cpp.llama_model_load_from_file(file.encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise RuntimeError(f"llama.cpp does not open {file}")
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def context(self, sequences, rows, n):
        """Context and batch for so many sequences, prompt tokens in all and new tokens each; made once per size, the encoder takes its rows in one piece."""
        rows, cells = (1 << max(size - 1, 31).bit_length() for size in (rows, sequences * n))
        key = (sequences, rows, cells)
        if key not in self.contexts:
            options = self.api.llama_context_default_params()
            options.n_ctx, options.n_batch, options.n_ubatch, options.n_seq_max = max(rows, cells), rows, rows, sequences
            options.n_threads = options.n_threads_batch = self.threads
            options.type_k = options.type_v = self.api.GGML_TYPE_F32
            options.flash_attn_type, options.kv_unified = self.api.LLAMA_FLASH_ATTN_TYPE_DISABLED, True
            context = self.api.llama_init_from_model(self.model, options)
            if not context:
                raise RuntimeError(f"llama.cpp makes no context of {key}")
            self.contexts[key] = context, self.api.llama_batch_init(rows, 0, 1)
        return self.contexts[key]

    def fill(self, batch, entries):
        """entries: token, position, sequence, whether logits are wanted."""
        batch.n_tokens = len(entries)
        for i, (token, position, sequence, wanted) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, position, 1, sequence, wanted

    def run(self, batch, n):
        import numpy
        context, own = self.context(len(batch), sum(map(len, batch)), n)
        self.api.llama_memory_clear(self.api.llama_get_memory(context), False)
        self.fill(own, [(token, position, s, 1) for s, ids in enumerate(batch) for position, token in enumerate(ids)])
        begin = time.perf_counter()
        if self.api.llama_encode(context, own) != 0:
            raise RuntimeError("llama_encode failed")
        self.api.llama_synchronize(context)
        encode = time.perf_counter() - begin
        answers, last = [[] for _ in batch], [0] * len(batch)
        for step in range(n):
            self.fill(own, [(token, step, s, 1) for s, token in enumerate(last)])
            if self.api.llama_decode(context, own) != 0:
                raise RuntimeError("llama_decode failed")
            for s, answer in enumerate(answers):
                logits = numpy.ctypeslib.as_array(self.api.llama_get_logits_ith(context, s), (self.vocabulary,))
                logits[[0, 1, self.vocabulary - 1]] = -numpy.inf  # as everywhere: no padding, no end, no gist token
                last[s] = int(logits.argmax())
                answer.append(last[s])
        return encode * 1e3, answers


@engine("llamacpp-f32")
def llamacpp_f32(path, work, threads):
    return LlamaCpp(path, work, threads, False)


@engine("llamacpp-q8_0")
def llamacpp_q8_0(path, work, threads):
    return LlamaCpp(path, work, threads, True)


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
os._exit(0)  # taking libraries down can last longer than measuring
