"""Word lists of the lexicon parser, for captions of everyday pictures in English."""

from quantize.data.words import lemma, words

DETERMINERS = words(
    """a an the this that these those some any each every another both all no its his her hers their my our your several many few
    various multiple numerous most more much such what which whose 's"""
)
NUMBERS = words("one two three four five six seven eight nine ten eleven twelve dozen dozens hundreds")
PLURAL_DETERMINERS = words("these those several many few various multiple numerous both all dozens hundreds")
PREPOSITIONS = words(
    """about above across after against along alongside among amongst around as at atop before behind below beneath beside
    besides between beyond by down during for from in inside into like near next of off on onto opposite out outside over past
    per through throughout to toward towards under underneath until up upon via while with within without if because than when
    where"""
)
CONJUNCTIONS = words("and or but nor &")
PRONOUNS = words(
    """i he she it they we you him them us me who whom himself herself itself themselves nothing everything everyone someone
    something anything"""
)
BE = words("is are was were be been being am")
AUXILIARIES = words(
    """has have had having do does did can could will would may might must should there not n't that's there's it's he's she's"""
)
ADVERBS = words(
    """very so too also just only even still already almost again away ahead apart together back forward forwards backwards
    upwards downwards sideways indoors outdoors outside inside overhead nearby here there then now around about down up out
    off over quite rather somewhat mostly well upside uphill downhill midair aside abroad aboard along else ever never not
    perhaps maybe alone how far whilst once twice half"""
)

COLOURS = words(
    """red orange yellow green blue purple pink brown black white grey gray tan beige maroon gold silver teal turquoise violet
    navy khaki burgundy blond blonde brunette multicolored multicoloured colorful colourful"""
)
SHADES = words("light dark bright pale deep neon lime navy royal hot")
"""Before a colour they are part of it (`light blue`)."""

MATERIALS = words(
    """metal brick stone concrete plastic leather steel iron marble straw denim rubber silk lace cotton wool bamboo cardboard
    wicker porcelain ceramic granite copper brass bronze aluminum aluminium velvet tile chrome clay cement dirt gravel asphalt"""
)
"""Nouns that say of what the next noun is made."""

ADJECTIVES = COLOURS | words(
    """big small large little tiny huge giant enormous massive tall short long wide narrow thick thin high low deep shallow fat
    skinny slim heavy mini miniature oversized full-size life-size old new young elderly aged antique vintage modern ancient
    rusty fresh stale ripe raw rotten dirty clean dusty muddy messy neat tidy cluttered wet dry damp frozen hot cold warm cool
    snowy icy sandy rocky grassy leafy wooded stony foggy misty cloudy sunny rainy stormy windy hazy clear dark bright dim
    pale shiny glossy matte transparent translucent wooden golden metallic woolen woollen furry fuzzy hairy fluffy shaggy
    curly bald bearded smooth rough bumpy soft hard sharp blunt round circular square rectangular triangular oval flat curved
    straight crooked bent broken cracked torn ripped worn spotted striped plaid checkered checked floral patterned
    polka-dotted plain fancy ornate decorative elegant beautiful pretty lovely cute handsome ugly funny silly happy sad angry
    sleepy tired hungry excited scared serious curious playful busy crowded empty full open closed shut half-eaten partial
    whole double single triple public private local foreign asian african american european chinese japanese indian italian
    mexican british french german male female adult pregnant blind homeless naked nude bare barefoot shirtless topless dead
    alive live fake real stuffed toy electric electronic digital manual automatic military professional amateur casual formal
    traditional religious royal urban rural tropical wild domestic domesticated fried grilled baked roasted toasted boiled
    steamed chopped sliced diced mashed cooked uncooked glazed frosted iced sweet sour spicy salty juicy creamy crispy healthy
    delicious tasty vegetarian vegan gourmet nearby distant upper lower left right front rear middle main different similar
    same other various separate individual first second third last next few late early lit unlit sunlit neon loose tight baggy
    sleeveless hooded knit knitted woven quilted printed painted unpainted carved polished paved unpaved grass-covered
    snow-covered tree-lined muscular strong weak fast slow quick loud quiet calm choppy wavy steep hilly mountainous vast lush
    barren dense sparse overgrown abandoned deserted decorated undecorated furnished unfinished finished complete incomplete
    special unusual strange odd weird interesting nice good bad best great perfect fine important famous typical common rare
    expensive cheap free extra ready sturdy fragile delicate heavy-duty outdoor indoor overhead underwater aerial industrial
    commercial residential medical athletic sporty competitive aggressive friendly gentle brave shy bored attentive alert
    overweight blurry out-of-focus sepia monochrome black-and-white multi-colored bushy wrinkled wrinkly weathered reflective
    filled cloudless evergreen parched sunburned tattooed costumed uniformed jacketed helmeted goateed leashed tethered unmade
    upside-down homemade handmade man-made makeshift portable wireless fluorescent gothic ceremonial tasteful grown grown-up
    shabby older younger bigger smaller larger taller shorter longer teenage mobile personal musical oriental natural
    electrical identical adorable simple flowery eastern western northern southern rustic elaborate scenic historic historical
    captive compact wispy balding messed stray sleek slippery swampy marshy grimy dingy scruffy chubby slender frail abstract
    ornamental panoramic spacious sizable hand-held handheld fiery foamy leafless sparkling gigantic mid pastel mini-sized
    plump bundled clad camouflage camouflaged"""
)
MAYBE_NOUN = words(
    """orange gold silver adult square double single male female toy cold front left right middle rear local plaid knit last
    american asian african european indian italian mexican chinese japanese british french german military professional
    amateur commercial oval ripe blond blonde brunette tan violet neon teal camouflage denim"""
)
"""Adjectives before a noun, else nouns."""

