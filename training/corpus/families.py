"""The families of tasks. A family draws the parameters of an instruction and returns the words that fill its wordings and a function that makes one
(input, output) after the other for this instruction: the parameters stand in the instruction alone, and families share their inputs, so that an input betrays nothing.

Draws of parameters go through Draw, which counts their bits and remembers the open values (texts of which some are never trained on)."""
import functools
import math
import re
import zlib

from texts import *
from wordings import CHAINED, MORE

FAMILIES = {}
WORDS = NOUNS + ADJECTIVES + PRODUCT  # what instructions name: common words, nearly all pieces of the vocabulary since sentences have them, too
NAMES = FIRST + LAST + CITY + COMP
SHORT_NOUNS, SHORT_ADJECTIVES = NOUN + NOUNS[len(NOUN)::3], ADJ + ADJECTIVES[len(ADJ)::3]  # what is looked for in a sentence: of more words each is met too seldom (training/mini/RUNS.md)
WORD_SEPARATORS = ("and", "or", "then", "with", "by", "plus")
SAME_LETTERS = ("quotes", "brackets", "stars", "answer", "result", "bang")  # of CHAINS


def hashed(*key):
    return zlib.crc32("\x1f".join(map(str, key)).encode())


@functools.lru_cache(None)
def is_held_value(family, value):
    return hashed("value", family, value) % 10 == 0


class Draw:
    """Choices that the instruction of a family states."""

    def __init__(self, r, family):
        self.r, self.family, self.bits, self.values, self.combination = r, family, 0.0, [], None

    def has_held_value(self):
        """Whether the instruction has a value that is never trained on in its family. All values must be drawn."""
        return any(is_held_value(self.family, value) for value in self.values)

    def around(self, words):
        """Those of the words that may stand around a value. In training none is a held-out value, or the model would learn that these words are always left alone;
        around a held-out value any may, or it would stand out."""
        return words if self.has_held_value() else [w for w in words if not is_held_value(self.family, w)]

    def pick(self, choices):
        self.bits += math.log2(len(choices))
        return self.r.choice(choices)

    def value(self, choices):
        """A pick from an open list: held-out values are those of the split "unseen values"."""
        value = self.pick(choices)
        self.values.append(value)
        return value

    def several(self, choices, n):
        out = []
        for _ in range(n):
            out.append(self.pick([c for c in choices if c not in out]))
        return out

    def made(self, kinds):
        """A value of a long list, so that it must be read and cannot be learned by heart. kinds: (share, makes one of a random.Random, how many it can make)."""
        share, make, many = self.r.choices(kinds, [kind[0] for kind in kinds])[0]
        self.bits += math.log2(many / share)
        value = make(self.r)
        self.values.append(value)
        return value

    def codes(self, n):
        out = []
        while len(out) < n:
            bits, values = self.bits, len(self.values)
            code = self.made(CODE_KINDS)
            if code.lower() in (c.lower() for c in out):
                self.bits = bits
                del self.values[values:]
            else:
                out.append(code)
        return out


class Family:
    def __init__(self, name, draw, trained, held, chains, unseen, weight, bare):
        self.name, self.draw, self.trained, self.held, self.chains, self.unseen, self.weight, self.bare = name, draw, trained, held, chains, unseen, weight, bare


def family(trained, held=(), chains=False, unseen=False, weight=1.0, bare=False):
    """trained, held: wordings, {name} a parameter, [a|b] alternatives. chains: may be followed by a second operation on its answer, or (SAME_LETTERS) by one that keeps its letters. unseen: a family that is never trained.
    bare: quotation marks around one word are mostly left out: in them a word has other pieces than in a text. wordings.MORE has further wordings, one in ten of them held out."""

    def register(draw):
        more = MORE.get(draw.__name__, "").splitlines()
        never = [w for w in more if hashed(w) % 10 == 0]
        FAMILIES[draw.__name__] = Family(draw.__name__, draw, trained + [w for w in more if w not in never], list(held) + never, chains, unseen, weight, bare)
        return draw

    return register


def one_of(r, words):
    return r.choice(words)


def spread(words, last=" or "):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + last + words[-1]


EXTRACT = "[Extract|Find|Get|Return|Give me|Copy]"
FROM = "[ from the text| from the message| in the sentence|]"


# ------------------------------------------------------------------------------------------------------------- extraction
def some_text(r, keys):
    return sentence_with(r, set(keys)) if r.random() < 0.75 else record(r, keys)


