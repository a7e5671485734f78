"""More wordings of the families' instructions: {name} a parameter, [a|b] one of the alternatives. One in ten is held out, for the split "unseen paraphrases" (families.py)."""

MORE = {
    "extract_one": """What does the [text|message|note] say about the {L}?
[Pull out|Pick out|Lift out] the {L}.
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
[Here is a message|Here is a text]. What is the {L}?
Wherever you see the {L}, copy it [out|for me].
[I am|We are] [only|just] interested in the {L}.
[I am|We are] after the {L}[ here| in this text|].
[All I need is|All we want is|What I need is|What I want is] the {L}.
[Would|Will] you [please|kindly] [write|send|return] the {L}?
[Could|Can] you [read out|pick out|point out|copy out] the {L} for me?
[Could|Can] I have the {L}[, please|]?
[May|Can] we [get|see|know] the {L}?
[Do|Can] you see the {L}? [Write|Copy|Return] it.
[The|This] [text|message|note] [gives|has|contains|names] the {L}. [Copy|Write|Return] it.
Somewhere in the [text|message|note|line] is the {L}; [find|copy|return] it.
From this [text|message|note|mail|snippet], [take|get|copy|return] the {L}.
From the [line|input|snippet] below, [pick|extract|read] the {L}.
In the [text|message|line] there is the {L}. What is it?
What [stands|is written|is given|is stated] as the {L}?
What is given [here|in this line|in the input] as the {L}?
What would you [write|enter|type] [under|for|as] the {L}?
[Tell|Show] us the {L}[ from the text| in this message|].
[Let me know|Let us know] the {L}.
[Let me see|Let us see] the {L}[ only|].
[Hand|Pass] me the {L}[, nothing else|].
[Isolate|Capture|Grab|Fetch|Retrieve] the {L}[ from the input| of the text| here|].
[Grab|Fetch|Get] just the {L}[, leave the rest|].
[Single out|Read off|Read out] the {L}.
[Please|Kindly] [find|give|state|provide|name|supply] the {L}.
[Provide|Supply|Report|Present] the {L}[ found in the text| found here|].
[Repeat|Copy out] the {L}[ exactly| word for word| as given|].
[Copy|Write] the {L} [exactly|just] as it [stands|appears] in the [text|message|input].
[Keep|Leave] [only|just|nothing but] the {L}.
[Keep the|Save the] {L} and [drop|forget|ignore|throw away] the rest.
[Ignore|Forget|Drop|Skip] everything [except|but|other than] the {L}.
[Remove|Delete] everything [except|but] the {L}.
The rest [does not matter|is not needed|can go]: I [want|need] the {L}.
The {L} is [all I need|all we need|what I need|what we want].
The {L} [should|must|is to] be [copied|returned|given|extracted].
The {L} of the [message|text|note] is [wanted|needed|asked for].
The [answer|output|result|reply] [should|must] be the {L}[ only| alone|].
Your [answer|output|reply] is [just|only] the {L}.
[Wanted|Needed|Required|Asked]: the {L}.
[Question|Task|Job]: [what is the {L}?|which {L} is given?|which {L} is named?]
[Task|Job|To do|Your job]: [copy|return|pick out] the {L} [from the input|of the text].
[Task|Your task]: {L}.
[Output|Answer|Result|Return]: {L}.
[Field|Wanted field|Detail]: {L}.
{L}[, please|].
{L} only[, please|].
{L} and nothing else[, please|].
The {L}?
And the {L}?
[Just|Only] [write|say|type|print|send] the {L}.
[Simply|Just] [give|return|state] the {L}.
[It is|This is] about the {L}: [what is it|which one is it]?
[Your job is to|You should|You are to|You have to] [find|copy|extract|return] the {L}.
[I would like|I would love|We would like] [to know|to have|to see|to get] the {L}.
[I want|We need] to [know|see|have] the {L}[ in this message|].
[I cannot find|I do not see|We cannot see] the {L}. [Can you|Could you] tell me?
[Help me find|Help us find|Help me with] the {L}.
[Do you know|Can you see|Can you tell] [what the {L} is|which {L} is meant]?
[Check|Look through|Go through|Scan] the [text|message|input|note] for the {L} and write it.
[Scan|Check|Read] this [text|message|line] and [report|send back|say] the {L}.
[Having read|After reading] the [text|message], [give|name|state] the {L}.
[If|When] you have found the {L}, [write it down|copy it here|return it].
[Once|When] you see the {L}, [stop and write it|write it and nothing else].
[Write|Put] down [just|only] the {L} [you find|that is given|from the text].
[Type|Enter|Note] the {L} [here|for the form|for our list].
For [our|my] [records|list|files], [give|write|copy] the {L}.
For the [form|list|table] [I|we] need the {L}.
To fill the [form|table|list] we need the {L} [in|of] the [text|message].
[By the text|According to the text|According to the message|Going by the note], what is the {L}?
[Which|What] {L} do they [give|mention|name|mean]?
[Which|What] {L} does the [text|message|writer|sender] [give|mention|name]?
[Which|What] {L} is [it|this|meant|written here|in the input]?
[Which|What] is the {L} [here|in this case|in the line above|they give]?
What was the {L}[ again| in the message|]?
Say what the {L} is[ in the text|].
Say which {L} is [given|mentioned|meant].
[Out of|From|Of] [all of this|all this text|the whole text], [only the {L} counts|I only need the {L}].
One detail [is enough|will do|only]: the {L}.
One [field|detail|thing] [only|please]: the {L}.
The part of the [text|message] that is the {L}, [please|nothing else].
[See|Look] what is given as the {L} and [write|copy] it.""",
    "extract_two": """[Give|Return|Print|Show] {a} and {b}, [joined|connected|divided] by "{s}".
[I|We] need the {a} and the {b}[ here|], "{s}" [goes between them|in between].
[Find|Get|Copy] first the {a} and then the {b}, [using|with] "{s}" as the separator.
[Make|Build] a line with the {a}, "{s}" and the {b}.
The {a}, then "{s}", then the {b}[, please|].
Two [fields|details]: {a} and {b}. [Separator|Between them]: "{s}".
[Pull out|Pick out|Take] the {a} and the {b} and [join|link|connect] them [with|by] "{s}".
[Output|Write] {a}, then "{s}", then {b}.
Which {a} and which {b} are [given|named|mentioned]? [Separate|Split|Divide] them [by|with] "{s}".
[Answer|Reply] with the {a} followed by "{s}" and the {b}.
Read the [text|message]; [write|give] the {a} and the {b} with "{s}" [between|in the middle].
Fields: {a}, {b}; separator "{s}".
[Can|Could] you [list|write] the {a} and the {b} with "{s}" between the two?
[Give|Write] the {a} and the {b} of the text and [put|place|set] "{s}" between them.
[I|We] want the {a} and the {b} [in one line|on one line], with "{s}" between.
[I|We] would like the {a}, then "{s}", then the {b}.
[I am|We are] after the {a} and the {b}; the separator is "{s}".
[Could|Can] I have the {a} and the {b} with "{s}" in between?
[Could|Would] you [please|kindly] [return|extract|copy] the {a} and the {b}, "{s}" between the two?
[Could|Can] you find the {a} and the {b}? [Join|Link|Connect] them with "{s}".
[May|Can] we get the {a}, then "{s}", then the {b}?
[Please|Kindly] [give|send|provide] the {a} and the {b} separated by "{s}".
[Provide|Report|State|Name] the {a} and the {b}, with "{s}" to divide them.
[Grab|Fetch|Collect] the {a} and the {b} and [put|set|place] "{s}" between them.
[From|Out of] the [text|message|note|input], [take|get|copy] the {a} and the {b}; [join|link] them by "{s}".
From this [text|line|snippet] [I|we] need two [things|details], {a} and {b}, with "{s}" between.
In the [text|message] you find the {a} and the {b}. [Write|Return] both, "{s}" between them.
The {a} comes first, the {b} [second|after it|last], and "{s}" [in between|between them].
The {a} [goes|stands] before "{s}", the {b} [after it|behind it].
The {a} [goes|stands] left of "{s}" and the {b} right of it.
Left of "{s}" [write|put] the {a}, right of it the {b}.
Before "{s}" [comes|goes] the {a}, after "{s}" the {b}.
The {b} [comes|goes] after the {a}, with "{s}" between [them|the two].
[Put|Write|Add] the {b} after the {a} and [separate|divide] [them|the two] by "{s}".
[Begin|Start|Open] with the {a}, [add|write|put] "{s}" and [end|finish|close] with the {b}.
[Write|Print] the {a}. [Add|Put] "{s}". [Write|Print] the {b}.
[Write|Type|Copy] the {a}, add "{s}", then [write|type|copy] the {b}.
[First|To start] the {a}, [next|then] "{s}", [last|at the end] the {b}.
[Find|Read] the {a}. [Find|Read] the {b}. [Join|Combine] them with "{s}".
[Find|Locate|Identify] both the {a} and the {b} and [write|give] them with "{s}" between.
With "{s}" between them, [write|give|list] the {a} and the {b}.
With "{s}" as separator, [give|return|show] the {a} and the {b}.
Using "{s}" as the separator, [write|list|output] the {a} and the {b}.
Use "{s}" to [join|link|connect|separate] the {a} and the {b}.
Use "{s}" between the {a} and the {b} in your answer.
"{s}" [should|must|has to] [stand|be|come] between the {a} and the {b} in your answer.
"{s}" [joins|links|separates|divides] the {a} and the {b} in the [answer|output].
"{s}" is the separator; [give|write] the {a} and the {b}.
[Write|Give] the {a} and the {b}, and between them [put|write|use|place] "{s}".
Separator "{s}": [give|write|list] the {a} and the {b}.
[Separator|Divider]: "{s}". [Order|Fields|Wanted]: {a}, {b}.
[Wanted|Needed|Required]: {a} and {b}, with "{s}" [between|in between].
[Task|Job]: {a} and {b}, [separated|divided|joined] by "{s}".
[Task|Your task]: [extract|find] the {a} and the {b}. [Separator|Divider]: "{s}".
[Format|Form|Pattern]: {a}, then "{s}", then {b}.
[Output|Answer|Result]: the {a}, "{s}" and the {b}.
The [output|answer|line] [has|needs] the {a} first, then "{s}", then the {b}.
The [answer|output|result] [consists of|is made of|has] the {a}, "{s}" and the {b}.
The [answer|reply|output] [should|must] be the {a} and the {b}, [divided|separated] by "{s}".
Your [answer|reply|line] [should|must] have the {a}, then "{s}", then the {b}.
{a}, then {b}, "{s}" [between|in between].
{a} and {b}, [joined|separated|linked] with "{s}"[, please|].
{a} + {b}, separator "{s}"
Both the {a} and the {b}, "{s}" [between|in the middle][, please|].
[Just|Only] the {a} and the {b}, [joined|split|linked] by "{s}".
[Just|Only] two [details|things]: the {a} and the {b}, "{s}" between.
What is the {a} and what is the {b}? [Put|Write|Use] "{s}" between the two.
What are the {a} and the {b}? [Join|Link|Connect] the two [by|with] "{s}".
Which {a} and {b} [do you find|do you see|are there]? [Answer|Reply] with "{s}" between them.
[Tell|Show] me the {a} and the {b}, and [split|divide] them [with|by] "{s}".
[Let me have|Let me see] the {a} and the {b} with "{s}" between them.
[If|When] you have the {a} and the {b}, [join|link|connect] them with "{s}".
[Take|Pick] the {a}, [take|pick] the {b}, and [put|place] "{s}" in the middle.
[Pair|Combine] the {a} with the {b}[; use|, using] "{s}" [between them|as the separator].
[Link|Tie|Connect|Join] the {a} to the {b} with "{s}".
[Link|Join|Connect] {a} and {b} [of the text|found in the text] by "{s}".
[Keep|Leave] only the {a} and the {b} and [write|put] "{s}" between them.
[Drop|Ignore|Forget] the rest: {a}, then "{s}", then {b}.
[Reduce|Cut] the [text|message] to the {a} and the {b} with "{s}" between.
[Turn|Change] the [text|message] into the {a}, "{s}" and the {b}.
[Our|My] [list|table] has the {a}, "{s}" and the {b} in [each|every] line. [Make|Write] [such a line|one].
[Our|My] lines look like this: the {a}, then "{s}", then the {b}. [Write|Make] one.
For [our|my] list: {a} and {b}, [divided|separated] by "{s}".
One line, please: the {a}, "{s}", the {b}.
[Write|Make] one line [out of|from] the {a} and the {b}, "{s}" between.
The {a} and the {b} [are wanted|are needed], with "{s}" between them.
The {a} and the {b} [should|must|are to] be [given|written|returned] with "{s}" between them.
After the {a} write the {b}, but put "{s}" [in between|between them].
[Give|Return] {a} first and {b} second. [Separate|Divide] [them|the two] by "{s}".
[Write|List] them in this order, {a}, {b}, and with "{s}" between.
[Say|State] the {a}, "{s}" and the {b}.
[Read|Scan] the [note|text|line] for the {a} and the {b}; [answer|reply] with both, "{s}" between.
[You should|You are to|Your job is to] [write|return] the {a} and the {b} with "{s}" between them.
[Help me|Help us]: {a} and {b} with "{s}" in the middle.""",
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
[Find|Pull out|Collect] {ks}; [answer|reply] in JSON.
Fill [this|the] JSON: {kc}.
[Can|Could] you [write|give me] the {ks} as JSON?
Keys of the JSON: {kc}.
[Could|Can] you [make|build|produce] JSON [from|out of] this, with {ks}?
[Could|Would] you [please|kindly] [return|send] a JSON object with {ks}?
[Can|Could] I [get|have] {ks} [as|in] JSON[, please|]?
[May|Can] we have this as JSON with {ks}?
[I|We] want a JSON object [holding|containing|with] {ks}.
[I|We] want JSON[, the keys being|. Keys:] {kc}.
[I|We] would like {ks} [as|in the form of] JSON.
[I am|We are] after a JSON object with {ks}.
[What I need|All I need|What we want] is JSON with {ks}.
[Please|Kindly] [give|provide|send|return] JSON with {ks}.
[Please|Kindly] [answer|reply] with JSON: {kc}.
[Provide|Supply|Send|Deliver] {ks} in JSON.
[Generate|Construct|Form|Compose] JSON with the [keys|fields|names] {ks}.
[Generate|Create|Prepare] a JSON object[ for this text| from the input|]: {kc}.
[Export|Save|Store] {ks} as JSON.
[Store|Save|Record|Keep] {ks} in a JSON object.
[Pack|Wrap|Collect|Gather] {ks} [in|into] JSON.
[Structure|Organise|Arrange] the [text|message|data] as JSON with {ks}.
[Transform|Convert|Bring] the [line|input|note|mail] [to|into] a JSON object with {ks}.
[Make|Turn] the [text|message|line] into JSON: {kc}.
[Extract|Fetch|Grab|Take] {ks} [from the text|from the message|from this] [as|into|in] JSON.
[Extract|Pull|Get] the fields {kc} and [write|format|return] them as JSON.
[Read|Pick] {ks} out of the [text|message|note] and [write|return] JSON.
[Read|Scan] the [text|message|note] and [answer|reply] in JSON with {ks}.
From the [text|message|note|input], [make|build|write] JSON with {ks}.
From this [text|message|line] [I|we] need JSON: {kc}.
Out of this [text|message|line], [create|make] a JSON object: {kc}.
For the [keys|fields] {kc}, [write|make|give] JSON.
With the [keys|fields] {ks}, [build|write] a JSON object.
With {ks} as [keys|fields], [write|make] JSON from the [text|message].
As JSON: {kc}.
As a JSON object[, please|]: {kc}.
In JSON, [give|write|return|list] {ks}.
In JSON[, please|]: {kc}.
JSON: {kc}
JSON object: {kc}
JSON only. [Keys|Fields]: {kc}.
JSON output with {ks}[, please|].
JSON from the [text|message], [keys|fields] {kc}.
A JSON object with {ks}[, please|].
Give {ks} as JSON[, please|].
Just {ks} in JSON
I need {ks}, in JSON format.
Fields {kc} as JSON[, please|].
[Keys|Fields]: {kc}. [Format|Output]: JSON.
[Format|Output|Output format]: JSON. [Keys|Fields|Wanted]: {kc}.
[Format|Output]: a JSON object with {ks}
[Task|Job]: JSON with {ks}.
[Task|Your task]: [turn|convert] the [text|input] into JSON. [Keys|Fields]: {kc}.
[Wanted|Needed|Required]: JSON with {ks}.
[Schema|Structure]: {kc}. [Return|Write|Give] JSON.
The [answer|output|result|reply] [should|must] be JSON with {ks}.
The [answer|output|result|reply] [should|must] be a JSON object[. Keys|, keys]: {kc}.
The [result|output|reply] is to be JSON: {kc}.
The JSON [should|must|has to] [have|contain|hold] {ks}.
The JSON object [contains|holds|has] {ks}[, nothing else|].
The JSON [needs|has] the [keys|fields] {ks}.
The [text|message] [should|must|is to] become JSON with {ks}.
Your [answer|reply|output] is a JSON object with {ks}.
Your JSON [needs|should have|must have] {ks}.
Only JSON, with {ks}.
[Just|Only] {ks}, as JSON.
[Use|Take] the [keys|fields] {ks} and [write|answer in] JSON.
[Use|Write] JSON for {ks}.
Use JSON to [write|give|represent|hold] {ks}.
[Enter|Write|Fill] {ks} [in|into] a JSON object.
[Describe|Summarise|Encode|Express] the [text|message|note] as JSON with {ks}.
[Encode|Format|Express] {ks} [as|in] JSON.
[List|Present] {ks} as a JSON object.
[Show|Tell] me {ks} in JSON[ format|].
[Let me have|Let us have|Hand me|Send me] {ks} as JSON.
[Our|The|My] [program|system|database|script] [needs|expects|wants|reads] JSON with {ks}.
[Our|The] [system|program|server] takes JSON with {ks}. [Write|Make|Give] it.
For [our|my] [database|program|system], [write|make] JSON with {ks}.
What would the JSON [with|for] {ks} [be|look like]?
What about {ks}? [Answer|Reply] in JSON.
What does the [text|message] say about {ks}? [Answer|Reply|Write] in JSON.
[If|When] you have found {ks}, [return|write] JSON.
[Look for|Search for|Identify] {ks} and [write|give|output] JSON.
[Find|Locate] {kc} in the [text|message|note] and [return|output] a JSON object.
[Fill|Complete] a JSON object with {ks}.
[Fill in|Complete] the JSON [keys|fields] {kc}.
[Your job is to|You should|You are to] [write|return] JSON with {ks}.""",
    "labelled": """[Find|Get|Copy|Pull out] the {a} and write "{l}:" [in front of|before] it.
[Put|Place|Set] "{l}:" [before|in front of] the {a} and leave out the rest.
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
Write "{l}:" followed by the {a}.
[I|We] want "{l}:" [and then|followed by] the {a}.
[I|We] would like the {a} with "{l}:" [before it|in front of it|in front].
[I|We] need a line that [starts|begins] with "{l}:" and [has|ends with|gives] the {a}.
[I am|We are] after the {a}, with "{l}:" as its label.
[Could|Can] you give the {a} and [write|put|add] "{l}:" before it?
[Could|Can] you [find|give me|return] the {a} with the label "{l}:"?
[Could|Would] you [please|kindly] give the {a}, labelled "{l}:"?
[Can|May] I have the {a} after the label "{l}:"?
[Please|Kindly] copy the {a} and [write|put|set] "{l}:" [ahead of|before] it.
[Please|Kindly] [give|return|provide] the {a}, [starting|beginning] with "{l}:".
[Copy|Find] the {a} and [label|mark|tag|name] it "{l}:".
[Find|Copy] the {a} and [label|mark|tag] it with "{l}:"[ in front|].
Take the {a} of the [text|message] and [label|prefix] it with "{l}:".
[Write|Copy] the {a} and add the label "{l}:" in front.
Copy the {a} and [attach|fix] "{l}:" to its front.
[Write|Type] "{l}:" and then the {a}[ of the text| you find|].
[Extract|Take|Copy|Fetch] the {a} [from the text|from the message|here] and [start|begin] with "{l}:".
[Extract|Find|Read] the {a}; [write|put] "{l}:" in front.
[Find|Locate|Spot] the {a}, then [write|print|type] "{l}:" and the {a}.
[Look for|Search for] the {a} and [give|write] it after "{l}:".
[Look up|Pick out|Pick] the {a} and [label|mark] it "{l}:".
[Print|Type|Say] "{l}:" and [after that|then|next to it] the {a}.
[Print|Write|Type] "{l}:". [Then|After that] [print|write|type] the {a}.
[Open|Start|Begin] the [answer|line|reply] with "{l}:" and [put|write|add] the {a} after it.
[Open|Start|Begin] with the label "{l}:" and [close|end|finish] with the {a}.
[Let|Make] the [answer|line|reply] [start|begin] with "{l}:"[; then|, then] the {a}.
[Let|Have] "{l}:" [stand|come] before the {a} in your answer.
From the [text|message|note|input], [take|get|copy] the {a} and label it "{l}:".
From this [text|note|line] [I|we] need the {a}, labelled "{l}:".
Copy the {a} and in front of it [write|put|place|set] "{l}:".
In the answer, "{l}:" comes before the {a}.
After "{l}:" [write|put|give|copy] the {a}.
After the label "{l}:" [comes|goes|belongs|I need] the {a}.
Behind "{l}:" [write|put|goes] the {a}.
Next to "{l}:" [write|put|give] the {a}.
Under the label "{l}:", [write|give|put] the {a}.
With the label "{l}:", [give|return|write] the {a}.
With "{l}:" in front, [write|give|copy] the {a}.
As "{l}:", [write|give|enter] the {a}.
As the value of "{l}:" [write|use|give|take] the {a}; keep the label.
"{l}:" + the {a}
"{l}:" [comes|goes|stands] [first|in front], then the {a}.
"{l}:" [comes|goes|stands|belongs] [before|in front of] the {a} in the answer.
"{l}:" is the label of the {a}. [Write|Give|Return] [both|label and value].
"{l}:" is what [we|our forms] call the {a}. [Fill it in|Write it|Complete it].
"{l}:" [should|must|has to] [stand|be|come] before the {a} in the answer.
"{l}:" followed by the {a}[, please|].
"{l}:" [and|plus] the {a}, nothing else.
Label "{l}:", [value|content]: the {a}.
[Label|Name of the label]: "{l}:". [Value|Content|Field]: {a}.
[Format|Form|Pattern]: "{l}:", then the {a}.
[Task|Job]: [find|copy] the {a}, [label|mark] it "{l}:".
[Task|Your task]: "{l}:" and the {a}.
[Wanted|Needed|Required]: the {a}, with the label "{l}:".
[Output|Answer|Result]: "{l}:" and the {a}.
The [answer|output|result|line] [should|must] [start|begin] with "{l}:" and [give|contain|have] the {a}.
The [answer|output|result] is "{l}:" [plus|and then|followed by] the {a}.
The [line|answer|output] [has|needs] the label "{l}:" and the {a}.
The [line|reply|answer] [should|must] read "{l}:" and the {a}.
The {a} [should|must|is to] [come|stand|go] after "{l}:".
The {a} [gets|has|needs|carries] the label "{l}:".
The {a} [should|must|is to] be labelled "{l}:".
The {a} is called "{l}:" [here|with us|in our list]. [Write|Give] it [so|like that].
The {a}, [introduced by|preceded by|with] "{l}:"[, please|].
The {a}, but with "{l}:" [in front|before it].
The {a} as "{l}:"[, please|].
Your [answer|reply|line] [starts|begins|opens] with "{l}:", [then|after that] comes the {a}.
Your [answer|reply|line] is "{l}:" and the {a}.
What is the {a}? [Start|Begin] [your answer|your reply|the answer] with "{l}:".
What is the {a}? [Put|Write|Set] "{l}:" [in front of|before] it.
Which {a} [is given|is named|do you find]? [Label|Mark] it "{l}:".
Which {a} [is it|is meant]? [Write|Give] it after the label "{l}:".
How would a line "{l}:" with the {a} [read|look]?
[Tell|Show] me the {a}, but [say|write|put] "{l}:" first.
[Send|Hand|Pass] me the {a} as a line with "{l}:" in front.
[If|When] you have [found|read] the {a}, write "{l}:" and [copy|add] it.
[Fill|Complete] the line "{l}:" with the {a}.
[Fill|Complete] "{l}:" with the {a} [of|from|in] the [text|message|note].
[Enter|Write|Record|Save|Store] the {a} [under|as|after] "{l}:".
[Our|My] [form|list|card] has a line "{l}:" for the {a}. [Write|Fill] it.
[Our|My] [program|system] wants "{l}:" before the {a}. [Write|Give] it [that way|like that].
[You should|You are to|Your job is to] write "{l}:" and the {a}.
Only "{l}:" and the {a}.
Just the {a} with "{l}:" [in front of it|before it].""",
    "person_part": """[I|We] [only|just] need the {L}.
[Pull out|Pick out] the {L}[ of the person|].
[Which|What] {L} [is mentioned|does the person have|can you find]?
The {L}[ only|, nothing more|, please].
[Can|Could] you [give|tell] me the {L}?
[Reply|Answer] with the {L}[ of the person| only|].
[Look for|Search for|Identify] the {L}.
Just the {L}[ of this person|, no other words].
Of the name, [keep|return|write] the {L}.
[Show|State|Name] the {L} [of the person|mentioned in the text].
Read the [text|message] and [write|give] the {L}.
[I am|We are] [only|just] interested in the {L}.
[I am|We are] after the {L}[ only| alone|].
[All I need is|All we need is|What I want is|What we need is] the {L}.
[I|We] would like [to know|to have|to see] the {L}[ of the person|].
[I|We] want [to know|to see|] the {L}[ of this person| and no more|].
[Could|Can] you [find|read|pick out|copy] the {L}[ here| for me|]?
[Could|Would] you [please|kindly] [write|return|send] the {L}?
[Can|May] I have the {L}[ of this person|, please|]?
[Can|May] we know the {L}?
[Do you see|Can you see] the {L}? [Write|Copy] it.
[Please|Kindly] [give|state|provide|name|write] the {L}[ of the person|].
[Provide|Supply|Report] the {L}[ of the person in the text|].
[Take|Keep] the name and [drop|leave out] all but the {L}.
[Take|Get|Fetch|Grab] the {L}[ from the input| out of the text| of the person|].
[Copy|Repeat|Type] the {L}[ as it stands| exactly|].
[Isolate|Single out|Lift out] the {L}.
[Keep|Leave] [only|just|nothing but] the {L}.
[Ignore|Forget|Skip] [everything|all] but the {L}.
[Remove|Delete] [everything|all] except the {L}.
[Reduce|Cut|Shorten] the [text|message] to the {L} of the person.
[Reduce|Cut|Shorten] the name to the {L}.
[Let me know|Let us know|Let me see] the {L}.
[Tell|Show] us the {L}[ of the person|].
[Tell me what|Say what] the {L} [of the person|] is.
Say [only|just] the {L}.
[Name|State] the person by {L} only.
[Simply|Just] [write|give|return] the {L}.
[From|Out of] the [text|message|note|line], [take|get|copy] the {L}.
[From|Out of] the full name [keep|take|use] only the {L}.
[Of|From] [this|the] person [I|we] need the {L}.
[Of|From] the [first and last|two] names, [give|write] the {L}.
In the [text|message|note] a person is [named|mentioned]. [Give|Write|Return] the {L}.
There is a person in the [text|message|note]. What is the {L}?
Somebody is [named|mentioned] here; [what is|give|write] the {L}.
[A person|Somebody] is [mentioned|named]. [By what|By which] {L}?
What {L} does the [text|message|note] [give|mention|name]?
What is the person's {L}[ in the text|]?
What is this person's {L}?
What is [his or her|their] {L}?
What is given as the {L}[ of the person|]?
What would you [write|enter] as the {L}?
What was the {L}[ again|]?
[Which|What] {L} [is given|is it|do they give|does it say|stands here]?
[Which|What] {L} [would you put|would you write|goes] [in the form|on the card]?
[Which|What] is the {L}[ here| of this person|]?
Who is it[, by {L}?|? Only the {L}.|? Give the {L}.]
Who is [named|mentioned]? [Answer|Reply] with the {L}[ only| alone|].
Who is [meant|this about]? [Just|Only] the {L}.
Whose name is it? [Give|Write] only the {L}.
The {L} of the person[, please| is needed|].
The {L} [should|must|is to] be [returned|given|written|copied].
The {L} is [enough|all I need|all we need|what I want].
The {L} will do.
The person's {L}[, please| only|].
This person's {L}[, please|].
The [answer|output|result] [should|must] be the {L}[ alone|].
The [answer|output|result] is the {L}[ of the person|].
Your [answer|reply|output] is [just|only] the {L}.
[Not the whole name|Not the full name], [just|only] the {L}.
[Never mind|Forget] the rest of the name, [give|write] the {L}.
{L}[, please|].
{L}?
{L} only[, please|].
{L} of the person[, please|].
[Just|Only] the {L} [is wanted|is needed|matters].
[Only|Just] [write|return|give] the {L}.
[Wanted|Needed|Required]: the {L}[ of the person|].
[Task|Job|To do]: [find|copy|return] the {L}.
[Task|Your task]: {L} of the person.
[Question|Task]: what is the {L}?
[Output|Answer|Field]: {L}.
For [our|my|the] [form|list|card] [I|we] need the {L}[ of the person|].
For the [list|card|badge], [write|give|copy] the {L}.
[Check|Scan|Go through] the [text|message|note] for the {L} and write it.
[Scan|Read] the [line|note|input] and [report|copy|return] the {L}.
[After reading|Having read] the [text|message], [write|give] the {L} of the person.
[If|When] you find a [person|name], [give|write|return] the {L}.
[If|When] you know who it is, [write|say] the {L}.
[Your job is to|You should|You are to] [find|return|write] the {L}.
[Do you know|Can you tell] [what the {L} is|the {L} of the person]?
[Help me find|Help us find] the {L}.
[We address people|We call people] by the {L}: [write it.|what is it here?]
Our list has only the {L} of [each|every] person. [Fill it in.|Write it.|What is it here?]""",
    "extract_date_as": """[Give|Return|Write|Show] the date [as|in the form|like] {F}.
[Use|Take] the form {F} for the date [in the text|that is mentioned].
The date[, please|] in the form {F}.
[Find|Look for|Pull out] the date and [write|give|return] it as {F}.
Give the date, [converted|changed|rewritten] to the form {F}.
[Our form needs|They need] the date as {F}.
What date [is given|stands here|do you find]? Write it as {F}.
Give the date[ of the text|], [reformatted|formatted] like this: {F}.
Date format: {F}. Which date is [given|named]?
[Answer|Reply] with the date [as|in the form] {F}.
[Can|Could] you write the date as {F}?
Only the date, as {F}.
[I|We] want the date [as|in the form|in the style] {F}.
[I|We] would like the date [written|given] as {F}.
[I|We] need the [day|date] [of the text|mentioned here|in the message], written as {F}.
[I am|We are] after the date, in the form {F}.
[Could|Can] you [give|show|tell] me the date as {F}?
[Could|Can] you give me the date, [changed|converted] to the form {F}[, please|]?
[Could|Would] you [please|kindly] [return|rewrite] the date as {F}?
[Can|May] I have the date as {F}[, please|]?
[Please|Kindly] [write|give|put|return] the date [as|in the form] {F}.
[Please|Kindly] [use|follow] the form {F} for the date.
[Please|Kindly] give the date, [rewritten|reformatted|changed] to the form {F}.
[Bring|Put|Get] the date into the form {F}.
[Bring|Put] the date [in|into] this form: {F}.
Give the date, [transformed|translated|brought] [to|into] the form {F}.
[Extract|Take|Copy|Fetch] the date and [use|choose] the form {F}.
[Extract|Read|Pick out] the date; [the form is|form:] {F}.
[Find|Spot|Locate] the date and give it, [changed|converted] to the form {F}.
[Look for|Search for] the date, then [write|print] it as {F}.
[Print|Show|State|Report] the date [in the form|as|like] {F}.
[Say|Tell me|Name] the date, [written|given] as {F}.
[Tell|Show] us the date in the form {F}.
[Note|Record|Enter|Save] the date in the form {F}.
[Repeat|Copy] the date, [but|only] [as|in the form] {F}.
[Write|Give|State] the [day|date] that is [mentioned|named|given] as {F}.
Give the date with its form [changed|adapted|set] to {F}.
Give the date[ in the text|] in this [standard|normal] form: {F}.
[Style|Write|Set] the date like this: {F}.
[Follow|Use|Apply] the [form|style|pattern] {F} for the date.
[Follow|Use] the form {F} and [write|give] the date.
[Use|Take|Keep to] the form {F} when you [write|give|copy] the date.
[From|Out of] the [text|message|note|input], [take|get] the date and write it as {F}.
[From|In] this [text|line|message] [I|we] need the date, as {F}.
In the [text|message|line] there is a date. [Write|Give] it as {F}.
There is a date [here|in the text|in this message]. Write it in the form {F}.
In the form {F}, [write|give|return] the date.
In the form {F}[, please|]: the date.
In which form? {F}. [Write|Give|Return] the date.
As {F}: the date [in the text|of the message|mentioned here].
As {F}, [write|give|return] the date.
{F}: [write|give|copy|return] the date like that.
{F} is the form [we|I] [use|need|want]. [Write|Give] the date.
{F} is [how|the way] the date [should|must] [look|be written].
{F}, please: [what is the date|which date is it]?
Date as {F}[, please|].
Date in the form {F}[, please|].
Date in this form: {F}
Date, [form|format|style] {F}
[Form|Format|Style]: {F}. [Write|Give|Return] the date.
[Form|Format|Style]: {F}. What is the date?
[Task|Job]: the date as {F}.
[Task|Your task]: [find|write] the date in the form {F}.
[Wanted|Needed|Required]: the date, as {F}.
[Output|Answer|Result]: the date as {F}.
Date [wanted|needed]: form {F}.
The date as {F}[, please|].
The date, written as {F}[, please|].
The date [should|must|has to] [be written|be given|look] like {F}.
The date [should|must|is to] be [returned|written] in the form {F}.
The date [should|must] have the form {F}.
The date of the [text|message], as {F}.
The [answer|output|result] [should|must] be the date as {F}.
The [answer|output|result] is the date in the form {F}.
The form of the date [is|should be|must be] {F}.
The format [is|should be|must be] {F}: which date is it?
Your [answer|reply] is the date, written as {F}.
What is the date, [written|given] as {F}?
What is the date, in the form {F}?
What is the date? [Format|Style]: {F}.
What date is it? [Write|Give|Put] it in the form {F}.
What [is|would be] the date [in the style|written as] {F}?
Which [day|date] is [named|given|meant]? [Answer|Reply|Write] as {F}.
Which date [stands here|do you see|does it mention]? [Use|Take] the form {F}.
How would the date [look|read|be written] as {F}?
How do you write [this|the] date as {F}?
When is it? [Answer|Reply] with the date as {F}.
[On which day|On what date]? [Write|Give] it as {F}.
[Our|My] [list|program|database|table] [has|needs|wants] dates as {F}. [Write|Give] this one.
We write dates as {F}. [Do that here|Do it for this text|Do so with this one].
We write [all|our] dates like {F}. How do we write this one?
[If|When] you find [the|a] date, [write|give] it as {F}.
Whatever the form of the date, write it in the form {F}.
[Only|Just] the date, in the form {F}.
[Only|Just] [write|give|return] the date as {F}.
[Your job is to|You should|You are to] write the date as {F}.
[Do not keep|Never mind] the old form of the date: use the form {F}.""",
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
[Our|The] classes are {ns}. [Which one is it?|Choose one.|Pick one.]
Is it {ns}?
Is that {ns}?
Is this {ns}, what would you say?
Would you [say|call it|call this] {ns}?
Would you [label|describe|classify] the {X} as {ns}?
[Should|Would] this {X} be called {ns}?
[Should|Must] this {X} be [filed|marked|sorted] as {ns}?
Do you [find|call|consider] the {X} {ns}?
Do we have to call the {X} {ns}?
[What do you think|What would you say], is the {X} {ns}?
[What|Which] [label|class|category|word] [fits|suits|describes] the {X}: {ns}?
[What|Which] [label|class|word] [belongs to|goes with] this {X}: {ns}?
Which of these [is it|fits|is right|applies]: {ns}?
What [kind|sort|type] of {X} is it: {ns}?
What [kind|sort|type] of {X} do we have here, {ns}?
What is this {X}: {ns}?
How [is|would you describe] the {X}: {ns}?
How [should|would] this {X} be [labelled|marked|classified]: {ns}?
How do you [judge|read|understand] the {X}: {ns}?
[I|We] [want|need|would like] to know [if|whether] the {X} is {ns}.
[I|We] need [one word|a label|a class] for the {X}: {ns}.
[I|We] want [a label|one label|a class] for this {X}, {ns}.
[I|We] [have to|must] [decide|know] [if|whether] this {X} is {ns}.
[I am|We are] not sure [if|whether] the {X} is {ns}. [Decide|Say which|Help].
[I|We] [cannot|could not] decide [if|whether] it is {ns}. [Can you|Could you]?
[Can|Could] you [tell|say|decide] [if|whether] the {X} is {ns}?
[Can|Could] you [find out|work out|judge] whether it is {ns}?
[Could|Would] you [please|kindly] [say|decide] whether this {X} is {ns}?
[Please|Kindly] [say|decide|judge] whether the {X} is {ns}.
[Please|Kindly] [classify|label|mark] the {X}: {ns}.
[Please|Kindly] [choose|pick|select] between the labels {ns}.
[Find out|Work out|Determine|Check|See] [if|whether] the {X} is {ns}.
[Determine|Identify|Detect] the [class|kind|type] of the {X}: {ns}.
[Decide|Judge|Choose] for this {X}: {ns}.
[Decide|Settle|Answer] this: is the {X} {ns}?
[Judge|Assess|Grade] the {X} as {ns}.
[Categorise|Class|Describe] the {X} as {ns}.
[Call|Name] the {X} {ns}.
[Assign|Give] the {X} [the label|a label|one label|a class]: {ns}.
[Assign|Attach|Add] one of these labels to the {X}: {ns}.
[Put|Place|Set] one [label|mark|tag] on the {X}: {ns}.
[Put|Place] this {X} [in|into] a class: {ns}.
[Group|Sort|File] the {X}, [the groups being|the choice is] {ns}.
[Read|Study|Check] the {X} and [tell me|decide|say] [if|whether] it is {ns}.
[After reading|Having read] the {X}, would you say {ns}?
[Read|Take] the {X} and [classify|label] it as {ns}.
[Reply|Answer] [only with|with just|with one of] {ns}.
[Reply|Answer] with the [class|label] of the {X}: {ns}.
[Write|Print|Output|Return] the [class|label] of the {X}: {ns}.
[Write|Print|Output|Say] only {ns}.
[Use|Take] one of [these labels|the labels|these words]: {ns}.
[Use|Give] the word that fits the {X}: {ns}.
[Tell|Show] us [if|whether] this {X} is {ns}.
[Tell|Show] me [what kind of {X} it is|what it is]: {ns}.
Say what the {X} is: {ns}.
Say {ns}.
Say which [label|class|word] fits the {X}: {ns}.
One of [these|the labels|these words] fits the {X}: {ns}.
One word for the {X}: {ns}.
One [label|class], please: {ns}.
[The|This] {X} is either {ns}.
[The|This] {X} is {ns}[. Which|. Which one|: which]?
[The|This] {X} [should|must|is to] be [labelled|marked|classified] as {ns}.
[The|This] {X} [needs|gets|has] one label: {ns}.
[The|This] {X} can be {ns}. [What is it?|Which is it?|Decide.]
The [class|label|kind] of the {X}, please: {ns}.
The [class|label] of the {X} is {ns}[. Which one|: which]?
The [possible|only] [labels|classes|answers] are {ns}. [Label|Judge|Classify] the {X}.
The choice is {ns}.
The [answer|output|result|label] [should|must] be {ns}.
The [answer|output] is [one word|one label], {ns}.
There are [these classes|these labels]: {ns}. [Which one fits?|Which one is right?|Pick one.]
Your answer is [either|just] {ns}.
Your [job|task] is to [say|decide] [if|whether] the {X} is {ns}.
You [should|must|have to] [say|decide] [if|whether] the {X} is {ns}.
[Labels|Classes|Options|Choices]: {ns}.
[Labels|Classes|Options|Choices]: {ns}. [Choose|Decide|Pick one|Label the {X}].
[Label|Class|Kind|Type|Category] of the {X}: {ns}?
[Task|Job]: is the {X} {ns}?
[Task|Your task]: [classify|label] the {X} as {ns}.
[Question|Task]: {ns}?
{ns}?
{ns}, [which|what] is it?
{ns}: [which|what] is the {X}?
{ns}: [choose.|decide.|pick one.|which one?]
{ns}, [judging|going] by the {X}?
[If|When] you read the {X}, [is it|would you say it is] {ns}?
[Going|Judging] by [its|the] words, is the {X} {ns}?
For this {X}, [choose|write|pick] {ns}.
For the {X}: {ns}?
[From|By] what it says, is the {X} {ns}?
[Just|Only] [say|write|answer] {ns}.
[In|With] one word, is the {X} {ns}?
Take this {X}: is it {ns}?""",
    "judge": """[Say|Write|Print] {p} [when|if] the {X} is {c} and {n} [if not|when not|otherwise].
Really {c}? {p} or {n}.
Is this {X} {c}? {p} if yes, {n} if no.
Is it {c}? [Use|Answer with|Reply] {p} or {n}.
[Check|Decide|Judge] [whether|if] the {X} is {c}: {p} or {n}.
[Tell|Show] me {p} if the {X} is {c}, {n} [otherwise|if it is not].
[Can|Could] the {X} be called {c}? [Answer|Say] {p} or {n}.
Would you say the {X} is {c}? {p} / {n}.
[Mark|Label] the {X} {p} if it is {c}, else {n}.
Return {p} for {c} and {n} for anything else.
The {X} is {c}: {p} or {n}?
If the {X} is {c}, [say|write] {p}; if not, {n}.
[I|We] want {p} if the {X} is {c} and {n} if [it is not|not].
[I|We] [want|need] to know whether the {X} is {c}: {p} or {n}.
[I|We] need {p} [for|when it is] {c}, {n} for [the rest|everything else].
[I|We] would like {p} when the {X} is {c}, otherwise {n}.
[I am|We are] asking if the {X} is {c}: {p} or {n}?
[Can|Could] you [tell|say] [if|whether] the {X} is {c}? {p} or {n}.
[Could|Would] you [please|kindly] say {p} if the {X} is {c} and {n} if not?
[Could|Can] you [check|decide] [if|whether] it is {c}? [Answer|Reply|Use] {p} or {n}.
[Please|Kindly] [answer|reply] {p} if the {X} is {c}, [else|otherwise] {n}.
[Please|Kindly] [say|tell me] [if|whether] this {X} is {c}: {p} or {n}.
[Please|Kindly] [write|return] {p} [for|if it is] {c} and {n} for [the other case|anything else].
[Find out|Determine|See] [if|whether] the {X} is {c}. [Write|Say|Return] {p} or {n}.
[Find out|Check|See] [if|whether] it is {c} and [write|answer|say] {p} or {n}.
[Test|Check] the {X}: {p} if {c}, {n} if not.
[Test|Examine|Check] whether this {X} is {c}; [{p} means it is, {n} means it is not|{p} if it is, {n} if it is not].
[Read|Look at] the {X}. [Is it {c}|Would you say it is {c}]? {p} or {n}.
[Read|Look at] the {X} and [answer|write|say] {p} if it is {c}, else {n}.
[Read|Take] the {X} and [tell me|say] whether it is {c}, {p} or {n}.
[After reading|Having read] the {X}, is it {c}? {p} or {n}.
[Decide|Judge]: is the {X} {c}? {p} / {n}.
[Decide|Answer|Judge] with {p} or {n}: is the {X} {c}?
[Use|Take] {p} for {c} and {n} for [the rest|all else|other cases].
[Use|Write|Put] {p} if this {X} is {c} and {n} if [it is not|it is anything else].
[Give|Show|Send] {p} if the {X} is {c}, {n} if [it is not|not].
[Give|Print|Output] {p} [when|where] it is {c} and {n} [when|where] it is not.
[Output|Print] {p} for {c}, otherwise {n}.
[Output|Print|Type] {p} in case the {X} is {c}, [else|otherwise] {n}.
[Reply|Answer] {p} in case it is {c}; [in the other case|if not] {n}.
[Reply|Respond] with {p} if this {X} is {c}; [reply|respond] with {n} if not.
[Reply|Answer] {p} or {n}: is the {X} {c}?
[Reply|Answer] only {p} or {n}: [is it {c}|is the {X} {c}]?
[Answer|Reply] with {n} unless the {X} is {c}; then it is {p}.
[Say|Write] {n} unless the {X} is {c}. If it is, [say|write] {p}.
[Say|Write|Return] {p} only if the {X} is {c}, otherwise {n}.
[Say|Print|Return] {n} if the {X} is anything but {c} and {p} if it is {c}.
[Say|Tell me]: is this {X} {c}, {p} or {n}?
[Mark|Tag|Flag] the {X} with {p} [if|when] it is {c}, with {n} [if|when] it is not.
[Mark|Tag|Label] it {p} for {c}, {n} for anything else.
[Label|Mark] this {X} {n} unless it is {c}, {p} if it is.
[Put|Set] {p} if the {X} is {c} and {n} otherwise.
[Choose|Pick|Select] {p} if the {X} is {c}, {n} if [not|it is not].
[Choose|Pick] {p} or {n}: is it {c}?
[Confirm|Verify|Check] that the {X} is {c}: {p} or {n}.
[Confirm|Answer] with {p} if the {X} is {c}. If not, [answer|write] {n}.
If it is {c}, {p}; if not, {n}.
If it is {c} [answer|reply|say] {p}, [else|otherwise] {n}.
If this {X} is {c}, [return|give|print] {p}. [Otherwise|If not], [return|give|print] {n}.
If {c} is the right [word|label] for the {X}, [write|say] {p}, if not {n}.
If you would call the {X} {c}, [write|answer] {p}, otherwise {n}.
If the {X} is anything but {c}, [write|say|answer] {n}, else {p}.
If it is anything but {c}, [then|write|say] {n}. If {c}, [then|write|say] {p}.
In case the {X} is {c}, [write|answer|say] {p}, if not, {n}.
When the {X} is {c}, [answer|write|return] {p}. When it is not, {n}.
When it is {c}, [say|write|use] {p}; when not, {n}.
Whenever the {X} is {c}, the answer is {p}, otherwise {n}.
Should the {X} be {c}, [write|say] {p}; [else|if not], {n}.
Is it {c}, would you say? [Write|Answer|Use] {p} or {n}.
Is the {X} {c}, {p} or {n}?
Is the {X} {c}? {p} or {n}?
Is the {X} {c}? {p}/{n}.
Is this {X} {c} in your opinion, {p} or {n}?
Is this {X} {c}? [Choose|Pick] {p} or {n}.
Is {c} the right [word|label|class] for the {X}? {p} or {n}.
Is that {c}? [Answer|Reply] with {p} or {n}.
Do you [find|consider|call] the {X} {c}? [Say|Answer] {p} or {n}.
Do you think the {X} is {c}? {p} or {n}.
Do you think it is {c}? [Answer|Write|Reply] {p} if so, {n} if not.
Does {c} [fit|describe|suit] the {X}? {p} or {n}.
Does the label {c} [fit|suit|apply to] the {X}? [Answer|Say] {p} or {n}.
Does it count as {c}? {p} or {n}.
Would you mark the {X} as {c}? [Say|Write] {p} or {n}.
Would you say it is {c}? {p} if yes, {n} if no.
Should we [treat|count|see] the {X} as {c}? {p} or {n}.
Should this {X} be marked as {c}? [Answer|Reply] {p} or {n}.
Is it true of the {X} that it is {c}? {p} or {n}.
The {X}: is it {c}? [Write|Say] {p} or {n}.
The question is whether the {X} is {c}: {p} or {n}.
The answer is {p} if the {X} is {c} and {n} if [not|it is not].
The answer [should|must] be {p} [when|if] it is {c}, [else|otherwise] {n}.
The [output|result] is {p} for {c}, {n} for [the rest|everything else|anything else].
The [output|result] [should|must] be {p} if this {X} is {c}, otherwise {n}.
Your answer is {p} if the {X} is {c} and {n} if not.
Your [task|job] is to say {p} if the {X} is {c}, {n} if not.
Someone says the {X} is {c}. [Is that so|Is that right]? {p} or {n}.
They say it is {c}. [Right|Correct]? {p} or {n}.
One word, {p} or {n}: is it {c}?
Only {p} or {n}, please: is the {X} {c}?
Just {p} or {n}: is this {X} {c}?
[Task|Job]: {p} if the {X} is {c}, {n} if not.
[Question|Task]: is the {X} {c}? [Answers|Choices|Options]: {p}, {n}.
[Question|To check]: is it {c}? {p} if so, {n} if not.
[Class|Label] {c}? {p} if so, {n} if not.
{c}: {p} or {n}?
{c}? {p} / {n}.
{c}? {p} if so, {n} if not.
{c}: {p}. [Not so|Anything else|Otherwise]: {n}.
{c} = {p}, [everything else|anything else|the rest] = {n}.
{c} means {p}, [everything else|anything else|otherwise] {n}.
{c} gets {p}, [everything else|anything else|the rest] gets {n}.
Here {p} [means|says|stands for] {c}, {n} means it is not.
Just {p} if the {X} is {c}, {n} if not.
Just {p} for {c}, {n} for [the rest|everything else|anything else].
Simply {p} or {n}: is the {X} {c}?
Tell me {p} or {n}: [is it|is this] {c}?
Say {p} when the {X} is {c}, {n} when [it is not|not][, please|].
When the {X} is {c} just write {p}, else {n}.
For {c} [write|say|answer] {p}, for anything else {n}.
For {c}, [write|say|return] {p}; for the others, {n}.""",
    "route": """[Where|To whom] should this [go|be sent]: {ds}?
[Who|Which desk] [should|must] [take|handle|answer] this [ticket|message|request]: {ds}?
[Name|Give|Return|Write] the [team|department|queue] for this [ticket|message|request]: {ds}.
[Decide|Say] which [team|department] it is: {ds}.
[Pick|Choose|Select] one: {ds}.
Is this [ticket|request|message] for {ds}?
[Our|The] [teams|departments|queues] are {ds}. [Where does this go?|Which one is it?|Choose one.]
[Assign|Give|Hand] this to {ds}.
[Mark|Tag] the [ticket|message|request] with {ds}.
[Reply|Answer] with the [team|department|queue]: {ds}.
[Sort|Put] this into {ds}.
[Find|Tell me] the right [desk|team|department]: {ds}.
[What|Which] [queue|team|department] is it, {ds}?
[Dispatch|Deliver] the [message|ticket] to {ds}.
Who [deals with|looks after|works on] this [request|ticket|message]: {ds}?
Who [has to|must|should] [read|see|have] this [request|ticket|message], {ds}?
Who [can|could|will] [help with|solve|fix] this: {ds}?
Who [can|could] help the [customer|writer|sender], {ds}?
To which [team|department|desk|group] [does this go|should it go|do we send it]: {ds}?
To which [team|department] [does|should] the [ticket|request|message] [belong|go]: {ds}?
[Which|What] [team|department|group|office] [is right|is this for|does this need]: {ds}?
[Which|What] [team|department] [deals with|takes care of|takes] such [a request|a message|a ticket]: {ds}?
Which of these [teams|departments|desks] [gets|takes|should get] [it|the message|the ticket]: {ds}?
[Which|What] [desk|team] [will|can|should] [solve|help with|look at] [it|this]: {ds}?
Where [do I|do we|should we|should I] [send|forward|put|pass] [it|this|the ticket|the message]: {ds}?
Where [must|should|does] the [request|ticket|message] [go|end up|land], {ds}?
Where would you [send|put|file] [this|the ticket|the message]: {ds}?
Whose [work|task|field] is this: {ds}?
What is this [ticket|request|message] for: {ds}?
Is it for {ds}?
Is this a [case|matter|ticket|question] for {ds}?
Is {ds} the right [team|department|desk]?
Is {ds} responsible?
Should {ds} [handle|get|take|answer|see] [this|it|the ticket|the message]?
Should this go to {ds}?
Should [I|we] [send|forward|give] it to {ds}?
Does this [belong|go] to {ds}?
Does the [ticket|request|message] belong to {ds}?
Do [I|we] [send|give|forward] this to {ds}?
[Can|Could] you [send|route|assign|forward] this to {ds}?
[Can|Could] you [tell me|say] who should [get|answer|handle] it, {ds}?
[Can|Could] you [name|find|pick] the right [team|department]: {ds}?
[Could|Would] you [please|kindly] [choose|name] the [team|department], {ds}?
[I|We] [need|want] to know who [handles|gets|takes] this: {ds}.
[I|We] [need|want] the [team|department] for this [ticket|request|message]: {ds}.
[I|We] [have to|must|want to] send this to {ds}. [Which one|Where]?
[I|We] would like to [send|forward|pass] it to the right team: {ds}.
[I am|We are] not sure where [it|this] [goes|belongs]: {ds}?
[Please|Kindly] [send|forward|pass|hand|give] this to {ds}.
[Please|Kindly] [choose|pick|name] the [team|department|desk] for it: {ds}.
[Please|Kindly] [route|assign] the [ticket|message|request], [choosing from|the teams are] {ds}.
[Pass|Hand|Transfer|Move] [this|it|the ticket|the message] [on|over|] to {ds}.
[Transfer|Direct|Deliver|Move] the [message|ticket|request|mail] to {ds}.
[Direct|Send|Bring] the [customer|writer|sender] to {ds}.
[Send|Put] the [ticket|request|message] where it belongs: {ds}.
[Put|File|Place|Store] the [ticket|message|request] [in|under|with] {ds}.
[Put|Move] it [in|into] the [queue|box|folder] of {ds}.
[Sort|Order] the [mail|message|ticket] by team: {ds}.
[Sort|Group|File] [it|this|the request] under one of {ds}.
[Classify|Categorise|Label] [it|this|this request] by [department|team]: {ds}.
[Label|Tag|Mark] the [request|ticket|message] with its [team|department]: {ds}.
[Match|Connect|Link] the [request|ticket|message] with the [team|department|desk]: {ds}.
[Find|Identify|Determine|Name] the [team|department|desk] that [can help|should answer|has to answer]: {ds}.
[Find|Identify|Determine] who is [responsible|in charge]: {ds}.
[Find out|Work out|Say|Tell me] where [this|it|the ticket] [goes|should go|belongs]: {ds}.
[Say|Tell me|Decide] who [gets|takes|handles|answers] it: {ds}.
[Say|Tell us] which of {ds} [should get it|this is for|has to answer].
[Choose|Pick|Select|Name] the [one|team|desk] that fits: {ds}.
[Choose|Pick] between {ds} for this [ticket|request|message].
[Give|Return|Write|Print|Output] the [right|responsible] [team|department|desk]: {ds}.
[Give|Return|Write|Print|Output] the name of the [team|department|desk]: {ds}.
[Write|Print|Output|Return] only {ds}.
[Reply|Answer] [only with|with one of|with just] {ds}.
[Reply|Answer] with who should [handle|get|see] it: {ds}.
[Read|Look at|Check] the [request|ticket|message] and [choose|pick|name] the [team|department]: {ds}.
[Read|Look at] the [ticket|message|request]. [Who gets it|Who is it for|Where does it go], {ds}?
[After reading|Having read] the [ticket|message|request], [name|choose] the [team|department]: {ds}.
[If|When] a customer writes this, who [should answer|gets it|helps]: {ds}?
[For|With] this [ticket|request|message] [take|use|choose] one of {ds}.
For which [team|department|desk] is [it|this|the message|the ticket]: {ds}?
For {ds}?
One of [these|the teams|the desks] [gets it|gets the ticket|should answer]: {ds}.
One [team|department|desk], please: {ds}.
The [message|ticket|request] [goes|belongs|should go|is to go] to {ds}.
The [message|ticket|request] goes to {ds}. [Which one|Where exactly]?
The [message|ticket|request] [needs|wants|concerns] {ds}. [Which one|Which]?
The [message|ticket|request] [should|must|is to] be [sent|passed on|forwarded] to {ds}.
The [message|ticket|request] [should|must|is to] be handled by {ds}.
The right [team|department|desk] is {ds}. [Which one|Which]?
The [responsible|right] [team|department|desk], please: {ds}.
The [department|team] for this, please: {ds}.
The [answer|output] is one of {ds}.
The [answer|output|result] [should|must] be {ds}.
The choice is {ds}. Who [takes|gets|answers] this [ticket|request|message]?
There are these [teams|departments|desks|queues]: {ds}. [Choose.|Name the right one.|Which one is it?]
This [ticket|request|message] is for {ds}.
This is a [ticket|case|question] for {ds}.
A customer writes. Who [should|must] [answer|help|read it]: {ds}?
A [ticket|message|request] came in. Is it for {ds}?
[Our|The] [company|shop|office] has {ds}. Who [gets|takes|handles] this?
[Teams|Departments|Desks|Queues|Options|Choices]: {ds}.
[Teams|Departments|Desks|Queues]: {ds}. [Choose one.|Pick one.|Where does it go?|Who gets it?]
[Team|Department|Desk|Queue]: {ds}?
[Team|Department] for this [ticket|request|message]: {ds}?
[Task|Job|Your task]: [route|assign|send] the [ticket|message|request] to {ds}.
[Task|Your task]: [find|choose|name] the [team|department]: {ds}.
[Question|Task]: who gets it, {ds}?
{ds}?
{ds}: [who|which team|which one] [is it|gets it|takes it|should answer]?
{ds}: [choose|pick] the right [one|team|department].
{ds}, [who is responsible|who should see this|who can help]?
Your [job|task] is to [send|route] the [ticket|message|request] to {ds}.
You [should|must|have to] [pass|send|forward] it to {ds}.
[Just|Only] [name|say|write] the [team|department]: {ds}.""",
    "topic": """[Name|Give|Return|Write] the [topic|subject|category]: {ds}.
[What|Which] [topic|subject|category] is it, {ds}?
[Decide|Say|Tell me] [whether|if] it is about {ds}.
[Sort|Put|File] the [news|text|sentence] under {ds}.
[Tag|Mark] the [text|news|sentence] with {ds}.
The [text|sentence] is about {ds}. [Which one?|Choose.]
[Pick|Select|Choose] one [topic|subject]: {ds}.
[Our|The] [sections|categories|topics] are {ds}. [Where does this go|Which one fits]?
[Reply|Answer] with the [topic|subject|category]: {ds}.
Topic: {ds}?
[Read|Look at] the [text|news] and [name|give] the [topic|subject]: {ds}.
[Assign|Give] the [text|news] a [category|topic]: {ds}.
What is [it|this|the text|the sentence] [about|all about]: {ds}?
What is the [text|news|sentence|message|note] about: {ds}?
What does the [text|sentence|message|news] [deal with|talk about|speak of|cover]: {ds}?
What [field|area|section|theme] [is it|is this from|does it belong to]: {ds}?
What [kind|sort|type] of [text|news|message] is it: {ds}?
Which [field|area|section] [does|would] this [fall under|belong to|be part of]: {ds}?
Which [heading|label|category|topic] [fits|suits|belongs to] [the text|this|it]: {ds}?
Which of these [is the topic|is it about|fits|is it]: {ds}?
Which [page|section|part] of the [paper|newspaper|site] [is it for|should it go to]: {ds}?
[Where|In which section] [does|should|would] [it|this|the text] [go|belong|appear]: {ds}?
[Where|In which section] would you [put|place|file|print] this: {ds}?
To which [topic|category|field|section] [does it belong|does the text belong|would you add it]: {ds}?
To what [topic|subject|category] does this [sentence|text] belong: {ds}?
Under which [topic|category|section] [does it fall|would you file it|do we put it]: {ds}?
Is it about {ds}?
Is this [news|text|sentence] about {ds}?
Is the [topic|subject] {ds}?
Is the [subject|theme|topic] of the [text|sentence] {ds}?
Is this [a text|a sentence|news] on {ds}?
Is this a matter of {ds}?
Does the [text|sentence|message] [deal with|talk about|concern|speak of] {ds}?
Does it [belong to|fall under|come under] {ds}?
Does this [text|sentence] belong [to|under] {ds}?
Do they [talk|write|speak] about {ds}?
Would you [file|put|place] [this|it] under {ds}?
Would you say it is about {ds}?
Should [this|it|the text] [go to|be filed under|appear under] {ds}?
[Can|Could] you [tell|say] [if|whether] it is about {ds}?
[Can|Could] you [name|give me|find] the [topic|subject], {ds}?
[Could|Would] you [please|kindly] [choose|pick|name] the [topic|category]: {ds}?
[Can|Could] you [sort|file|put] this under {ds}?
[I|We] [need|want] the [topic|subject|category] of the [text|news|sentence]: {ds}.
[I|We] [need|want|would like] to know what it is about: {ds}.
[I|We] [need|want|would like] to know [if|whether] the [text|sentence] is about {ds}.
[I|We] [have|know] [these topics|these categories|these sections]: {ds}. [Choose one.|Which is it?|Which one fits?]
[I am|We are] not sure [if|whether] it is about {ds}. [Decide|Help].
[Please|Kindly] [name|give|state|choose|pick] the [topic|subject|category]: {ds}.
[Please|Kindly] [say|decide] what the [text|sentence] is about: {ds}.
[Please|Kindly] [file|sort|put] the [text|news|message] under {ds}.
[Find|Identify|Detect|Determine|Recognise] the [topic|subject|theme]: {ds}.
[Find|Identify|Determine] the [topic|subject|theme] of the [text|sentence|message|news], {ds}.
[Find out|Work out|Judge] [if|whether] the [text|sentence|news] is about {ds}.
[Find out|Work out] what they [talk|write] about: {ds}.
[Categorise|Class|Describe|Judge] the [text|news|sentence] as {ds}.
[Categorise|Classify|Label|Sort] [it|this] by [topic|subject]: {ds}.
[Classify|Label|Tag] this [news item|piece of news|snippet|line] as {ds}.
[Label|Mark|Tag] the [text|sentence|news] with [the topic|its topic|its subject]: {ds}.
[Label|Mark|Tag] it {ds}.
[Put|Place|File|Store] [it|this] [under|with] {ds}.
[Put|Place|Move] the [text|news|message] into [a section|a category|a group]: {ds}.
[Put|Sort] the [text|news|sentence] into one of {ds}.
[Group|Sort|File] the [sentence|text|news], the groups are {ds}.
[Match|Connect|Link] the [text|sentence|news] [with|to] [a topic|a subject|one topic]: {ds}.
[Add|Give|Attach] [a topic|the topic|a label|one label] to the [text|sentence|news]: {ds}.
[Choose|Pick|Select] [between|among|from] {ds}.
[Choose|Pick|Select] [the word|the label|the one] that fits [the text|the sentence|it]: {ds}.
[Choose|Pick|Select] what the [text|sentence] is about: {ds}.
[Decide|Say|Judge] what it is about, {ds}.
[Decide|Choose|Settle] on one [topic|subject|category]: {ds}.
[Say|Tell me|Tell us] what the [text|sentence|message] is about: {ds}.
[Say|Tell me|Write] which [topic|subject|category] [it is|fits|is right]: {ds}.
[Say|Write|Print|Output|Return] {ds}.
[Write|Print|Output|Return|Give] only the [topic|subject]: {ds}.
[Write|Print|Output|Return] {ds}, whichever the [text|sentence|news] is about.
[Reply|Answer] [only with|with one of|with just] {ds}.
[Reply|Answer] [in|with] one word, {ds}.
[Use|Take] one of [these topics|these labels|these words]: {ds}.
[Use|Take|Give] the [heading|label] that fits: {ds}.
[Read|Look at|Check] the [text|sentence|news] and [say|decide|choose] {ds}.
[Read|Look at] the [text|news|sentence]. [What is it about|Which topic is it], {ds}?
[After reading|Having read] the [text|sentence|news], [name|choose|give] its [topic|subject]: {ds}.
[If|When] you read the [text|sentence], is it about {ds}?
If you had to choose a [topic|subject|category], would it be {ds}?
[For|With] this [text|sentence|news], [take|choose|write] {ds}.
[Judging|Going] by [its|the] words, is the [text|sentence] about {ds}?
In one word, is it about {ds}?
One [topic|subject|category], please: {ds}.
One of [these topics|these subjects|the categories] is right: {ds}.
One of {ds} is the [topic|subject].
The [topic|subject|theme] is {ds}[. Which?|: which?|. Choose.]
The [topic|subject|category] of the [text|sentence|news], please: {ds}.
The [topic|subject|category] [should|must|can] be {ds}.
The [text|sentence|news] [should|must|is to] be [filed|sorted|put] under {ds}.
The [text|sentence|news] [deals with|talks about|concerns] {ds}. [Which|Which one|Which is it]?
The [text|sentence|news] [goes|belongs] [to|under] {ds}.
The [answer|output|result] [should|must] be {ds}.
The [answer|output] is one [topic|subject] of {ds}.
The [possible|only] [topics|subjects|categories] are {ds}. [Choose.|Decide.|Which one is it?]
There are these [topics|subjects|categories|sections]: {ds}. [Which is it?|Which one fits?|Choose.]
This is [about|on] {ds}. [Which?|Choose.|Which one?]
This [text|sentence|news] is about {ds}. [Which is it?|Decide.]
[Topics|Subjects|Categories|Sections|Options|Choices]: {ds}.
[Topics|Subjects|Categories|Options]: {ds}. [Choose one.|Pick one.|Which is it?|Which one fits?]
[Subject|Theme|Category|Section|Field]: {ds}?
[Topic|Subject|Category] of the [text|sentence|news|message]: {ds}?
[Task|Job|Your task]: [name|find|choose] the [topic|subject]: {ds}.
[Task|Question]: is the [text|sentence] about {ds}?
{ds}?
{ds}: [what is it about|what is the topic|which one fits]?
{ds}: [choose|pick|name] the [topic|subject|right one].
{ds}, [what|which] is the [topic|subject|theme]?
Your [job|task] is to [name|find|choose] the [topic|subject]: {ds}.
[Just|Only] the [topic|subject|category]: {ds}.""",
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
If {F} [occurs|appears|is given], [say|write] {p}; if not, {n}.
[I|We] want to know [if|whether] [there is|it has|it contains] {F}: {p} or {n}.
[I|We] need {p} if the [text|message|note] [has|contains|gives|shows] {F} and {n} if not.
[I|We] [need|want] {p} for {F}, {n} when [there is none|it is missing].
[I|We] would like {p} [if|when] {F} is [there|given], otherwise {n}.
[I am|We are] looking for {F}: {p} if it is there, {n} if not.
[I am|We are] asking [if|whether] {F} is [mentioned|given|there]: {p} or {n}?
[Can|Could] you [tell|say|check] [if|whether] there is {F}? {p} or {n}.
[Can|Could] you [tell me|check] whether the [text|message|note] has {F}? [Answer|Reply] {p} or {n}.
[Could|Would] you [please|kindly] [say|write] {p} if there is {F} and {n} if not?
Can {F} be [found|seen|read] [here|in the text|in this line]? {p} or {n}.
[Please|Kindly] [check|look] for {F}: {p} if [there is one|you find it], {n} if not.
[Please|Kindly] [answer|write|say] {p} if [there is|you find|it contains] {F}, otherwise {n}.
[Please|Kindly] say whether {F} is [given|mentioned]: {p} or {n}.
[Find out|Check|See|Determine] [if|whether] there is {F}[ in the text| in the message|] and [write|say|answer] {p} or {n}.
[Find out|Check|See|Verify] [if|whether] the [text|message|line|note] [has|contains|mentions|includes] {F}: {p} or {n}.
[Find|Spot|Detect] {F}: {p} if there is one, {n} if [there is none|not].
[Search|Scan|Check] the [text|message|note|line] for {F}. {p} if found, {n} if not.
[Search|Scan|Go through] the [text|message|input] for {F} and [write|return] {p} or {n}.
[Read|Look at] the [text|message|note]. Is there {F}? {p} or {n}.
[Read|Look at] the [text|message|line] and [write|answer|say] {p} if it [has|gives|names] {F}, else {n}.
[After reading|Having read] the [text|message], [say|answer|write] {p} if there was {F}, {n} if not.
[Decide|Say|Tell me] [if|whether] {F} is [there|given|mentioned|present]: {p} or {n}.
[Say|Tell me] whether they [give|mention|name] {F}, {p} or {n}.
[Use|Write|Put] {p} if the [text|line|note] has {F} and {n} if [it has not|it does not].
[Use|Take] {p} for [texts|messages|lines] with {F} and {n} for [texts|messages|lines] without.
[Give|Send|Show] {p} if [you see|there is|you can find] {F}, {n} if [you do not|not|there is none].
[Give|Return|Output|Print] {p} [when|where] {F} [is named|is stated|turns up|stands], otherwise {n}.
[Output|Print|Return] {p} in case of {F}, [else|otherwise] {n}.
[Output|Print|Return] {p} for {F}, {n} for none.
[Reply|Respond|Answer] with {p} if {F} is [in the text|in the message|among the words]; if not, with {n}.
[Reply|Respond|Answer] {p} or {n}: [is there|does it have|do you see] {F}?
[Reply|Respond|Answer] {p} or {n}: does the [text|message|note] [give|contain|mention] {F}?
[Answer|Reply] {n} unless there is {F}; then [it is|say|write] {p}.
[Say|Write] {n} unless the [text|message|note] has {F}. If it does, [say|write] {p}.
[Say|Write|Return] {p} only if {F} is [there|given|mentioned], otherwise {n}.
[Mark|Tag|Flag] the [text|line|note] with {p} if {F} is [in it|there|named], with {n} if not.
[Mark|Tag|Label] it {p} when it has {F}, {n} when it has none.
[Put|Set] {p} if there is {F}, {n} otherwise.
[Choose|Pick|Select] {p} if [it names|it gives|there is] {F}, {n} if not.
[Confirm|Check] that there is {F}: {p} or {n}.
[Confirm|Check] the presence of {F}: {p} if [present|there], {n} if [absent|missing|not].
If there is {F}, [write|say|answer|return] {p}; if there is none, {n}.
If there is {F}, {p}. If not, {n}.
If you [see|find|read|spot] {F}, [write|say|answer|return] {p}, otherwise {n}.
If the [text|message|note|line] [has|contains|gives|includes] {F}, [write|answer|print] {p}; [else|if not], {n}.
If {F} is [missing|not there|not given|absent], [write|say|answer] {n}, else {p}.
If the [text|message] does not have {F}, [write|say] {n}; if it does, {p}.
In case the [text|message|note] has {F}, [write|say|answer] {p}, if not, {n}.
In case {F} is missing, [write|say|give] {n}, otherwise {p}.
When there is {F}, [write|say|use] {p}; when there is none, {n}.
When the [text|message|note] [gives|shows|names] {F}, the answer is {p}, [if not|otherwise] {n}.
Whenever {F} [appears|occurs|is there], [write|print|say] {p}, otherwise {n}.
Should there be {F}, [write|say|answer] {p}; [else|if not], {n}.
Is there {F}? {p} or {n}.
Is there {F} [here|in it|in the text|in the line]? {p}/{n}
Is there {F} [in the message|in the note|somewhere]? [Write|Say|Use] {p} if so, {n} if not.
Is {F} [part of|in|contained in] the [text|message|note|line]? {p} or {n}.
Is {F} to be found [here|in the text]? [Answer|Reply] {p} or {n}.
Are we [given|told|shown] {F}? {p} or {n}.
Do you [see|find|notice|spot] {F}? [Answer|Say|Write] {p} or {n}.
Do you [see|find|read] {F} [in the text|in the message|in it]? {p} if yes, {n} if no.
Do they [mention|name|state|include] {F}? {p} if so, {n} if not.
Do we [learn|read|get] {F} [here|from the text|from this message]? {p} or {n}.
Does it [have|contain|mention|include|name] {F}? {p} or {n}.
Does the [line|input|snippet|note] [show|name|give|hold] {F}? [Say|Write] {p} or {n}.
Does the [text|message] [come with|include|state] {F}, {p} or {n}?
Does the [writer|sender] [give|mention|name] {F}? {p} for yes, {n} for no.
Does {F} [appear in|occur in|stand in] the [text|message|note]? {p} or {n}.
Has the [text|message|note|line] got {F}? {p} or {n}.
Has the [writer|sender] [given|named|mentioned] {F}? [Answer|Write] {p} or {n}.
Have they [given|named|mentioned|left] {F}? {p} if so, {n} if not.
With or without {F}? {p} for with, {n} for without.
With {F}: {p}. Without: {n}.
With {F} it is {p}, without it is {n}.
A [text|message|note] with {F} [gets|is] {p}, one without [gets|is] {n}.
A [text|message|note] that [has|contains|gives] {F} [is marked|gets] {p}, any other {n}.
The [text|message|note] has {F}: {p} or {n}?
The question is [if|whether] there is {F}: {p} or {n}.
The answer is {p} if {F} is [given|there|mentioned] and {n} if not.
The answer [should|must] be {p} [if|when] there is {F}, [else|otherwise] {n}.
The [output|result] is {p} [with|for] {F}, {n} without.
The [output|result] [should|must] be {p} if the [text|message] [has|contains] {F}, otherwise {n}.
Your answer is {p} if [you find|there is|you see] {F} and {n} if not.
Your [task|job] is to say {p} if there is {F}, {n} if not.
Only {p} or {n}, please: is there {F}?
Just {p} or {n}: does the [text|message|note] [have|contain|include] {F}?
One word, {p} or {n}: is {F} [given|mentioned|there]?
[Task|Job]: {p} if there is {F}, {n} if not.
[Task|Your task]: [look|check|search] for {F}. {p} if found, else {n}.
[Question|To check]: is there {F}? [Answers|Options|Choices]: {p}, {n}.
{F}? {p} or {n}.
{F}? {p} / {n}
{F}? {p} if there is one, {n} if there is none.
{F} in the [text|message|note]? {p} if so, {n} if not.
{F}: {p} if [there|given|mentioned|present], {n} if not.
{F} = {p}, [nothing of the kind|none|no such thing] = {n}.
{F} means {p}, [none|no such thing|otherwise] {n}.
Just {p} if there is {F}, {n} if there is none[, please|].
Say {p} if you [see|find|spot] {F}, {n} if [not|you do not].
Write {p} for a [text|message|line] that [has|contains|names] {F}, {n} for any other.
Simply {p} or {n}: is there {F}[ in the text| here|]?
Tell me {p} or {n}: is {F} [mentioned|given|named|there]?
Answer {p} when {F} is [there|given|mentioned], {n} when [it is not|it is missing|not].""",
    "mapping": """[I|We] [want|need|would like] the code of [each|every] word: {m}.
[I|We] [want|need] the codes [for|of] these words. {m}.
[I|We] [want|would like] to know the code [for|of] [each|every] word: {m}.
[I|We] [have|use|keep] a list: {m}. [Look up|Find] [each|every] word.
[I|We] [have|use] codes for words: {m}. [Code|Translate|Replace] the input.
[I|We] write [words|things] in code: {m}. [Code|Encode] [the input|these words].
[I am|We are] after the code of each word: {m}.
[Can|Could] you [look up|find|give me] the code of each word? {m}.
[Can|Could] you [code|encode|replace] the words? {m}.
[Could|Would] you [please|kindly] [give|return|write] the codes? {m}.
[Can|Could] I have the codes? {m}.
[Can|May] we have the code [for|of] each word? {m}.
[Please|Kindly] [code|encode|replace|look up] [each|every] word: {m}.
[Please|Kindly] [give|write|return] the code of [each|every] word, {m}.
[Please|Kindly] use this [list|table] [for the words|of codes]: {m}.
[Give|Write|Return|Tell me] the [codes|right codes|codes of the words]: {m}.
[Give|Return|Print] the code that [belongs to|goes with|stands for] each word: {m}.
[Give|Tell|Show] me what each word stands for: {m}.
[Print|Output|Show] the [code|codes] [of|for] [the input|the words|each word]. {m}.
[Print|Output|Return] one code [for each word|per word|a word]: {m}.
[Write|Put] the code [in place of|instead of|for] [each|every] word: {m}.
[Write|Say|State] which code [each|every] word has: {m}.
[Change|Turn|Convert|Translate] [each|every] word [to|into] its code: {m}.
[Change|Turn|Convert|Translate] the [words|input] [to|into] codes: {m}.
[Swap|Exchange] [each|every] word for its code: {m}.
[Replace|Substitute] the words with their codes: {m}.
[Replace|Exchange] the words by what the [list|table] says: {m}.
[Encode|Code|Map] the [input|words|list|line]: {m}.
[Encode|Map|Code] [it|this|them] [with|by] [this list|this table|these codes]: {m}.
[Give|Write] the matching code of [each|every] word: {m}.
[Map the words to|Turn the words into] codes: {m}.
[Assign|Give] [each|every] word its code: {m}.
Find the [matching|right] codes of the words: {m}.
[State|Print] the code of [each|every] word: {m}.
[Code|Encode] the words [as follows|like this|in this way]: {m}.
[Find|Choose|Pick|Select] the code [for|of] [each|every] word: {m}.
Look up the words in [this|our|the] [list|table] and write their codes: {m}.
Look up the [input|words]: {m}.
[Look up|Check] [what|which code] belongs to each word: {m}.
[Look|Search] in this list for the code of [each|every] word: {m}.
[Read|Take] the words and [write|give|return] their codes: {m}.
[Read|Take] each word and [say|write] its code. {m}.
[Take|Use] the codes [from this list|given here|below]: {m}.
[Take|Use] this [key|list|code table] to [code|encode|translate] the words: {m}.
[Follow|Apply|Use] [this code|these rules|this key]: {m}.
[Follow|Use] the [list|table]: {m}. [Code|Look up] each word.
[Go|Work] by this [list|table|key]: {m}.
[Reply|Answer|Respond] with the codes: {m}.
[Reply|Answer] with the code [of|for] [each|every] word[ in the input|]: {m}.
[Reply|Answer] [by|from|with the help of] this [list|table]: {m}.
[Encode|Code|Translate] the words [with|by] {m}.
[Say|Tell me|Tell us] the code of [each|every] word: {m}.
[Say|Tell me] what [our list|the table|the list] has for each word: {m}.
[Say|Tell me] what [to write|stands] for [each|every] word: {m}.
What is the code [of|for] [each|every] word? {m}.
What is the code? {m}.
What are the codes [of|for] [the words|these words|the input]? {m}.
What [do we write|stands|do they have] for [each|every] word? {m}.
What do the words [mean|become|turn into]? {m}.
What does [each|every] word [mean|become|stand for]? {m}.
Which code [is right for|do we use for|goes with|stands for] [each|every] word? {m}.
Which code does [each|every] word [have|get|need]? {m}.
Which codes [do the words have|belong to the words|are right]? {m}.
How [do we code|would you code] these words[ in our list|]? {m}.
How do we [write|code] [each|every] word? {m}.
For [each|every] word [write|give|return|print] its code: {m}.
For [each|every] word there is a code: {m}. [Give|Write|Find] it.
For the words [in the input|given], [write|give] the codes: {m}.
From this [list|table], [write|give|take] the code of [each|every] word: {m}.
From the [list|table], [give|take|write] the codes: {m}.
With [this list|this table|these codes], [code|encode|look up] [the words|each word]: {m}.
With the codes {m}, [code|encode|translate] the words.
By [this list|this table|our list]: {m}. [Code|Look up] [the words|each word].
According to [this list|the list|our table], what is the code of [each|every] word? {m}.
In [our list|our table|this code]: {m}. [Give|Write] the codes.
In code, please: {m}.
Instead of [each|every] word, [write|give|use] its code: {m}.
If the [list|table] is {m}, [what are the codes?|how do we code the words?]
Given [this list|this table|these codes], [write|give] the code of each word: {m}.
Here is [a list|a table|our code]: {m}. [Use|Apply] it.
Here are the codes: {m}. [Use them|Look up each word|Code the words].
There is a code for [each|every] word: {m}.
There are these codes: {m}. [Which do the words have?|Use them.|Give the right ones.]
[This|Here] is the [list|table|key]: {m}. [Give|Write|Return] the codes.
The list [says|has|reads]: {m}. [What are the codes?|Look up each word.|Code the words.]
The [table|list|key] is {m}. [Code|Encode|Look up] the words.
The words have these codes: {m}. [Give|Write|Return] them.
The words [should|must|are to] be [coded|replaced|encoded]: {m}.
The [answer|output|result] is the code of [each|every] word: {m}.
The [answer|output|result] [should|must] [have|give|contain] the code of [each|every] word. {m}.
The code [of|for] [each|every] word[, please|]: {m}.
[Each|Every] word has [a code|one code]: {m}. [Give|Write|Say] it.
[Each|Every] word [becomes|turns into|gets|is replaced by] its code: {m}.
[Each|Every] word [should|must|is to] [get|become|be replaced by] its code: {m}.
[Our|My] [list|table|code|key] is {m}. [Code|Encode|Look up] the [words|input].
[Our|My] [list|table] [says|has] {m}. What does it say for each word?
Your [answer|output] is the [code|codes] of the words: {m}.
Your [job|task] is to [code|look up|encode] the words: {m}.
You [should|must|have to] [give|write] the code of [each|every] word: {m}.
[Task|Job]: [code|encode|look up] the words. {m}.
[Task|Your task]: [one code for each word|the code of each word]. {m}.
[List|Table|Key|Codes|Code]: {m}.
[List|Table|Key]: {m}. [Look up|Code|Encode] the [input|words].
[Codes|List]: {m}. What are the codes of the words?
[Just|Only] the [code|codes] [of|for] the words: {m}.
[Wanted|Needed]: the code of each word. {m}.
[Output|Answer|Result]: codes. {m}.
Word to code: {m}.
Words to codes[, please|]: {m}.
We have {m}. [Code|Encode|Look up|Replace] [each|every] word.
Codes: {m}. [What|Which] is the code of [each|every] word?
The list: {m}. [Give|Write|Return|Say] the [codes|code of each word].
We use {m}. [What|Which] codes [do the words have|belong to the words]?
Codes: {m}. [Use|Apply|Follow] this [list|table] for [each|every] word.
Our list is {m}. [Use it|Apply it|Look up each word].""",
    "class_codes": """[Use|Give|Write] the [right|correct] code for the {X}: {m}.
[What|Which] code fits the {X}? {m}.
[Decide|Judge] [whether|if] the {X} is {ns} and [write|answer|reply]: {m}.
[Sort|Tag|Mark|Label] this {X} with a code: {m}.
[Our|The] codes for the {X} are {m}. [Which one is right?|Choose one.|Pick one.]
[Read|Look at] the {X} and [write|return|give] the code. {m}.
[Return|Print|Give] the code that fits: {m}.
Is this {X} {ns}? In code: {m}.
[Map|Code] the {X}: {m}.
The {X} is {ns}. [Codes|Answers]: {m}.
[Can|Could] you [label|classify|code] the {X}? {m}.
[Answer|Reply] with one code: {m}.
[Select|Choose|Pick] the code of the {X}: {m}.
[Evaluate|Rate] the {X} with these [labels|codes]: {m}.
We [label|mark] each {X} like this: {m}. [Do it|Label it|Mark it].
[I|We] [want|need|would like] a code for the {X}: {m}.
[I|We] [want|need] to know [if|whether] the {X} is {ns}. [Codes|Use these codes]: {m}.
[I|We] [need|want|would like] the {X} [coded|labelled|marked]: {m}.
[I|We] [have|use] [codes|these codes]: {m}. [Which|What] [fits|suits] the {X}?
[I|We] write {m}. [What|Which code] do I write for this {X}?
[I am|We are] not sure [if|whether] the {X} is {ns}. [Give|Write|Choose] the code: {m}.
[Can|Could] you [say|tell me|decide] [if|whether] the {X} is {ns}? [Codes|Use]: {m}.
[Can|Could] you [give|find|choose] the code of the {X}? {m}.
[Could|Would] you [please|kindly] [code|mark|label] the {X}: {m}?
[Can|Could] you [mark|code] it with one of these? {m}.
[Please|Kindly] [code|label|mark|classify] the {X}: {m}.
[Please|Kindly] [write|give|say] the right code, {m}.
[Please|Kindly] [choose|pick|give] the code for this {X}: {m}.
[Please|Kindly] [decide|say] [if|whether] it is {ns}, [using|in] codes: {m}.
[Give|Return|Print|Output] the code [of|for] the {X}: {m}.
[Give|Return|Write] the code of the class: {m}.
[Give|Assign] the {X} [a code|its code|one code|the right code]: {m}.
[Give|Write] the code that [fits|suits|belongs to] the {X}: {m}.
[Give|Write|Say] the right [letter, word or number|code]: {m}.
[Print|Output|Write] [one code|only the code]: {m}.
[Write|Put|Use] {m}, [depending on|according to|judging by] the {X}.
[Write|Say|Print] {m}, depending on whether the {X} is {ns}.
[Say|Tell me|Tell us] in code [if|whether] the {X} is {ns}: {m}.
[Say|Tell me|Tell us] [what|which code] fits: {m}.
[Say|Write] whether it is {ns}, but in code: {m}.
[Classify|Judge|Rate|Grade] the {X} [with|by|in] codes: {m}.
[Classify|Judge|Rate] this {X} as {ns} and [write|give|return] the code. {m}.
[Classify|Label] the {X} and [reply|answer] [with the code|in code]: {m}.
[Categorise|Encode|Code] the {X}: {m}.
[Mark|Tag|Label|Flag] the {X} [like this|as follows|this way]: {m}.
[Mark|Tag|Label] the {X} with the [code|right code] of its class. {m}.
[Put|Set|Write] a code [on|under|next to] the {X}: {m}.
[Put|Sort|File] the {X} under [a code|one code|the right code]: {m}.
[Choose|Pick|Select] [one code|the code that fits|the right code]: {m}.
[Choose|Pick|Select] between these codes for the {X}: {m}.
[Choose|Decide]: {m}.
[Decide|Judge|Settle] [if|whether] it is {ns}. [Codes|The codes are|Use]: {m}.
[Decide|Find out|Determine|Check] [if|whether] this {X} is {ns} and [return|give|write] its code. {m}.
[Determine|Find|Identify] the code of the {X}: {m}.
[Determine|Find|Identify] the class of the {X} and [write|give|return] its code, {m}.
[Check|Examine|Study] the {X} and [use|choose|give] one code: {m}.
[Read|Take] the {X} and [decide|choose|answer]: {m}.
[Read|Take|Check] the {X}. [Codes|Your choices]: {m}.
[Read|Take] this {X}. Is it {ns}? [Codes|Answers]: {m}.
[After reading|Having read] the {X}, [write|give|choose] the code: {m}.
[Reply|Answer|Respond] [with|by] the code [of|for] the {X}: {m}.
[Reply|Answer|Respond] [in|with] code[, please|]: {m}.
[Reply|Answer] by these codes: {m}.
[Reply|Answer] in code to the question: is the {X} {ns}? {m}.
[Use|Take|Apply|Follow] [this list|this table|this key|these rules] for the {X}: {m}.
[Use|Apply|Take] the codes {m} [for|on] the {X}.
[Use|Take] one of these codes: {m}.
[Translate|Turn|Convert] the {X} [to|into] [a code|one code]: {m}.
[Replace|Exchange] the {X} [by|with] the code of its class: {m}.
[Match|Connect|Pair] the {X} with [a code|one code|the right code]: {m}.
[Evaluate|Assess|Judge] the {X}. [Codes|Labels|Answers]: {m}.
What is the code [of|for] [the|this] {X}? {m}.
What is the right code [here|for this|for it]? {m}.
What [would you write|do we write|should I write] for this {X}: {m}?
What do you [say|answer|write]: {m}?
What is the {X}, {ns}? [Answer|Reply] in code: {m}.
Which code [is right|applies|would you give|do we need] for the {X}? {m}.
Which code [does|should] the {X} [get|have]? {m}.
Which of these codes [fits|suits|belongs to|goes with] the {X}: {m}?
How [should|would|do] we [code|mark|label] this {X}? {m}.
How would you [code|mark|classify] the {X}: {m}?
Is it {ns}, in code? {m}.
Is it {ns}? [Give|Write|Answer with|Use] the code: {m}.
Is the {X} {ns}? [Code|Codes|Key]: {m}.
Is the {X} {ns}? [In our code|In our list]: {m}.
Would you [say|call it] {ns}? [Codes|Answers]: {m}.
Would you [call|consider] the {X} {ns}? Codes: {m}.
Do you [find|consider|call] the {X} {ns}? [Use|Take] the codes: {m}.
If the {X} is {ns}, [the codes are|we use codes|use these codes]: {m}.
If you had to [code|mark|label] the {X}: {m}?
For the {X} [write|say|return|choose]: {m}.
For this {X} [we need|give|choose] a code: {m}.
From the codes {m}, [choose|pick|take] the one that fits the {X}.
With [these codes|this list|this key], [label|classify|mark] the {X}: {m}.
By [this list|this table|our key], what is the code of the {X}? {m}.
According to [this list|the key|our rules], [mark|code|label] the {X}: {m}.
Depending on the {X}, [write|answer|say|return] {m}.
In [our|my] [system|list|code], {m}. What about this {X}?
In code: is the {X} {ns}? {m}.
One code for the {X}[, please|]: {m}.
The code [of|for] the {X}[, please|]: {m}.
The code [says|tells|shows] [if|whether] the {X} is {ns}: {m}.
The codes are {m}. [What|Which] is the code of the {X}?
The [rule|list|key|code] is: {m}. [Apply it|Use it|Code the text|Judge by it].
The {X} [gets|needs|has] a code: {m}.
The {X} [should|must|is to] be [coded|marked|labelled]: {m}.
The {X} can be {ns}. [Give|Write|Choose] the code: {m}.
The [answer|output|result] is [a code|one code]: {m}.
The [answer|output|result] [should|must] be the code of the {X}. {m}.
The [answer|output] [depends|will depend] on the {X}: {m}.
There are [codes|these codes|some codes]: {m}. [Code|Mark|Label] the {X}.
Here are [our|the] codes: {m}. [Which one is it?|Which one fits?|Choose one.]
This {X} is {ns}. [Write|Give|Choose] the right code: {m}.
[Our|My] [rule|list|key] is {m}. [Mark|Code|Label|Judge] the {X}.
[Our|My] [labels|codes|marks] are {m}. [Which|What] does this {X} get?
Your answer is a code: {m}.
Your [job|task] is to [code|label|mark] the {X}: {m}.
You [should|must|have to] [code|label|mark] the {X}: {m}.
[Task|Job]: [code|label|classify] the {X}. {m}.
[Task|Question]: is the {X} {ns}? [Codes|Answers]: {m}.
[Key|List|Table|Code|Rule]: {m}. [Classify|Code|Mark] the {X}.
[Codes|Labels|Options|Answers]: {m}. Is the {X} {ns}?
[Codes|Labels|Options|Answers]: {m}. [What|Which one] fits the {X}?
[Just|Only] the code of the {X}: {m}.
We use {m}. [Mark|Label|Code|Classify|Judge] the {X}.
We have {m}. [What|Which] is the code of the {X}?
We use {m}. Is the {X} {ns}, in code?
With {m}, [which|what] [code|label] fits the {X}?
We have {m}. [Give|Write|Return] the code [of|for] this {X}.""",
    "route_codes": """[What|Which] is the code of the [ticket|request|message]? {m}.
[Route|Sort|Tag] the [ticket|request|message] by code: {m}.
[Our|The] [codes|queue codes|team codes] are {m}. [Choose one|Pick one|Give the right one].
[Give|Return|Print] the [right|correct] code: {m}.
[Read|Look at] the [ticket|request|message] and [give|write|answer with] the code, {m}.
[Send|Assign] the [ticket|request|message] by code: {m}.
[Use|Take] these codes: {m}.
[Who|Which team] should handle this? Answer in code: {m}.
[Select|Pick|Choose] the code of the [team|department]: {m}.
Codes: {m}.
[Map|Translate] the [ticket|request|message] to a code: {m}.
[Answer|Reply] with one code: {m}.
[Can|Could] you [code|label] this [ticket|request]? {m}.
[I|We] [want|need|would like] the code [of|for] the [team|department]: {m}.
[I|We] [want|need|would like] a code for this [ticket|request|message]: {m}.
[I|We] [want|need] to know who [gets|handles|takes] this. [Codes|Use these codes]: {m}.
[I|We] [have|use] [codes|these codes] for the [teams|departments]: {m}. [Which one fits?|Which one is right?|Choose one.]
[I|We] [sort|route|file] [tickets|messages|requests] by code: {m}. [Do it.|Sort this one.|What about this one?]
[I am|We are] not sure who [gets|takes] it. [Codes|Team codes]: {m}.
[Can|Could] you [give|find|tell me|choose] the code [of|for] the [team|department]? {m}.
[Can|Could] you [route|sort|assign] this by code? {m}.
[Can|Could] you [say|tell me] which code [it needs|the ticket gets|fits]? {m}.
[Could|Would] you [please|kindly] [code|route|label] the [ticket|message]? {m}.
[Please|Kindly] [code|label|mark|route] the [ticket|request|message]: {m}.
[Please|Kindly] [give|write|choose] the code of the right [team|department]: {m}.
[Please|Kindly] [answer|reply] with the right code, {m}.
[Please|Kindly] [send|forward] it by code: {m}.
[Give|Return|Print|Write] the code [of|for] the [right|responsible] [team|department]: {m}.
[Give|Return|Write] the code of [the team that|the department that|who] should [answer|handle|get] it: {m}.
[Give|Assign] the [ticket|request|message] [its code|a code|one code]: {m}.
[Give|Say|Tell me] the code for this [ticket|request|message]. {m}.
[Print|Output|Write|Say] [one code|only the code]: {m}.
[Write|Say|Print] where [it|this|the ticket] goes, in code: {m}.
[Write|Put|Set] the code on the [ticket|request|message]: {m}.
[Say|Tell me|Tell us] which code [fits|is right|we need]: {m}.
[Say|Tell me|Decide] who [gets|handles|answers] it, [using|with] codes: {m}.
[Decide|Find out|Work out] where it [goes|belongs] and [write|give|return] the code: {m}.
[Decide|Choose] which [team|department] [gets|handles] it. [Codes|Their codes]: {m}.
[Find|Identify|Determine] the [team|department] and [write|give|return] its code: {m}.
[Find|Identify|Determine] the code for the [ticket|request|message]: {m}.
[Classify|Categorise|Sort|Code] [it|this] by [department|team]: {m}.
[Classify|Sort|Label] the [ticket|request|message] with a code: {m}.
[Mark|Tag|Label] the [ticket|request|message] [with|by] the code of [the team|its team|the department]: {m}.
[Mark|Tag|Label] it [like this|as follows|this way]: {m}.
[Put|File|Place|Sort] the [ticket|request|message] under [a code|the right code|one code]: {m}.
[Put|Move|Sort] it [in|into] the right [box|queue|group] by its code: {m}.
[Pass|Hand] the [ticket|request|message] on by code: {m}.
[Direct|Forward|Transfer|Send] [it|this] with one of these codes: {m}.
[Choose|Pick|Select] [one code|the code that fits|the right code]: {m}.
[Choose|Pick|Select] between the codes {m}.
[Choose|Pick|Select] the [team|department|queue] and [give|write] its code: {m}.
[Match|Connect|Link] the [ticket|request|message] with [a code|the right code|one code]: {m}.
[Use|Take|Follow|Apply] [this list|this table|this key|these rules] to [sort|route|code] the [ticket|request|message]: {m}.
[Use|Take] one of these codes for the [ticket|request|message]: {m}.
[Use|Apply] the team codes {m}.
[Reply|Answer|Respond] with the code of the [team|department|queue]: {m}.
[Reply|Answer|Respond] [in|with] code[, please|]: {m}.
[Reply|Answer] with the right code for the [ticket|request|message]. {m}.
[Read|Take|Check] the [ticket|request|message] and [choose|decide|pick]: {m}.
[Read|Check] the [ticket|request|message]. [Which code does it get|Which code fits]? {m}.
[After reading|Having read] the [ticket|request|message], [write|give|choose] the code: {m}.
[Convert|Turn|Change] the [ticket|request|message] [to|into] [a code|one code|its code]: {m}.
[Replace|Exchange] the [ticket|request|message] [by|with] the code of the team: {m}.
[Look up|Find] the code [of|for] the [team|department]: {m}.
Who [gets|takes|should answer|should see] [this|it|the ticket]? [Codes|Answer in code]: {m}.
Who is [responsible|in charge]? [Answer|Reply] with the code: {m}.
Who [deals with|takes care of|works on] this [ticket|request]? In code: {m}.
Whose [work|task] is it? Give the code: {m}.
Where [does|should] [this|it|the ticket|the request] go? Codes: {m}.
Where do we [send|forward|put] [this|it|the message]? [Codes|In code]: {m}.
What is the [right|team] code [here|for this|for it]? {m}.
What code [does|should] the [ticket|request|message] [get|have]? {m}.
What [would|should] we [write on|put on] the [ticket|request|message]? {m}.
Which code [fits|suits|goes with|belongs to] the [ticket|request|message]? {m}.
Which code [applies|is right|do we need|should I use] [here|for this]? {m}.
Which [team|department] is it? [Answer|Reply] [in code|with the code]: {m}.
Which [team|department|desk] [gets|takes|handles] [it|this|the ticket]? [Codes|Their codes]: {m}.
Which of these codes [fits|is right|is it]: {m}?
To which [team|department] does [it|this] go? [Codes|In code]: {m}.
How [should|do|would] we [code|route|label] this [ticket|request|message]? {m}.
If a [customer|client] writes this, [write|answer|say] {m}.
If the codes are {m}, [which one fits the ticket|which one do we need|what is the code here]?
For this [ticket|request|message] [write|give|return|choose]: {m}.
For the [ticket|request|message] [we need|choose|pick] a code: {m}.
For the teams we have codes: {m}. [Which one fits?|Choose one.|Which is it?]
From the codes {m}, [choose|pick|take] the right one.
With [these codes|this list|this key], [sort|route|label] the [ticket|request|message]: {m}.
By [this list|this table|our key], which code does it [get|take|need]? {m}.
According to [this list|the key|our rules], [what is its code|which code is it]? {m}.
Depending on the [ticket|request|message], [write|answer|say|return] {m}.
In [our|my] [system|list|shop] we have {m}. [Which code is it?|Which code fits?]
One code[ for the ticket| for the request|], please: {m}.
The code [of|for] the [team|department|ticket|request][, please|]: {m}.
The [teams|departments] have codes: {m}. [Which code is it?|Give the right code.|Choose a code.]
The [rule|list|key] is: {m}. [Apply it|Use it|Route the ticket|Sort the message].
The [ticket|request|message] [gets|needs|has] a code: {m}.
The [ticket|request|message] [should|must|is to] be [coded|routed|sorted|marked]: {m}.
The [answer|output|result] is [a code|one code|the code of the team]: {m}.
The [answer|output|result] [should|must] be the code of the [team|department]. {m}.
There are [codes|these codes]: {m}. [Code|Mark|Route|Label] the [ticket|request|message].
Here are [our|the] codes: {m}. [Which one fits?|Which one is it?|Choose one.]
A [customer|client] wrote this. [Which code does it get|Which code is it]? {m}.
A new [ticket|request|message]: [which code|what code]? {m}.
[Our|My] [list|key|table] is {m}. [Mark|Code|Route|Sort] the [ticket|request|message].
[Our|The] [teams|departments|desks] are known by codes: {m}. [Name the right code.|Which code is it?]
Your [job|task] is to [code|route|sort] the [ticket|request|message]: {m}.
You [should|must|have to] [code|route|mark] the [ticket|request|message]: {m}.
[Task|Job]: [code|route|sort] the [ticket|request|message]. {m}.
[Task|Question]: who gets it? [Codes|Answers]: {m}.
[Key|List|Table|Rule]: {m}. [Code|Route|Sort] the [ticket|request|message].
[Codes|Options|Answers]: {m}. [Which code is it|Which one fits]?
[Department|Team|Queue] codes: {m}.
[Just|Only] the code[ of the team| of the department|]: {m}.
We use {m}. [Mark|Label|Code|Route] the [ticket|request|message].
We have {m}. [What|Which] is the code [of|for] the [ticket|request|message]?
We use {m}. [Which code is it|Which code does it get]?
We have {m}. [Give|Write|Return] the code [of|for] the [right team|right department|ticket].""",
    "case": """[Turn|Change] [it|everything|the text] into {F}.
[Set|Print|Type] the [text|words|sentence] in {F}.
[I|We] need [this|the text] in {F}.
[Give|Show] me the [text|sentence|words] in {F}.
Apply {F} [to the text|here|throughout].
The [text|words|sentence] in {F}[, please|].
[Change|Switch|Convert] to {F}.
[Rewrite|Repeat|Copy] [this|it|the text] [using|in] {F}.
[Can|Could] you [write|put] this in {F}?
{F}[, please|].
All of it in {F}.
[Output|Return] the same [text|words] in {F}.
[Format|Style] the [text|sentence] in {F}.
[I|We] want [it|this|the text|every word] in {F}.
[I|We] would like [it|this|the text|the words] in {F}.
[I|We] want you to use {F}[ here| for this|].
[I|We] [want|need] to see [this|it|the text|the sentence] in {F}.
[I|We] need the [line|words|input|sentence] [written|printed|typed] in {F}.
[I am|We are] after the [same text|text|words] in {F}.
[What I need is|All I need is|What we want is] the [text|line|sentence] in {F}.
[Can|Could] you [change|turn|convert|switch] [this|it|the text] [to|into] {F}?
[Can|Could] you [type|print|rewrite|repeat] the [text|sentence|words|line] in {F}?
[Can|Could] you use {F}[ here| for the text| for all of it|]?
[Could|Would] you [please|kindly] [write|put|set] the [text|words|input] in {F}?
[Can|Could] I have [it|this|the text] in {F}[, please|]?
[May|Can] we [have|see] the [words|text|sentence] in {F}?
[Please|Kindly] [write|put|type|rewrite] [it|this|the text|the sentence] in {F}.
[Please|Kindly] [change|turn|convert] the [text|sentence|words|line] [to|into] {F}.
[Please|Kindly] use {F}[ here| for it| for the words|].
[Please|Kindly] [return|give|send] the [text|input|words] in {F}.
[Transform|Bring|Switch] the [text|words|sentence|line] [to|into] {F}.
[Transform|Turn|Change] [all of it|this|all words|every word] into {F}.
[Change|Set|Switch] the [letters|words] [to|into] {F}.
[Change|Convert|Turn] [each|every] word [to|into] {F}.
[Change|Convert] the case to {F}.
[Put|Set|Write] [each|every] word in {F}.
[Put|Write|Spell|Type] [all|all of it|all words|the whole line] in {F}.
[Write|Type|Print] the [same|given] [words|text|line] in {F}.
[Write|Type] [this|it] [again|once more|anew] in {F}.
[Write|Copy|Type] [the input|it|this], but in {F}.
[Write|Print|Show] the [line|note|snippet] in {F}.
[Copy|Repeat] the [text|line|sentence] in {F}.
[Print|Type] the [text|line|sentence], using {F}.
[Keep|Leave] the words [as they are|the same], but [write|put|use] {F}.
[Keep|Leave] the words, change the letters: {F}.
[Give|Send|Hand] [me|us] [this|it|the line] in {F}.
[Give|Show|Send] us the [text|words|sentence] in {F}.
[Show|Let me see|Display] [it|this|the words] in {F}.
[Show|Display|Present] the [text|line|input] in {F}.
[Let|Make] the [text|line|words|sentence] [appear|be] in {F}.
[Let|Have] [it|everything|the text] be in {F}.
[Produce|Create|Make] a [copy|version] in {F}.
[Produce|Give|Make] a version [of the text|of this|of it] in {F}.
[Use|Choose|Take] {F} for [it|this|all words|the words|the line].
[Use|Choose] {F}, [nothing else|leave the words as they are].
[Use|Apply] {F} [everywhere|all over|from start to end].
[Only|Just] use {F}.
Just {F}[ here|, please|].
[Reply|Answer] with the [same text|text|words] in {F}.
[Reply|Answer] with the [input|line|sentence] in {F}.
[Format|Style|Set] [it|this|the words|the input] in {F}.
[Style|Case]: {F}
[Style|Letters|Case]: {F}.
[Capitalisation|Case of the letters]: {F}.
[Take|Read] the [text|line|sentence] and [write|put|return] it in {F}.
[Take|Use] the words and [make them|put them in] {F}.
What [is|would be] the [text|line|sentence] in {F}?
What is [it|this] when [written|you write it] in {F}?
What does the [text|sentence|line] look like in {F}?
What would [it|this|the text] look like in {F}?
How would [it|this|the text] [look|be] in {F}?
How do you write [it|this|the sentence|the line] in {F}?
How does [it|this|the text|the line] look in {F}?
From now on {F}: [write|repeat|copy] the [text|line].
For this [text|line|sentence], [use|choose|take] {F}.
For the [words|letters], [use|choose|take] {F}.
For [all|every one] of the words use {F}.
With {F}[, please|]: the [same text|text|words].
With {F}, [write|copy|repeat] the [text|line|sentence].
In {F}[, please|].
In {F}, [write|give|show|return] the [text|words|sentence|line].
In {F}: the [text|sentence|line|words].
Into {F}[, please|].
To {F}[, please|].
As {F}[, please|].
Same [text|words], but in {F}.
The same [text|words|line], but in {F}[, please|].
The same in {F}[, please|].
The [text|sentence|line|input] [should|must|has to] be in {F}.
The [text|sentence|line|input] [should|must|is to] be [written|printed|set|put] in {F}.
The [text|words|line] [needs|wants|requires] {F}.
The [words|letters] [should|must|are to] be in {F}.
The [answer|output|result] is the [text|line|sentence] in {F}.
The [answer|output|result] [should|must] be in {F}.
The whole [line|sentence|input|thing] in {F}[, please|].
This [text|line|sentence] in {F}[, please|].
This [should|must|has to] be in {F}.
This [text|line|sentence] [should|must|has to] be in {F}.
This [goes|belongs] on a [sign|card|label], so use {F}.
It [should|must|has to] be in {F}.
It all [should|must|has to] be in {F}.
[All|Every one] of the words [should|must] be in {F}.
[All|All words|Everything] in {F}[, please|].
[All|All words|Everything] [should|must] be in {F}.
[Each|Every] word [should|must|has to|is to] be in {F}.
[Each|Every] word in {F}[, please|].
[Our|My] [list|sign|system] [needs|wants|takes] [text|words] in {F}. [Change|Convert|Rewrite] it.
If it is not in {F}, [change it|make it so|rewrite it].
Your [answer|output] is the [text|line|sentence] in {F}.
Your [answer|output] [should|must] be the [text|words] in {F}.
Your [job|task] is to [write|put] the [text|line|sentence] in {F}.
You [should|must|have to] [write|put|set] it in {F}.
[Task|Job]: {F}.
[Task|Your task]: [write|put|set] the [text|line|words] in {F}.
[Wanted|Needed|Required]: {F}.
[Output|Answer|Result]: the [text|line] in {F}.
{F}
{F}: [change|rewrite|convert] the [text|line|words].
{F} for [the text|this|all words|every word][, please|].
{F} [everywhere|throughout|all the way][, please|].""",
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
[State|Say] the {e} {n} words.
[I|We] want the {e} {n} words[ of it| of the line| and nothing else|].
[I|We] would like [to have|to see|] the {e} {n} words[ of this|].
[I|We] need to [know|see] the {e} {n} words[ of this sentence|].
[I am|We are] [only|just] interested in the {e} {n} words.
[I am|We are] after the {e} {n} words.
[All I need is|All we want is|What I need is|What we want is] the {e} {n} words.
[Can|Could] I [have|see|get] the {e} {n} words[, please|]?
[Can|Could] you [copy|repeat|find|return] the {e} {n} words[ for me|]?
[Could|Would] you [please|kindly] [write|send|return] the {e} {n} words?
[Can|Could] you [cut|shorten] [it|this|the text] to the {e} {n} words?
[May|Can] we see the {e} {n} words[ of the text|]?
[Please|Kindly] [write|give|return|copy|keep] the {e} {n} words.
[Please|Kindly] [write|give|return] [only|just] the {e} {n} words[ of the sentence|].
[Please|Kindly] [cut|shorten|reduce] [it|the text|the sentence] to its {e} {n} words.
[Provide|Present|Report|Display] the {e} {n} words[ of the input| of the line|].
[Grab|Fetch|Select|Choose] the {e} {n} words[ from the text| of the line|].
[Isolate|Single out|Lift out] the {e} {n} words.
[Read|Read out|Tell me|Tell us] the {e} {n} words[ of the text|].
[Type|Print|Display|Write down] the {e} {n} words.
[Keep|Save|Leave|Hold] [just|only] the {e} {n} words[ of the line| of the input|].
[Keep|Save] the {e} {n} words and [drop|delete|forget|remove] the rest.
[Drop|Forget|Ignore|Skip] [all|everything] except the {e} {n} words.
[Erase|Cut|Cut off|Strip] [all|everything] but the {e} {n} words.
[Throw away|Discard] [all|everything] except for the {e} {n} words.
[Show|Give] [me|us] [just|only] the {e} {n} words.
[Show|Let me see|Let us see] the {e} {n} words of [it|this text|the line].
[Shorten|Cut|Trim|Reduce] [it|this|the line|the sentence] so that only the {e} {n} words [stay|remain|are left].
[Shorten|Cut|Trim] [it|this|the line] to the {e} {n} words.
[Take|Use] [just|only] the {e} {n} words[ of the text| of the input|].
[Take|Read] the [text|sentence|line] and [write|return|keep] the {e} {n} words.
[Look at|Read] the [text|sentence|line] and [copy|give|say] its {e} {n} words.
Limit yourself to the {e} {n} words.
[Return|Output|Print] the [text|sentence|line], but only its {e} {n} words.
[Return|Output|Write] the {n} words that come {e}.
[Write|Copy|Give] the {n} {e} words[ of the text|].
[Write|Say|Type] {n} words: the {e} ones.
[Count off|Take] {n} words, the {e} ones.
[Go|Jump] to the {e} {n} words and [copy|write|return] them.
[Only|Just] [copy|write|return|keep] the {e} {n} words.
[Only|Just] the {n} {e} words.
Only {n} words, the {e} ones.
Only the {e} {n} words [count|matter|are needed|are of interest].
[From|Of|Out of] the [text|sentence|line|input], [take|keep|copy] the {e} {n} words.
[From|Of] [this|the] [text|sentence|line] [I|we] need the {e} {n} words.
[From|Of] all [the|these] words, [keep|give|return] the {e} {n}.
Of all the words [I|we] [want|need] only the {e} {n}.
Of the [words|text], only the {e} {n} words.
As the answer, [give|write] the {e} {n} words.
In the [answer|output], [keep|give] only the {e} {n} words.
What do the {e} {n} words say?
What are the {n} {e} words?
What are its {e} {n} words?
What would be the {e} {n} words[ here| of it|]?
What is left if you keep [just|only] the {e} {n} words?
Which {n} words [come|stand|are] {e}?
Which words are the {e} {n}?
Which are the {n} {e} words[ of the text| here|]?
How does the [text|sentence|line] read with only its {e} {n} words?
Do you see the {e} {n} words? [Copy|Write|Return] them.
The {n} {e} words[, please| only|].
The {e} {n} words of the [text|sentence|line|input][, please|].
The {e} {n} words of it, [nothing more|no more|that is all].
The {e} {n} words [are enough|will do|are all I need|are all we need].
The {e} {n} words [should|must|are to] be [returned|kept|copied|given].
The {e} {n} words [should|must] [stay|remain], the rest [can go|goes|is not needed].
The [answer|output|result] [should|must] be the {e} {n} words.
The [answer|output|result] is the {e} {n} words of the [text|sentence|line].
The [text|sentence|line] [should|must|is to] be [cut|shortened|reduced] to its {e} {n} words.
The rest [is not needed|does not matter|can go]: [keep|write] the {e} {n} words.
Your [answer|output] is [just|only] the {e} {n} words.
Your [job|task] is to [copy|return|give] the {e} {n} words.
You [should|must|have to] [keep|return|write] only the {e} {n} words.
If you [cut|shorten] [it|the text] to the {e} {n} words, what [is left|remains|stays]?
If there are more, [write|keep|give] only the {e} {n} words.
[However|No matter how] long it is, [give|write|keep] the {e} {n} words.
[The text|It|The line] is too long: [keep|I need|give me] the {e} {n} words.
[Task|Job]: [keep|copy|return] the {e} {n} words.
[Task|Your task]: the {e} {n} words of the [text|sentence].
[Wanted|Needed|Required]: the {e} {n} words.
[Output|Answer|Result]: the {e} {n} words.
[Question|Task]: what are the {e} {n} words?
{e} {n} words[, please|].
{e} {n} words only[, please|].
{e} {n} words of the [text|sentence|line].
{n} words, the {e} ones[, please|].
Nothing [more than|except] the {e} {n} words.
For [our|my|the] list [I|we] need the {e} {n} words.
For a [short version|title], [keep|use|take] the {e} {n} words.""",
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
[Reply|Answer] with the [text|sentence] minus the {e} {n}.
[I|We] want [it|this|the line] without the {e} {n}.
[I|We] would like the [text|sentence|line] without the {e} {n}.
[I|We] [want|need] [all|everything] but the {e} {n}.
[I|We] [want|would like] the {e} {n} [removed|deleted|cut|gone|left out].
[I|We] do not need the {e} {n}.
[I|We] can do without the {e} {n}.
[I am|We are] not interested in the {e} {n}. [Write|Give me|Return] the rest.
[I|We] need the [text|sentence|line] [minus|except for] the {e} {n}.
[Can|Could] you [cut|cut off|leave out|take off] the {e} {n}[, please|]?
[Can|Could] you [write|repeat|give me] the [text|sentence|line] without the {e} {n}?
[Could|Would] you [please|kindly] [remove|drop|delete] the {e} {n}?
[Can|Could] I have [it|the text|the sentence] without the {e} {n}?
[Can|May] we see [it|the line|the rest] without the {e} {n}?
[Please|Kindly] [remove|drop|delete|cut|erase] the {e} {n}[ of the text| of the line|].
[Please|Kindly] [write|return|give|copy] the [text|sentence|line] without the {e} {n}.
[Please|Kindly] [leave|take] out the {e} {n}.
[Remove|Delete|Cut|Erase|Strip] the {e} {n} from the [text|sentence|line|input].
[Remove|Delete|Cut|Erase] the {e} {n} and [keep|return|write|show] the rest.
[Remove|Drop] the {e} {n}, [nothing else|leave the rest|keep everything else].
[Cut|Chop|Take] the {e} {n} off.
[Cut|Chop|Strip] off the {e} {n}[ of the line| of the sentence|].
[Cut|Strip] the {e} {n} out of the [text|sentence|line].
[Take|Throw] out the {e} {n}.
[Throw|Clear] away the {e} {n}[ of the text|].
[Ignore|Forget|Skip|Pass over] the {e} {n}[ and write the rest| and copy the rest|].
[Ignore|Forget|Disregard] the {e} {n}; [the rest stays|keep the rest|copy the rest].
[Leave out|Let go of] the {e} {n}.
[Leave out|Omit|Drop] the {e} {n} [of the line|when you copy the text|when you write it].
[Lose|Clear|Wipe] the {e} {n}.
[Separate|Split] the {e} {n} from the rest and [keep|return] the rest.
[Keep|Save|Return] [what is left|the rest] after [cutting|removing|dropping] the {e} {n}.
[Keep|Leave] [all|every one] of the words but the {e} {n}.
[Keep|Copy|Write] all words [except|but|besides] the {e} {n}.
[Write|Copy|Repeat|Print] [all|everything|all of it] except the {e} {n}.
[Write|Copy|Give|Show] [what remains|what is left] without the {e} {n}.
[Write|Copy|Print|Type] the [line|input|note] without its {e} {n}.
[Write|Type] it [again|once more|out] without the {e} {n}.
[Rewrite|Reprint] the [text|sentence|line], [leaving out|dropping|without] the {e} {n}.
[Give|Show|Send] [me|us] the [text|sentence|line] minus the {e} {n}.
[Show|Print|Output] the [text|line|input] [minus|except for] the {e} {n}.
[Return|Output] the [input|line|words] without the {e} {n}.
[Return|Output|Print] [all words|everything|all] but the {e} {n}.
[Shorten|Cut|Trim] the [sentence|line|input] by its {e} {n}.
[Shorten|Reduce] the [text|line] by [removing|dropping|cutting] the {e} {n}.
[Make|Create|Produce] a [copy|version] without the {e} {n}.
[Make|Have] the {e} {n} [go|disappear|vanish].
[Take|Read] the [text|sentence|line], [drop|remove|cut] the {e} {n} and [write|return|give] the rest.
[Take|Read] the [text|sentence|line] and [leave out|drop|cut] the {e} {n}.
[Edit|Change] the [text|sentence|line]: [remove|drop|delete] the {e} {n}.
[Edit|Clean] the [text|line] by [removing|deleting] the {e} {n}.
[Subtract|Discount] the {e} {n}.
[Do not|Don't] [write|copy|keep|repeat] the {e} {n}, [only|but] the rest.
[Do not|Don't] [include|keep] the {e} {n}.
[Reply|Answer|Respond] with [all|everything] but the {e} {n}.
[Reply|Answer] with the [rest|words that are left] after [removing|dropping] the {e} {n}.
From the [text|sentence|line|input], [remove|drop|cut|delete] the {e} {n}.
From this [text|sentence|line], [take away|remove|strip] the {e} {n}.
Without the {e} {n}[, please|].
Without the {e} {n}: the [text|sentence|line].
Without the {e} {n}, what does the [text|sentence|line] say?
Without its {e} {n}, how does the [text|sentence|line] [read|go]?
With the {e} {n} [removed|gone|deleted|left out], what is [left|the text]?
With the {e} {n} [removed|cut|dropped][, please|].
After [removing|dropping|cutting] the {e} {n}, [what is left?|what remains?|write the rest.]
Except for the {e} {n}, [copy|write|keep|repeat] [everything|all of it].
Apart from the {e} {n}, [copy|write|keep] [everything|all words].
All of it [except|but|without] the {e} {n}.
All words but the {e} {n}[, please|].
All except the {e} {n}[, please|].
No {e} {n}, [please|only the rest].
Minus the {e} {n}[, please|].
What is [it|the text|the sentence] without the {e} {n}?
What [is left|remains|stays] without the {e} {n}?
What [is left|remains] if you [remove|drop|cut|take away] the {e} {n}?
What does the [line|text|sentence] look like without the {e} {n}?
How does the [line|text|sentence] [read|go] without the {e} {n}?
How would [it|the sentence|the text] read without the {e} {n}?
If you [remove|cut|drop|delete|leave out] the {e} {n}, what [is left|remains|do you get]?
If we [remove|cut|drop] the {e} {n}, what is the [text|sentence|line]?
The {e} {n} [should|must] go.
The {e} {n} [should|must] be [removed|deleted|left out|dropped|cut].
The {e} {n} can [go|be removed|be left out|be cut].
The [text|sentence|line] [should|must|is to] be without the {e} {n}.
The [text|sentence|line|input] without the {e} {n}[, please|].
The [text|sentence|line], but without the {e} {n}.
The [text|sentence|line] minus the {e} {n}[, please|].
The [text|sentence|line] [should|must] lose the {e} {n}.
Only the rest, without the {e} {n}.
The [answer|output|result] is the [text|sentence|line] without the {e} {n}.
The [answer|output|result] [should|must] be [everything|all] but the {e} {n}.
The same [text|sentence|line] without the {e} {n}[, please|].
The same without the {e} {n}[, please|].
Your [answer|output] is the [text|sentence|line] without the {e} {n}.
Your [job|task] is to [remove|drop|delete|cut] the {e} {n}.
You [should|must|can] [leave out|drop|remove|skip] the {e} {n}.
[Task|Job]: [remove|delete|drop] the {e} {n}.
[Task|Your task]: the [text|sentence|line] without the {e} {n}.
[To delete|To remove|To drop]: the {e} {n}.
[Output|Answer|Result]: [everything|all] but the {e} {n}.
[Wanted|Needed]: the [text|sentence|line] without the {e} {n}.""",
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
[Repeat|Copy out] the {n} {u}.
[I|We] want the {n} {u}[ only| of it| and no other|].
[I|We] would like [to have|to see|to know|] the {n} {u}.
[I|We] need to [know|see] the {n} {u}.
[I am|We are] [only|just] interested in the {n} {u}.
[I am|We are] after the {n} {u}[ here|].
[All I need is|All we want is|What I need is|What we want is] the {n} {u}.
[Can|Could] I [have|see|get] the {n} {u}[, please|]?
[Can|Could] you [copy|repeat|find|return|pick] the {n} {u}[ for me|]?
[Could|Would] you [please|kindly] [write|send|return|say] the {n} {u}?
[Can|Could] you say which {u} is {n}?
[May|Can] we [see|know] the {n} {u}?
[Do you see|Can you see] the {n} {u}? [Copy|Write|Say] it.
[Please|Kindly] [write|give|return|copy|name] the {n} {u}.
[Please|Kindly] [write|give|return] [only|just] the {n} {u}.
[Please|Kindly] [pick|choose|select|find] the {n} {u}[ for me|].
[Provide|Present|Report|Display] the {n} {u}[ of the input|].
[Grab|Fetch|Locate|Identify] the {n} {u}[ of the line|].
[Isolate|Single out|Lift out] the {n} {u}.
[Read|Read out|Tell us|Tell me] the {n} {u}.
[Type|Display|Write down|Note] the {n} {u}[ of the line| here|].
[Keep|Save|Leave] [just|only] the {n} {u}.
[Keep|Save|Take] the {n} {u} and [drop|delete|forget|leave] the rest.
[Drop|Forget|Ignore|Remove] [all|everything] except the {n} {u}.
[Erase|Delete|Skip] [all|everything] but the {n} {u}.
[Show|Give] [me|us] [just|only] the {n} {u}.
[Show|Let me see|Let us see] the {n} {u} [of it|of the line|here].
[Shorten|Trim|Reduce] [it|this|the line] to [its|the] {n} {u}.
[Take|Use] [just|only] the {n} {u}[ of the input|].
[Take|Look through] the [line|input|text] and [return|copy|name] the {n} {u}.
[Go|Jump] to the {n} {u} and [copy|write|return] it.
[Count|Go] [up to|through to|on to] the {n} {u} and [write|return|say] it.
[Return|Output|Write] the {u} [that comes|that stands|which is] {n}.
[Return|Output|Say] the {u} at the {n} [place|position].
[Return|Output|Print] the {u} [in|from] {n} place.
[Write|Name|Say] the {u} that is {n} [in the line|in the input|here].
[Find|Copy] the {u} in {n} [place|position].
[Find|Give|Tell me] what [comes|stands] {n}: the {u}.
[Only|Just] [copy|write|return|say|name] the {n} {u}.
Only the {n} {u}[, please| counts| matters|].
Only one {u}, the {n}[ one|].
One {u}[ only|, please|]: the {n}[ one|].
[From|Of|Out of] the [line|input|text], [take|keep|copy|give] the {n} {u}.
[From|Of] [this|the] [line|input|text] [I|we] need the {n} {u}.
[From|Of|Out of] all [this|that], [give|keep] the {n} {u}.
In the [answer|output], [keep|give|write] only the {n} {u}.
In the [line|input|text], which {u} comes {n}?
In {n} place there is [which|what] {u}?
At the {n} place, which {u} [do you see|is there|stands]?
As the answer, [give|write] the {n} {u}.
What [do you read|stands|is written|is there] as the {n} {u}?
What is the {u} in {n} [place|position]?
What is the {n} {u} [called|here|of it|of the line|of the input]?
What {u} [is|comes|stands] {n}?
What would be the {n} {u}?
What was the {n} {u}[ again|]?
What does the {n} {u} say?
Which {u} [comes|stands|is] {n}[ here| in the line|]?
Which {u} do you [see|find|read] {n}?
Which {u} [has|takes|holds] the {n} place?
Which {u} is in {n} [place|position]?
Which one is the {n} {u}?
Do you know which {u} is the {n}?
The {u} in {n} [place|position][, please|].
The {u} that [comes|stands|is] {n}[, please|].
The {n} {u} [is enough|will do|is all I need|is all we need].
The {n} {u} [should|must|is to] be [returned|kept|copied|given|written].
The {n} {u} [should|must] [stay|remain], the rest [can go|goes|is not needed].
The {n} {u} of [it|the line|the input][, please|].
The {n} {u} of [it|the line|the text|the input] is [wanted|needed|what I need].
The [answer|output|result] [should|must] be the {n} {u}.
The [answer|output|result] is the {n} {u}[ of the input|].
The rest [is not needed|does not matter|can go]: [keep|write|I need] the {n} {u}.
Your [answer|output] is [just|only] the {n} {u}.
Your [job|task] is to [copy|return|find|name] the {n} {u}.
You [should|must|have to] [find|return|write] the {n} {u}.
If you look [closely|at the line], what is the {n} {u}?
If you had to name the {n} {u}, what [would it be|is it]?
[When|If] you have found the {n} {u}, [write|copy|return] it.
[However|No matter how] long the line is, [give|write] the {n} {u}.
[Task|Job]: [find|copy|return] the {n} {u}.
[Task|Your task]: the {n} {u}.
[Wanted|Needed|Required]: the {n} {u}.
[Output|Answer|Result]: the {n} {u}.
[Question|Task]: what is the {n} {u}?
[Question|Task]: which {u} is {n}?
{n} {u}, please.
{n} {u} only[, please|].
{n} {u} of the [line|input|text].
Nothing [more than|except] the {n} {u}.
For [our|my|the] [list|notes] [I|we] need the {n} {u}.""",
    "reverse": """[Put|Set|Print] the {u} in [reverse|reversed|opposite] order.
[Change|Turn] the order of the {u} [around|round].
[List|Say|Repeat|Copy] the {u} [backwards|in reverse|in reverse order|from the last to the first].
The {u} [backwards|in reverse order|from last to first][, please|].
[I|We] [need|want] the {u} [reversed|backwards|in reverse order].
[Can|Could] you reverse the {u}?
Make the {u} go backwards.
Reverse order of the {u}[, please|].
Last of the {u} first, and so on back to the first.
[Mirror|Swap] the order of the {u}.
[I|We] want the {u} [backwards|in reverse|in reverse order|reversed].
[I|We] would like the {u} [backwards|in reverse order|in the opposite order|reversed].
[I|We] [want|need] the last of the {u} to [come|be] first and so on.
[I|We] [want|need] the {u} from [the last|the end] to the [first|start].
[I|We] [want|need] the order of the {u} [reversed|turned around|to be the opposite].
[I am|We are] after the {u} in [reverse|the opposite] order.
[What I need|All I need] is the {u} in reverse order.
[Can|Could] you [turn|switch] the {u} around[, please|]?
[Can|Could] you [write|list|say|give me] the {u} [backwards|in reverse order|from last to first]?
[Can|Could] you [change|turn around|flip] the order of the {u}?
[Could|Would] you [please|kindly] [reverse|turn around] the {u}?
[Can|Could] I have the {u} [backwards|in reverse order|from last to first]?
[Can|May] we see the {u} in [reverse|the opposite] order?
[Please|Kindly] [reverse|flip|turn around] the {u}.
[Please|Kindly] [reverse|flip] the order of the {u}.
[Please|Kindly] [write|list|put|give] the {u} [backwards|in reverse order|from last to first].
[Please|Kindly] [start|begin] with the last of the {u} and go back to the first.
[Reverse|Flip|Invert|Turn around] the {u} [of the input|of the line|you see|that are given].
[Reverse|Flip|Invert] [them|it all|the whole line]: the last of the {u} comes first.
[Reverse|Flip|Invert] the sequence of {u}.
[Reverse|Turn around|Invert] [how|the way] the {u} are ordered.
[Order|Arrange] the {u} from [last|the last] to [first|the first].
[Order|Arrange] the {u} in [reverse|the opposite direction|the opposite way].
[Arrange|Place|Line up] the {u} [backwards|the opposite way round|in reverse].
[Put|Place|Set] the last of the {u} first and so on, back to the first.
[Put|Place|Move] the {u} [back to front|in the opposite order|the opposite way round].
[Write|Print|Type] the {u} [back to front|starting with the last|beginning at the end].
[Write|Print|Type] the {u} again, [but backwards|but in reverse|in the opposite order].
[Write|Give|List] the {u} [so that the last is first|with the last one first|beginning with the last].
[Write|Say|Show] the {u} [from the end|from the back|from the end to the start].
[Copy|Repeat|Print] the {u}, but [backwards|in reverse|from last to first].
[List|Print|Type] the {u} from [the end|the back|the last one] on.
[Give|Show|Tell] [me|us] the {u} [backwards|in reverse order|from last to first].
[Show|Present|Display] the {u} in [reverse|reversed|the opposite] order.
[Output|Return] the {u} [backwards|in the opposite order|last one first].
[Return|Write] the same {u} in [reverse|the opposite|reversed] order.
[Swap|Exchange] first and last and so on: reverse the {u}.
[Switch|Turn|Flip] the {u} [around|round|over].
[Switch|Change] the direction of the {u}.
[Read|Go through|Take] the {u} from [the end|the back|right to left] and [write|list] them.
[Read|Take] the {u} and [write|list|return] them [backwards|in reverse order].
[Go|Work] backwards through the {u}.
[Go|Walk] through the {u} from [last|the end] to [first|the start].
[Start|Begin] at the end: [write|list|copy] the {u} backwards.
[Start|Begin] with the last one and [list|write] all {u} [up to|back to] the first.
[Keep|Leave] the {u} but [reverse|turn around|invert] [their|the] order.
[Let|Make] the last of the {u} come first and the others follow in reverse order.
[Let|Have] the {u} [run|appear|come] in [reverse|the opposite] order.
[Make|Produce|Create] a line with the {u} in reverse order.
[Use|Choose|Take] the [reverse|opposite] order for the {u}.
[Use|Take] the same {u}, [but in reverse order|but backwards|last one first].
[Reply|Answer|Respond] with the {u} in [reverse|reversed|the opposite] order.
[Reply|Answer] with the {u} [backwards|reversed|from last to first].
Backwards[, please|]: the {u}.
Backwards, [write|list|give] the {u}.
In reverse[ order|], [write|list|give|say|show] the {u}.
In [reverse|the opposite] order[, please|]: the {u}.
In the opposite order, [write|list|show] the {u}.
From last to first, [write|list|give|name] the {u}.
From last to first[, please|]: the {u}.
From the end to the [start|beginning], [write|list|give] the {u}.
From [right to left|back to front], [write|copy|list] the {u}.
With the last one first, [write|list|give] the {u}.
As the answer, [give|write|list] the {u} in reverse order.
What are the {u} [backwards|in reverse order|from last to first]?
What are the {u}, [read|seen|taken] from the end?
What do you get [when|if] you reverse the {u}?
What [is|would be] the reverse order of the {u}?
What does the line look like with the {u} [reversed|in reverse order|backwards]?
How do the {u} [read|go|look] [backwards|in reverse order|in reverse]?
How would the {u} [read|go] [backwards|in reverse order|from last to first]?
If you [turn around|reverse|flip] the {u}, what do you get?
If you [read|list] the {u} from the end, what [do you get|is the line]?
If the last of the {u} came first and so on, how would the line read?
The {u} [reversed|in reverse|the opposite way round][, please|].
The {u}, but [backwards|in reverse order|from last to first].
The {u}, [last one first|starting with the last|beginning at the end][, please|].
The {u} [should|must|are to] be [reversed|turned around|in reverse order].
The {u} [should|must] [go|run|appear|come] [backwards|from last to first|in reverse order].
The {u} [have|need] to be [reversed|turned around].
The last of the {u} [should|must|is to] come first, and so on back to the first.
The last of the {u} [becomes|is now] the first and so on.
The order of the {u} [should|must|is to] be [reversed|turned around|inverted].
The order of the {u} is wrong: [reverse it|turn it around|it should be reversed].
The [reverse|opposite|reversed] order of the {u}[, please|].
The [answer|output|result] is the {u} in [reverse|reversed] order.
The [answer|output|result] [should|must] have the {u} [backwards|in reverse order].
The same {u}, [but in reverse order|but backwards|last one first].
The same {u} [in reverse order|backwards|from last to first][, please|].
Your [answer|output] is the {u} [backwards|in reverse order].
Your [job|task] is to [reverse|turn around] the {u}.
You [should|must|have to] [reverse|turn around] the {u}.
[Task|Job]: reverse the {u}.
[Task|Your task]: the {u} in reverse order.
[Order|New order] of the {u}: [reversed|backwards|from last to first].
[Wanted|Needed|Required]: the {u} in reverse order.
[Output|Answer|Result]: the {u}, [reversed|backwards].
{u} [backwards|in reverse order|in reverse|from last to first][, please|].
{u}: [reverse|reverse order|backwards].
Just [reverse|turn around|flip] the {u}.""",
    "join_list": """[Put|Place|Set] "{s}" between the [items|words|entries].
Separate the [items|words|entries] [by|with] "{s}".
The [items|entries] [joined|connected|separated] by "{s}"[, please|].
[Use|Take] "{s}" [as the separator|as separator|instead of commas|instead of the comma].
[Change|Turn] [every comma|each comma|the commas] [to|into] "{s}".
[I|We] [need|want] the [list|items] with "{s}" between [them|the items].
[Rewrite|Print|Return|Give me|Repeat] the list with "{s}" [as separator|instead of commas].
[Can|Could] you join [these|the items] with "{s}"?
Separator: "{s}".
[Make|Build] one line of the items with "{s}" [between|in between].
[Glue|Tie|Chain] the [items|words] together with "{s}".
[I|We] would like "{s}" [between|in between] the [items|words|entries].
[I|We] want the [items|words|entries] [joined|connected|linked|separated] by "{s}".
[I|We] [want|need] "{s}" [instead of|in place of|rather than] [the commas|commas|every comma].
[I|We] [want|need] the separator "{s}"[ in this list| here| between the items|].
[I|We] do not want commas but "{s}".
[I am|We are] using "{s}" as separator[: rewrite the list|; change the list]
[Can|Could] you [put|write|place|use] "{s}" between the [items|words|entries]?
[Can|Could] you [change|turn] the commas into "{s}"?
[Can|Could] you [separate|divide|link|connect] the [items|words|entries] [by|with] "{s}"?
[Could|Would] you [please|kindly] [join|link|connect] the [items|words] with "{s}"?
[Could|Would] you use "{s}" [instead of commas|as the separator|in the list]?
[Can|Could] I have the [list|items] with "{s}" [as separator|in between|between them]?
[Please|Kindly] [join|connect|separate|link] the [items|words|entries] [with|by] "{s}"
[Please|Kindly] [put|write|use] "{s}" [instead of the commas|between the items|between the words].
[Please|Kindly] [replace|exchange] [the commas|each comma|commas] [with|by] "{s}".
[Please|Kindly] [rewrite|print|return] the list with "{s}" [between the items|as its separator].
[Replace|Exchange|Swap] [every comma|each comma|all commas] with "{s}".
[Remove|Drop|Delete] the commas and [put|write|use] "{s}" [instead|in their place].
[Change|Switch|Set] the separator [to|from commas to|from comma to] "{s}".
[Change|Convert] the list so that it has "{s}" [between the items|in between].
[Convert|Turn|Change] [all|the] commas into "{s}".
[Write|Set] "{s}" between the [items|words|entries][ of the list|].
[Insert|Write|Put] "{s}" [in place of|for] [each comma|every comma|the commas].
[Insert|Put|Place] "{s}" after each [item|word|entry] but the last, in place of the comma.
[Write|Print|Type|List] the [items|words|entries] on one line with "{s}" between.
[Write|Print|List|Show] the [items|words|entries] [separated|divided|joined] by "{s}".
[Write|Give|Return] the [items|entries], "{s}" [between them|between each two|in between].
[Write|Return|Print] the [list|line|input] again with "{s}" [instead of commas|between the items].
[Give|Show|Send] [me|us] the [items|words|entries] with "{s}" [in between|between them].
[Output|Return|Print] the [items|words|entries] [joined|separated|linked] by "{s}".
[Output|Return] one line: the items, "{s}" between them.
[Format|Style|Set] the list with "{s}" [between the items|as separator|for the commas].
[Join|Combine|Link|Chain] [all|these|all the|all of the] [items|words|entries] [using|by] "{s}".
[Join|Combine|Merge] the [list|items|words] into one line, [using|with] "{s}".
[Connect|Link|Tie] [each|every] [item|word|entry] to the next [by|with] "{s}".
[Connect|Combine|Join] them with "{s}".
Separate them [by|with] "{s}"[ instead of commas|, not by commas|].
[Separate|Divide] each [item|word|entry] from the next with "{s}".
[Use|Take|Choose] "{s}" [to join|to connect|to separate|to link] the [items|words|entries].
Use "{s}" [between items|for the commas|where there is a comma].
[Use|Write] "{s}", not [commas|a comma|the comma].
[Keep|Leave] the [items|words|entries] but [put|use|write] "{s}" between them.
[Keep|Leave] the list as it is, but with "{s}" [instead of|for] the commas.
[Let|Have] "{s}" stand between the [items|words|entries].
Make "{s}" the separator[ of the list| of the items|].
[Take|Read] the [items|words|list] and [join|link|connect] them [by|with] "{s}".
[Take|Read] the [items|words|list] and [put|write] "{s}" between them.
[Reply|Answer|Respond] with the [items|words|list], "{s}" in between.
[Reply|Answer] with the [items|words|entries] [joined|separated|divided] by "{s}".
Between [the items|the words|the entries|each two items] [put|write|place|use|goes] "{s}".
Between [one item|one word|each item] and the next there [should|must] be "{s}".
In place of [commas|the commas|each comma], [write|use|put] "{s}".
Instead of [commas|the commas|each comma], [write|use|put|I want] "{s}".
Where [there is|you see|stands] a comma, [write|put|use] "{s}".
Where the commas are, [write|put|use|I want] "{s}".
With "{s}" [as the separator|instead of commas|in between], [write|print|list] the items.
With "{s}" between them, [write|list|give] the [items|words|entries].
What is the list with "{s}" [between the items|instead of commas|as separator]?
What does the list look like with "{s}" [between the items|instead of commas|as separator]?
How does the list [look|read] with "{s}" [between the items|instead of the commas]?
How [is the list|would the list be] written with "{s}" [between the items|as separator]?
If there is a comma, [make it|write|turn it into] "{s}".
If the separator is "{s}", [how does the list look?|what is the list?|write the list.]
"{s}" [between|in between] the [items|words|entries][, please|].
"{s}" [instead of|for|in place of] [commas|the commas|every comma][, please|].
"{s}" [as separator|as the separator][, please|].
"{s}" [should|must|has to] [stand|be|go|come] between the [items|words|entries].
"{s}" [should|must|is to] [replace|take the place of] [the commas|each comma|every comma].
"{s}" [separates|joins|links|divides] the [items|words|entries].
"{s}" [replaces|takes the place of] [each comma|every comma|the commas].
"{s}" goes between [the items|the words|every two items|each two words].
"{s}", not [commas|a comma]
The [items|words|entries] with "{s}" [between|between them|in between][, please|].
The [items|words|entries] [should|must|are to] be [joined|separated|connected|linked] by "{s}".
The [items|words] [need|should have] "{s}" between them.
The separator [should|must|is to] be "{s}".
The separator is "{s}"[, not the comma| now| from now on|].
The new separator is "{s}".
The list with "{s}" [instead of commas|as separator|between its items][, please|].
The list, [joined|separated|divided] by "{s}"[, please|].
The commas [should|must|are to] [become|be] "{s}".
The commas [should|must|are to] be [replaced|exchanged] [by|with] "{s}".
The [answer|output|result] is the list with "{s}" between the items.
The [answer|output|result] [should|must] have "{s}" [between the items|instead of commas].
The same [list|items|words] with "{s}" [between|in between|instead of commas][, please|].
Each comma [becomes|should be|turns into|is to be] "{s}".
Each [item|word|entry], then "{s}", then the next.
Every comma [becomes|should become|turns into] "{s}"
[Commas|All commas] [become|turn into|are to be] "{s}".
Your [answer|output] is the list with "{s}" [between the items|for the commas].
Your [job|task] is to [join|connect|link] the items with "{s}".
You [should|must|have to] [put|write|use] "{s}" between the items.
[Task|Job]: [join|link|separate] the items [by|with] "{s}".
[Task|Your task]: "{s}" instead of commas.
[New separator|Separator to use|Separator of the list]: "{s}"
[Separator|Divider] "{s}"[, please|].
[Output|Answer|Result]: the items with "{s}" between them.
[Our|My] [list|table|program] [has|needs|uses|wants] "{s}" between items. [Change it|Change this one|Rewrite this list].
Only the separator [changes|is new]: "{s}".
Just [put|write|use] "{s}" between the [items|words|entries].""",
    "replace_word": """[Exchange|Switch] "{x}" [for|with] "{y}".
[Put|Insert|Place] "{y}" [in place of|in the place of|for] "{x}".
"{x}" [should be|must be|is now|shall be] "{y}".
[Rewrite|Repeat|Copy|Return] the [text|sentence] with "{y}" [instead of|in place of|for] "{x}".
[Every|Each] "{x}" [becomes|turns into|is to be] "{y}".
[I|We] [want|need] "{y}" [where|wherever] [there is|it says] "{x}".
[Find|Take] "{x}" and [replace it with|make it|turn it into] "{y}".
[Can|Could] you [replace "{x}" with|change "{x}" to|swap "{x}" for] "{y}"?
"{y}" [replaces|instead of] "{x}".
[Rename|Edit|Correct] "{x}" [to|into] "{y}".
[If|Where] you see "{x}", write "{y}".
[The word|The name|The text] "{x}" is wrong, [use|write|put] "{y}".
[Overwrite|Update] "{x}" with "{y}".
[I|We] want "{y}" [instead of|in place of|rather than] "{x}".
[I|We] want "{x}" [changed|turned] [to|into] "{y}".
[I|We] want "{x}" replaced [by|with] "{y}".
[I|We] would like "{x}" to [become|be] "{y}".
[I|We] would like [to see|to have|to read] "{y}" [instead of|in place of] "{x}".
[I|We] need "{x}" to [become|be|turn into] "{y}".
[I|We] need the [text|sentence] with "{x}" [replaced by|changed to|turned into] "{y}".
[I|We] meant "{y}", not "{x}".
[I|We] wrote "{x}" but [meant|wanted] "{y}".
[I|We] do not want "{x}" but "{y}".
[I|We] now [use|write|prefer] "{y}" [for|instead of] "{x}".
[Can|Could] you [write|put|use] "{y}" [instead of|in place of|for] "{x}"?
[Can|Could] you [turn|make] "{x}" into "{y}"?
[Can|Could] you exchange "{x}" for "{y}"[, please|]?
[Could|Would] you [please|kindly] [change|correct] "{x}" to "{y}"?
[Could|Would] you [please|kindly] replace "{x}" with "{y}"?
[Can|Could] I have "{y}" [where it says|instead of|in place of] "{x}"?
[Can|Could] "{x}" be [replaced by|changed to|turned into] "{y}"?
[Please|Kindly] replace [the word|each|every] "{x}" [by|with] "{y}".
[Please|Kindly] [change|correct|turn] "{x}" into "{y}".
[Please|Kindly] [change|correct|rename] [the word|] "{x}" to "{y}".
[Please|Kindly] [write|put|use] "{y}" [instead of|in place of] "{x}".
[Please|Kindly] make "{x}" into "{y}".
[Replace|Substitute] "{x}" [in the text|in the sentence|in this line|here] [by|with] "{y}".
[Replace|Overwrite] [each|every|any|all] "{x}" with "{y}".
[Replace|Exchange] each word that reads "{x}" [by|with] "{y}".
[Replace|Exchange] what is "{x}" [by|with] "{y}" and [keep|leave] the rest.
[Change|Turn|Convert] [each|every|any] "{x}" into "{y}".
[Change|Alter|Amend|Update] "{x}" to "{y}".
[Change|Alter] [one word|a word|the text]: "{x}" [becomes|to|is now] "{y}".
[Change|Edit|Revise] the [text|sentence|line] so that "{x}" [is|becomes|turns into] "{y}".
[Change|Edit|Fix|Update] the [text|sentence|line]: "{x}" [becomes|should be|must be] "{y}".
[Correct|Fix] the [text|sentence|line]: not "{x}" but "{y}".
[Correct|Fix] [the word|] "{x}": it [should be|must be|is meant to be] "{y}".
[Swap|Switch|Exchange] the word "{x}" for "{y}".
[Swap|Switch] "{x}" with "{y}" [in the text|in the sentence|in this line].
[Swap|Take] out "{x}" and [put|write|bring] in "{y}".
[Take|Cut] "{x}" out and [put|write|set] "{y}" [there|in its place].
[Take|Read] the [text|sentence|line] and [change|turn] "{x}" into "{y}".
[Take|Use] "{y}" [instead of|in place of|rather than] "{x}".
[Take|Use|Choose] the word "{y}" [where it says|for|instead of] "{x}".
[Remove|Delete|Drop] "{x}" and [write|put|insert] "{y}" [there|instead|in its place].
[Cross out|Strike out] "{x}" and write "{y}".
[Use|Write] "{y}" [where|wherever] "{x}" [stands|is|appears].
[Put|Set|Place] "{y}" [where|wherever] "{x}" [stands|appears|was].
[Put|Place|Set] the word "{y}" [where it says|instead of|in place of] "{x}".
[Write|Say|Print] "{y}" [where|wherever] [the text|it|the sentence] [says|has] "{x}".
[Write|Type|Print] the [text|sentence|line] with "{y}" [instead of|in place of|for] "{x}".
[Write|Copy] the [text|sentence] again, but with "{y}" [instead of|for] "{x}".
[Write|Say] "{y}" when [it says|the text says|you read] "{x}".
[Copy|Repeat] [it|the line|the sentence], but [say|write] "{y}" for "{x}".
[Copy|Repeat|Return] the [text|line|sentence], changing "{x}" to "{y}".
[Give|Show] me the [text|sentence|line] with "{y}" [instead of|in place of|for] "{x}".
[Return|Output|Print] the [text|sentence|line] with "{x}" [replaced by|changed to|turned into] "{y}".
[Return|Output|Show] it with "{y}" [instead of|in place of|where it had] "{x}".
[Keep|Leave] [all|everything] but "{x}", which [becomes|should be|is now] "{y}".
[Keep|Leave] the [text|sentence|rest] as it is, but [make|turn] "{x}" into "{y}".
[Let|Have] "{x}" [be|become] "{y}".
[Make|Turn] [the word|every|each] "{x}" into "{y}".
[Make|Write] it "{y}", not "{x}".
[Change|Turn] all "{x}" to "{y}".
[Rename|Relabel] "{x}" as "{y}".
Rename [every|each|the] "{x}" to "{y}".
[Reword|Rephrase] the [text|sentence]: "{y}" instead of "{x}".
[Rewrite|Reword] [it|the line|this], [using|saying|with] "{y}" [instead of|for|in place of] "{x}".
[Rewrite|Edit] it so that "{x}" [reads|is|becomes] "{y}".
[Find|Look for|Search for|Locate] "{x}" and [write|put|insert] "{y}" [there|in its place|instead].
[Find|Search]: "{x}". [Replace with|Replacement]: "{y}".
[Look for|Search for] [each|every|any] "{x}" and [make|turn] it into "{y}".
[Go through|Check|Scan] the [text|sentence] and [turn|change] "{x}" into "{y}".
[Old|Old word|From]: "{x}". [New|New word|To]: "{y}".
[Not|No longer] "{x}", but "{y}".
Change from "{x}" to "{y}".
For "{x}" [write|read|put|use|say] "{y}".
For [each|every|any] "{x}" in the [text|sentence], [write|put|give|use] "{y}".
In place of "{x}", [write|put|use|say|I want] "{y}".
In the [text|sentence|line], "{x}" [should|must|is to] [be|become] "{y}".
In the [text|sentence|line], [change|turn] "{x}" into "{y}".
In this [text|sentence|line], replace "{x}" [by|with] "{y}".
In this [text|sentence|line], "{y}" [should replace|should stand in for|takes the place of] "{x}".
Instead of [the word|] "{x}", [write|put|use|say|take] "{y}".
Rather than "{x}", [write|put|use|say] "{y}".
If [there is|you find|you read|it says] "{x}", [make it|turn it into|change it to] "{y}".
If a word is "{x}", [make it|write|change it to] "{y}".
When [it says|there is|you find|you read] "{x}", [write|put|say|use] "{y}".
Where [it says|there is|you find|you read] "{x}", [write|put|say|use] "{y}".
Wherever [there is|you find|you read] "{x}", [write|put|say|use] "{y}".
[Each|Every] time you see "{x}", [write|put|say|use] "{y}".
[Each|Every] "{x}" [should be|must be|should turn into] "{y}".
[Each|Every] "{x}" in the [text|sentence] is [now|to become|replaced by] "{y}".
[All|Any] "{x}" [must|should] [become|turn into] "{y}".
[Anything|All] that says "{x}" [should|must|is to] say "{y}".
What is the [text|sentence|line] with "{y}" [instead of|in place of|for] "{x}"?
What [does|would] the [text|sentence|line] say with "{y}" [instead of|in place of|for] "{x}"?
What do you get [when|if] "{x}" [becomes|is replaced by|turns into] "{y}"?
What if it said "{y}" [instead of|and not] "{x}"?
How does the [text|sentence|line] [read|go] with "{y}" [instead of|in place of|for] "{x}"?
How would [it|the sentence|the text] read if "{x}" [were|was] "{y}"?
"{x}" [should|must|has to|needs to] [turn into|change to|become] "{y}".
"{x}" [should|must|is to|has to] be replaced [by|with] "{y}".
"{x}" [should|must|is to] be [changed to|turned into|called|written as] "{y}".
"{x}" is [now called|to become|no longer right: write|wrong, it should be] "{y}".
"{x}" [turns into|changes to|gives way to|gets replaced by] "{y}".
"{x}" [was|has been] [renamed|changed to] "{y}".
"{x}" out, "{y}" in.
"{x}" -> "{y}".
"{x}" to "{y}"[, please|].
"{x}" is out; [use|write|put] "{y}".
"{x}" [does not fit|is the wrong word|is not right]: [write|use|put|make it] "{y}".
"{x}"? [Write|Put|Use|Make it|Better say] "{y}".
"{y}" [should|must|is to|has to] [replace|take the place of|stand in for] "{x}".
"{y}" [takes the place of|goes in place of|comes in for|is the new word for] "{x}".
"{y}" [goes|stands|belongs] [where|wherever] [it says|there is] "{x}".
"{y}", [and not|not|no longer|rather than] "{x}"[, please|].
"{y}" in place of "{x}"[, please|].
"{y}" is [right|better|what we want], "{x}" is [wrong|not].
"{y}" where "{x}" [is|was|stands].
The word "{x}" [becomes|should be|must be|should become|turns into] "{y}".
The word "{x}" [should|must|is to] be replaced [by|with] "{y}".
The word "{x}" is wrong[: it should be|; the right word is|, it must be] "{y}".
The word "{y}" [replaces|should replace|takes the place of] "{x}".
The [right|correct|new] word for "{x}" is "{y}".
The [text|sentence|line] [says|has] "{x}" but [should|must] [say|have] "{y}".
The [text|sentence|line] [should|must|is to] [say|have|read] "{y}" [instead of|and not|where it says] "{x}".
The [text|sentence|line] with "{x}" [changed to|replaced by|turned into] "{y}"[, please|].
The [text|sentence|line] with "{y}" [instead of|for|in place of] "{x}"[, please|].
The [answer|output|result] is the [text|sentence] with "{y}" [instead of|for|in place of] "{x}".
The [answer|output] [should|must] [say|have] "{y}" [where the input has|instead of] "{x}".
The same [text|sentence|line] with "{y}" [instead of|for|in place of] "{x}"[, please|].
Your [answer|output] is the [text|sentence] with "{x}" [turned into|replaced by|changed to] "{y}".
Your [job|task] is to [change|turn] "{x}" into "{y}".
You [should|must|have to] replace "{x}" [by|with] "{y}".
[Task|Job]: replace "{x}" [by|with] "{y}".
[Task|Your task]: "{x}" [becomes|to|turns into] "{y}".
[Change|Edit|Correction|Update]: "{x}" [becomes|should be|is now|to] "{y}".
Just [change|turn] "{x}" into "{y}".
Just [write|put|use] "{y}" for "{x}".""",
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
[Clean|Clear] the [text|sentence] of "{x}".
[I|We] want [the word|] "{x}" [gone|removed|deleted|out|taken out].
[I|We] want [it|the line|all of it] without "{x}".
[I|We] would like the [text|sentence|line] without [the word|] "{x}".
[I|We] would like [the word|] "{x}" to [go|be removed|be deleted].
[I|We] [want|need] [all|everything] but "{x}".
[I|We] do not [need|want|like|use] [the word|] "{x}".
[I|We] no longer [need|want|use] [the word|] "{x}".
[I|We] can do without "{x}".
[I|We] need "{x}" [out of|removed from|deleted from] the [text|sentence|line].
[I am|We are] not happy with [the word|] "{x}"; [remove|delete|drop] it.
[Can|Could] you [cut|cut out|leave out|take out|omit] [the word|] "{x}"[, please|]?
[Can|Could] you [write|repeat|return] the [text|sentence|line] without "{x}"?
[Can|Could] you make "{x}" [disappear|go away]?
[Could|Would] you [please|kindly] [remove|delete|drop|erase] [the word|] "{x}"?
[Can|Could] I have the [text|sentence|line] without "{x}"?
[Can|Could] "{x}" be [removed|deleted|left out|taken out]?
[Please|Kindly] [remove|delete|drop|erase|cut] [the word|] "{x}".
[Please|Kindly] [leave|take|cut] out [the word|] "{x}".
[Please|Kindly] [write|copy|return|give] the [text|sentence|line] without "{x}".
[Please|Kindly] take "{x}" out of the [text|sentence|line].
[Remove|Delete|Erase|Drop] [each|every|any] "{x}".
[Remove|Delete|Erase] the word that [says|is] "{x}".
[Remove|Delete|Erase|Cut] "{x}" and [keep|return|show|write] the rest.
[Remove|Delete|Erase|Strike] "{x}" from [the line|the input|it|what you read].
[Remove|Delete|Erase] one word: "{x}".
[Remove|Delete] only "{x}".
[Cut|Take|Throw|Strike] [the word|] "{x}" out.
[Cut|Take|Throw] out [each|every|any] "{x}".
[Cut|Take|Strike] "{x}" out of the [text|sentence|line].
[Throw|Take] away [the word|every|each] "{x}".
[Cross out|Wipe out|Clear out|Scratch] [the word|] "{x}".
[Clear|Free] the [text|sentence|line] of the word "{x}".
[Ignore|Forget|Skip|Pass over] [the word|] "{x}" and [write|copy|keep] the rest.
[Ignore|Skip|Leave out] "{x}" when you [copy|write|repeat] the [text|sentence|line].
Leave [the word|] "{x}" out.
[Leave|Keep] [all|everything] as it is, but [remove|drop|delete] "{x}".
[Lose|Dump] [the word|] "{x}".
[Keep|Save|Copy] [all|all words|everything] but [the word|] "{x}".
[Keep|Copy|Write] [all words|the whole text|the whole sentence] except "{x}".
[Write|Copy|Repeat|Print] the [line|input|words] without [the word|] "{x}".
[Write|Copy|Type] the [text|sentence|line] [again|once more] without "{x}".
[Write|Copy|Repeat] the [text|sentence|line], but [leave out|skip|drop] "{x}".
[Write|Print|Show] what [is left|remains] without "{x}".
[Rewrite|Retype] the [text|sentence|line], [leaving out|dropping|without] "{x}".
[Edit|Change] the [text|sentence|line] so that "{x}" is [gone|not there|no longer there].
[Edit|Clean up|Correct] the [text|sentence|line]: [remove|delete|drop] "{x}".
[Edit|Clean] out [the word|] "{x}".
[Give|Show|Send] me the [text|sentence|line] [without|minus] "{x}".
[Return|Output|Print] the [text|sentence|line|input] without "{x}".
[Return|Output] [all words|everything|all] [except|but|besides] "{x}".
[Return|Output|Print] the [text|sentence|line] with "{x}" [removed|deleted|left out|taken out].
[Make|Produce] a [copy|version] without "{x}".
[Make|Let] "{x}" [disappear|vanish|go] [from the text|from the sentence|from the line].
[Take|Read] the [text|sentence|line] and [remove|drop|leave out|delete] "{x}".
[Find|Look for|Search for|Locate] "{x}" and [remove|delete|erase|drop] it.
[Find|Look for] [each|every|any] "{x}" and [take|cut|leave] it out.
[Go through|Check|Scan] the [text|sentence|line] and [remove|delete|drop] "{x}".
[Do not|Don't|Never] [write|use|say|print|keep] [the word|] "{x}".
[Do not|Don't] [write|copy|repeat|include] "{x}", [only|just] the rest.
[Reply|Answer|Respond] with the [text|sentence|line] without "{x}".
[Reply|Answer] with [all|everything] but "{x}".
From the [text|sentence|line|input], [remove|drop|cut|delete|erase] "{x}".
From this [text|sentence|line], take away "{x}".
In the [text|sentence|line|input], [remove|drop|delete|leave out] "{x}".
Without [the word|] "{x}"[, please|].
Without "{x}": the [text|sentence|line].
Without [the word|] "{x}", what does the [text|sentence|line] say?
Without "{x}", how does the [text|sentence|line] [read|go]?
With [the word|] "{x}" [removed|deleted|gone|left out], what is the [text|sentence|line]?
With "{x}" [removed|deleted|left out|taken out][, please|].
Except for "{x}", [copy|write|keep|repeat] [everything|all of it].
Apart from "{x}", [copy|write|keep|repeat] [everything|all words].
All of it [except|but|without] "{x}"[, please|].
All words [but|except] "{x}"[, please|].
No more "{x}"[, please|].
No word "{x}"[, please| in the answer].
Not the word "{x}", [but all the others|only the others].
Minus "{x}"[, please|].
Only [the word|] "{x}" [is to|must|should] go.
What is the [text|sentence|line] without [the word|] "{x}"?
What [is left|remains|stays] without [the word|] "{x}"?
What [is left|remains|do you get] if you [remove|delete|drop|take away] "{x}"?
What does the [text|sentence|line] [say|look like] without "{x}"?
How does the [text|sentence|line] [read|go|look] without [the word|] "{x}"?
How would [it|the sentence|the line] read without "{x}"?
If you [remove|cut|drop|delete|leave out] "{x}", what [is left|remains|do you get]?
If [you see|there is|it has|it says] "{x}", [remove it|delete it|leave it out|take it out].
If a word is "{x}", [remove it|delete it|leave it out|drop it].
When you [see|find|read] "{x}", [remove|delete|drop|skip] it.
Where [there is|it says|you see] "{x}", [remove|delete|drop|erase] it.
Wherever [there is|you see|you find] "{x}", [remove|delete|drop] it.
[Each|Every|Any] "{x}" [must|should|has to] [go|be removed|be deleted|disappear].
[Each|Every|Any] "{x}" is to be [removed|deleted|left out].
[Each|Every] time you see "{x}", [drop|skip|remove] it.
"{x}" [should|must|is to|can] be [removed|deleted|left out|taken out|dropped].
"{x}" [can|should|may] [go|disappear].
"{x}" is [wrong here|not needed|one word too many|no longer needed][: remove it|; delete it|: take it out].
"{x}" [does not belong|should not be] [here|in the text|in the sentence|in the line].
"{x}" [out|away|gone][, please|].
"{x}": [remove|delete|drop] it.
"{x}": [remove|delete|drop|leave out|take out].
The word "{x}" [should|must|can|is to] be [removed|deleted|left out|dropped|taken out].
The word "{x}" [is not needed|is wrong|does not fit|is not wanted][: remove it|; delete it|: drop it].
The word "{x}" [can|may] [go|stay out|be left out].
The word to [remove|delete|drop] is "{x}".
The [text|sentence|line] [should|must|is to] be without [the word|] "{x}".
The [text|sentence|line] [should|must] not [have|contain] [the word|] "{x}".
The [text|sentence|line|input] without [the word|] "{x}"[, please|].
The [text|sentence|line] minus "{x}"[, please|].
The [text|sentence|line] with [the word|] "{x}" [removed|deleted|left out][, please|].
The same [text|sentence|line] without "{x}"[, please|].
The same, [but|only] without "{x}".
The [answer|output|result] is the [text|sentence|line] without [the word|] "{x}".
The [answer|output|result] [should|must] not have "{x}" in it.
The rest [stays|is fine], but "{x}" [goes|must go].
Your [answer|output] is the [text|sentence|line] without "{x}".
Your [job|task] is to [remove|delete|drop|cut] [the word|] "{x}".
You [should|must|can] [leave out|drop|remove|skip|delete] [the word|] "{x}".
[Task|Job]: [remove|delete|drop] [the word|] "{x}".
[Task|Your task]: the [text|sentence|line] without "{x}".
[To delete|To remove|Delete|Remove]: "{x}".
[Word to delete|Word to remove|Not wanted]: "{x}".
[Output|Answer|Result]: the [text|sentence|line] without "{x}".
Just [remove|delete|drop|cut] [the word|] "{x}".""",
    "add_text": """[Attach "{x}" to|Set "{x}" at|Place "{x}" at] the {w}.
[I|We] [need|want] "{x}" at the {w}[ of it| of the text|].
At the {w} [write|add|put|insert] "{x}".
[Make|Let] "{x}" stand at the {w}.
[Copy|Repeat|Print] the [text|sentence|message] with "{x}" at the {w}.
The {w} is "{x}".
[Can|Could] you [add "{x}" to|put "{x}" at] the {w}?
"{x}" [goes|belongs|stands] at the {w}.
[Extend|Complete] the [text|message] with "{x}" at the {w}.
[I|We] would like "{x}" at the {w}[ of it| of the text| of the message|].
[I|We] want the {w} to be "{x}".
[I|We] want "{x}" [added|put|written] at the {w}.
[I|We] want the [text|message|sentence] with "{x}" at the {w}.
[I|We] need "{x}" [added|put|written] at the {w}.
[I|We] need the [text|sentence|message] to have "{x}" at the {w}.
[I am|We are] missing "{x}" at the {w}; [add|put|write] it [there|].
[What I need|All I need|What we want] is "{x}" at the {w}.
[Can|Could] you [write|place|insert|set] "{x}" at the {w}[ of the text| of it|, please|]?
[Can|Could] you [return|repeat|copy] the [text|sentence|message] with "{x}" at the {w}?
[Could|Would] you [please|kindly] [add|put|write] "{x}" at the {w}?
[Can|Could] I have "{x}" at the {w}[ of the text|, please|]?
[Can|Could] we have the [text|message|sentence] with "{x}" at the {w}?
[Please|Kindly] [add|put|write|insert|place] "{x}" at the {w}[ of the text| of the message|].
[Please|Kindly] [copy|repeat|return|give] the [text|sentence|message] with "{x}" at the {w}.
[Please|Kindly] let "{x}" be the {w}.
[Add|Attach|Join|Append] "{x}" to the {w} of [it|this|the line|this text].
[Add|Put|Insert|Write] "{x}", at the {w}.
[Add|Put|Write|Insert] at the {w}: "{x}"
[Add|Write|Put] the words "{x}" at the {w}.
[Add|Put] the following [at|to] the {w}: "{x}"
[Add|Put] this [at|to] the {w} of the [text|message|line]: "{x}"
[Add|Put|Insert|Place] "{x}" at the very {w}.
[Place|Set|Include|Type] "{x}" at the {w} of the [text|sentence|message|line].
[Place|Put|Set|Write] the text "{x}" at the {w}.
[Type|Print|Include|Say] "{x}" at the {w}.
[Write|Copy|Repeat] the [text|sentence|line] and [put|add|set] "{x}" at the {w}.
[Write|Copy|Repeat] the [text|sentence|line] with the words "{x}" at the {w}.
[Write|Print] it [again|once more], with "{x}" at the {w}.
[Rewrite|Retype] the [text|sentence|message] with "{x}" at the {w}.
[Copy|Repeat|Print] [it|this|the line] with "{x}" at the {w}.
[Give|Show|Send] [me|us] the [text|sentence|message] with "{x}" at the {w}.
[Return|Output|Print] the [text|sentence|line] and "{x}" at the {w}.
[Return|Output|Print] [it|the input|the line] with "{x}" at its {w}.
[Return|Output] the [text|sentence], with "{x}" added at the {w}.
[Keep|Leave] the [text|sentence|message] [as it is|the same], but [add|put] "{x}" at the {w}.
[Keep|Leave] the [text|sentence|message] and [add|put|write] "{x}" at the {w}.
[Take|Read] the [text|sentence|message] and [add|put|write] "{x}" at the {w}.
[Take|Use] "{x}" as the {w} of the [text|message|line].
[Use|Choose] "{x}" for the {w}[ of the text| of the message|].
[Let|Make] the {w} [be|read] "{x}".
Let the [text|message|sentence] have "{x}" at its {w}.
[Let|Have] "{x}" [come|appear] at the {w}.
[Make|Produce] a [copy|version] with "{x}" at the {w}.
Make "{x}" the {w} of the [text|message|sentence].
[Complete|Extend|Expand] the [text|sentence|line]: "{x}" at the {w}.
[Extend|Expand] the [text|sentence|line] by "{x}" at the {w}.
[Edit|Change] the [text|sentence|message] so that "{x}" [is|stands] at the {w}.
Edit the {w}: add "{x}" there.
Provide the {w} with "{x}".
[Do not|Don't] forget "{x}" at the {w}.
[Reply|Answer|Respond] with the [text|sentence|message] and "{x}" at the {w}.
[Reply|Answer] with the [text|sentence|message], "{x}" at the {w}.
At the {w}, [I|we] [want|need|would like] "{x}".
At the {w} [of the text|of the message|of it], [write|add|put|insert|place] "{x}".
At the {w} [should|must] [be|stand|come] "{x}".
At the {w} there [should|must|has to] be "{x}".
At the {w} [goes|comes|belongs] "{x}".
At the {w}: "{x}"
At its {w} [put|write|add] "{x}".
To the {w} [of the text|of the message|of the sentence] add "{x}".
To the {w} [add|attach|append|join] "{x}".
As the {w}, [write|add|put|use|take] "{x}".
For the {w} [use|write|take|add] "{x}".
With "{x}" at the {w}[, please|]: the [text|sentence|message].
With "{x}" at the {w}, [write|copy|repeat|return] the [text|sentence|message].
With "{x}" at the {w}[, please|].
What is the [text|sentence|message|line] with "{x}" at the {w}?
What does the [text|sentence|message] [say|look like] with "{x}" at the {w}?
What do you get [if|when] you [add|put] "{x}" at the {w}?
How does the [text|sentence|message|line] [read|look|go] with "{x}" at the {w}?
How would the [text|sentence|message] [read|look] with "{x}" at the {w}?
If you [add|put|write] "{x}" at the {w}, what [do you get|does it say|is the text]?
If the {w} [were|was] "{x}", how would the text read?
"{x}" [should|must|has to|is to] [be|stand|go|come] at the {w}[ of the text| of the message|].
"{x}" [should|must|is to] be [added|written|put|placed] at the {w}.
"{x}" is [missing|needed|wanted] at the {w}.
"{x}" is [missing|needed] at the {w}: [add|write|put] it.
"{x}" is the {w}[ of the text| of the message|].
"{x}" at the {w}[, please|].
"{x}" at the {w} of the [text|message|sentence|line][, please|].
"{x}" at the {w}, the rest [stays|as it is|unchanged].
"{x}": [add it|put it|write it|place it] at the {w}.
The words "{x}" [go|belong|should go|should stand] at the {w}.
The words "{x}" [should|must|are to] be [added|written|put] at the {w}.
The {w} [should|must|has to|is to] [be|say|read] "{x}".
The {w} of the [text|message|sentence|line] [must|is to|has to] [be|say|read] "{x}".
The {w} of the [text|message|sentence] is "{x}".
The {w} [needs|lacks] "{x}": [add it|write it|put it there].
The {w} needs "{x}".
The {w} [gets|has|takes] "{x}".
The [text|sentence|message] [should|must|has to] have "{x}" at [the|its] {w}.
The [text|sentence|message] [needs|gets|lacks] "{x}" at the {w}.
The [text|sentence|message] [is missing|should get] "{x}" at the {w}.
The [text|sentence|message|line] with "{x}" at the {w}[, please|].
The [text|sentence|message|line] plus "{x}" at the {w}[, please|].
The [answer|output|result] is the [text|sentence|message] with "{x}" at the {w}.
The [answer|output|result] [should|must] have "{x}" at the {w}.
The same [text|sentence|message] with "{x}" at the {w}[, please|].
The same, [but|only] with "{x}" at the {w}.
Your [answer|output] is the [text|sentence|message] with "{x}" at the {w}.
Your [job|task] is to [add|put|write] "{x}" at the {w}.
You [should|must|have to] [add|put|write] "{x}" at the {w}.
[Our|All our] [texts|messages|letters] have "{x}" at the {w}. [Add it|Do it here|This one too].
[Task|Job]: [add|put|write] "{x}" at the {w}.
[Task|Your task]: the [text|sentence] with "{x}" at the {w}.
[New|Our|The] {w}: "{x}"
[To add|Addition|Add]: "{x}". [Where|Place|Position]: the {w}.
[Output|Answer|Result]: the [text|sentence] with "{x}" at the {w}.
Just [add|put|write] "{x}" at the {w}.""",
    "count": """[What is|Tell me] the number of {u}?
[I|We] need the number of {u}.
Number of {u}[, please|]?
[Say|Print|Show|State] the [number|count] of {u}.
Count all {u}[ of the text| here|].
[Can|Could] you count the {u}?
[Reply|Answer] with the number of {u}.
How many {u} [does it have|has the text|can you count|stand here]?
{u}: how many?
The [count|number] of {u}.
[I|We] want you to count the {u}[ of the input| here|].
[I|We] would like [to know|to have|] the number of {u}.
[I|We] [want|need|would like] to know how many {u} [there are|it has|you can see].
[I|We] need [a|the] count of the {u}.
[I|We] need the number of {u} in the [line|input].
[I|We] only need the number, how many {u}?
[I am|We are] after the number of {u}.
[I am|We are] asking how many {u} there are.
[What I need|All I need] is the number of {u}.
[Can|Could] you [say|tell me|find out] how many {u} [there are|it has]?
[Can|Could] you count [all the|all|these] {u}[, please|]?
[Can|Could] you [give|tell] me the number of {u}?
[Could|Would] you [please|kindly] count the {u}?
[Can|Could] I have the number of {u}?
[Can|May] we know how many {u} there are?
[Please|Kindly] [count|count up] the {u}[ here| of the line|].
[Please|Kindly] [give|say|write|return|state] the number of {u}.
[Please|Kindly] [say|tell me|write] how many {u} there are
Count the {u} [you see|in front of you|in the line|in the input|given here].
[Count|Count up] the {u} and [write|give|return|say] the [number|result].
[Count|Count up] [these|those] {u}
[Count|Go through] the {u} [from first to last|one by one] and [give|write] the number.
[Count|Tell me] how many {u} [it has|stand in the line|are listed|come one after the other].
[Find out|Work out|Determine|Check|See] how many {u} [there are|it has|are given].
[Find|Determine|Compute|Get] the number of {u}[ in the input| here|].
[Measure|Take] the length in {u}.
[Give|Write|State|Name] the [total|total number] of {u}.
[Give|Tell|Show] [me|us] how many {u} [there are|it has|you count].
[Give|Write|Print] [a number|one number|the figure]: how many {u}?
[Give|Print|Return] the count of [all|the] {u}.
[Write|Print|Say|State] [only|just] the number of {u}.
[Write|Put] down the number of {u}.
[Write|Say|Print] as a number how many {u} there are.
[Return|Output|Print] the number of {u} [in the line|you see|in the input].
[Return|Output|Print] [a number|one number], the count of {u}.
[Say|Tell me|Tell us] the [total|number|total number] of {u}[ in the line|].
[Say|Tell me|Tell us] how many {u} [the line has|you find|you can count|are written here].
[Report|Present|Provide] the [number|count] of {u}.
[Read|Take] the [line|input] and count the {u}.
[Read|Look at|Look through] the [line|input] and [say|write|give] how many {u} [it has|there are].
[Read|Take] the [line|input] and [say|write|give] the number of {u}.
[Reply|Answer|Respond] with [a number|one number]: how many {u}?
[Reply|Answer|Respond] with how many {u} there are.
[Reply|Answer|Respond] with the [count|total] of the {u}.
[Replace|Exchange] the line [by|with] the number of its {u}.
What is the [count|total|total number] of {u}[ here| in the line|]?
What is the number of {u} [here|in the line|in the input|you see]?
What [number|count] of {u} [do you get|do you see|is there]?
What is the length in {u}?
What do you get when you count the {u}?
How many {u}?
How many {u} [here|in all|in total|altogether]?
How many {u} [are given|are listed|are written here|are on the line|make up the line]?
How many {u} [do we have|do you count|do you find|can you see]?
How many {u} [does the line have|does the input have|has it|are in it|are in this line]?
How many {u} [is it|is that|would that be|are these|do you read]?
How long is the line, counted in {u}?
How large is the number of {u}?
If you count the {u}, [what do you get|what number is it|how many are there]?
If you count all {u}, what is the total?
When you count the {u}, how many [are there|do you get]?
As a number: how many {u}?
In figures: how many {u} [are there|do you see]?
In one number, how many {u} are there?
In the [line|input], how many {u} [are there|do you see|can you count]?
In this [line|input], count the {u}.
For our [list|records] we need the number of {u}.
From the [line|input], [give|return] the number of {u}.
Of how many {u} is it made?
The [count|total] of [all|the] {u}[, please|].
The number of {u}[ only| alone| here|], please
The number of {u} [should|must|is to] be [given|returned|written].
The number of {u} is [wanted|needed|all I need|all we need].
The [line|input] has how many {u}?
The [line|input] has some {u}. How many [are there|are they]?
The {u} [should|must|are to] be counted.
The {u}: [how many are there?|how many do you see?|count them.]
The {u} [have|need] to be counted
The [answer|output|result] is the number of {u}.
The [answer|output|result] [should|must] be the number of {u}.
The question is how many {u} there are.
There are how many {u}[ here| in the line|]?
There are some {u} [here|in the input]: [count them.|how many?|how many are there?]
These are {u}. How many [are there|do you count]?
Total [number|count] of {u}
Total number of {u}[, please|].
Total of {u}?
Your [answer|output] is the number of {u}.
Your [job|task] is to count the {u}.
You [should|must|have to] count the {u}.
[Task|Job]: count the {u}
[Task|Your task]: the number of {u}.
[Question|Task]: how many {u} are there?
[Wanted|Needed|Required]: the number of {u}.
[Output|Answer|Result]: the number of {u}.
[Length|Size] in {u}?
{u}, how many?
{u} counted[, please|].
{u} in total?
[Just|Only] count the {u}.
[Just|Only] the number of {u}[, please|].
[Just|Only] a number: how many {u}?""",
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
[Compose|Draft] the [message|text] "{t}" from the [record|data|details].
[I|We] want [this|the text|the message] with the [values|details|data] [in it|put in|filled in]: "{t}"
[I|We] want "{t}" with the [values|details|data] [put in|filled in|in place].
[I|We] would like the [message|text|sentence] "{t}" [completed|with the values filled in|filled in].
[I|We] would like you to [complete|fill in] "{t}"
[I|We] need [this|the] [message|text|sentence] [completed|filled in]: "{t}"
[I|We] need a [message|text|line] like "{t}"
[I am|We are] using the template "{t}". [Fill it in|Complete it|Put the values in].
[I have|We have] a [template|form|pattern]: "{t}" [Fill it in|Complete it|Put the values in].
[What I need|All I need|What we need] is "{t}" with the [values|details|data].
[Can|Could] you [write|make|give me|prepare] "{t}" with the [values|details|data]?
[Can|Could] you [put|insert|enter|write] the [values|details|data] [into|in] "{t}"?
[Can|Could] you [fill|complete] this [text|message|template|form]: "{t}"?
[Could|Would] you [please|kindly] [fill in|complete] "{t}"?
[Could|Would] you [please|kindly] [write|make] the [message|text] "{t}" from the [data|details|record]?
[Can|Could] I have "{t}" with the [right|correct] [values|details|data]?
[Can|May] we have this filled in: "{t}"?
[Please|Kindly] [fill in|complete|finish] "{t}"
[Please|Kindly] [fill in|complete|finish] the [text|message|template|sentence]: "{t}"
[Please|Kindly] [put|write|insert|enter] the [values|details|data] into "{t}"
[Please|Kindly] [write|prepare|make|send] "{t}" with the [right|correct|given] [values|details|data].
[Please|Kindly] [use|take|follow] the [template|pattern|form] "{t}"
[Fill|Complete] the [gaps|blanks|empty places|fields] [in|of] "{t}"
[Fill|Complete] the [gaps|blanks|fields]: "{t}"
[Fill in|Complete|Finish] the [text|message|template|sentence|line] "{t}"
[Fill in|Complete|Finish] "{t}" with the [values|details|data] [of the record|given|you have].
[Fill in|Complete] [this text|this message|this sentence|the following]: "{t}"
[Fill|Load] the [template|form|pattern] with the [values|details|data]: "{t}"
[Fill|Load] "{t}" with [values|the values|the data].
[Finish|Complete] the [sentence|message|line] "{t}" with the [given|right] [values|details].
[Put|Write|Enter|Place] the [values|details|data|right words] [where they belong|in their places] in "{t}"
[Put|Write|Enter|Place] the [values|details|data] in "{t}"
[Put|Insert|Enter] the [data|values] of the record into the [text|message|template]: "{t}"
[Put|Bring] the [data|details|record] into this form: "{t}"
[Insert|Enter|Add] the [missing|right|correct|given] [values|details|data] [in|into]: "{t}"
[Write|Make|Build|Create|Form] [a sentence|a message|a text|a line] [like|of the form] "{t}"
[Write|Make|Create|Generate] the [sentence|message|text|line] "{t}" [with|using] the [values|data|details].
[Write|Say|Print] "{t}" [using|with] the [given|right|real|correct] [values|details|data].
[Write|Say|Print] "{t}", but with the [values|details|data] in place of the [names|fields|gaps].
[Write|Prepare|Draft] [a note|a message|a text] from the [data|record|details]: "{t}"
[Write|Type|Print] this and fill it in: "{t}"
[Generate|Produce|Prepare|Form] the [text|message|sentence] "{t}"
[Generate|Produce|Prepare|Form] "{t}" from the [record|data|details|input].
[Draft|Compose|Write] "{t}" from the [record|input|data].
[Draft|Prepare|Compose] [a message|a text|a note]: "{t}"
[Turn|Change|Convert|Make] the [data|record|input|details] into this [text|message|sentence]: "{t}"
[Turn|Change|Convert|Make] the [data|input|details] into "{t}"
[Use|Read] the [values|data|details] and make "{t}"
[Take|Use|Read] the [record|data|details|input] and [fill in|complete|finish] "{t}"
[Take|Use|Follow] "{t}" as [the|a] [pattern|template|form].
[Take|Use] "{t}" and [fill in|put in|insert] the [values|details|data].
[Take|Use] this [template|pattern|form] for the [data|record|details]: "{t}"
[Use|Follow] the [pattern|form|text] "{t}"
[Use|Follow|Apply] the template[ given here|]: "{t}"
Apply the [template|pattern|form] "{t}" to the [data|record|input].
Apply this to the [data|record|input]: "{t}"
[Replace|Exchange|Swap] each [name in brackets|field|gap] [in|of] "{t}" [by|with] its value.
[Replace|Exchange|Swap] the [gaps|fields|placeholders] [in|of] "{t}" with the [values|details|data].
[Replace|Exchange] [what is in brackets|the words in brackets] in "{t}" [by|with] the [values|details|data].
[Give|Send|Show] [me|us] the [completed|finished|filled-in] [text|message|sentence]: "{t}"
[Give|Send|Show] [me|us] "{t}" [filled in|with everything filled in|with the values].
[Give|Show|Send] [me|us] the [text|message] "{t}" with the [values|data|details].
[Return|Output|Print] "{t}" with the [values|data|details] [filled in|put in|of the record].
[Return|Output|Print] the [text|message|sentence] "{t}", [filled in|completed|with the values].
[Return|Output|Print] the [completed|finished] [text|message|template]: "{t}"
[Format|Express|Present] the [data|record|details|input] as "{t}"
[Format|Express|Present] the [data|record|details] like this: "{t}"
[Say|Tell] it like this, with the [right|real] [values|details]: "{t}"
Fit the [values|details|data] into "{t}"
[Read|Take] the [values|details|data] from the [record|input] and [write|make] "{t}"
[Read|Go through] the [record|data|input], then [write|complete|fill in] "{t}"
[Look up|Find] the [values|details] for "{t}" [and fill it in|and write it].
Fill in the missing [values|details|words]: "{t}"
[Copy|Repeat] "{t}" and [fill in|put in|insert] the [values|details|data].
[Copy|Repeat] this with the [values|details|data] filled in: "{t}"
[Reply|Answer|Respond] with "{t}", [filled in|completed|using the data].
[Reply|Answer|Respond] [in this form|like this|with this text]: "{t}"
[Reply|Answer] with the [completed|finished] [text|message|sentence]: "{t}"
From the [data|record|input|details], [write|make|build|complete] "{t}"
From the [data|record|input|details], [write|make] [a message|a text|a sentence]: "{t}"
From the [data|record], [write|make] the following [text|message]: "{t}"
With the [values|data|details] [given|of the record], [write|complete|fill in] "{t}"
With the [values|data|details] [filled in|put in], what does "{t}" say?
With [these|the] [data|values|details], how does this read: "{t}"
In "{t}", [fill in|put in|insert|write] the [values|details|data].
In "{t}", [replace|exchange] the [names in brackets|fields|gaps] [by|with] their values.
In the [text|message|template|sentence] "{t}" put the right [values|details|words].
Into "{t}" [put|write|insert|enter] the [values|details|data].
For [this|the] [record|data|person], [write|complete|fill in] "{t}"
For the [text|message|template] "{t}", [use|take|insert] the [values|data|details] [given|of the record].
What does "{t}" [say|become|look like] with the [values|details|data] [filled in|in it|put in]?
What is "{t}" with the [values|details|data] [filled in|in it|put in]?
What would the [message|text|sentence] "{t}" [be|say] with the [values|details|data]?
How does "{t}" [read|look|go] with the [values|details|data] [filled in|in it|put in]?
How does the [message|text|sentence] read: "{t}"
How would you [complete|fill in|finish] "{t}"?
If the [template|pattern|form] is "{t}", what is the [message|text|sentence]?
If you [fill in|complete] "{t}", what [do you get|does it say]?
The [message|text|sentence|line] [must|has to|is to] [read|be|say] "{t}"
The [message|text|sentence|line] is: "{t}"
The [message|text|template|sentence] "{t}" [should|must|is to] be [filled in|completed|finished].
The [message|text|template|sentence] "{t}" needs [its values|the values|the data].
The [message|text|template|sentence] "{t}" with the [right|correct|given] [values|details|data][, please|].
The [template|pattern|form] is "{t}"
The [template|pattern|form] is this: "{t}" [Fill it in|Complete it].
The [values|details|data] [go|belong|should go] into "{t}"
The [values|details|data] [should|must|are to] be [put|written|filled] into "{t}"
The [answer|output|result] [should|must] [be|read|say] "{t}" with the [values|details|data].
The [answer|output|result] is "{t}", [filled in|completed|with the values].
The [answer|output|result] has the form "{t}"
The [fields|names in brackets] in "{t}" [stand for|are to become|need] the values.
This is [the|our|my] [template|pattern|form]: "{t}" [Fill it in|Complete it].
This is what [I|we] [write|want to send|want to say]: "{t}"
This [message|text|sentence] is not [complete|finished]: "{t}"
[Here is|There is] a [template|pattern|form]: "{t}" [Fill it in|Complete it].
[Our|My] [message|text|letter|note] is "{t}" with the [values|details|data] filled in.
[Our|My] [messages|letters|notes] look like this: "{t}"
[Our|My|The] [template|form|pattern|letter]: "{t}" [Fill it in|Complete it|Put in the values].
Your [answer|output] is "{t}" with the [values|details|data].
Your [job|task] is to [fill in|complete|finish] "{t}"
You [should|must|have to] [fill in|complete] "{t}"
[Task|Job]: [fill in|complete] "{t}"
[Task|Your task]: "{t}" with the [values|details|data] filled in.
[Message|Text|Letter|Sentence|Output|Answer]: "{t}"
[To complete|To fill in|Fill in the blanks|Fill in the gaps]: "{t}"
[Wanted|Needed|Required]: "{t}" with the [values|details|data].
"{t}" - [fill in the values|complete it|fill it in].
"{t}" [Fill this in|Fill it in|Complete this|Complete it][, please|].
"{t}" [is the template|is our template|is the form to use|is what it should say].
"{t}", with the [values|details|data] [filled in|put in][, please|].
"{t}", [filled in|completed][, please|].
"{t}" [should|must|is to] be [filled in|completed].
Just [fill in|complete|finish] "{t}"
""",
    "translate": """[Put|Render] [this|it|the words] [in|into] {F}.
[In|To|Into] {F}[, please|].
How would you write this in {F}?
[I|We] need [this|it|the words] in {F}.
[Can|Could] you translate [this|it] [to|into] {F}?
The {F} for [this|it|the words][, please|].
[Return|Print|Show] the {F} [words|translation|text].
[Say|Write] [it|this|the words] in {F}.
Translate: {F}.
[From English to|English to] {F}.
[What are|Which are] the {F} words[ for this|]?
{F}, please.
[Reply|Answer] in {F} with the translation.
[I|We] want [it|this|the words] in {F}[ please|].
[I|We] want [to read|to know|to have|to see] [it|this|the words] in {F}.
[I|We] would like [it|this|the words|the text] in {F}.
[I|We] would like to know the {F} [word|words|name|names].
[I|We] [want|need|would like] [the|a] {F} [translation|version].
[I|We] [want|need|have] to [say|write] [it|this|the words] in {F}.
[I|We] need to know [what this is|what these are] in {F}.
[I|We] only [speak|read|understand] {F}. [Translate it.|What does it say?|What does this mean?]
[I am|We are] learning {F}. [What is this?|How do I say this?|Translate the words.]
[I am|We are] after the {F} [words|translation].
[I am|We are] writing in {F}: [translate this.|what do I write?|what do we write?]
[My|Our] [readers|customers|guests] speak {F}: translate [this|it|the words].
[Can|Could] you [say|write|put|give me] [it|this|the words] in {F}[, please|]?
[Can|Could] you [turn|change|convert] [it|this|the words] into {F}?
[Can|Could] you [tell|give] me the {F} [word|words|name|translation]?
[Could|Would] you [please|kindly] translate [it|this|the words|the text] [to|into] {F}?
[Can|Could] I have [it|this|the words] in {F}[, please|]?
[Can|May] we have the {F} [words|translation|version]?
[Do you know|Can you tell] [the {F} for this|the {F} words|what this is in {F}|what it is in {F}]?
[Please|Kindly] translate [it|this|the words|the text|the input] [to|into] {F}.
[Please|Kindly] [say|write|put|give] [it|this|the words] in {F}.
[Please|Kindly] [give|write|find] the {F} [word|words|translation|name].
[Please|Kindly] [answer|reply] in {F} with the [words|translation].
[Translate|Change|Convert|Bring] [each|every] word [to|into] {F}.
[Translate|Change] [them|all of it|all words|everything|the list|the line] [to|into] {F}.
[Translate|Convert] the [input|line|list|vocabulary] into {F}.
[Translate|Bring|Transfer] [it|this] [from English|from the English] [to|into] {F}.
[Translate|Go] from English [to|into] {F}.
[Translate|Put] [it|the words] [over|] into {F}.
[Translate|Render] [the words|the list|the line|this] as {F}.
[Translate|Say|Write] for a reader of {F}.
[Find|Look up] the {F} [word|words|names|translation].
[Find|Look up] [it|this|the words|each word] in {F}.
[Find|Look up|Give] the {F} [word|name] for each [word|one|item].
[Find|Give|Write|Choose] the [matching|right|correct] {F} [words|word].
[Give|Tell|Show] [me|us] the {F} [word|words|name|translation|version].
[Give|Tell|Show|Send] [me|us] [it|this|the words] in {F}.
[Give|Write|Provide|State] the {F} [translation|version|names|form].
[Give|Name] [each|every] [word|thing|item] in {F}.
Name [it|this|these|the things] in {F}.
[Type|Say] the {F} [word|words|translation|version].
[Type|List] the [words|list|line] in {F}.
[Write|Say|Give] the same in {F}.
[Write|Say] what [it is|this is|they are|we call it] in {F}.
[Write|Put] {F} [words|names] [in place of|instead of|for] the English [ones|words].
[Say|Tell me|Tell us] [what this is|what it is|how to say this|how to say it] in {F}.
[Say|Tell me] the words in {F}.
[Return|Print|Output] [it|the words|the list|the line] in {F}.
[Output|Return|Print] the {F} [word|words|version|names].
[Output|Return] only the {F} [word|words|translation].
[Show|Display|Present] [it|this|the words|the line] in {F}.
[Replace|Exchange|Swap] the [English|given] words with {F} [ones|words].
[Replace|Exchange] [each|every] word [by|with] its {F} [word|translation|form].
[Rewrite|Repeat|State|Restate] [it|this|the words|the line] in {F}.
[Make|Get] [a|the] {F} [version|translation] [of it|of this|of the words].
[Make|Turn] [it|this|the words|the list] into {F}.
[Turn|Change] the whole list into {F}.
[Switch|Change|Move] to {F}.
[Switch|Change] the language[ to|: ] {F}.
[Use|Speak] {F}[, please|].
[Use|Take|Choose] the {F} [words|word|names].
[Use|Speak|Write|Take] {F} instead of English.
[Reply|Answer|Respond] in {F}.
[Reply|Answer|Respond] with the {F} [word|words|translation|version].
[Take|Read] the [words|line|list] and [write|say|give] them in {F}.
[Take|Read] each word and [say|write|give] it in {F}.
[Help me|Help us] [say|write] [it|this|the words] in {F}.
[Express|Say|Write] [each|every] word in {F}.
In {F}, [what is this|what is it|what are these|what would it be|how do you say it]?
In {F}, how [would|do] [you|I|we] [say|write] [it|this|the words]?
In {F}, [write|say|give|name] [it|this|the words|each word].
In {F}[, thank you|, if you can|, thanks].
In the {F} language[, please|].
From English into {F}[, please|].
For [readers|speakers] of {F}: [what is this?|translate it.|translate the words.]
For [our|my] {F} [page|list|course|lesson], translate [it|this|the words].
What is [it|that|this word|each word] in {F}?
What is the {F} [word|name|term|translation|version][ for this| for it| here|]?
What is the {F} for [it|this|that|each word]?
What are [these|they|the words|these words] in {F}?
What are these [called|named] in {F}?
What do [you|we|they] [call|say for] [it|this|these] in {F}?
What does [it|this] [become|turn into|read like] in {F}?
What would [it|this|they] be [called|] in {F}?
What would [you|a speaker|people] say in {F}?
What [word|words|name|names] [does|would] a speaker of {F} use[ for it| here|]?
Which {F} [word is it|words are they|word fits|words fit|word means this|words mean this]?
How [does one|would you|can I|do I|do they] say [it|this|that|the words] in {F}?
How [does one|would you|can I|do I|do we] write [it|this|that|the words] in {F}?
How [is it|is this|are they|are these] [said|written|called] in {F}?
How does a speaker of {F} say [it|this]?
If you [speak|know] {F}, [what is this?|what is it?|say this.|translate it.]
The words in {F}[, please|].
The same in {F}[, please|].
The same [words|list|line|text] in {F}[, please|].
The {F} [word|name|version|translation|form][, please|].
The {F} [words|names][, please| for these| for the list].
The {F} [word|words|name] for [it|this|these|each][, please|].
The {F} translation of [it|this|the words|the list|the line][, please|].
The {F} [version|translation] is [wanted|needed|what we need|what I want].
The [text|list|line|input] [should|must|is to] be [in|translated into] {F}.
The words [should|must|are to] be [in|translated into|given in] {F}.
The [answer|output|result] [should|must|is to] be in {F}.
The [answer|output|result] is the {F} [translation|word|version].
The [target language|language|new language] is {F}.
This [text|word|list|line] in {F}[, please|].
This [should|must|has to] be in {F}[, please|].
It [should|must|has to] be [in|translated into] {F}.
[All of it|Everything|All words|Each word] in {F}[, please|].
[Each|Every] word [should|must|is to] be in {F}.
[Our|My] [list|page|menu|sign] [should|must|has to] be in {F}. [Translate it|Write it so].
Your [answer|output] is the {F} [translation|version].
Your [job|task] is to translate [it|this|the words] into {F}.
You [should|must|have to] translate [it|this|the words] into {F}.
[Task|Job]: translate [to|into] {F}.
[Task|Your task]: [the words in {F}|{F} translation|the {F} words].
[Language|Target|Target language|To|Into]: {F}.
[Output|Answer|Result] in {F}.
[Output|Answer] language: {F}.
[Wanted|Needed|Required]: the {F} [words|translation|version].
[Translation|Language] [wanted|needed]: {F}.
English to {F}[, please|].
{F}?
{F} [word|words|version|name][, please|].
{F} [word|words|version|name]?
{F} for [it|this|these|these words][, please|].
{F} instead of English[, please|].
{F}, not English[, please|].
{F}: [translate.|translation.|what is it?|what are the words?]
[Just|Only] the {F} [words|translation|word].
Just [say|write|give] it in {F}.""",
    "look_up": """[I|We] need the {F}[ of this country| of the country|].
[Which|What] {F} [belongs to|goes with] [this|the] country?
The {F} of [this|the] country[, please|].
[Look up|Find|Say|State|Print] the {F}[ of the country| of this country|].
[Can|Could] you [give|tell] me the {F}?
{F}?
{F} of the country[, please|].
[Which|What] {F} does the country have?
[Only|Just] the {F}.
Read the [text|sentence] and [name|give] the {F} of the country.
[Reply|Answer] with the country's {F}.
[I|We] [want|would like] [to know|to have|to see|] the {F}[ of this country| of the country|].
[I|We] need to [know|find] the {F} [of this country|of the country|there|here].
[I|We] [only|just] [need|want] the {F}.
[I|We] [want|would like] to know [which|what] {F} [it|the country|this country] has.
[I|We] do not know the {F}[ of this country| of the country|]. [Do you|What is it]?
[I|We] forgot the {F} of [the|this] country. [What is it?|Tell me.|Which is it?]
[I am|We are] after the {F}[ of the country|].
[I am|We are] [looking for|asking for|asking about] the {F}[ of the country| of this country|].
[What I need|All I need|What we want] is the {F}[ of this country|].
[Can|Could] you [say|name|find|look up|write] the {F}[ of this country| of the country| for me|]?
[Can|Could] you tell me [which|what] {F} [it has|the country has|goes with it]?
[Could|Would] you [please|kindly] [name|give|write|say] the {F}?
[Can|Could] I have the {F}[ of this country|, please|]?
[Can|May] we [know|have] the {F}[ of the country|]?
[Do you know|Can you tell] [the {F}|what the {F} is|the {F} of this country]?
[Please|Kindly] [name|give|say|write|state|find] the {F}[ of the country| of this country|].
[Please|Kindly] [answer|reply] with the {F}[ only| of the country|].
[Please|Kindly] [tell me|let us know|let me know] the {F}[ of the country|].
[Name|State|Mention|Provide|Supply] the {F}[ of it| for this country| of this country|].
[Name|Give|Say|State] [only|just] the {F}.
[Name|Give|State] the country's {F}.
[Name|Give|State] the {F} of the [land|place|country] [named|mentioned|given].
[Give|Tell|Show] [me|us] the {F}[ of the place| of this land| that goes with it|].
[Give|Write|Print] the {F} [that belongs to|for|of] [the|this] country.
[Give|Write|Return] [its|the country's] {F}.
[Say|Tell me|Tell us|Write] [which|what] {F} [it has|the country has|belongs to it].
[Say|Tell me|Tell us|Write] what the {F} is[ there| of this country|].
[Say|Write|Print|Type] the {F} [only|and nothing else|of the land].
[Write|Type|Print|Output] [only|just] the {F}[ of the country|].
[Write|Put] down the {F}[ of the country| of this country|].
[Return|Output|Print] the {F}[ of the country| of the land| that fits|].
[Return|Output] [its|the country's] {F}.
[Show|Let me see|Present] the {F}[ of the country| of this country|].
[Find|Look up|Find out|Search for] the {F}[ for this country| of the place| of this land|].
[Find|Look up] [which|what] {F} [it|the country] has.
[Find|Look for|See] the country and [name|give|write] its {F}.
[Identify|Determine|Recall|Remember] the {F}[ of the country| of this country|].
[Identify|Find] the country and [return|give|say] the {F}.
[Find|Name] the {F} that matches the country.
Instead of the text, write the country's {F}.
Name the country's {F}, not the country.
[Take|Read] the country and [give|write|say|return] its {F}.
[Take|Read|See] which country it is and [give|write|say] the {F}.
[Read|Look at] the [line|input|sentence]. What is the {F} of the country?
[Read|Look at] the [line|input|text] and [write|say|return] the {F}.
[Reply|Answer|Respond] with [only|just|nothing but] the {F}.
[Reply|Answer|Respond] with its {F}.
[Reply|Answer|Respond] with the {F} [of this country|of the land|that belongs to it].
[Complete|Finish]: the {F} of this country is ...
[Complete|Fill in] the {F} of the country.
[A|One] country is [named|mentioned|given]. [What is its {F}?|Name its {F}.|Give its {F}.]
[There is|You see] a country in the [text|line|sentence]. [What is its {F}?|Give its {F}.|Name its {F}.]
In the [text|line|sentence] a country is [named|mentioned]: what is its {F}?
In this country, what is the {F}?
In that country, [which|what] is the {F}?
For this country, [give|name|write] the {F}.
For the country [named|given|mentioned|in the text], [give|name|write] the {F}.
From the [text|line|sentence], [take|get] the country and [give|write] its {F}.
From the country [give|find|name] the {F}.
Of this country [I|we] [want|need] the {F}.
What is its {F}?
What is the {F} [there|here|in this case|in question|of this land|of that country]?
What is the country's {F}?
What is this country's {F}?
What {F} [do they have|does it have|do we find|is it|is that] [there|in this country]?
What {F} [does the country have|goes with the country|fits this country]?
What would be the {F}[ of the country| here| there|]?
What was the {F}[ again| of this country|]?
What do you know as the {F} of [the|this] country?
What is the name of the {F}[ there| in this country|]?
Which is the {F}[ of the country| of this country| there|]?
Which is [its|the country's] {F}?
Which {F} [does it have|do they have|is it]?
Which {F} [does the country have|do you find there|is right|fits the country]?
Which {F} [belongs|goes] with [it|the country|this land]?
If this is the country, what is the {F}?
If you know the country, [name|give|say] its {F}.
If the country is [known|given], what is its {F}?
When you see the country, [say|write|name] its {F}.
Once you know the country, [say|write|name] its {F}.
The {F}[, please| only| and nothing else|].
The {F}?
The {F} [there|of it|of this land|of that country][, please|].
The {F} of the country [named|mentioned|given|in the text][, please|].
The {F} that [belongs to|goes with] [the|this] country[, please|].
The {F} [is wanted|is needed|is all I need|will do|is enough].
The {F} of the country is [wanted|needed|all I need|what we want].
The {F} [should|must|is to] be [named|given|returned|written].
The country's {F}[, please|].
The country is [named|given|mentioned]: what is the {F}?
The country has [which|what] {F}?
The [answer|output|result] [should|must] be the {F}[ of the country|].
The [answer|output|result] is the {F}[ of the country|].
The question is: what is the {F}[ of the country| there|]?
This country has [which|what] {F}?
This country's {F}[, please|]?
[They|People] ask about the {F} of [the|this] country.
[Our|My] [list|table|form|quiz] [asks for|needs|wants] the {F}[ of the country|].
Your [answer|output] is the {F}[ of the country|].
Your [job|task] is to [name|give|find] the {F}[ of the country|].
You [should|must|have to] [name|give|find] the {F}[ of the country|].
[Task|Job]: [name|find|give] the {F}[ of the country|].
[Task|Your task]: the {F} of this country.
[Quiz|Quiz question]: what is the {F}[ of the country|]?
[Question|Quiz question]: [which|what] {F} does it have?
[Wanted|Needed|Required|Asked]: the {F}[ of the country|].
[Output|Answer|Result]: the {F}[ of the country|].
[Country to|From country to] {F}[, please|].
{F}[, please|].
{F} of [it|this country|this land][, please|].
{F} of [it|this country|this land]?
{F} [there|here]?
{F} only[, please|].
Its {F}[, please|].
Its {F}?
And the {F}[ of it|]?
[Just|Only|Simply] [name|say|write|give] the {F}.
Just the {F} of [it|the country|this country][, please|].""",
    "number": """We need the number {F}.
The number {F}[, please|].
[Print|Show|Say|Tell me|Spell] the number {F}.
[Can|Could] you give me the number {F}?
Put the number into words.
[Reply|Answer] with the number {F}.
[Take|Read] the number; [write|give] it {F}.
[I|We] want the number {F}[, not in digits| and not as figures|].
[I|We] would like the number {F}.
[I|We] [want|need] [it|this|this number] {F}.
[I|We] would like [to read|to have|to see] [it|this|the number] {F}.
[I|We] need to [write|have|see] the number {F}.
[I|We] need [it|the figure|the number] written {F}.
[I am|We are] writing a check and need the number {F}.
[I am|We are] after the number {F}.
[What I need|All I need] is the number {F}.
[Can|Could] you [write|say|spell] [it|this|the number|this number] {F}?
[Can|Could] you [turn|put|change] the number into words?
[Could|Would] you [please|kindly] [write|give|say] the number {F}?
[Can|Could] I have [it|this|the number] {F}?
[Can|May] we have the number {F}?
[Please|Kindly] [write|give|say|put|spell] the number {F}.
[Please|Kindly] [write|say|put] [it|this] {F}.
[Please|Kindly] [turn|change|convert] the number into words.
[Write|Say|Give|Print] [it|this] {F}.
[Write|Say|Give|Print] this number {F}.
[Write|Say|Give|State] the [figure|value|digits|given number] {F}.
[Write|Spell] out the number[ in words| as words|].
[Write|Spell] [it|this] out in words.
[Write|Type|Print] the number {F}, [not in digits|not as digits|without digits].
[Write|Print] the number [with letters|in letters|in full words].
[Write|Say] how the number is [read|spoken|called].
[Write|Give] the [word|words|name] for [the|this] number.
[Write|Give|Say] the name of the number.
[Give|Tell] us the number {F}.
[Give|Show|Tell] [me|us] this number {F}.
[Give|Tell|Show] [me|us] the [word|words|name] for the number.
[Put|Express|State] [it|this|the number|the figure|the value] {F}.
[Put|Express|Render] the number {F}.
[Turn|Change|Convert|Make] the [number|figure|digits|value] into words.
[Turn|Change|Convert|Make] [it|this|this number] into words.
[Change|Convert|Turn] the [figure|digits|figures] [to|into] [a word|words|letters].
[Change|Convert] from [digits|figures] to words.
[Translate|Convert] the [digits|figures|number] into words.
[Replace|Exchange] the [digits|figures|number] [by|with] words.
[Read|Say] the number [out|aloud|out loud] {F}.
[Read|Take|Look at] the number and [write|say|spell] it {F}.
[Read|Take] the [figure|digits|value] and [write|give|say] it {F}.
[Display|Name] the number {F}.
[Return|Output|Print] the [figure|value|input] {F}.
[Return|Output] [it|this number] {F}.
[Name|Spell] the number {F}, please.
[Name|Spell] [it|this number] {F}.
[Rewrite|Repeat|Copy] the number {F}.
[Rewrite|Repeat|State] [it|the figure|the digits] {F}.
[Use|Take] words [for|instead of] [the number|digits|the digits|figures].
[Use|Write] words, not [digits|figures].
[Use|Write] no digits but words.
[Do not|Don't] use digits; write the number {F}.
[Reply|Answer|Respond] with the [figure|value|digits] {F}.
[Spell|Say] [it|the figure|the digits] {F}.
[Format|Show|Present] [it|the number|the value] {F}.
What is [it|this|this number|the figure] {F}?
What is the number [called|when written in words|when you say it]?
What is the [word|name] for [the|this] number?
What is the [figure|value] {F}?
What does the number look like {F}?
What would [it|the number|this] be {F}?
What do you [say|write] for this number {F}?
What do we call this number {F}?
Which word is [the|this] number?
Which words do you use for [the|this] number?
How [do you|would you|does one|do I] [write|say|spell] [the|this] number {F}?
How [do you|would you] [write|say|spell] [it|this] {F}?
How [do you|would you|does one] [read|say] [the|this] number?
How is [it|the number|this number] [written|said|spelled] {F}?
How does the number [read|look|go] {F}?
How would the number be written {F}?
If you [write|say|spell] the number {F}, what [is it|do you get]?
When you [write|say] the number {F}, what is it?
In words: [the number|the figure|this number][, please|].
In words, [write|give|say] the number.
In words[, please|].
In words, not [digits|figures].
In letters[, please|].
As words[, please|].
As words, [write|give|say] the number.
As words, not [digits|figures][, please|].
With letters, not with digits[, please|].
From digits to words[, please|].
From [figures|numbers] to words.
For a check: the number {F}.
For the letter [I|we] need the number {F}.
Instead of digits, [use|write|give] words.
The number [written|spelled|said|given] {F}[, please|].
The number [should|must|is to] be [written|given|spelled|said] {F}.
The number [should|must] be {F}.
The number {F}, [not in digits|no digits].
The [figure|value|digits|input] {F}[, please|].
The [figure|value] [should|must|is to] be written {F}.
The [word|words|name] for [the|this] number[, please|].
The name of the number[, please|].
The [answer|output|result] is the number {F}.
The [answer|output|result] [should|must] be the number {F}.
The [answer|output|result] [should|must] be in words[, not in digits|].
The digits [should|must|are to] become words.
The same number {F}[, please|].
This number {F}[, please|].
This number [should|must|is to] be [written|given|said] {F}.
It [should|must|is to] be [written|given] {F}.
No digits, [only|just] words.
Not [the digits|digits|figures], [but words|the words].
Your [answer|output] is the number {F}.
Your [job|task] is to [write|say|give] the number {F}.
You [should|must|have to] [write|say|give] the number {F}.
[Our|My] form [needs|wants|asks for] the number {F}.
[Task|Job]: [write|give|say] the number {F}.
[Task|Your task]: the number {F}.
[Question|Task]: what is the number {F}?
[Wanted|Needed|Required]: the number {F}.
[Output|Answer|Result]: the number {F}
Number {F}
Number {F}[, please|].
Number to words[, please|].
Digits to words[, please|].
Words[, not digits|, no digits|, please].
[Just|Only|Simply] write the number {F}.
[Just|Only] the number {F}.
[Just|Only] words, no digits.""",
}

# Second operations (families.CHAINS).
CHAINED = {
    "upper": """
Write the answer in [upper case|capital letters].
[Use|Answer in] capital letters.
The answer [should|must] be in [upper case|capital letters|capitals].
[Give|Write|Print] [it|the answer] in all caps.
All letters [should|must] be capital letters.
Turn [it|the answer] into [upper case|capital letters|capitals].
In [capital letters|capitals|upper case][, please|].
I [want|need] it in [capital letters|capitals|upper case].
[Write|Type] everything in [capitals|capital letters].
[Change|Convert|Turn] [your answer|the answer|the result] to upper case.
Only use [capitals|upper case|capital letters][ in the answer|].
[Your answer|The result|The output] is to be in [upper case|capital letters].
Upper case only[, please|].
No small letters in the [answer|output].
And [write it|put it|print it] in [upper case|capitals|capital letters].
[Can|Could] you write it in [upper case|capital letters|capitals]?
[Each|Every] letter of the [answer|result] is a capital.
Capitals, please.
""".strip().splitlines(),
    "quotes": """
Put the answer in [double quotes|quotation marks].
Use quotation marks around the answer.
[Put|Set|Write] [the result|your answer|the output] in [quotes|quotation marks].
The answer [should|must] be in [double quotes|quotation marks|quotes].
[Put|Write] quotation marks around your answer.
[Surround|Enclose|Wrap] [the answer|the result] [with|in] [double quotes|quotation marks|quotes].
In [quotation marks|double quotes|quotes][, please|].
With [quotation marks|double quotes|quotes] around the answer.
[Add|Write|Place] [quotation marks|double quotes|quotes] around [the answer|the result].
I [want|need] [the answer|the result] in [double quotes|quotation marks|quotes].
There [should|must] be [quotation marks|double quotes] around the answer.
[Begin|Start] and end the answer with a double quote.
[Your answer|The result|The output] goes in [double quotes|quotation marks|quotes].
And [put|set] the answer in [double quotes|quotation marks|quotes].
[Can|Could] you put the answer in [double quotes|quotation marks|quotes]?
Between [double quotes|quotation marks|quotes][, please|].
The [answer|output] needs [quotation marks|double quotes] [around it|on both sides].
""".strip().splitlines(),
    "brackets": """
Put the answer in square brackets.
Use square brackets around the answer.
The answer [should|must] be in square brackets.
[Put|Set|Write] [the result|your answer|the output] in square brackets.
[Surround|Enclose|Wrap] [the answer|the result] [with|in] square brackets.
In square brackets[, please|].
With square brackets around the answer.
[Add|Write|Place] square brackets around [the answer|the result].
I [want|need] [the answer|the result] in square brackets.
There [should|must] be square brackets around the answer.
[Open|Start] with a square bracket and [close|end] with one.
[Your answer|The result|The output] goes in square brackets.
And [put|set] the answer in square brackets.
[Can|Could] you put the answer in square brackets?
Between square brackets[, please|].
The answer [belongs|should stand] inside square brackets.
The [answer|output] needs square brackets [around it|on both sides].
""".strip().splitlines(),
    "stars": """
Put the answer between stars.
Use stars around the answer.
The answer [should|must] [be|stand] between [stars|two stars].
[Put|Set|Write] a star [before|in front of] and after the answer.
[Put|Set|Write] [the result|your answer|the output] between [stars|two stars].
[Surround|Enclose|Wrap] [the answer|the result] [with|in] stars.
Between [two stars|stars][, please|].
With a star [on each side|on both sides][ of the answer|].
[Add|Write|Place] a star [at both ends|on both sides|at the start and at the end].
I [want|need] [the answer|the result] between [stars|two stars].
There [should|must] be a star [on each side of|before and after] the answer.
[Begin|Start] and end the answer with a star.
[Your answer|The result|The output] goes between [two stars|stars].
And [put|set] the answer between [two stars|stars].
[Can|Could] you put stars around the answer?
Frame [the answer|the result] with stars.
The [answer|output] needs a star [on both sides|at each end].
""".strip().splitlines(),
    "answer": """
[Start|Begin] with "Answer:".
Write "Answer:" before the result.
The [reply|output|line] [should|must] [start|begin] with "Answer:".
[Put|Set|Add] "Answer:" [before|in front of] the result.
[Open|Begin your reply|Start your reply] with "Answer:".
First [write|comes|put] "Answer:".
Before the result [write|put|add|comes] "Answer:".
The result [should|must] [come|stand] after "Answer:".
In front, [write|put|add] "Answer:".
I [want|need] "Answer:" [before|in front of] the result.
"Answer:" [comes|goes|stands] [first|in front].
"Answer:" [should|must] [come|stand] first.
[Your reply|The output] [starts|begins|opens] with "Answer:".
And [start|begin] with "Answer:".
[Can|Could] you [start|begin] with "Answer:"?
Label the result "Answer:".
With "Answer:" [in front|at the start].
""".strip().splitlines(),
    "result": """
[Start|Begin] with "Result =".
Write "Result =" before the answer.
The [reply|output|line] [should|must] [start|begin] with "Result =".
[Put|Set|Add] "Result =" [before|in front of] the answer.
[Open|Begin your reply|Start your reply] with "Result =".
First [write|comes|put] "Result =".
Before the answer [write|put|add|comes] "Result =".
The answer [should|must] [come|stand] after "Result =".
In front, [write|put|add] "Result =".
I [want|need] "Result =" [before|in front of] the answer.
"Result =" [comes|goes|stands] [first|in front].
"Result =" [should|must] [come|stand] first.
[Your reply|The output] [starts|begins|opens] with "Result =".
And [start|begin] with "Result =".
[Can|Could] you [start|begin] with "Result ="?
Give the answer as "Result = ...".
With "Result =" [in front|at the start].
""".strip().splitlines(),
    "bang": """
[End|Finish] with an exclamation mark.
Add an exclamation mark.
The answer [should|must] [end|finish|close] with an exclamation mark.
[Put|Set|Write] an exclamation mark [after|behind] [the answer|the result].
[Put|Add|Write] an exclamation mark at the end[ of the answer|].
[Close|End the answer|Finish the answer] with an exclamation mark.
At the end [put|write|add|comes] an exclamation mark.
After [the answer|the result] [put|write|comes] an exclamation mark.
With an exclamation mark [at the end|as the last sign].
I [want|need] an exclamation mark at the end.
There [should|must] be an exclamation mark at the end.
[The answer|The result] needs an exclamation mark[ at the end|].
[Your reply|The output|Your answer] [ends|closes] with an exclamation mark.
And [end|finish|close] with an exclamation mark.
[Can|Could] you [end|finish] with an exclamation mark?
An exclamation mark [comes|goes|stands] [last|at the end].
Add "!" [at the end|to the answer].
""".strip().splitlines(),
}