NOT_ADVERBS = words(
    """family lily jelly belly bully ugly friendly elderly curly lonely lovely silly smelly holy butterfly dragonfly fly assembly
    italy july doily hilly chilly bubbly wrinkly woolly burly oily prickly sparkly wobbly firefly"""
)
NOT_ISH_LESS_FUL = words(
    """dish radish rubbish polish finish varnish garnish wish handful spoonful mouthful cupful plateful bowlful eyeful"""
)

VERBS = words(
    """add aim appear approach arrange ask attach attempt balance bark bat bathe battle bend bite blow board bounce bow break
    brush build buy carry cast catch celebrate chase chat check chew clap clean climb close come compete contain converse cook
    cover crawl cross crouch cruise cry cut dance decorate depict dig dine display dive drag draw dress drink drive drop dry
    eat embrace enjoy enter examine exit extend face fall feature feed fetch fight fill film fish fix float fly fold follow
    gallop gather gaze get give glide go graze greet grab grasp grill grin grind grow guard hang have head help herd hike hit
    hold hop hug hunt hurdle inspect jog join juggle jump kayak keep kick kiss kneel laugh launch lay lead leap lean leave let
    lick lie lift listen load look lounge make march meet mount move nap navigate observe open operate overlook paddle paint
    parade park pass pause peek peer perch perform pet pick pitch place plant play point pose pour practice prepare present
    preach pull pump punch push put race raise reach read receive reflect relax remove repair rest return ride roll row rub
    run rush sail say scale see seem sell serve set shake share shave shoot shop shout show sing sip sit skate skateboard ski
    skip slam sled sleep slice slide smell smile smoke sniff snorkel snowboard soar spin splash spray spread sprint squat
    squint stack stand stare start stay stick stir stop stretch stroll stuff surf surround sweep swim swing tackle tag take
    talk taste teach tend think throw tie toss touch travel trot try tug turn type use wade wait wakeboard wake walk wander
    wash watch wave wear wheel whisper wipe work wrap wrestle write yawn yell"""
)
IRREGULAR_VERBS = words(
    """beaten eaten risen stolen woken ate bent bit bitten blew blown bought broke built came caught cut done drank drawn drew
    drove driven dug fed fell fallen felt flew flown forgot found gave given gone got grew grown held hit hung kept knelt laid
    lain lay leapt led left lit lying made met put ran rode ridden sang sat saw seen sent set shot shown slept slid sold spoke
    spread stood stuck sung swam swept swung taken thrown tied took torn went woke won wore worn wound written wrote dying
    tying topped filled covered surrounded dressed shaped loaded located called"""
)
NOUNS_IN_ING = words(
    """awning being boxing building ceiling clothing covering crossing crosswalk dressing duckling earring evening flooring
    frosting gosling icing king landing lightning morning opening outing painting paving pudding railing ring scaffolding
    setting sibling sign siding sling spring string stocking stuffing swing thing topping wedding wing wiring lettering
    seasoning filling"""
)
NOUNS_IN_ED = words("bed shed sled seed weed reed breed moped steed tweed")