@family([EXTRACT + " the {L}" + FROM + ".", "What is the {L}[ in the text| mentioned here| in the message|]?", "[Output|Write|Print] only the {L}.",
         "[Reply|Answer] with the {L}[ only| and nothing else|].", "[Which|What] {L} is [mentioned|given|named]?"],
        ["I am looking for the {L}.", "Tell me the {L} you see here.", "Read the message and note down the {L}.", "Nothing but the {L}, please."], chains=True, weight=1.5)
def extract_one(d):
    key = d.pick(list(FIELDS))

    def example(r):
        text, values = some_text(r, [key])
        return text, values[key]

    return {"L": one_of(d.r, FIELDS[key])}, example


SEPARATORS = [", ", "; ", " / ", " - ", " | ", " + ", " & ", " > ", " = ", " # ", " ~ ", " * ", " :: ", " -> ", " // ", *(f" {word} " for word in WORD_SEPARATORS)]
SIGNS = "-/|+&>=#~*:@<"  # no ";", which the list above has without a space before it
SEPARATOR_KINDS = [(0.3, lambda r: r.choice(SEPARATORS), len(SEPARATORS)), (0.2, lambda r: " " + r.choice(SIGNS) + r.choice(["", r.choice(SIGNS)]) + " ", len(SIGNS) ** 2),
                   (0.5, lambda r: " " + r.choice(WORDS + NAMES) + " ", len(WORDS + NAMES))]


@family([EXTRACT + " the {a} and the {b}" + FROM + ", separated by \"{s}\".", "[Write|List|Output] the {a}, then the {b}, with \"{s}\" between them.",
         "[First|Start with] the {a}, then the {b}; [separate|divide] them with \"{s}\".", "What are the {a} and the {b}? [Use|Put] \"{s}\" [between them|as separator]."],
        ["I want two things in this order: {a}, {b}. Split them by \"{s}\".", "Note down the {a} followed by the {b} with \"{s}\" in the middle.",
         "The answer is the {a} and the {b} joined by \"{s}\"."], weight=2, bare=True)
def extract_two(d):
    a, b = d.pick([p for x, y in pairs() for p in ((x, y), (y, x))])
    separator = d.made(SEPARATOR_KINDS)
    d.combination = ("two", a, b)

    def example(r):
        text, values = some_text(r, [a, b])
        return text, values[a] + separator + values[b]

    return {"a": one_of(d.r, FIELDS[a]), "b": one_of(d.r, FIELDS[b]), "s": separator.strip()}, example


@family(["[Return|Output|Write|Give me|Produce] [JSON|a JSON object] with the [keys|fields] {ks}.", "[Convert|Turn] the [text|message|sentence] [into|to] JSON with the [keys|fields] {ks}.",
         "[Extract|Get|Find] {ks} as JSON.", "[Answer|Reply] in JSON. [Keys|Fields]: {kc}."],
        ["I need {ks} in a JSON object.", "Format the details as JSON: {kc}.", "JSON please, with {ks}."], weight=2)
def json_fields(d):
    keys = list(d.pick([p for x, y in pairs() for p in ((x, y), (y, x))])) if d.r.random() < 0.7 else [d.pick(list(FIELDS))]
    d.combination = ("json", *keys)

    def example(r):
        text, values = some_text(r, keys)
        return text, "{" + ", ".join(f'"{k}": "{values[k]}"' for k in keys) + "}"

    return {"ks": spread(keys, " and "), "kc": ", ".join(keys)}, example


LABELS = """CLIENT WHO PERSON MAIL CONTACT TEL CALL DUE WHEN DAY TOTAL SUM COST REF ID NO WHERE PLACE SITE FIRM ORG PARTNER GOODS WHAT ARTICLE HOUR AT NOTE INFO FACT DATA FOUND VALUE
FIELD RESULT ANSWER ITEM ENTRY KEY TAG""".split()
LABEL_KINDS = [(0.1, lambda r: r.choice(LABELS), len(LABELS)), (0.9, lambda r: r.choice(WORDS + NAMES), len(WORDS + NAMES))]


@family([EXTRACT + " the {a} and [put|write] the label \"{l}:\" before it.", "[Write|Output|Give] the {a} after the label \"{l}:\".", "[Answer|Reply] with \"{l}:\" and the {a}."],
        ["Note down the {a} under the label \"{l}:\".", "The answer starts with \"{l}:\" and then has the {a}."], weight=1, bare=True)
def labelled(d):
    key, label = d.pick(list(FIELDS)), d.made(LABEL_KINDS)
    d.combination = ("label", key, label)

    def example(r):
        text, values = some_text(r, [key])
        return text, f"{label}: {values[key]}"

    return {"a": one_of(d.r, FIELDS[key]), "l": label}, example


