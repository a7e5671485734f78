"""Texts of the corpus: sentences with slots to fill, reviews, tickets, news, plain sentences. Every function draws from the random.Random it is given."""
import re

from words import *


def fill(text, slots):
    return re.sub(r"\{(\w+)\}", lambda m: str(slots[m.group(1)]), text)


def capital(text):
    return text[:1].upper() + text[1:]


def invented(r):
    """A word that no list has."""
    syllable = lambda: r.choice("b br c d dr f g gr h j k l m n p pr r s st t tr v w z".split()) + r.choice("a e i o u ai ei".split())
    return "".join(syllable() for _ in range(r.choice([2, 2, 3]))) + r.choice(["", "", "n", "r", "s", "l"])


# ---------------------------------------------------------------------------------------------------------------- facts
DATE_FORMATS = {
    "YYYY-MM-DD": lambda d, m, y: f"{y}-{m:02d}-{d:02d}",
    "DD/MM/YYYY": lambda d, m, y: f"{d:02d}/{m:02d}/{y}",
    "DD.MM.YYYY": lambda d, m, y: f"{d:02d}.{m:02d}.{y}",
    "day month year": lambda d, m, y: f"{d} {MONTHS[m - 1]} {y}",
    "month day, year": lambda d, m, y: f"{MONTHS[m - 1]} {d}, {y}",
}


def day_month_year(r):
    return r.randint(1, 28), r.randint(1, 12), r.randint(2018, 2028) if r.random() < 0.7 else r.randint(1950, 2040)


def person(r):
    return (r.choice(FIRST) if r.random() < 0.9 else capital(invented(r)), r.choice(LAST) if r.random() < 0.85 else capital(invented(r)))


def email(r):
    first, last = person(r)
    user = r.choice([f"{first}.{last}", last, first, f"{first}{r.randint(1, 99)}", "info", "sales", "support"]).lower()
    return f"{user}@{r.choice(COMP).lower()}.{r.choice(['com', 'org', 'net', 'de', 'fr', 'example'])}"


def price(r):
    whole = r.choice([r.randint(2, 99), r.randint(100, 999), r.randint(1, 20) * 50])
    return r.choice(["${}", "€{}", "£{}", "{} euros", "{} dollars"]).format(f"{whole}{r.choice(['', '', '.50', '.99'])}")


def clock(r):
    hour, minute = r.randint(7, 20), r.choice([0, 0, 15, 30, 45, 10, 20])
    return r.choice([f"{hour:02d}:{minute:02d}", f"{(hour - 1) % 12 + 1}:{minute:02d} {'am' if hour < 12 else 'pm'}"])


def order_number(r):
    return r.choice([f"{r.choice('ABCDEFGHKMNPRSTX')}-{r.randint(1000, 9999)}", f"#{r.randint(1000, 99999)}", f"{r.choice(['PO', 'INV', 'REF'])}{r.randint(100, 9999)}"])


def company(r):
    return r.choice(COMP) + (" " + r.choice(COMPSUF) if r.random() < 0.7 else "")


def slots(r):
    first, last = person(r)
    style = r.choice(list(DATE_FORMATS))
    return dict(name=f"{first} {last}", first=first, last=last, email=email(r), phone=f"{r.randint(201, 989)}-{r.randint(100, 999)}-{r.randint(0, 9999):04d}",
                date=DATE_FORMATS[style](*day_month_year(r)), price=price(r), time=clock(r), order=order_number(r), city=r.choice(CITY), company=company(r),
                product=r.choice(PRODUCT), qty=r.randint(2, 60), day=r.choice(DAYS), adj=r.choice(ADJ))


