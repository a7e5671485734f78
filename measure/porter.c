#include "measure/porter.h"

#include <stdbool.h>
#include <string.h>

/* The word as it stands: text[0, n), which every step shortens or keeps. Digits count as consonants. */
typedef struct word {
  char *text;
  size_t n;
} word;

/* What a rule asks of the stem before the suffix. */
typedef enum condition {
  MEASURE_0,       /* m > 0 */
  MEASURE_1,       /* m > 1 */
  MEASURE_1_ST,    /* m > 1, and the stem ends with s or t */
  MEASURE_0_WITH_L /* m > 0 of the stem and the suffix's first letter */
} condition;

typedef struct rule {
  const char *suffix, *replacement;
  condition condition;
} rule;

static bool is_vowel_letter(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/* y is a consonant at the start and after a vowel; in a run of them each is what the one before is not. */
static bool is_consonant(const char *text, size_t i) {
  bool flip = false;
  for (; i > 0 && text[i] == 'y'; i--) flip = !flip;
  return is_vowel_letter(text[i]) == flip;
}

/* Porter's m: how often a vowel is followed by a consonant in text[0, n). */
static size_t measure(const char *text, size_t n) {
  size_t m = 0;
  bool consonant = true;
  for (size_t i = 0; i < n; i++) {
    const bool before = consonant;
    consonant = text[i] == 'y' ? i == 0 || !before : !is_vowel_letter(text[i]);
    m += i > 0 && !before && consonant;
  }
  return m;
}

static bool has_vowel(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (is_vowel_letter(text[i]) || (text[i] == 'y' && i > 0)) return true; /* a y after a consonant; after a vowel we are done already */
  }
  return false;
}

static bool ends_double_consonant(const char *text, size_t n) {
  return n >= 2 && text[n - 1] == text[n - 2] && is_consonant(text, n - 1);
}

/* Porter's *o: ends consonant, vowel, consonant, the last not w, x or y. NLTK adds words of just a vowel and a consonant. */
static bool ends_cvc(const char *text, size_t n) {
  if (n == 2) return !is_consonant(text, 0) && is_consonant(text, 1);
  if (n < 3 || text[n - 1] == 'w' || text[n - 1] == 'x' || text[n - 1] == 'y') return false;
  return is_consonant(text, n - 3) && !is_consonant(text, n - 2) && is_consonant(text, n - 1);
}

static bool ends_with(const word *w, const char *suffix) {
  const size_t length = strlen(suffix);
  return w->n >= length && memcmp(w->text + w->n - length, suffix, length) == 0;
}

/* No replacement is longer than its suffix, so the word never grows. */
static void replace(word *w, const char *suffix, const char *replacement) {
  const size_t length = strlen(replacement);
  w->n -= strlen(suffix);
  memcpy(w->text + w->n, replacement, length);
  w->n += length;
}

static bool holds(const word *w, const rule *r) {
  const size_t stem = w->n - strlen(r->suffix);
  switch (r->condition) {
    case MEASURE_0: return measure(w->text, stem) > 0;
    case MEASURE_1: return measure(w->text, stem) > 1;
    case MEASURE_1_ST: return measure(w->text, stem) > 1 && (w->text[stem - 1] == 's' || w->text[stem - 1] == 't');
    case MEASURE_0_WITH_L: return measure(w->text, stem + 1) > 0;
  }
  return false;
}

/* The first rule whose suffix fits decides: it is applied where its condition holds, and no other is tried. */
static void apply(word *w, const rule *rules, size_t n_rules) {
  for (size_t i = 0; i < n_rules; i++) {
    if (!ends_with(w, rules[i].suffix)) continue;
    if (holds(w, &rules[i])) replace(w, rules[i].suffix, rules[i].replacement);
    return;
  }
}

/* Plurals. NLTK: dies -> die, but flies -> fli. */
static void step_1a(word *w) {
  if (ends_with(w, "ies")) {
    replace(w, "ies", w->n == 4 ? "ie" : "i");
  } else if (ends_with(w, "sses")) {
    w->n -= 2;
  } else if (ends_with(w, "s") && !ends_with(w, "ss")) {
    w->n -= 1;
  }
}

/* Gives a stem that lost its -ed or -ing the ending it had: conflat -> conflate, hopp -> hop, fil -> file. */
static void restore_ending(word *w) {
  const char last = w->text[w->n - 1];
  if (ends_with(w, "at") || ends_with(w, "bl") || ends_with(w, "iz")) {
    w->text[w->n++] = 'e';
  } else if (ends_double_consonant(w->text, w->n)) {
    if (last != 'l' && last != 's' && last != 'z') w->n--;
  } else if (measure(w->text, w->n) == 1 && ends_cvc(w->text, w->n)) {
    w->text[w->n++] = 'e';
  }
}