@family([EXTRACT + " [only|just|] the {L}" + FROM + ".", "What is the {L}[ of the person| mentioned here|]?", "[Write|Output|Print] [only|just] the {L}."],
        ["I am looking for the {L}.", "Tell me the {L} of whoever is mentioned.", "The {L} alone, please."], chains=True, weight=0.6)
def person_part(d):
    part = d.pick(["first", "last"])

    def example(r):
        text, values = some_text(r, ["name"])
        return text, values[part]

    return {"L": one_of(d.r, {"first": ["first name", "given name"], "last": ["last name", "surname", "family name"]}[part])}, example


@family(["[Write|Give|Return|Put] the date in {F}.", EXTRACT + " the date" + FROM + " [and write it in|in|as] the form {F}.", "[What is the date|Which date is mentioned][ in the text|]? [Use|Answer in] the form {F}."],
        ["Note down the date using the form {F}.", "I need the date, as {F}."], weight=0.8)
def extract_date_as(d):
    form = d.pick(list(DATE_FORMATS))

    def example(r):
        when, values = day_month_year(r), slots(r)
        source = r.choice(list(DATE_FORMATS))
        values["date"] = DATE_FORMATS[source](*when)
        text = values["date"] if r.random() < 0.4 else fill(r.choice([s for s, found in WITH_SLOTS if "date" in found]), values)
        return text, DATE_FORMATS[form](*when)

    return {"F": {"YYYY-MM-DD": one_of(d.r, ["YYYY-MM-DD", "YYYY-MM-DD", "ISO format"])}.get(form, form)}, example


# --------------------------------------------------------------------------------------------------------- classification
CLASSES = [("[review|text|comment]", lambda r, i: review(r, i == 0), ["positive", "negative"]), ("[review|text|comment]", lambda r, i: review(r, i == 0), ["good", "bad"]),
           ("[review|text|comment]", lambda r, i: review(r, i == 0), ["happy", "unhappy"]), ("[review|text|comment]", lambda r, i: review(r, i == 0), ["praise", "criticism"]),
           ("[message|mail|ticket]", lambda r, i: urgent(r, i == 0), ["urgent", "not urgent"]), ("[message|mail|ticket]", lambda r, i: urgent(r, i == 0), ["high priority", "low priority"]),
           ("[message|mail|ticket]", lambda r, i: urgent(r, i == 0), ["in a hurry", "not in a hurry"]), ("[message|mail|e-mail]", lambda r, i: spam(r, i == 0), ["spam", "normal"]),
           ("[message|mail|e-mail]", lambda r, i: spam(r, i == 0), ["junk", "serious"]), ("[message|mail|e-mail]", lambda r, i: spam(r, i == 0), ["spam", "no spam"]),
           ("[sentence|text|message]", speech, ["a question", "a request", "a statement"]), ("[sentence|text|message]", speech, ["question", "request", "statement"])]


@family(["Is the {X} {ns}?", "[Classify|Label|Judge|Sort|Mark|Rate] the {X} as {ns}.", "[Say|Decide|Tell me] [whether|if] the {X} is {ns}."],
        ["Look at the {X} and choose {ns}.", "Which is it, {ns}?"], chains=True, weight=1.6)
def classify(d):
    noun, make, names = d.pick(CLASSES)
    order = d.r.sample(names, len(names))
    d.combination = ("classify", noun, *order)

    def example(r):
        i = r.randrange(len(names))
        return make(r, i), names[i]

    return {"X": noun, "ns": spread(order)}, example


ANSWERS = [("yes", "no"), ("yes", "no"), ("true", "false"), ("Y", "N"), ("1", "0")]


@family(["Is the {X} {c}? [Answer|Reply with|Say|Write] {p} or {n}.", "[Answer|Write|Return] {p} if the {X} is {c}, {n} if not."],
        ["Would you call the {X} {c}? {p} or {n}, please."], chains=True, weight=1.6)
def judge(d):
    noun, make, names = d.pick([c for c in CLASSES if "question" not in c[2]])  # "is it question?" lacks its article
    asked = d.r.choice([i for i, name in enumerate(names) if not name.startswith(("no ", "not "))])
    yes, no = d.pick(ANSWERS)
    d.combination = ("judge", names[asked], yes)

    def example(r):
        i = asked if r.random() < 0.5 else r.choice([i for i in range(len(names)) if i != asked])
        return make(r, i), yes if i == asked else no

    return {"X": noun, "c": names[asked], "p": yes, "n": no}, example


