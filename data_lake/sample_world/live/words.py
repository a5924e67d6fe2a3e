"""The words of the live world: subjects, chatter, emotes.

Subjects share no noun (see `phrases` for sentences), so that a topic model that finds the nouns has found the subject.
"""

from __future__ import annotations

from dataclasses import dataclass

from data_lake.sample_world.names import lines


@dataclass(frozen=True)
class Subject:
    """What people write about: its words, and by how much it changes the chat per viewer of a whole stream."""

    name: str
    category: str
    chat_effect: float
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    adjectives: tuple[str, ...]


def _subjects(text: str) -> tuple[Subject, ...]:
    """Blocks of four lines: name, category and effect; nouns; verbs; adjectives."""
    subjects = []
    for block in text.strip().split("\n\n"):
        head, nouns, verbs, adjectives = block.splitlines()
        name, category, effect = (part.strip() for part in head.split("|"))
        words = (tuple(line.split()) for line in (nouns, verbs, adjectives))
        subjects.append(Subject(name, category, float(effect), *words))
    return tuple(subjects)


SUBJECTS = _subjects(
    """\
bosses | Elden Ring | 1.15
boss malenia radahn stagger phase hitbox flask bleed ashes summon greatsword stamina poise arena
dodge parry roll punish tank backstab
unfair brutal delayed aggressive cheesy deadly

speedrunning | Elden Ring | 1.4
split route glitch skip pb timer wrongwarp zip category leaderboard reset menuing marathon segment
route reset clip optimize save lose
optimal frameperfect cursed clean blazing risky

redstone | Minecraft | 0.75
redstone piston hopper comparator observer repeater contraption farm villager spawner tick dropper circuit sorter
wire automate power clock toggle chain
compact laggy flushed silent automatic tileable

building | Minecraft | 0.9
roof palette spruce terracotta castle staircase lantern deepslate balcony gradient interior blueprint harbor tower
terraform decorate texture build detail landscape
cozy medieval symmetrical gorgeous rustic towering

travel | Just Chatting | 1.0
airport passport hostel train luggage beach museum visa flight itinerary ferry lisbon kyoto souvenir
pack book visit hike explore land
jetlagged scenic crowded remote cheap sunny

cooking | Just Chatting | 1.0
garlic noodles oven recipe sourdough skillet onion broth pepper dumplings marinade butter kimchi spatula
roast simmer season bake fry knead
crispy salty homemade spicy burnt juicy

films | Just Chatting | 1.3
movie director trailer sequel plot actor cinema ending soundtrack villain screenplay twist popcorn franchise
watch rewatch spoil film cast direct
overrated gripping predictable nostalgic cheesy eerie

openings | Chess | 1.1
opening gambit sicilian caro bishop fianchetto london prep novelty najdorf tempo pawn variation repertoire
develop gambit castle transpose decline prepare
sharp dubious solid theoretical hypermodern tricky

endgames | Chess | 0.7
endgame rook opposition zugzwang king tablebase passer fortress queen promotion stalemate triangulation conversion draw
promote convert simplify hold blockade trade
drawn technical winning zugzwanged theoretical studylike

debugging | Software and Game Development | 1.0
compiler stacktrace bug pointer breakpoint regex segfault linter test commit branch race exception logger
debug refactor merge rebase crash compile
flaky nullable undefined broken deprecated cryptic

pixelart | Software and Game Development | 1.25
sprite pixel tileset animation dithering outline shader walkcycle canvas hitflash parallax aseprite background frame
draw shade animate recolor outline sketch
crunchy smooth colorful retro tiny glowing

guitar | Music | 1.0
guitar riff chord solo string pedal amp distortion fret capo strumming tuning blues pickup
strum shred bend tune solo jam
heavy acoustic groovy muted soulful detuned

synths | Music | 0.85
synth oscillator filter sequencer arpeggio bassline modular patch reverb envelope drum sampler chiptune lfo
patch sequence modulate layer sample mix
warm analog wobbly lush dreamy punchy"""
)
SUBJECT_INDEX = {s.name: i for i, s in enumerate(SUBJECTS)}
CATEGORY_IDS = {
    "Elden Ring": "512953",
    "Minecraft": "27471",
    "Just Chatting": "509658",
    "Chess": "743",
    "Software and Game Development": "1469308723",
    "Music": "26936",
}