SENTENCES = """Please contact {name} at {email} before {date}.
{name} from {company} called on {date} about order {order}.
The invoice of {price} for order {order} is due on {date}.
{name} ordered {qty} {product} for {price}.
{name} wants the {product} delivered to {city}.
Your order {order} was shipped to {city} on {date}.
The meeting with {name} is on {date} at {time}.
Call {name} on {phone} after {time}.
Send the contract to {email} by {date}.
{company} will open a new office in {city} on {date}.
{company} paid {price} for the {product}.
{name} moved from our office in {city} to {company}.
My phone number is {phone} and my name is {name}.
Hello, this is {name}, my new address is {email}.
The {product} cost {price} and arrive on {date}.
We sold {qty} {product} to {company} in {city}.
Order {order} for {name} is ready for pickup at {time}.
The train to {city} leaves at {time} on {date}.
For questions about order {order} write to {email}.
{name} will visit {company} in {city} on {date}.
Refund {price} to {name} for order {order}.
Our shop in {city} can be reached at {phone}.
The {product} from {company} were returned by {name}.
Please book a room in {city} for {name} from {date}.
{company} offered {qty} {product} at {price}.
Invoice {order}: {price}, payable to {company}.
The call with {company} starts at {time}, dial {phone}.
{name} ({email}) asked for a quote on {product}.
New customer: {name}, {city}, {phone}.
Contact: {name}, {company}, {email}.
Delivery of {product} to {city} is planned for {date}.
{name} signed the contract with {company} on {date}.
The deposit of {price} was paid by {name}.
Order {order} contains {qty} {product}.
Interview with {name} at {time} in {city}.
Write to {email} or call {phone}.
The price of the {product} rose to {price} on {date}.
{name} lost the {product} at the station in {city}.
Reminder: {name} owes {company} {price}.
Ticket {order} was opened by {name} at {time}.
{name} can be reached at {phone} or {email}.
Please send {qty} {product} to our branch in {city}.
The total for order {order} is {price}.
We meet {name} in {city} on {date} at {time}.
{company} has its office in {city}.
Dear {name}, your {product} will arrive on {date}.
I am {name} and I would like to return the {product}.
The {product} in {city} are sold out until {date}.
Bring the {product} to {name} before {time}.
I paid {price} for the {product} on {date}.
{name} starts at {company} on {date}.
{company} sent the invoice {order} to {email}.
Flight to {city}: {date}, {time}.
From {name} to {email}: call me on {phone}.
The bill from {company} was {price}.
{name} cancelled order {order} on {date}.
Our partner {company} needs {qty} {product} by {date}.
Customer {name} has the number {phone}.
At {time} we call {name} about the {product}.
The warehouse in {city} has {qty} {product}.
Appointment: {name}, {date}, {time}.
{product} for {price} at {company}.
{name} lives in {city} and works for {company}.
The new address of {company} is {email}.
{name} told us on {date} that the {product} are missing.
The lawyer of {company} is {name}, phone {phone}.
We have to pay {price} to {company} before {date}.
A parcel with {product} for {name} is waiting in {city}.
The taxi to {city} comes at {time}.
Complaint {order}: {name} wants {price} back.
If you need {product}, ask {name} at {email}.
On {date} our manager {name} flies to {city}.""".split("\n")

FIELDS = {"name": ["name", "full name", "name of the person", "person", "person's name", "complete name", "first and last name"],
          "email": ["e-mail address", "email address", "e-mail", "email", "mail address", "email contact", "address for e-mail"],
          "phone": ["phone number", "telephone number", "phone", "telephone", "number to call", "contact number", "phone contact"],
          "date": ["date", "calendar date", "exact date", "date given", "date in question"], "price": ["price", "amount", "cost", "sum", "amount of money", "sum of money"],
          "order": ["order number", "reference number", "order ID", "order code", "number of the order", "reference code"],
          "city": ["city", "town", "place", "location", "name of the city", "name of the town"],
          "company": ["company", "company name", "firm", "business", "organisation", "organization", "name of the company", "company's name"],
          "product": ["product", "goods", "item", "article", "merchandise", "kind of goods"], "time": ["time", "time of day", "clock time", "exact time", "time given"]}
FRAMES = [["Hello, ", "Hi team, ", "Good morning. ", "Note: ", "FYI: ", "Dear all, "], [" Thank you.", " Thanks!", " Best regards", " Please confirm.", " See you soon."]]
WITH_SLOTS = [(s, set(re.findall(r"\{(\w+)\}", s))) for s in SENTENCES]


def pairs():
    """Every two fields that stand together in some sentence."""
    return sorted({(a, b) for _, found in WITH_SLOTS for a in found for b in found if a < b and a in FIELDS and b in FIELDS})


def sentence_with(r, needed):
    """A sentence with these fields, and what fills its slots."""
    values = slots(r)
    text = fill(r.choice([s for s, found in WITH_SLOTS if needed <= found]), values)
    chance = r.random()
    return (text if chance < 0.7 else r.choice(FRAMES[0]) + text if chance < 0.85 else text + r.choice(FRAMES[1])), values


def record(r, keys):
    """The fields as "name: Anna Berg; city: Oslo", in any order, with others among them."""
    values = slots(r)
    shown = list(keys) + r.sample([k for k in FIELDS if k not in keys], r.choice([0, 1, 1, 2]))
    r.shuffle(shown)
    return r.choice(["; ", ", ", " | "]).join(f"{k}: {values[k]}" for k in shown), values