@family(["[Route|Send|Assign|Forward] the [ticket|request|message] to [one of|] {ds}.", "Which [department|team] should [handle|get|answer] this: {ds}?",
         "[Classify|Label|Sort] the [ticket|request|message] as {ds}.", "[Choose|Pick] the right [department|team|queue]: {ds}."],
        ["Who is responsible for this request, {ds}?", "Decide where the ticket belongs: {ds}.", "The possible teams are {ds}. Name the right one."], chains=True, weight=1.4)
def route(d):
    names = d.several(list(DEPT), d.r.choice([2, 3, 3, 4]))

    def example(r):
        name = r.choice(names)
        return ticket(r, name), name

    return {"ds": spread(names)}, example


@family(["What is the [topic|subject][ of the text|]: {ds}?", "[Classify|Label|Sort] the [text|news|sentence|message] as {ds}.", "[Choose|Pick] the [topic|subject|category]: {ds}.",
         "Is the [text|sentence] about {ds}?"], ["Which of {ds} does the text deal with?", "Name the theme, {ds}.", "The text belongs to one category of {ds}."], chains=True, weight=1)
def topic(d):
    names = d.several(list(TOPIC), d.r.choice([2, 3, 4]))

    def example(r):
        name = r.choice(names)
        return news(r, name), name

    return {"ds": spread(names)}, example


ARTICLES = {"email": "an e-mail address", "phone": "a phone number", "date": "a date", "price": "a price", "city": "a city", "company": "a company", "time": "a time of day"}


@family(["Does the [text|message|sentence|note] [contain|mention|include] {F}? [Answer|Say|Reply] {p} if so, {n} if not.", "[Answer|Write|Output] {p} if [there is|you see] {F}, otherwise {n}.",
         "Is {F} [given|mentioned|present]? {p} for yes, {n} for no."],
        ["Check for {F} and return {p} when it is there and {n} when not.", "I want {p} when {F} occurs, else {n}."], weight=1.2)
def mentions(d):
    key = d.pick(list(ARTICLES))
    yes, no = d.pick(ANSWERS)
    d.combination = ("mentions", key, yes)

    def example(r):
        there = r.random() < 0.5
        text = fill(r.choice([s for s, found in WITH_SLOTS if (key in found) == there]), slots(r))
        return text, yes if there else no

    return {"F": ARTICLES[key], "p": yes, "n": no}, example


# --------------------------------------------------------------------------------------------------------------- editing
@family(["[Write|Convert|Put|Change|Rewrite] the [text|sentence|message|input] [in|to|into] {F}.", "[Return|Show|Print] the [text|sentence|input] in {F}.", "Use {F}[ for the text| for every word|]."],
        ["I want everything in {F}.", "The whole text should be in {F}.", "Please apply {F} to the text."], weight=1)
def case(d):
    how = d.pick(["upper", "lower", "title"])
    wordings = {"upper": ["upper case", "capital letters", "all caps"], "lower": ["lower case", "small letters"], "title": ["title case", "words with a capital first letter"]}

    def example(r):
        text = plain(r, 3, 5) if r.random() < 0.5 else ", ".join(items(r, 2, 3))
        return text, {"upper": str.upper, "lower": str.lower, "title": lambda s: " ".join(capital(w) for w in s.split())}[how](text)

    return {"F": one_of(d.r, wordings[how])}, example


NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}


@family(["[Return|Keep|Give me|Write|Show|Output] [only|] the {e} {n} words[ of the text| of the sentence|].", "What are the {e} {n} words of the [text|sentence]?", "[Cut|Shorten] the text to its {e} {n} words."],
        ["I want to see the {e} {n} words only.", "Everything but the {e} {n} words can go."], chains=True, weight=0.8)
def first_last(d):
    end, n = d.pick(["first", "last"]), d.pick([2, 3, 4])

    def example(r):
        words = plain(r, 5, 8).split()
        return " ".join(words), " ".join(words[:n] if end == "first" else words[-n:])

    return {"e": end, "n": one_of(d.r, [NUMBERS[n], str(n)])}, example


@family(["[Remove|Delete|Drop|Leave out] the {e} {n}[ of the text| of the sentence|].", "[Write|Return|Show] the [text|sentence] without the {e} {n}."],
        ["Take away the {e} {n}.", "I do not want the {e} {n}."], chains=True, weight=0.8)