COMPOUNDS = frozenset(
    """air conditioner|alarm clock|baking sheet|baseball bat|baseball cap|baseball field|baseball game|baseball glove
baseball hat|baseball player|basketball court|bath tub|bathing suit|beach ball|bed spread|bell pepper|bicycle helmet
bike helmet|bird cage|bird feeder|boarding pass|bow tie|bowling ball|brussels sprout|bullet train|bulletin board
bus station|bus stop|business suit|butter knife|cell phone|cellular phone|chain link fence|chocolate cake|christmas light
christmas tree|city bus|clock tower|coffee cup|coffee maker|coffee mug|coffee pot|coffee shop|coffee table|computer desk
computer keyboard|computer monitor|computer mouse|construction worker|contact lens|control tower|cooking pot|cooling rack
cowboy boot|cowboy hat|credit card|cruise ship|cutting board|desk lamp|dining room|dining table|dinner plate|dirt bike
dirt road|dish rack|diving board|double decker bus|drinking fountain|driving range|dump truck|exercise bike
father christmas|ferris wheel|fire engine|fire escape|fire extinguisher|fire hydrant|fire place|fire truck|fishing boat
fishing net|fishing pole|fishing rod|flip flop|flower pot|flying disc|flying disk|food truck|football field|football game
football player|french fries|french fry|french toast|frying pan|game controller|garbage can|garbage truck|gas mask
gas station|go kart|goal post|golden retriever|golf ball|golf cart|golf club|golf course|grand piano|grocery store
guinea pig|guitar player|hair brush|hair drier|hair dryer|hand bag|hang glider|hard hat|head band|high chair|high heel
high school|hockey player|hockey stick|home plate|hot air balloon|hot dog|hot pot|hot tub|ice cream|ice cube|ice hockey
ice rink|ice skate|ice skater|ironing board|jet ski|lamp post|laptop computer|lawn chair|lawn mower|license plate
life jacket|life vest|light bulb|light fixture|light house|light pole|light switch|living room|mail box|martial art
merry go round|microwave oven|mountain bike|mountain biker|movie theater|musical instrument|office chair|oven mitt
palm tree|paper bag|paper plate|paper towel|park bench|parking garage|parking lot|parking meter|parking space
passenger train|pay phone|pepper shaker|phone booth|picnic blanket|picnic table|pine tree|ping pong|ping pong table
pizza box|pizza cutter|playing card|polar bear|police car|police officer|pool table|pot holder|potted plant|power line
race car|race track|racing car|railroad track|rain coat|remote control|rice cooker|river bank|rocking chair|roller coaster
roller skate|rolling pin|rubber duck|running shoe|running track|salad bowl|school bus|sewing machine|shopping bag
shopping cart|shopping mall|shot glass|shoulder bag|shower curtain|shower head|skate board|skate park|skating rink
ski jump|ski lift|ski pole|ski resort|ski slope|sleeping bag|smart phone|snow board|snow man|snow mobile|snow suit
soccer ball|soccer field|soccer game|soccer player|soda can|soft drink|soup bowl|space heater|sports ball|sports car
squirt gun|stained glass|stair case|stop light|stop sign|street lamp|street light|street sign|stuffed animal|stuffed bear
subway train|suit case|sun glass|sun hat|surf board|sweat shirt|sweet potato|swim suit|swim trunk|swimming pool
swimming trunk|table cloth|tank top|tape measure|tea cup|tea kettle|tea pot|teddy bear|tennis ball|tennis court
tennis player|tennis racket|tennis racquet|tennis shoe|tissue box|toilet bowl|toilet paper|toilet seat|tow truck
track suit|tractor trailer|traffic cone|traffic jam|traffic light|traffic sign|traffic signal|train car|train station
train track|trash bin|trash can|tree branch|tree trunk|umbrella stand|vacuum cleaner|vending machine|volleyball court
volleyball player|waffle iron|walking stick|washing machine|water bottle|water fountain|water gun|water park|water polo
water slide|wedding cake|wedding dress|wedding ring|wet suit|wheel barrow|wheel chair|whipped cream|white board|wind mill
wind shield|window sill|wine bottle|wine glass|wood stove|yoga mat|young adult""".replace("\n", "|").split("|")
)
"""Names of more than one word that are not a kind of their last word, or that everybody uses whole."""


def _present(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


THIRD_PERSON = frozenset(_present(verb) for verb in VERBS)
NEVER_NOUNS = words(
    """appear seem ask bring buy carry celebrate chew clean climb contain converse crouch decorate depict dig dine eat embrace
    enjoy enter examine fetch float follow gallop gather gaze give go grab graze greet grow hang have hold hug hurdle jog join
    juggle keep kneel launch laugh lay lean learn leave let lie listen lounge march navigate observe overlook perform prepare
    preach raise reach read receive relax remove return say see sell serve sing sip sit sleep smell sniff soar speak spin
    squat stand stare stay stir stretch stroll surround sweep swim take talk teach tend think throw try tug wait wander wear
    weave wrestle write yell"""
)
NEVER_NOUNS |= frozenset(_present(verb) for verb in NEVER_NOUNS)
ADJECTIVE_ENDS = words(
    """hair haired colored coloured sleeved eyed shaped covered lined faced legged looking handed toned wheeled storied story
    brimmed skinned dressed eared nosed tailed sized level style clad filled topped"""
)
"""After a hyphen they make an adjective: `long-haired`."""
_COMPOUNDS = {tuple(c.split()) for c in COMPOUNDS}
LONGEST_COMPOUND = max(len(c) for c in _COMPOUNDS)


def compound(run: tuple[str, ...]) -> str | None:
    """The known name that these words are, its last word singular; None if they are not one."""
    for last in (run[-1], lemma(run[-1])):
        if (*run[:-1], last) in _COMPOUNDS:
            return " ".join((*run[:-1], last))
    return None
