"""Asks rouge_score, NLTK, scikit-learn and numpy for the answers that tests/measure/ compares with, and writes tests/data/measure_cases.json.

    pip install rouge_score==0.1.2 nltk==3.10.4 scikit-learn==1.9.1 numpy        Python 3.11 (Unicode 14.0)
    venv/bin/python make_measure_cases.py

The texts are outputs and instructions of tests/data/human.json, shortened, shuffled and crossed, and odd ones written here.
"""
import json
import os
import random
import re

import numpy as np
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from sklearn.feature_extraction.text import TfidfVectorizer

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data")
LONGEST = 420  # characters of an output that is used

# A word for every rule of the stemmer, for its conditions failing, and for NLTK's own rules.
WORDS = """caresses ponies ties flies dies caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling hissing
fizzed failing filing happy sky spied died cried spy fly try enjoy enjoyment relational conditional rational valenci hesitanci digitizer conformabli
radicalli differentli vileli analogousli vietnamization predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti
sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable
defensible irritant replacement adjustment dependent adoption homologou communism activate angulariti homologous effective bowdlerize probate rate
cease controll roll skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed geologi theologi
archaeologi gracefulli totalli finalli alli ballalli nationally yyyy yyyyed ayyying syzygy sayyed oxed owed axing iced aged used using being seeing
freed a1ed 1234s x9ing 2000s ieds ied eed eeds ing inged ings iesses sses aies buzzed tally rally bally ally ional ation ations ization iveness
""".split()

ODD = ["", " ", "...!?", "a", "The cat sat on the mat.", "the cats SAT on a mat", "on the mat the cat sat", "İstanbul'da kar: 273 K, 0 °C", "istanbul da kar 273 k",
       "naïve café déjà vu", "na ve caf d j vu", "日本語のテキスト and English 東京", "english AND text", "ﬁve ½ x² ①２３", "five x 23", "Straße STRASSE ŉ", "don't can't won't",
       "dont cant wont", "snake_case_words and under_scores", "under scores and snake case words", "to be or not to be", "be to not or be to to", "\u00a0nbsp\u2003em\u200bzero",
       "nbsp em zero", "A" * 300 + "ing " + "b" * 300 + "ational", "a" * 300, "running runner runs ran easily", "run runs runner easy"]