def drop_words(d):
    end, n = d.pick(["first", "last"]), d.pick([1, 2, 3])

    def example(r):
        words = plain(r, 5, 8).split()
        return " ".join(words), " ".join(words[n:] if end == "first" else words[:-n])

    return {"e": end, "n": "word" if n == 1 else NUMBERS[n] + " words"}, example


@family(["[Return|Give me|Write|Find|Show|Pick|Output] [only|] the {n} {u}.", "What is the {n} {u}[ in the list| of the text|]?", "Which {u} is the {n}[ one|]?", "[Extract|Copy] the {n} {u}."],
        ["I am looking for the {n} {u}.", "The {n} {u} alone, please."], chains=True, weight=0.8)
def nth(d):
    place = d.pick(["first", "second", "third", "last"])
    unit = d.pick(["word", "item"])
    d.combination = ("nth", unit, place)

    def example(r):
        parts = plain(r, 5, 8).split() if unit == "word" else items(r, 3, 5)
        return (" " if unit == "word" else ", ").join(parts), parts[["first", "second", "third", "last"].index(place) if place != "last" else -1]

    return {"n": place, "u": unit if unit == "word" else one_of(d.r, ["item", "entry"])}, example


@family(["[Reverse|Invert|Flip|Turn around] the [order of the|] {u}.", "[Write|Return|Give|Show] the {u} [backwards|in reverse order|from last to first]."],
        ["Start with the last of the {u} and end with the first.", "I want the {u} the other way round."], chains=True, weight=0.6)
def reverse(d):
    unit = d.pick(["words", "items"])

    def example(r):
        parts = plain(r, 3, 6).split() if unit == "words" else items(r, 3, 5)
        return (" " if unit == "words" else ", ").join(parts), (" " if unit == "words" else ", ").join(parts[::-1])

    return {"u": unit}, example


@family(["[Join|Connect|Combine|Link] the [words|items] with \"{s}\".", "[Write|List|Show] the items with \"{s}\" between them.", "[Replace|Swap] the commas [by|with] \"{s}\"."],
        ["I want \"{s}\" between the items.", "Use \"{s}\" where the commas are."], weight=1, bare=True)
def join_list(d):
    separator = ", "
    while separator == ", ":
        separator = d.made(SEPARATOR_KINDS)

    def example(r):
        parts = items(r, 2, 5)
        return ", ".join(parts), separator.join(parts)

    return {"s": separator.strip()}, example


# What is looked for in a sentence is any word of the short lists, and so are the words around it: one that only instructions name would betray itself.
SHORT_WORDS = SHORT_NOUNS + SHORT_ADJECTIVES
NEW_WORD_KINDS = [(0.8, lambda r: r.choice(SHORT_WORDS), len(SHORT_WORDS)), (0.2, lambda r: r.choice(CITY + FIRST + PRODUCT), len(CITY + FIRST + PRODUCT))]


@family(["[Replace|Substitute|Swap] [the word|] \"{x}\" [by|with] \"{y}\".", "[Change|Turn] \"{x}\" [to|into] \"{y}\"[ in the text| in the sentence|].", "[Write|Use] \"{y}\" instead of \"{x}\"."],
        ["Wherever it says \"{x}\", it should say \"{y}\".", "Put \"{y}\" where \"{x}\" is now.", "\"{x}\" becomes \"{y}\"."], chains=SAME_LETTERS, weight=2.5, bare=True)
def replace_word(d):
    old = new = d.value(SHORT_WORDS)
    while new == old:
        new = d.made(NEW_WORD_KINDS)
    return {"x": old, "y": new}, with_word(d, old, [new])


def with_word(d, word, edited):
    """Makes plain sentences of which nine in ten have the word, and what they are with other words in its place."""
    nouns, adjectives = d.around(SHORT_NOUNS), d.around(SHORT_ADJECTIVES)
    like = SHORT_ADJECTIVES if word in SHORT_ADJECTIVES else SHORT_NOUNS

    def example(r):
        words = plain(r, 4, 7, nouns, adjectives).split()
        if r.random() < 0.9:
            places = [i for i, w in enumerate(words) if w in like] or [len(words) - 1]
            words[r.choice(places)] = word
        return " ".join(words), " ".join(out for w in words for out in (edited if w == word else [w]))

    return example


@family(["[Remove|Delete|Drop|Leave out] the word \"{x}\"[ from the text| from the sentence|].", "[Write|Return|Show] the [text|sentence] without [the word|] \"{x}\"."],
        ["Take \"{x}\" away.", "I do not want to see \"{x}\" in the text."], chains=SAME_LETTERS, weight=1.5, bare=True)
