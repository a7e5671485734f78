"""More wordings of the families' instructions: {name} a parameter, [a|b] one of the alternatives. One in ten is held out, for the split "unseen paraphrases" (families.py)."""

MORE = {
    "extract_one": """What [does|do] the [text|message|note] say about the {L}?
[Pull out|Pick out|Take out|Lift out] the {L}.
[Locate|Spot|Identify] the {L} and [write|give|return] it[ back|].
[I|We] [only|just] need the {L}[ from this| here| out of this|].
[I|We] want the {L}[ as it is written| and nothing more| alone|].
[Can|Could] you [find|give me|tell me] the {L}[ please|]?
The {L}[ only|, nothing more|, please|].
Just the {L}[ please|, no other words|].
[Show|Display|State|Name] the {L}[ that is mentioned| given here| in this note|].
[Which|What] {L} [can you find|do you find|appears|stands] [here|in the text|in the note]?
[Look for|Search for] the {L} [and copy it|and return it|in the message].
[Reduce|Cut] the [text|message] to the {L}.
Of all the [details|data], [keep|return] the {L}.
[My|Our] form has a field for the {L}: fill it.
Read the [text|note|mail] and [answer|reply] with the {L}.
Please [note|copy down|type] the {L} [from|of] this message.
Task: [find|extract|get] the {L}.
{L}?
Only {L}.
The answer is the {L} [in|of] the text.
[Here is a message|Here is a text]. What is the {L}?""",
    "extract_two": """[Give|Return|Print|Show] {a} and {b}, [joined|connected|divided] by "{s}".
[I|We] need the {a} and the {b}[ here|], "{s}" [goes between them|in between].
[Find|Get|Copy] first the {a} and then the {b}, [using|with] "{s}" as the separator.
[Make|Build] a line with the {a}, "{s}" and the {b}.
The {a}, then "{s}", then the {b}[, please|].
Two [fields|details]: {a} and {b}. [Separator|Between them]: "{s}".
[Pull out|Pick out|Take] the {a} and the {b} and [join|link|connect] them [with|by] "{s}".
[Output|Write] {a} "{s}" {b}.
Which {a} and which {b} are [given|named|mentioned]? [Separate|Split|Divide] them [by|with] "{s}".
[Answer|Reply] with the {a} followed by "{s}" and the {b}.
Read the [text|message]; [write|give] the {a} and the {b} with "{s}" [between|in the middle].
Fields: {a}, {b}; separator "{s}".
[Can|Could] you [list|write] the {a} and the {b} with "{s}" between the two?
[Put|Place|Set] "{s}" between the {a} and the {b} [of the text|that you find].""",
    "json_fields": """[Build|Make|Create|Write] a JSON object [out of|from] the [text|message] with {ks}.
[Give|Return|Show|Print] {ks} [as|in] [JSON|a JSON object].
JSON with the [keys|fields] {kc}[, please|].
[I|We] need JSON with the [keys|fields] {ks}.
[Parse|Read] the [text|message|note] into JSON: {kc}.
[Put|Place] {ks} into [JSON|a JSON object].
[Represent|Write down|Note] the [text|message] as JSON, [keys|fields]: {kc}.
The [output|answer] is [JSON|a JSON object] with [the keys|] {ks}.
[Turn|Change] this into JSON with {ks}.
Make it JSON. The keys are {ks}.
[Find|Pull out|Collect] {ks} and [return|give] them as JSON.
Fill [this|the] JSON: {kc}.
[Can|Could] you [write|give me] the {ks} as JSON?
Keys of the JSON: {kc}.""",
    "labelled": """[Find|Get|Copy|Pull out] the {a} and write "{l}:" [in front of|before] it.
[Put|Place|Set] "{l}:" [before|in front of] the {a}.
"{l}:" and then the {a}[, please|].
[Start|Begin] with "{l}:", then [give|write|add] the {a}.
The {a} [with|behind] the label "{l}:".
[I|We] need the {a} as "{l}: ...".
[Give|Return|Show|Print] the {a}, labelled "{l}:".
[Make|Build] a line "{l}:" with the {a}.
What is the {a}? [Answer|Reply|Write] "{l}:" and the {a}.
[Note|Record] the {a} as "{l}:".
Use the label "{l}:" for the {a}.
The {a} after "{l}:".
Write "{l}:" followed by the {a}.""",
    "person_part": """[I|We] [only|just] need the {L}.
[Pull out|Pick out|Take out] the {L}[ of the person|].
[Which|What] {L} [is mentioned|does the person have|can you find]?
The {L}[ only|, nothing more|, please].
[Can|Could] you [give|tell] me the {L}?
[Reply|Answer] with the {L}[ of the person| only|].
[Look for|Search for|Identify] the {L}.
Just the {L}[ of this person|, no other words].
Of the name, [keep|return|write] the {L}.
[Show|State|Name] the {L} [of the person|mentioned in the text].
Read the [text|message] and [write|give] the {L}.""",
    "extract_date_as": """[Give|Return|Write|Show] the date [as|in the form|like] {F}.
[Use|Take] the form {F} for the date [in the text|that is mentioned].
The date[, please|] in the form {F}.
[Find|Look for|Pull out] the date and [write|give|return] it as {F}.
[Convert|Change|Turn|Rewrite] the date [to|into] {F}.
[Our form needs|They need] the date as {F}.
What date [is given|stands here|do you find]? Write it as {F}.
[Reformat|Format] the date[ of the text|]: {F}.
Date format: {F}. Which date is [given|named]?
[Answer|Reply] with the date [as|in the form] {F}.
[Can|Could] you write the date as {F}?
Only the date, as {F}.""",
    "classify": """[Use|Give|Write] the [right|correct] class of the {X}: {ns}.
[What|Which] class fits the {X}, {ns}?
[Sort|Tag|Mark|Label] this {X}: {ns}.
[What|Which] is the {X}, {ns}?
[Judge|Check] the {X}: {ns}?
[Read|Look at] the {X} and [write|return|answer] {ns}.
[Return|Print|Give|Write|Answer] {ns}.
Is this {X} {ns}?
[Can|Could] you [label|classify|mark] the {X} as {ns}?
[Answer|Reply] with {ns}.
[Select|Choose|Pick] one for the {X}: {ns}.
[Evaluate|Rate|Assess] the {X}: {ns}.
How would you [label|mark|rate] the {X}, {ns}?
[Put|File] the {X} under {ns}.
{X}: {ns}?
[Our|The] classes are {ns}. [Which one is it|Choose one|Pick one]?""",
    "judge": """[Say|Write|Print] {p} [when|if] the {X} is {c} and {n} [if not|when not|otherwise].
{c} or not? {p} or {n}.
Is this {X} {c}? {p} if yes, {n} if no.
Is it {c}? [Use|Answer with|Reply] {p} or {n}.
[Check|Decide|Judge] [whether|if] the {X} is {c}: {p} or {n}.
[Tell|Show] me {p} if the {X} is {c}, {n} [otherwise|if it is not].
[Can|Could] the {X} be called {c}? [Answer|Say] {p} or {n}.
Would you say the {X} is {c}? {p} / {n}.
[Mark|Label] the {X} {p} if it is {c}, else {n}.
Return {p} for {c} and {n} for anything else.
The {X} is {c}: {p} or {n}?
If the {X} is {c}, [say|write] {p}; if not, {n}.""",
    "route": """[Where|To whom] [does|should] this [go|be sent]: {ds}?
[Who|Which desk] [should|must] [take|handle|answer] this [ticket|message|request]: {ds}?
[Name|Give|Return|Write] the [team|department|queue] for this [ticket|message|request]: {ds}.
[Decide|Say] which [team|department] it is: {ds}.
[Pick|Choose|Select] one: {ds}.
Is this [ticket|request|message] for {ds}?
[Our|The] [teams|departments|queues] are {ds}. [Where does this go|Which one is it|Choose one]?
[Assign|Give|Hand] this to {ds}.
[Mark|Tag] the [ticket|message|request] with {ds}.
[Reply|Answer] with the [team|department|queue]: {ds}.
[Sort|Put] this into {ds}.
[Find|Tell me] the right [desk|team|department]: {ds}.
[What|Which] [queue|team|department] is it, {ds}?
[Dispatch|Deliver] the [message|ticket] to {ds}.""",
    "class_codes": """[Use|Give|Write] the [right|correct] code for the {X}: {m}.{o}
[What|Which] code fits the {X}? {m}.{o}
[Decide|Judge] [whether|if] the {X} is {ns} and [write|answer|reply]: {m}.{o}
[Sort|Tag|Mark|Label] this {X} with a code: {m}.{o}
[Our|The] codes for a {X} are {m}. [Which one is right|Choose one|Pick one].{o}
[Read|Look at] the {X} and [write|return|give] the code. {m}.{o}
[Return|Print|Give] {m}.{o}
Is this {X} {ns}? {m}.{o}
[Map|Code] the {X}: {m}.{o}
The {X} is {ns}. [Codes|Answers]: {m}.{o}
[Can|Could] you [label|classify|code] the {X}? {m}.{o}
[Answer|Reply] with one code: {m}.{o}
[Select|Choose|Pick] the code of the {X}: {m}.{o}
[Evaluate|Rate] the {X} with these [labels|codes]: {m}.{o}
We [label|mark] a {X} like this: {m}. [Do it|Label it|Mark it].{o}""",
    "route_codes": """[What|Which] is the code of the [ticket|request|message]? {m}.{o}
[Route|Sort|Tag] the [ticket|request|message] by code: {m}.{o}
[Our|The] [codes|queue codes|team codes] are {m}. [Choose one|Pick one|Give the right one].{o}
[Give|Return|Print] the [right|correct] code: {m}.{o}
[Read|Look at] the [ticket|request|message] and [give|write|answer with] the code, {m}.{o}
[Send|Assign] the [ticket|request|message] by code: {m}.{o}
[Use|Take] these codes: {m}.{o}
[Who|Which team] should handle this? {m}.{o}
[Select|Pick|Choose] the code of the [team|department]: {m}.{o}
Codes: {m}.{o}
[Map|Translate] the [ticket|request|message] to a code: {m}.{o}
[Answer|Reply] with one code: {m}.{o}
[Can|Could] you [code|label] this [ticket|request]? {m}.{o}""",
    "topic": """[Name|Give|Return|Write] the [topic|subject|category]: {ds}.
[What|Which] [topic|subject|category] is it, {ds}?
[Decide|Say|Tell me] [whether|if] it is about {ds}.
[Sort|Put|File] the [news|text|sentence] under {ds}.
[Tag|Mark] the [text|news|sentence] with {ds}.
The [text|sentence] is about {ds}. [Which one|Choose]?
[Pick|Select|Choose] one [topic|subject]: {ds}.
[Our|The] [sections|categories|topics] are {ds}. [Where does this go|Which one fits]?
[Reply|Answer] with the [topic|subject|category]: {ds}.
Topic: {ds}?
[Read|Look at] the [text|news] and [name|give] the [topic|subject]: {ds}.
[Assign|Give] the [text|news] a [category|topic]: {ds}.""",
    "mentions": """[Say|Write|Answer|Return] {p} [when|if] the [text|message|note] [contains|has|mentions] {F} and {n} [if not|when not|otherwise].
Can you [see|find] {F}[ in the text| here|]? {p} if yes, {n} if no.
{F}: [there|present] means {p}, [missing|absent] means {n}.
Does the [text|message|note] have {F}? {p} = yes, {n} = no.
[Look for|Search for] {F}; [write|say|answer] {p} if [you find it|it is there], else {n}.
[Is there|Do we have] {F} in the [text|message|note]? [Answer|Reply] {p} for yes and {n} for no.
[Tell|Show] me {p} if {F} is [mentioned|named|there], {n} [otherwise|if it is not].
With {F} [write|answer] {p}, without it {n}.
[Mark|Label] the [text|message] {p} if it [has|contains] {F}, else {n}.
[Print|Output|Return] {p} for a [text|message] with {F} and {n} for one without.
If {F} [occurs|appears|is given], [say|write] {p}; if not, {n}.""",
    "case": """[Make|Turn] [it|everything|the text] {F}.
[Set|Print|Type] the [text|words|sentence] in {F}.
[I|We] need [this|the text] in {F}.
[Give|Show] me the [text|sentence|words] in {F}.
[Apply|Use] {F} [to the text|here|throughout].
The [text|words|sentence] in {F}[, please|].
[Change|Switch|Convert] to {F}.
[Rewrite|Repeat|Copy] [this|it|the text] [using|in] {F}.
[Can|Could] you [write|put] this in {F}?
{F}[, please|].
All of it in {F}.
[Output|Return] the same [text|words] in {F}.
[Format|Style] the [text|sentence] in {F}.""",
    "first_last": """[I|We] [only|just] need the {e} {n} words.
The {e} {n} words[ only|, please|].
[Take|Copy|Repeat|Print] the {e} {n} words[ of it| of the text|].
[Reduce|Trim|Limit] [it|the text|the sentence] to the {e} {n} words.
[Which|What] are the {e} {n} words?
[Can|Could] you [give|show] me the {e} {n} words?
[Drop|Remove|Delete] [all|everything] but the {e} {n} words.
[Pull out|Pick|Extract|Get] the {e} {n} words.
[Reply|Answer] with the {e} {n} words.
Just the {e} {n} words[ of the sentence|].
[Leave|Keep] nothing but the {e} {n} words.
[Quote|State|Say] the {e} {n} words.""",
    "drop_words": """[Cut|Cut off|Strip|Erase|Take off] the {e} {n}.
[I|We] [need|want] the [text|sentence] without the {e} {n}.
[Repeat|Copy|Print|Give me] [it|the text|the sentence] without the {e} {n}.
[Omit|Skip] the {e} {n}.
The [text|sentence] without its {e} {n}[, please|].
[Everything|All] but the {e} {n}.
[Can|Could] you [remove|delete|drop] the {e} {n}?
[Keep|Return] [all|everything] except the {e} {n}.
[Get rid of|Discard] the {e} {n}.
[Shorten|Trim] [it|the text] by the {e} {n}.
[Reply|Answer] with the [text|sentence] minus the {e} {n}.""",
    "nth": """[I|We] [only|just] need the {n} {u}.
The {n} {u}[ only|, please|].
[Take|Print|Get|Say|Name|State] the {n} {u}[ of it|].
[Which|What] is the {n} {u}?
[Can|Could] you [give|tell|show] me the {n} {u}?
[Reply|Answer] with the {n} {u}.
Just the {n} {u}.
[Pull out|Pick out|Select|Choose] the {n} {u}[ here|].
[Reduce|Cut] the [text|list|line] to the {n} {u}.
[Look at|Read] the [text|list|line] and [write|give] the {n} {u}.
[Leave|Keep] nothing but the {n} {u}.
[Repeat|Quote] the {n} {u}.""",
    "reverse": """[Put|Set|Print] the {u} in [reverse|reversed|opposite] order.
[Change|Turn] the order of the {u} [around|round].
[List|Say|Repeat|Copy] the {u} [backwards|in reverse|in reverse order|from the last to the first].
The {u} [backwards|in reverse order|from last to first][, please|].
[I|We] [need|want] the {u} [reversed|backwards|in reverse order].
[Can|Could] you reverse the {u}?
[Make|Show] the {u} go backwards.
Reverse order of the {u}[, please|].
Last of the {u} first, first of the {u} last.
[Mirror|Swap] the order of the {u}.""",
    "join_list": """[Put|Place|Set] "{s}" between the [items|words|entries].
[Separate|Split|Divide] the [items|words|entries] [by|with] "{s}".
The [items|entries] [joined|connected|separated] by "{s}"[, please|].
[Use|Take] "{s}" [as the separator|as separator|instead of commas|instead of the comma].
[Change|Turn] [every comma|each comma|the commas] [to|into] "{s}".
[I|We] [need|want] the [list|items] with "{s}" between [them|the items].
[Rewrite|Print|Return|Give me|Repeat] the list with "{s}" [as separator|instead of commas].
[Can|Could] you join [these|the items] with "{s}"?
Separator: "{s}".
[Make|Build] one line of the items with "{s}" [between|in between].
[Glue|Tie|Chain] the [items|words] together with "{s}".""",
    "replace_word": """[Exchange|Switch] "{x}" [for|with] "{y}".
[Put|Insert|Place] "{y}" [in place of|in the place of|for] "{x}".
"{x}" [should be|must be|is now|shall be] "{y}".
[Rewrite|Repeat|Copy|Return] the [text|sentence] with "{y}" [instead of|in place of|for] "{x}".
[Every|Each] "{x}" [becomes|turns into|is to be] "{y}".
[I|We] [want|need] "{y}" [where|wherever] [there is|it says] "{x}".
[Find|Take] "{x}" and [replace it with|make it|turn it into] "{y}".
[Can|Could] you [replace|change|swap] "{x}" [by|with|to] "{y}"?
"{y}" [for|replaces|instead of] "{x}".
[Rename|Edit|Correct] "{x}" [to|into] "{y}".
[If|Where] you see "{x}", write "{y}".
[The word|The name|The text] "{x}" is wrong, [use|write|put] "{y}".
[Overwrite|Update] "{x}" with "{y}".""",
    "delete_word": """[Cut|Cut out|Strip|Erase|Take out|Strike] [the word|] "{x}".
[I|We] [need|want] the [text|sentence] without "{x}".
[Repeat|Copy|Print|Give me] [it|the text|the sentence] without [the word|] "{x}".
[Omit|Skip] [the word|every] "{x}".
No "{x}"[ in the text|][, please|].
[Everything|All] but [the word|] "{x}".
[Can|Could] you [remove|delete|drop] "{x}"?
[Get rid of|Discard] [the word|] "{x}".
[The word|] "{x}" [must go|has to go|should go|is too much].
[Keep|Return] [all|everything] except "{x}".
[Clean|Clear] the [text|sentence] of "{x}".""",
    "add_text": """[Attach|Set|Place] "{x}" [at|to] the {w}.
[I|We] [need|want] "{x}" at the {w}[ of it| of the text|].
At the {w} [write|add|put|insert] "{x}".
[Make|Let] "{x}" stand at the {w}.
[Copy|Repeat|Print] the [text|sentence|message] with "{x}" at the {w}.
The {w} is "{x}".
[Can|Could] you [add|put] "{x}" [at|to] the {w}?
"{x}" [goes|belongs|stands] at the {w}.
[Extend|Complete] the [text|message] with "{x}" at the {w}.""",
    "count": """[What is|Tell me] the number of {u}?
[I|We] need the number of {u}.
Number of {u}[, please|]?
[Say|Print|Show|State] the [number|count] of {u}.
[Count|Number] all {u}[ of the text| here|].
[Can|Could] you count the {u}?
[Reply|Answer] with the number of {u}.
How many {u} [does it have|has the text|can you count|stand here]?
{u}: how many?
The [count|number] of {u}.""",
    "fill_template": """[Put|Set|Insert] the [values|data|details] into this [text|template|message]: "{t}"
[Use|Take] the [values|data|details] to [complete|fill in] "{t}"
[Write|Make|Build|Create|Produce] "{t}" with the [values|data|details] [given|of the record].
[Template|Pattern|Form]: "{t}"
[Replace|Exchange] the [fields|names in brackets] of "{t}" [by|with] their values.
[I|We] need the [text|message] "{t}" with the [values|details] filled in.
[Can|Could] you [fill in|complete] "{t}"?
[Turn|Make] the record into "{t}"
[Follow|Use] this [pattern|form|text]: "{t}"
[Send|Give] me "{t}" with the right [values|details].
[Compose|Draft] the [message|text] "{t}" from the [record|data|details].""",
    "translate": """[Put|Render] [this|it|the words] [in|into] {F}.
[In|To|Into] {F}[, please|].
[What|How] [do you say in|would you write in] {F}?
[I|We] need [this|it|the words] in {F}.
[Can|Could] you translate [this|it] [to|into] {F}?
The {F} for [this|it|the words][, please|].
[Return|Print|Show] the {F} [words|translation|text].
[Say|Write] [it|this|the words] in {F}.
Translate: {F}.
[From English to|English to] {F}.
[What are|Which are] the {F} words[ for this|]?
{F}, please.
[Reply|Answer] in {F} with the translation.""",
    "look_up": """[I|We] need the {F}[ of this country| of the country|].
[Which|What] {F} [belongs to|goes with] [this|the] country?
The {F} of [this|the] country[, please|].
[Look up|Find|Say|State|Print] the {F}[ of the country| of this country|].
[Can|Could] you [give|tell] me the {F}?
{F}?
{F} of the country[, please|].
[Which|What] {F} has [this|the] country?
[Only|Just] the {F}.
Read the [text|sentence] and [name|give] the {F} of the country.
[Reply|Answer] with the country's {F}.""",
    "number": """We need the number {F}.
The number {F}[, please|].
[Print|Show|Say|Tell me|Spell] the number {F}.
[Can|Could] you give me the number {F}?
[Turn|Put] the number [into words|in words].
[Reply|Answer] with the number {F}.
[Take|Read] the number; [write|give] it {F}.""",
}