def rouge_texts(human):
    """Pairs of reference and answer."""
    outputs = [row["output"] for row in human if 40 <= len(row["output"]) <= LONGEST]
    rng = random.Random(1)
    for i, output in enumerate(outputs[:48]):
        words = output.split()
        kind = i % 4
        if kind == 0:
            yield output, " ".join(words[: len(words) * 2 // 3])
        elif kind == 1:
            rng.shuffle(words)
            yield output, " ".join(words)
        elif kind == 2:
            yield output, outputs[(i + 1) % len(outputs)]
        else:
            yield output, " ".join(w if rng.random() < 0.8 else rng.choice(words) for w in words)
    for i, text in enumerate(ODD):
        yield text, ODD[i ^ 1]
        yield text, text
    yield ODD[0], ODD[4]
    yield ODD[4], ODD[2]
    yield ODD[6], ODD[4]


def rouge_cases(human):
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, use_stemmer=True)
    for reference, answer in rouge_texts(human):
        scores = scorer.score(reference, answer)
        yield {"reference": reference, "answer": answer, "scores": [[float(v) for v in scores[k]] for k in kinds]}


def stems(human):
    words = {w for row in human for w in re.findall("[a-z0-9]+", " ".join(row[k] for k in ("instruction", "input", "output")).lower()) if len(w) > 3}
    stemmer = PorterStemmer()
    chosen = sorted(w for w in words if stemmer.stem(w) != w)[::2] + WORDS
    return [[w, stemmer.stem(w)] for w in chosen]


def best(text, words, weights, k):
    """The rule of tg_tfidf_compress on scikit-learn's weights: words are (begin, lower case) of first occurrences."""
    order = sorted(words, key=lambda w: (-round(weights[w[1]], 12), w[0]))[:k]
    return " ".join(text[begin:begin + len(word)] for begin, word in sorted(order))


def tfidf_cases(human):
    texts = [row["instruction"] for row in human[:24]] + ["", "A b c !", "Café CAFÉ café über_alles 日本語 東京 ½ 12", "Write, write, WRITE a Poem; poem"]
    vectorizer = TfidfVectorizer()
    matrix = vectorizer.fit_transform(texts).toarray()
    for text, row in zip(texts, matrix):
        first = {}
        for match in re.finditer(vectorizer.token_pattern, text.lower()):
            first.setdefault(match.group(), match.start())
        words = [(begin, word) for word, begin in first.items()]
        weights = {word: float(row[vectorizer.vocabulary_[word]]) for _, word in words}
        yield {"text": text, "words": [[text[b:b + len(w)], weights[w]] for b, w in words], "best": [best(text, words, weights, k) for k in (1, 2, 3, 5, 10)]}


def finalise(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return z ^ (z >> np.uint64(31))


def places(seed, resamples, n):
    """[resamples, n]: the draws that measure/statistics.h defines."""
    counter = np.arange(1, resamples * n + 1, dtype=np.uint64)
    bits = finalise(finalise(np.array([seed], np.uint64)) + counter * np.uint64(0x9e3779b97f4a7c15))
    return (((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)).reshape(resamples, n).astype(np.int64)


CONTRASTS = [lambda s: s[0], lambda s: s[0] - s[1], lambda s: s[0] / s[1], lambda s: (s[0] - s[1]) / (s[2] - s[1])]


def bootstrap_cases():
    rng = np.random.default_rng(7)
    for n in (1, 2, 3, 10, 37, 100):
        base = rng.gamma(3, 10, n).round(3)
        series = [base.tolist(), (base * 0.4 + rng.normal(0, 1, n)).round(3).tolist(), (base * 1.2 + 3 + rng.normal(0, 1, n)).round(3).tolist()]
        for statistic, function in enumerate((np.mean, np.median)):
            for contrast in range(4):
                seed, resamples, level = n + contrast, 400 + n, (0.95, 0.9)[contrast % 2]
                chosen = places(seed, resamples, n)
                numbers = CONTRASTS[contrast]([function(np.array(s)[chosen], axis=1) for s in series])
                ends = np.quantile(numbers, [(1 - level) / 2, (1 + level) / 2])
                yield {"series": series, "statistic": statistic, "contrast": contrast, "seed": seed, "resamples": resamples, "level": level,
                       "expected": [float(CONTRASTS[contrast]([function(s) for s in series])), *map(float, ends)]}


def quantile_cases():
    rng = np.random.default_rng(3)
    for n in (1, 2, 5, 8):
        values = rng.normal(0, 5, n).round(2).tolist()
        for share in (0, 0.025, 0.25, 0.5, 0.9, 1):
            yield {"values": values, "share": share, "expected": float(np.quantile(values, share))}


def unicode_fingerprint():
    """FNV-1a over, for every character in turn, whether it is one of a word and its lower case (final sigma left aside), as tests/measure computes it."""
    h = 0xcbf29ce484222325
    for c in range(1, 0x110000):
        if 0xd800 <= c < 0xe000:
            continue
        for v in [int(bool(re.match(r"\w", chr(c))))] + [ord(x) for x in chr(c).lower()]:
            h = ((h ^ v) * 0x100000001b3) & 0xffffffffffffffff
    return f"{h:016x}"


def main():
    with open(os.path.join(DATA, "human.json"), encoding="utf-8") as f:
        human = json.load(f)
    sections = {"stems": stems(human), "rouge": list(rouge_cases(human)), "tfidf": list(tfidf_cases(human)), "bootstrap": list(bootstrap_cases()),
                "quantile": list(quantile_cases())}
    with open(os.path.join(DATA, "measure_cases.json"), "w", encoding="utf-8") as f:
        f.write('{\n"unicode": "%s",\n' % unicode_fingerprint())
        parts = []
        for name, cases in sections.items():
            step = 8 if name == "stems" else 1
            texts = [json.dumps(c, separators=(",", ":")) for c in cases]
            lines = [",".join(texts[i:i + step]) for i in range(0, len(texts), step)]
            parts.append(f'"{name}": [\n' + ",\n".join(lines) + "\n]")
        f.write(",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