def delete_word(d):
    word = d.value(SHORT_WORDS)
    return {"x": word}, with_word(d, word, [])


ADDITIONS = """Thank you.|Best regards|See you soon!|Note:|Warning:|Dear team,|Please reply.|Good news:|FYI:|Kind regards|Draft|Approved|Call me.|To do:|Urgent:|Hello,|Done.|Reminder:|First,
|Finally,|Update:|Many thanks|Page 1|Copy|Read this:|Over and out.|Question:|Yes,|No,|So,|Listen:|Attention!|Internal|Secret|Final|New:|Old:|Summary:|Part two|Okay.""".replace("\n", "").split("|")
ADDITION_KINDS = [(0.25, lambda r: r.choice(ADDITIONS), len(ADDITIONS)), (0.35, lambda r: capital(r.choice(ADJ)) + " " + r.choice(NOUNS) + r.choice(".:!"), 3 * len(ADJ) * len(NOUNS)),
                  (0.4, lambda r: r.choice(WORDS + NAMES), len(WORDS + NAMES))]


@family(["[Add|Put|Write|Insert] \"{x}\" [at|to] the {w}[ of the text| of the message|].", "[Return|Give|Show] the [text|message|sentence] with \"{x}\" at the {w}."],
        ["The {w} of the text should be \"{x}\".", "I want \"{x}\" at the {w}."], weight=0.8, bare=True)
def add_text(d):
    where, text = d.pick(["start", "end"]), d.made(ADDITION_KINDS)
    d.combination = ("add", text, where)

    def example(r):
        sentence = capital(plain(r, 3, 6)) + "."
        return sentence, sentence + " " + text if where == "end" else text + " " + sentence

    return {"x": text, "w": where if where == "end" else one_of(d.r, ["start", "beginning"])}, example


@family(["[Count|Give the number of|Output the number of] the {u}.", "How many {u} [are there|are in the text|do you see]?", "[Return|Write|Say|Show] how many {u} [there are|you see]."],
        ["I want to know the number of {u}.", "Tell me the count of {u}."], weight=0.5)
def count(d):
    unit = d.pick(["words", "items"])

    def example(r):
        parts = plain(r, 3, 8).split() if unit == "words" else items(r, 2, 6)
        return (" " if unit == "words" else ", ").join(parts), str(len(parts))

    return {"u": unit}, example


# ------------------------------------------------------------------------------------------------------- writing, looking up
TEMPLATES = ["Dear {name}, {REST}", "Hello {name}! {REST}", "{name}: {REST}", "To {name}. {REST}", "Hi {name}, {REST}"]
RESTS = """order {order} is ready.|order {order} was sent.|please pay {price}.|we owe you {price}.|see you in {city}.|come to {city} on {date}.|the {product} have arrived.|your {product} are late.|call {phone}.
|write to {email}.|the meeting is at {time}.|we meet on {date}.|{company} is waiting.|{company} has paid {price}.|the {product} cost {price}.|the train to {city} leaves at {time}.|order {order} costs {price}.
|the {product} go to {city}.|your number is {phone}.|the date is {date}.|ask {company}.|bring the {product}.|be in {city} at {time}.|{company} wants the {product}.|reply to {email} by {date}.""".replace("\n", "").split("|")
FILL_TEXTS = [t.replace("{REST}", capital(rest) if t[-8] in "!." else rest) for t in TEMPLATES for rest in RESTS]


@family(["[Fill in|Complete]: \"{t}\"", "[Write|Compose] this message with the right [values|details]: \"{t}\"", "[Use|Fill] the template \"{t}\"."],
        ["Put the details into \"{t}\".", "The message should read \"{t}\"."], weight=1.2)
def fill_template(d):
    template = d.value(FILL_TEXTS)
    keys = re.findall(r"\{(\w+)\}", template)

    def example(r):
        text, values = record(r, keys)
        return text, fill(template, values)

    return {"t": re.sub(r"\{(\w+)\}", r"<\1>", template)}, example


@family(["[Translate|Convert|Change|Turn] [the words|this|the text|the input] [to|into] {F}.", "[Give|Write|Say|Return] this in {F}.", "What is this in {F}?", "{F} translation[, please|:]"],
        ["How do you say this in {F}?", "I need the {F} words.", "Express it in {F}."], chains=True, weight=1)
def translate(d):
    language = d.pick(LANGUAGES)

    def example(r):
        words = r.sample(list(DICTIONARY), r.choice([1, 1, 2, 3]))
        return ", ".join(words), ", ".join(DICTIONARY[w][LANGUAGES.index(language)] for w in words)

    return {"F": language}, example


