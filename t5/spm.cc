#include <sentencepiece_processor.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

extern "C" {
#include "runtime/error.h"
#include "runtime/memory.h"
#include "t5/spm.h"
}

struct tg_spm {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

t5gist_status library_failure(const sentencepiece::util::Status &status, const char *what, t5gist_error *err) {
  return tg_fail(err, T5GIST_EINTERNAL, "%s: sentencepiece: %s", what, status.error_message());
}

/* Runs body, which returns a t5gist_status, and turns what it throws into a failure. */
template <typename Body>
t5gist_status guarded(const char *what, t5gist_error *err, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return tg_fail(err, T5GIST_ENOMEM, "%s: not enough memory for sentencepiece", what);
  } catch (const std::exception &e) {
    return tg_fail(err, T5GIST_EINTERNAL, "%s: sentencepiece: %s", what, e.what());
  } catch (...) {
    return tg_fail(err, T5GIST_EINTERNAL, "%s: sentencepiece failed", what);
  }
}

}  // namespace

extern "C" t5gist_status tg_spm_open(const void *model, size_t size, size_t n_pieces, const char *where, tg_spm **out, t5gist_error *err) {
  tg_spm *spm = nullptr;
  const t5gist_status status = guarded(where, err, [&] {
    spm = new tg_spm;
    const auto loaded = spm->processor.LoadFromSerializedProto(absl::string_view(static_cast<const char *>(model), size));
    if (!loaded.ok()) return tg_fail(err, T5GIST_EFORMAT, "%s: sentencepiece refuses the model: %s", where, loaded.error_message());
    const size_t found = static_cast<size_t>(spm->processor.GetPieceSize());
    if (found != n_pieces) return tg_fail(err, T5GIST_EFORMAT, "%s: expected %zu pieces, sentencepiece found %zu", where, n_pieces, found);
    return T5GIST_OK;
  });
  if (status != T5GIST_OK) {
    tg_spm_close(spm);
    return status;
  }
  *out = spm;
  return T5GIST_OK;
}

extern "C" void tg_spm_close(tg_spm *spm) {
  delete spm;
}

extern "C" t5gist_status tg_spm_encode(const tg_spm *spm, const char *text, size_t n, tg_ids *out, t5gist_error *err) {
  return guarded("tokenizing", err, [&] {
    std::vector<int> ids;
    const auto encoded = spm->processor.Encode(absl::string_view(text, n), &ids);
    if (!encoded.ok()) return library_failure(encoded, "tokenizing", err);
    static_assert(sizeof(int) == sizeof(int32_t), "sentencepiece counts in int");
    return tg_ids_append(out, ids.data(), ids.size(), err);
  });
}

extern "C" t5gist_status tg_spm_decode_reference(const tg_spm *spm, const int32_t *ids, size_t n, tg_buffer *text, t5gist_error *err) {
  return guarded("detokenizing", err, [&] {
    std::string decoded;
    const auto status = spm->processor.Decode(std::vector<int>(ids, ids + n), &decoded);
    if (!status.ok()) return library_failure(status, "detokenizing", err);
    return tg_buffer_append(text, decoded.data(), decoded.size(), err);
  });
}
