#include <sentencepiece_trainer.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <unordered_map>

extern "C" {
#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/text.h"
#include "t5/spm_check.h"
#include "training/sentences.h"
}

namespace {

constexpr int kMostPieces = 1 << 20, kLearned = 1; /* one to be learned at least */
constexpr size_t kLongestPiece = 64;
constexpr const char *kReserved[] = {"<pad>", "</s>", "<unk>", "<s>"};

class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const tg_sentences *sentences) : sentences_(sentences) { take(); }
  bool done() const override { return at_ == sentences_->n; }
  void Next() override {
    at_++;
    take();
  }
  const std::string &value() const override { return text_; }
  sentencepiece::util::Status status() const override { return sentencepiece::util::Status(); }

 private:
  void take() {
    if (!done()) text_ = sentences_->items[at_];
  }
  const tg_sentences *sentences_;
  size_t at_ = 0;
  std::string text_;
};

bool is_byte_piece(const char *piece) {
  return std::strlen(piece) == 6 && std::strncmp(piece, "<0x", 3) == 0 && piece[5] == '>';
}

t5gist_status check_piece(const tg_vocabulary_options *o, size_t i, t5gist_error *err) {
  const char *piece = o->user_pieces[i];
  const size_t n = std::strlen(piece);
  if (n == 0 || n > kLongestPiece) return tg_fail(err, T5GIST_EUSAGE, "user piece %zu: expected 1 to %zu bytes, found %zu", i + 1, kLongestPiece, n);
  if (tg_utf8_valid(piece, n) != n) return tg_fail(err, T5GIST_EUSAGE, "user piece %zu: expected valid UTF-8", i + 1);
  for (size_t at = 0; at < n; at++) {
    if (static_cast<unsigned char>(piece[at]) > ' ' && piece[at] != 0x7f) continue;
    return tg_fail(err, T5GIST_EUSAGE, "user piece \"%s\": expected neither white space nor control characters", piece);
  }
  if (std::strstr(piece, "\xe2\x96\x81") || std::strstr(piece, "\xe2\x81\x87"))
    return tg_fail(err, T5GIST_EUSAGE, "user piece \"%s\": expected neither U+2581 nor U+2047, which sentencepiece keeps for itself", piece);
  if (is_byte_piece(piece)) return tg_fail(err, T5GIST_EUSAGE, "user piece \"%s\": expected none that looks like a byte", piece);
  for (const char *reserved : kReserved)
    if (std::strcmp(piece, reserved) == 0) return tg_fail(err, T5GIST_EUSAGE, "user piece \"%s\": expected none of the special tokens", piece);
  for (size_t j = 0; j < i; j++)
    if (std::strcmp(piece, o->user_pieces[j]) == 0) return tg_fail(err, T5GIST_EUSAGE, "user piece \"%s\": found twice", piece);
  return T5GIST_OK;
}

t5gist_status check_options(const tg_vocabulary_options *o, t5gist_error *err) {
  const size_t given = 3 + o->n_user_pieces + (o->bytes ? 256 : 0);
  if (!(o->coverage >= 0.98f && o->coverage <= 1.0f))
    return tg_fail(err, T5GIST_EUSAGE, "coverage: expected 0.98 to 1, found %g", static_cast<double>(o->coverage));
  if (o->size < 0 || static_cast<size_t>(o->size) < given + kLearned || o->size > kMostPieces)
    return tg_fail(err, T5GIST_EUSAGE, "size of the vocabulary: expected %zu to %d, %zu of them given, found %d", given + kLearned, kMostPieces,
                   given, o->size);
  for (size_t i = 0; i < o->n_user_pieces; i++) TG_TRY(check_piece(o, i, err));
  return T5GIST_OK;
}

/* One comma-separated value: in quotes, quotes doubled. */
std::string quoted_list(const char *const *pieces, size_t n) {
  std::string list;
  for (size_t i = 0; i < n; i++) {
    list += i ? ",\"" : "\"";
    for (const char *at = pieces[i]; *at; at++) list.append(*at == '"' ? 2 : 1, *at);
    list += '"';
  }
  return list;
}

std::unordered_map<std::string, std::string> arguments(const tg_vocabulary_options *o) {
  const auto yes_or_no = [](bool value) { return std::string(value ? "true" : "false"); };
  char coverage[32];
  const locale_t callers = uselocale(tg_c_locale()); /* a decimal point, whatever the program's locale */
  std::snprintf(coverage, sizeof coverage, "%.6f", static_cast<double>(o->coverage));
  uselocale(callers);
  std::unordered_map<std::string, std::string> list = {
      {"minloglevel", "3"},
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(o->size)},
      {"character_coverage", coverage},
      {"byte_fallback", yes_or_no(o->bytes)},
      {"split_digits", yes_or_no(o->split_digits)},
      {"pad_id", "0"},
      {"eos_id", "1"},
      {"unk_id", "2"},
      {"bos_id", "-1"},
      {"normalization_rule_name", "nmt_nfkc"},
      {"add_dummy_prefix", "true"},
      {"max_sentence_length", std::to_string(TG_SENTENCE)},
      {"input_sentence_size", "0"},
      {"shuffle_input_sentence", "false"},
      {"num_threads", "1"},
  };
  if (o->n_user_pieces) list["user_defined_symbols"] = quoted_list(o->user_pieces, o->n_user_pieces);
  return list;
}

/* What the library says, without its own file and line before it and the names of its options behind. */
std::string reason_of(const char *message) {
  const char *bracket = std::strstr(message, "] ");
  const std::string reason = bracket && bracket[2] ? bracket + 2 : message;
  return reason.substr(0, reason.find(" with --"));
}

t5gist_status learn(const tg_vocabulary_options *o, const tg_sentences *sentences, std::string *model, t5gist_error *err) noexcept {
  try {
    Sentences iterator(sentences);
    const auto status = sentencepiece::SentencePieceTrainer::Train(arguments(o), &iterator, model);
    if (!status.ok())
      return tg_fail(err, T5GIST_EUSAGE, "cannot learn a vocabulary of %d pieces from these texts: %s", o->size,
                     reason_of(status.error_message()).c_str());
    return T5GIST_OK;
  } catch (const std::bad_alloc &) {
    return tg_fail(err, T5GIST_ENOMEM, "not enough memory to learn a vocabulary");
  } catch (const std::exception &e) {
    return tg_fail(err, T5GIST_EINTERNAL, "learning a vocabulary: sentencepiece: %s", e.what());
  } catch (...) {
    return tg_fail(err, T5GIST_EINTERNAL, "learning a vocabulary: sentencepiece failed");
  }
}

t5gist_status check_and_write(const std::string &model, const char *path, t5gist_error *err) {
  tg_spm_model checked = {};
  TG_TRY(tg_spm_check(model.data(), model.size(), path, &checked, err));
  tg_spm_model_free(&checked);
  return tg_write_file(path, 0666, model.data(), model.size(), err);
}

}  // namespace

extern "C" t5gist_status tg_vocabulary_train(const tg_vocabulary_options *options, tg_vocabulary_text *next, void *user, const char *out_path,
                                             t5gist_error *err) {
  tg_sentences sentences;
  std::string model;
  TG_TRY(check_options(options, err));
  TG_TRY(tg_sentences_read(options, next, user, &sentences, err));
  t5gist_status status = learn(options, &sentences, &model, err);
  tg_sentences_free(&sentences);
  if (!status) status = check_and_write(model, out_path, err);
  return status;
}