COUNTRIES = {"France": "Paris euro French Europe", "Germany": "Berlin euro German Europe", "Spain": "Madrid euro Spanish Europe", "Italy": "Rome euro Italian Europe", "Portugal": "Lisbon euro Portuguese Europe",
             "Austria": "Vienna euro German Europe", "Greece": "Athens euro Greek Europe", "Norway": "Oslo krone Norwegian Europe", "Sweden": "Stockholm krona Swedish Europe", "Poland": "Warsaw zloty Polish Europe",
             "Japan": "Tokyo yen Japanese Asia", "China": "Beijing yuan Chinese Asia", "Turkey": "Ankara lira Turkish Asia", "Thailand": "Bangkok baht Thai Asia",
             "Egypt": "Cairo pound Arabic Africa", "Kenya": "Nairobi shilling Swahili Africa", "Morocco": "Rabat dirham Arabic Africa", "Ghana": "Accra cedi English Africa", "Brazil": "Brasilia real Portuguese America",
             "Chile": "Santiago peso Spanish America", "Peru": "Lima sol Spanish America", "Canada": "Ottawa dollar English America", "Cuba": "Havana peso Spanish America",
             "Hungary": "Budapest forint Hungarian Europe", "Denmark": "Copenhagen krone Danish Europe", "Finland": "Helsinki euro Finnish Europe", "Ireland": "Dublin euro English Europe", "Russia": "Moscow ruble Russian Europe"}
FACTS = ["capital", "currency", "language", "continent"]


@family(["[Give|Name|Return|Write|Tell me] the {F} of [the|this] country.", "What is the {F}[ of the country|]?", "[Answer|Reply] with the {F}[ of the country|]."], ["Which {F} does this country have?", "I need to know the {F}."], chains=True, weight=0.6)
def look_up(d):
    fact = d.pick(FACTS)

    def example(r):
        country = r.choice(list(COUNTRIES))
        return r.choice([country, f"I come from {country}.", f"We will visit {country} in summer.", f"{r.choice(FIRST)} lives in {country}."]), COUNTRIES[country].split()[FACTS.index(fact)]

    return {"F": fact}, example