def plain(r, least=4, most=8, nouns=None, adjectives=None):
    """A short plain sentence without a full stop, of these words, else of the common or of all words."""
    if nouns is None:
        nouns, adjectives = r.choice([(NOUN, ADJ), (NOUNS, ADJECTIVES)])
    while True:
        a, b = r.sample(nouns, 2)
        x, y = r.sample(adjectives, 2)
        verb, first, city = r.choice(VERB), r.choice(FIRST), r.choice(CITY)
        text = r.choice([f"the {x} {a} {verb} the {b}", f"the {a} {verb} a {x} {b}", f"a {x} {a} {verb} the {y} {b}", f"my {a} is {x} and {y}", f"{first} {verb} the {x} {a}",
                         f"{first} {verb} a {a} in {city}", f"we need a {x} {a} on {r.choice(DAYS)}", f"the {a} and the {b} are {x}", f"please send the {x} {a} to {first}",
                         f"our {a} in {city} is {x}", f"there is no {a} near the {x} {b}", f"{first} and {r.choice(FIRST)} like the {a}", f"every {a} has a {x} {b}"])
        if least <= len(text.split()) <= most:
            return text


def items(r, least=3, most=5):
    return r.sample(r.choice([NOUN, ADJ, NOUNS, ADJECTIVES, CITY, FIRST, LAST, PRODUCT, list(DEPT) + list(TOPIC)]), r.randint(least, most))


# ------------------------------------------------------------------------------------------------------ texts with a class
THING = "product service hotel food film book staff delivery app room course website phone restaurant support".split()
POSS = """The {t} was {p}.|I love this {t}, it is {p}.|What a {p} {t}!|{P} {t}, I will come back.|The {t} works very well.|We are happy with the {t}.
|Thank you for the {p} {t}.|The {t} was better than expected.|Everyone enjoyed the {t}.|I would recommend this {t} to a friend.|The {t} was cheap and {p}.""".replace("\n", "").split("|")
NEGS = """The {t} was {p}.|I hate this {t}, it is {p}.|What a {p} {t}!|{P} {t}, I will not come back.|The {t} does not work at all.|We are unhappy with the {t}.
|I want my money back for this {p} {t}.|The {t} was worse than expected.|Nobody enjoyed the {t}.|I would not recommend this {t} to a friend.|The {t} was expensive and {p}.""".replace("\n", "").split("|")
PA = "great excellent wonderful perfect lovely fantastic amazing superb brilliant delicious helpful".split()
NA = "terrible awful bad horrible poor disappointing useless broken rude boring disgusting".split()


def review(r, good):
    word = r.choice(PA if good else NA)
    return fill(r.choice(POSS if good else NEGS), {"t": r.choice(THING), "p": word, "P": capital(word)})


URG = """{A} The server is down.|{A} Our shop cannot take payments.|Please call back immediately, the {p} are leaking.|We need the {p} within one hour.
|{A} Nobody can log in right now.|The factory has stopped, send help at once.|{A} Customers are waiting at the door.|The alarm in {c} is ringing, hurry.""".replace("\n", "").split("|")
NURG = """When you have time, please send me the price of the {p}.|Thanks for the nice meeting in {c}.|No hurry, but I would like a catalogue.|Next month we plan to order more {p}.
|Could you update my address some day?|I like your new {p}.|The lunch in {c} was nice.|There is no rush with the {p}.""".replace("\n", "").split("|")


def urgent(r, yes):
    opening = r.choice(["Urgent!", "Emergency!", "Help!", "As soon as possible:", "Now please:"])
    return fill(r.choice(URG if yes else NURG), {"A": opening, "p": r.choice(PRODUCT), "c": r.choice(CITY)}).strip()


SPAM = """You have won {m}! Click here.|Earn {m} a day from home, no work needed.|Free {p} for the first 100 people, click now!|Your prize is waiting, send us your bank number.
|Cheap pills and free {p}, act now!|Lose weight fast, only {m}!|Congratulations, you are our lucky winner of {p}!|Double your money in one week!""".replace("\n", "").split("|")
HAM = """The report is attached, see you on {d}.|Can we move the meeting to {d}?|{f} will bring the {p} on {d}.|Here are the notes from our call.|Please review the contract by {d}.
|Thanks for sending the {p}, {f}.|Lunch on {d} in {c}?|The team meets in {c} on {d}.""".replace("\n", "").split("|")