SENTENCES = lines(
    """
    the {n} and the {m} are so {a} | did you {v} the {n} yet | that was a {a} {n} | how do you even {v} that {n}
    never seen such a {a} {n} before | {v} the {n} first then worry about the {m} | my {n} is way more {a}
    what about the {n} with the {m} | more {n} please | i always {v} my {n} too early
    is the {n} worth it or the {m} | chat is that {n} {a} or not | you should {v} the {m} instead
    the {n} looks {a} today | best {n} of the week | forgot to {v} again, {a} {n} | {n} {m} {n}
    who else likes a {a} {n} | {a} {n} honestly | where is the {m} though | learned to {v} from your {n} guide
    {n} > {m} | that {m} though, {a} | could you explain the {n} vs {m}
    """
)
CHATTER = lines(
    """
    lol | haha | true | nice | wait what | brb | i just got here | gg | same | no way | that is fair
    what did i miss | how is everyone today | lmao | yes | nope | ok that was good | love this | so real
    first coffee of the day | work was long today | you got this | hmm not sure about that | sounds about right
    back again | hydrate everyone | who is winning | what time is it there | late again, sorry
    thanks for the stream | best part of my day | that laugh | good point | kinda agree | chat is wild today
    poll when | audio is good now | is the audio quiet for anyone | lurking while cooking dinner | see you tomorrow
    have to sleep soon | 100% | big if true | it is what it is | clip that | someone clip it | patience | so close
    almost | ez | oof | rip
    """
)
_TAILS = "lol haha tbh ngl imo chat though again today honestly btw anyway :) 😂 ❤️ señor"
TAILS = ("", "", "", "", "?", "!", "...", *(f" {tail}" for tail in _TAILS.split()))
GREETINGS = lines(
    """
    hello everyone | hi chat | good evening | hey hey | hello from the train | hi all, how are we | evening all
    made it on time | yo
    """
)
FIRST_TIME = lines(
    """
    first time here, hi | new here, what is this | just found this channel | hello, first stream for me
    first time catching you live
    """
)
HYPE = lines(
    """
    LETS GO | LETS GOOOO | NO WAY | WWWWW | W | OMG | INSANE | HE DID IT | WHAT | HUGE | CLIP IT | 🔥🔥🔥 | YOOO
    UNREAL | IS THIS REAL | THAT WAS CLEAN
    """
)
TOXIC = lines(
    """
    you are trash at this | shut up idiot | worst streamer ever | uninstall already loser | what a clown
    nobody likes you | garbage player just quit | stupid mods cannot do anything | pathetic stream
    you are so dumb it hurts | cry about it loser | everyone here is an idiot | go outside you freak
    delete your channel trash
    """
)
PASTES = lines(
    """
    I have watched this channel through three phones and one divorce and I will not leave before the timer ends
    hello yes I would like one ticket to the moment where everything goes wrong please and thank you
    dear diary today the streamer promised one last game and it is now four hours later
    my grandmother saw this play and she has put her knitting down for the first time since 1987
    this message is a lucky fish, pass it on in the next minute or the next run will be cursed
    """
)
SPAM = lines(
    """
    Want to become famous? Buy followers and viewers on bigviewers dot example
    cheap viewers best prices at viewershop dot example
    """
)
COMMANDS = lines(
    """
    !discord | !uptime | !schedule | !song | !pc | !followage
    """
)
BOT_LINES = lines(
    """
    Join the community on the server, the invite is in the panels below
    The stream has been live for a while, remember to drink some water | New videos go up every Thursday
    Today's goal is in the title, type !schedule for the week | Current track is in the corner of the screen
    """
)
SUB_WORDS = lines(
    """
    keep it up | love the streams | another month | worth it | happy to be here
    """
)
SUB_WORDS += ("",)
DONATION_WORDS = lines(
    """
    for the new microphone | thanks for the laughs | get yourself a coffee | great stream | play it one more time
    """
)
DONATION_WORDS += ("",)
BAN_REASONS = lines(
    """
    harassment | insults | toxicity | hate | repeated insults after warning
    """
)
STREAM_WORDS = lines(
    """
    tonight | again | all evening | with viewers | until it works | no sleep | chill session | the big one
    part two | road to glory
    """
)

# Twitch's global emotes with their ids; third-party ones have no native position and stay in the text.
GLOBAL_EMOTES = {
    "Kappa": "25",
    "LUL": "425618",
    "BibleThump": "86",
    "PogChamp": "305954156",
    "HeyGuys": "30259",
    "NotLikeThis": "58765",
    "TwitchUnity": "196892",
    "4Head": "354",
}
THIRD_PARTY_EMOTES = lines(
    """
    KEKW | OMEGALUL | monkaS | PepeHands | Pog | catJAM
    """
)
CHANNEL_EMOTES = lines(
    """
    Hype | Love | Rage | Wave | GG | Lurk
    """
)
YOUTUBE_EMOTES = lines(
    """
    :face-blue-smiling: | :hand-pink-waving: | :yt: | :oops: | :fire: | :cat-orange-whistling:
    """
)
COLORS = lines(
    """
    #FF0000 | #0000FF | #008000 | #B22222 | #FF7F50 | #9ACD32 | #FF4500 | #2E8B57 | #DAA520 | #D2691E | #5F9EA0
    #1E90FF | #FF69B4 | #8A2BE2 | #00FF7F
    """
)
