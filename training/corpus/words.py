"""The corpus's words: lists written for this project, no third-party text."""

FIRST = """Anna Ben Clara David Emma Felix Grace Henry Ines Jack Karin Leo Maria Nina Oscar Paula Quentin Rosa Simon Tina
Umar Vera Walter Yara Zoe Adam Bella Carlos Diana Erik Fiona George Hanna Ivan Julia Kevin Laura Martin Nora Oliver Peter
Rachel Samuel Teresa Victor Wendy Alan Brenda Chris Dora Edgar Frida Gina Hugo Irene James Kate Louis Mona Noah Olga Paul
Rita Sofia Tom Ursula Vincent Amir Bruno Cecilia Daniel Elena Frank Helen Ian Jane Kurt Lisa Marco Natalie Otto Petra Robert
Sarah Thomas Valerie William Aisha Akira Chen Fatima Hiro Jin Kofi Layla Mei Omar Priya Raj Sana Tariq Yuki""".split()
LAST = """Adams Baker Berg Brown Carter Clark Cole Cooper Costa Davis Diaz Dubois Evans Fischer Fox Garcia Gray Green Hall Hansen
Harris Hill Hoffman Hughes Ito Jansen Jensen Jones Keller Kelly Khan Kim King Klein Koch Kumar Lang Larsen Lee Lewis Lopez
Martin Mason Meyer Miller Moore Morgan Mori Moser Murphy Nelson Novak Olsen Ortiz Owen Park Parker Patel Perez Peters Phillips
Price Reed Richter Rivera Roberts Rossi Russo Sanders Sato Schmidt Scott Shah Silva Singh Smith Stone Tanaka Taylor Torres
Turner Vogel Wagner Walker Wang Ward Weber White Wilson Wolf Wood Wright Young Zhang Ziegler""".split()
CITY = """Paris London Berlin Madrid Rome Vienna Oslo Lisbon Dublin Prague Athens Warsaw Budapest Helsinki Stockholm Brussels
Geneva Zurich Milan Munich Hamburg Lyon Porto Seville Boston Chicago Denver Seattle Austin Dallas Miami Toronto Montreal
Vancouver Tokyo Osaka Kyoto Seoul Delhi Mumbai Sydney Perth Cairo Nairobi Lagos Lima Bogota Santiago Quito Leeds Bristol
Glasgow Cardiff Turin Naples Basel Graz Ghent Malmo Bergen Turku Riga Tallinn Krakow Sofia Zagreb Valencia Bilbao""".split()
COMP = """Acorn Apex Atlas Beacon Bluebird Bright Cedar Cobalt Comet Delta Eagle Echo Evergreen Falcon Granite Harbor Horizon
Iris Juniper Keystone Lakeside Lighthouse Maple Meridian Mosaic Nimbus Nova Oak Orchard Orion Pioneer Quartz Redwood Ridge
River Sierra Silver Summit Sunrise Tempo Tundra Unity Vector Velvet Vertex Willow Zenith""".split()
COMPSUF = "Ltd Inc Foods Media Labs Systems Logistics Motors Travel Energy Books Design".split()
PRODUCT = """lamps chairs desks printers laptops phones cables keyboards monitors tablets cameras headphones bags boots jackets
shirts gloves helmets tents bottles cups plates knives towels blankets pillows candles clocks mirrors shelves sofas carpets
bikes tyres pumps drills hammers ladders brushes paints pens notebooks envelopes stamps folders batteries chargers routers
speakers filters seeds plants pots ovens kettles toasters fridges heaters fans""".split()
NOUN = """apple river garden table window letter teacher doctor driver student manager friend house street bridge
market office kitchen mountain island forest ocean station ticket engine paper book picture song story game lesson
meeting report project contract budget plan question answer morning evening summer winter rain snow cloud sun moon
star dog cat horse bird fish bread cheese coffee tea milk sugar soup salad orange lemon tomato potato train bus car
plane ship road door key lamp chair phone camera computer screen box bag coat hat shoe ring watch glass plate spoon
museum library school hospital hotel farm village city country team player coach""".split()
MORE_NOUN = """account actor album angel ankle apron arch arm army arrow artist attic aunt author avenue baby badge
baker ball balloon banana band bank barn basket bath bean bear beard bed bee beetle bell belt bench berry bill blouse
board boat body bone border bottle bowl boy branch brick brother bucket builder building bush butter button cabin
cactus cake camel camp canal canoe captain card carpet carrot cart castle cave ceiling cell cellar chain chalk chapel
cherry chest chief child chimney chin church circle clerk cliff closet cloth club coal coast coin collar comb company
cook copper corn corner cotton couch counter cousin cow crab crane creek crown curtain cushion dancer daughter desert
desk diamond diary dinner dish ditch donkey drawer dream dress drum duck dust ear earth editor egg elbow elephant
enemy engineer eye face factory family farmer father feather fence field film finger fire flag flame floor flower
flute fog forehead fork fountain fox frame frog fruit gallery garage gate ghost giant gift girl giraffe goat goose
grandmother grape grass guard guest guitar hallway hammer hand harbour hare heart hedge helmet hen herb hero hill hole
honey hook hunter hut ice idea inn insect invoice iron jacket jar jewel joke judge jug jungle kettle king kite kitten
knee knife knight ladder lake lamb lawn lawyer leader leaf leg lemonade lid line lion lip list lizard loaf lock log
lunch machine magazine magnet mailbox mayor meadow meal medal melon menu metal mill miner mirror monkey monument
mother motor mouse mouth mug muscle mushroom nail napkin neck needle neighbour nephew nest net newspaper night nose
note nurse nut oak oil olive onion orchard organ oven owner ox package page pail painter palace pan panda pants parcel
park parrot party passenger path peach pear pearl pen pencil pepper piano pie pig pigeon pilot pipe pirate pit pizza
planet plant plum pocket poem poet pole pond pool port poster pot powder prince prison prize puddle pump puppet puzzle
queen quilt rabbit radio rail rat razor recipe ribbon rider roof room root rope rose rug sailor salt sand sandwich
saucer scarf scientist sea seat seed seller shadow sheep sheet shelf shell shepherd shield shirt shop shoulder shovel
shower singer sister skirt sky snake soap sock sofa soldier son spider spring square squirrel stable stage stair stamp
statue stick stool storm stove straw stream suit suitcase sweater sword tailor tank tape taxi tent theatre thief thumb
tiger tile toast toe tomb tongue tool tooth torch towel tower town toy tractor tray treasure tree trousers truck
trumpet tulip tunnel turkey turtle twin uncle van vase vegetable veil violin visitor voice volcano waiter walnut wall
wallet wasp water wave well whale wheat wheel whistle wife wing wire witch wolf woman wool worker worm yard zebra""".split()
ADJ = """small large old new red blue green black white yellow quick slow happy quiet loud bright dark cold warm dry
wet clean dirty heavy light strong weak soft hard long short wide narrow deep early late busy empty full rich poor
simple strange famous modern local foreign friendly gentle brave clever honest careful tired hungry""".split()
MORE_ADJ = """able angry bare bitter blunt bold bored brief broad broken brown calm cheap chilly common cool crazy
cruel curious curly cute damp dear dull dusty eager easy elegant exact extra faint fair false fancy fast fat fierce
final fine firm flat fresh funny giant glad golden grand grateful grey handsome hollow huge humble idle ill jealous
jolly keen kind lame lazy lean little lonely loose lovely low lucky mad main mild misty moist muddy naked nasty near
neat nervous nice noisy normal odd pale patient plain pleasant polite precious pretty private proud public pure purple
rare raw ready real round rotten rough royal rude rusty sad safe scared secret serious shallow sharp shiny shy sick
silent silly silver sleepy slim smart smooth sober solid sore sour spare special spicy steep sticky stiff strict
stupid sudden sunny super sweet swift tall tame tasty tender thick thin thirsty tight tiny tough true ugly upset
urgent useful usual vague vast violent weary wild wise wooden worried yellowish young""".split()
NOUNS, ADJECTIVES = NOUN + [w for w in MORE_NOUN if w not in NOUN], ADJ + [w for w in MORE_ADJ if w not in MORE_NOUN]
VERB = """sees likes needs finds buys sells opens closes moves carries paints cleans visits follows watches helps calls
checks sends brings keeps leaves repairs builds draws reads writes holds shows
admires avoids borrows breaks burns catches changes counts covers describes drops drives fears feeds fills fixes hates hears hides ignores
joins knows loses loves measures misses offers orders passes pays picks prefers pulls pushes remembers rents returns saves serves steals
studies takes teaches throws touches tests trusts uses wants wears weighs""".split()
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
NUMW = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen").split()
TENW = "x x twenty thirty forty fifty sixty seventy eighty ninety".split()
DICT = {  # English: French, German, Spanish
 "dog": "chien Hund perro", "cat": "chat Katze gato", "house": "maison Haus casa", "water": "eau Wasser agua",
 "bread": "pain Brot pan", "milk": "lait Milch leche", "apple": "pomme Apfel manzana", "tree": "arbre Baum árbol",
 "book": "livre Buch libro", "school": "école Schule escuela", "car": "voiture Auto coche", "street": "rue Straße calle",
 "red": "rouge rot rojo", "blue": "bleu blau azul", "green": "vert grün verde", "black": "noir schwarz negro",
 "white": "blanc weiß blanco", "yellow": "jaune gelb amarillo", "one": "un eins uno", "two": "deux zwei dos",
 "three": "trois drei tres", "four": "quatre vier cuatro", "five": "cinq fünf cinco", "six": "six sechs seis",
 "seven": "sept sieben siete", "eight": "huit acht ocho", "nine": "neuf neun nueve", "ten": "dix zehn diez",
 "Monday": "lundi Montag lunes", "Tuesday": "mardi Dienstag martes", "Wednesday": "mercredi Mittwoch miércoles",
 "Thursday": "jeudi Donnerstag jueves", "Friday": "vendredi Freitag viernes", "Saturday": "samedi Samstag sábado",
 "Sunday": "dimanche Sonntag domingo", "summer": "été Sommer verano", "winter": "hiver Winter invierno",
 "day": "jour Tag día", "night": "nuit Nacht noche", "sun": "soleil Sonne sol", "moon": "lune Mond luna",
 "friend": "ami Freund amigo", "mother": "mère Mutter madre", "father": "père Vater padre", "child": "enfant Kind niño",
 "hand": "main Hand mano", "eye": "œil Auge ojo", "head": "tête Kopf cabeza", "heart": "cœur Herz corazón",
 "fish": "poisson Fisch pescado", "bird": "oiseau Vogel pájaro", "horse": "cheval Pferd caballo", "cheese": "fromage Käse queso",
 "coffee": "café Kaffee café", "tea": "thé Tee té", "table": "table Tisch mesa", "chair": "chaise Stuhl silla",
 "door": "porte Tür puerta", "window": "fenêtre Fenster ventana", "key": "clé Schlüssel llave", "city": "ville Stadt ciudad",
 "river": "fleuve Fluss río", "mountain": "montagne Berg montaña", "sea": "mer Meer mar", "yes": "oui ja sí", "no": "non nein no",
 "hello": "bonjour hallo hola", "thanks": "merci danke gracias", "please": "s'il vous plaît bitte por favor",
 "today": "aujourd'hui heute hoy", "tomorrow": "demain morgen mañana", "work": "travail Arbeit trabajo",
 "money": "argent Geld dinero", "time": "temps Zeit tiempo", "price": "prix Preis precio", "letter": "lettre Brief carta"}
DICTIONARY = {english: (["s'il vous plaît", "bitte", "por favor"] if english == "please" else words.split()) for english, words in DICT.items()}
LANGUAGES = ["French", "German", "Spanish"]