/* Past tenses and participles. NLTK: died -> die, but spied -> spi. */
static void step_1b(word *w) {
  if (ends_with(w, "ied")) {
    replace(w, "ied", w->n == 4 ? "ie" : "i");
    return;
  }
  if (ends_with(w, "eed")) {
    if (measure(w->text, w->n - 3) > 0) w->n--;
    return;
  }
  const size_t suffix = ends_with(w, "ed") ? 2 : ends_with(w, "ing") ? 3 : 0;
  if (suffix == 0 || !has_vowel(w->text, w->n - suffix)) return;
  w->n -= suffix;
  restore_ending(w);
}

/* NLTK: y -> i after a consonant that is not the whole stem: happy -> happi, enjoy -> enjoy. */
static void step_1c(word *w) {
  if (ends_with(w, "y") && w->n > 2 && is_consonant(w->text, w->n - 2)) w->text[w->n - 1] = 'i';
}

static void step_2(word *w) {
  static const rule rules[] = {
      {"ational", "ate", MEASURE_0}, {"tional", "tion", MEASURE_0},     {"enci", "ence", MEASURE_0},   {"anci", "ance", MEASURE_0},
      {"izer", "ize", MEASURE_0},    {"bli", "ble", MEASURE_0},         {"alli", "al", MEASURE_0},     {"entli", "ent", MEASURE_0},
      {"eli", "e", MEASURE_0},       {"ousli", "ous", MEASURE_0},       {"ization", "ize", MEASURE_0}, {"ation", "ate", MEASURE_0},
      {"ator", "ate", MEASURE_0},    {"alism", "al", MEASURE_0},        {"iveness", "ive", MEASURE_0}, {"fulness", "ful", MEASURE_0},
      {"ousness", "ous", MEASURE_0}, {"aliti", "al", MEASURE_0},        {"iviti", "ive", MEASURE_0},   {"biliti", "ble", MEASURE_0},
      {"fulli", "ful", MEASURE_0},   {"logi", "log", MEASURE_0_WITH_L},
  };
  if (ends_with(w, "alli") && measure(w->text, w->n - 4) > 0) w->n -= 2; /* NLTK: then the other rules, as for -al */
  apply(w, rules, sizeof rules / sizeof *rules);
}

static void step_3(word *w) {
  static const rule rules[] = {
      {"icate", "ic", MEASURE_0}, {"ative", "", MEASURE_0}, {"alize", "al", MEASURE_0}, {"iciti", "ic", MEASURE_0},
      {"ical", "ic", MEASURE_0},  {"ful", "", MEASURE_0},   {"ness", "", MEASURE_0},
  };
  apply(w, rules, sizeof rules / sizeof *rules);
}

static void step_4(word *w) {
  static const rule rules[] = {
      {"al", "", MEASURE_1},   {"ance", "", MEASURE_1},   {"ence", "", MEASURE_1}, {"er", "", MEASURE_1},    {"ic", "", MEASURE_1},
      {"able", "", MEASURE_1}, {"ible", "", MEASURE_1},   {"ant", "", MEASURE_1},  {"ement", "", MEASURE_1}, {"ment", "", MEASURE_1},
      {"ent", "", MEASURE_1},  {"ion", "", MEASURE_1_ST}, {"ou", "", MEASURE_1},   {"ism", "", MEASURE_1},   {"ate", "", MEASURE_1},
      {"iti", "", MEASURE_1},  {"ous", "", MEASURE_1},    {"ive", "", MEASURE_1},  {"ize", "", MEASURE_1},
  };
  apply(w, rules, sizeof rules / sizeof *rules);
}

static void step_5(word *w) {
  if (ends_with(w, "e")) {
    const size_t m = measure(w->text, w->n - 1);
    if (m > 1 || (m == 1 && !ends_cvc(w->text, w->n - 1))) w->n--;
  }
  if (ends_with(w, "ll") && measure(w->text, w->n - 1) > 1) w->n--;
}

/* NLTK's table of irregular forms: true when the word is one of them, and replaced. */
static bool irregular(word *w) {
  static const struct {
    const char *form, *stem;
  } forms[] = {
      {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},      {"lying", "lie"},       {"tying", "tie"},       {"news", "news"},
      {"innings", "inning"}, {"inning", "inning"},   {"outings", "outing"}, {"outing", "outing"},   {"canning", "canning"}, {"cannings", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},  {"succeed", "succeed"},
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (w->n != strlen(forms[i].form) || !ends_with(w, forms[i].form)) continue;
    replace(w, forms[i].form, forms[i].stem);
    return true;
  }
  return false;
}

size_t tg_porter_stem(char *text, size_t n) {
  word w = {text, n};
  if (irregular(&w) || n <= 2) return w.n;
  step_1a(&w);
  step_1b(&w);
  step_1c(&w);
  step_2(&w);
  step_3(&w);
  step_4(&w);
  step_5(&w);
  return w.n;
}