def in_words(n):
    return NUMW[n] if n < 20 else TENW[n // 10] + ("-" + NUMW[n % 10] if n % 10 else "")


@family(["[Write|Give|Return|Output] the number {F}.", "[Convert|Change] the number so that it is {F}.", "What is the number {F}?"], ["I need the number {F}.", "Show me the number {F}."], weight=0.3)
def number(d):
    def example(r):
        n = r.randint(10, 89)
        return str(n), in_words(n)

    return {"F": one_of(d.r, ["in words", "as words"])}, example


# ---------------------------------------------------------------------------------------------------------- never trained
@family(["[Return|Give me|Write|Make|Output] the initials of the words.", "[Take|Use] the first letter of each word."], unseen=True)
def initials(d):
    def example(r):
        words = [capital(w) for w in r.sample(NOUN + ADJ, r.choice([2, 3]))]
        return " ".join(words), "".join(w[0] for w in words)

    return {}, example


@family(["[Find|Return|Give me|Output|Pick] the {F} [number|value].", "[What|Which] is the {F} number?"], unseen=True)
def extreme(d):
    high = d.pick([True, False])

    def example(r):
        numbers = r.sample(range(1, 100), r.choice([2, 3, 4]))
        return ", ".join(map(str, numbers)), str(max(numbers) if high else min(numbers))

    return {"F": one_of(d.r, ["largest", "biggest", "highest"] if high else ["smallest", "lowest", "least"])}, example


@family(["[Sort|Order|Arrange] the [words|items|list] {F}.", "[Put|Write|Return|List|Show] the [words|items|entries] {F}."], ["I want the list {F}.", "Bring the items into order, {F}."], unseen=True)
def sort_items(d):
    down = d.pick([False, True])

    def example(r):
        parts = items(r, 3, 4)
        return ", ".join(parts), ", ".join(sorted(parts, key=str.lower, reverse=down))

    return {"F": one_of(d.r, ["from Z to A", "in reverse alphabetical order"] if down else ["alphabetically", "from A to Z", "in alphabetical order"])}, example


# Codes that the instruction gives to words or classes. Full prompts learn to look them up where little else is trained, gist tokens do not (training/mini/RUNS.md).
CODES = list("ABCDEFGHKLMNPQRSTUVWXYZ") + [str(n) for n in range(10)] + """red green blue yellow white black north south east west up down left right yes no true false on off
high low hot cold sun moon gold silver alpha beta gamma delta plus minus open closed keep drop pass fail good bad one two three go stop top base cat dog fox owl""".split()
CODE_KINDS = [(0.4, lambda r: r.choice(CODES), len(CODES)),
              (0.2, lambda r: "".join(r.choice({"A": "ABCDEFGHKLMNPQRSTUVWXYZ", "1": "123456789"}[c]) for c in r.choice(["A1", "11", "1A"])), 495),
              (0.4, lambda r: r.choice(WORDS), len(WORDS))]
BINDING = ["{d}: {c}", "{d}: {c}", "{d} = {c}", "{d} means {c}", "{c} for {d}", "{c} if it is {d}"]


def coded(d, names):
    """Codes of the names, and what the instruction says of them."""
    codes, style = d.codes(len(names)), d.r.choice(BINDING)
    return codes, ", ".join(style.replace("{c}", codes[i]).replace("{d}", names[i]) for i in d.r.sample(range(len(names)), len(names)))


@family(["[Give|Write|Return|Say] the code[ of each word| of every word|]: {m}.", "[Code|Replace|Translate] [each word|every word]: {m}.", "[Look up|Find] [each|every] word and [write|return] its code. {m}.",
         "The codes are: {m}.", "[Which|What] code [has|belongs to] each word? {m}.", "[Use|Apply] this [table|list]: {m}."],
        ["Read the input and say what stands for each word: {m}.", "What does our list have for this? {m}."], unseen=True)
def mapping(d):
    names = d.r.sample(WORDS, d.r.choice([2, 2, 3]))
    codes, table = coded(d, names)

    def example(r):
        asked = r.sample(range(len(names)), r.randint(1, len(names)))
        return ", ".join(names[i] for i in asked), ", ".join(codes[i] for i in asked)

    return {"m": table}, example


@family(["[Answer|Reply|Write|Say|Output] {m}, according to the {X}.", "[Label|Mark|Tag|Classify] the {X}: {m}.", "[Codes|Labels]: {m}. [Classify|Label|Judge] the {X}.",
         "Is the {X} {ns}? [Use|Answer with] these codes: {m}."], ["Decide what the {X} is and give the code: {m}.", "Look at the {X} and choose: {m}."], unseen=True)
def class_codes(d):
    noun, make, names = d.r.choice(CLASSES)
    codes, table = coded(d, names)

    def example(r):
        i = r.randrange(len(names))
        return make(r, i), codes[i]

    return {"m": table, "X": noun, "ns": spread(names)}, example


@family(["[Answer|Write|Output|Return] {m}.", "[Classify|Label|Code|Mark] the [ticket|request|message]: {m}.", "[Use|Reply with|Give] the code of the [department|team]: {m}."],
        ["The codes are: {m}. Which one fits this ticket?", "Decide on a code, {m}."], unseen=True)
def route_codes(d):
    names = d.several(list(DEPT), d.r.choice([2, 2, 3]))
    codes, table = coded(d, names)

    def example(r):
        i = r.randrange(len(names))
        return ticket(r, names[i]), codes[i]

    return {"m": table}, example


@family(["[Answer|Write|Say] {p} if the number is [greater|larger|higher] than {n}, otherwise {q}.", "[Is the number|Is it] [above|over] {n}? {p} if so, else {q}.", "[Label|Mark] numbers over {n} with {p} and [others|the others] with {q}."],
        ["Numbers above {n} get {p}, all others {q}.", "Use {n} as the limit: {p} beyond it, {q} up to it."], unseen=True)
def threshold(d):
    limit = d.value([str(n) for n in range(10, 100)])
    yes, no = d.codes(2)

    def example(r):
        number = r.randint(1, 99) if r.random() < 0.5 else max(1, int(limit) + r.randint(-9, 9))
        return str(number), yes if number > int(limit) else no

    return {"n": limit, "p": yes, "q": no}, example


# ------------------------------------------------------------------------------------------------------ second operations
CHAINS = {
    "upper": (str.upper, CHAINED["upper"]),
    "quotes": ('"{}"'.format, CHAINED["quotes"]),
    "brackets": ("[{}]".format, CHAINED["brackets"]),
    "stars": ("*{}*".format, CHAINED["stars"]),
    "answer": ("Answer: {}".format, CHAINED["answer"]),
    "result": ("Result = {}".format, CHAINED["result"]),
    "bang": ("{}!".format, CHAINED["bang"]),
}