def spam(r, yes):
    return fill(r.choice(SPAM if yes else HAM),
                {"m": "$" + str(r.randint(1, 99) * 100), "p": r.choice(PRODUCT), "d": r.choice(DAYS), "c": r.choice(CITY), "f": r.choice(FIRST)})


DEPT = {"billing": "I was charged twice for order {o}.|Why is my invoice {m}?|My card was declined.|I need a receipt for {m}.|The invoice {o} shows the wrong amount.|Please correct the bill for {m}.",
 "shipping": "My parcel {o} has not arrived.|Where is the package with the {p}?|The courier never came to {c}.|Tracking says the {p} are still in {c}.|When will order {o} be delivered?|The parcel went to the wrong address in {c}.",
 "technical": "The app crashes when I open it.|I get an error message on the screen.|The website is very slow today.|The printer does not connect to the network.|The update failed with error {q}.|The screen stays black after the update.",
 "account": "I forgot my password.|Please delete my account.|I cannot log in with my e-mail.|How do I change my user name?|My account is locked.|I want to change the e-mail of my profile.",
 "sales": "How much do {q} {p} cost?|I would like a quote for {q} {p}.|Do you offer a discount for {q} {p}?|We want to buy {p} for our office in {c}.|Can I get a price list?|Do you sell {p}?",
 "returns": "I want to send the {p} back.|The {p} do not fit, can I return them?|How do I return order {o}?|I would like to exchange the {p}.|The {p} are the wrong colour, please take them back.|Can I get a refund for the returned {p}?",
 "jobs": "I would like to apply for the job in {c}.|Do you have an open position in {c}?|My CV is attached.|Are you hiring drivers?|When is my interview in {c}?|I am looking for an internship."}
DEPT = {k: v.split("|") for k, v in DEPT.items()}


def ticket(r, department):
    return fill(r.choice(DEPT[department]), {"o": order_number(r), "m": price(r), "p": r.choice(PRODUCT), "c": r.choice(CITY), "q": r.randint(2, 60)})


TOPIC = {"sports": "The {w} won the match.|Our team scored in the last minute.|The coach praised the {w}.|The runner broke the record in {c}.|They play football in {c} on {d}.",
 "finance": "The bank raised its interest rate.|Shares of {k} fell on {d}.|{k} reported a profit of {m}.|The stock market in {c} closed lower.|Investors sold their shares.",
 "weather": "It will rain in {c} on {d}.|Snow is expected in {c}.|{d} will be sunny and warm.|A storm is coming to {c}.|Fog and wind in {c} on {d}.",
 "food": "Add two eggs and some flour.|The soup needs more salt.|Bake the cake for {q} minutes.|We cooked rice with tomatoes.|The bakery in {c} sells fresh bread.",
 "travel": "Our flight to {c} leaves on {d}.|The hotel in {c} has a pool.|We took the train to {c}.|Tourists visit {c} in summer.|Pack your suitcase for {c}.",
 "health": "The doctor told {f} to rest.|Take the medicine twice a day.|{f} has a fever and a cough.|The hospital in {c} hired nurses.|Drink water and sleep well."}
TOPIC = {k: v.split("|") for k, v in TOPIC.items()}


def news(r, subject):
    return fill(r.choice(TOPIC[subject]), {"w": r.choice(["team", "players", "girls", "visitors"]), "c": r.choice(CITY), "d": r.choice(DAYS), "k": company(r), "m": price(r),
                                           "q": r.randint(5, 60), "f": r.choice(FIRST)})


QS = ["Where is the {n}?", "When does the {n} open?", "Who has the {n}?", "Is the {n} {a}?", "How old is the {n}?", "Why is the {n} so {a}?", "Can you see the {n}?"]
RQ = ["Please close the {n}.", "Send me the {n}.", "Bring the {a} {n} here.", "Open the {n} now.", "Please call {f}.", "Clean the {a} {n}."]
ST = ["The {n} is {a}.", "{f} has a {a} {n}.", "We saw the {n}.", "My {n} was {a}.", "{f} likes the {n}.", "There is a {n} in {c}."]


def speech(r, kind):
    """A question, a request or a statement."""
    return fill(r.choice([QS, RQ, ST][kind]), {"n": r.choice(NOUN), "a": r.choice(ADJ), "f": r.choice(FIRST), "c": r.choice(CITY)})
