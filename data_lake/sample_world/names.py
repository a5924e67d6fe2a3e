"""Names of people, drawn from lists of parts: handles, which are unique, and first and last names, which are not."""

from __future__ import annotations

import numpy as np


def lines(text: str) -> tuple[str, ...]:
    """One phrase per line, or several set apart by bars."""
    return tuple(part.strip() for line in text.strip().splitlines() for part in line.split("|"))


NAME_STARTS = lines(
    """
    silent | cosmic | lucky | frosty | velvet | rusty | sunny | clever | mellow | grumpy | tiny | brave | noisy
    quiet | salty | spicy | golden | misty | rapid | lazy | wild | gentle | crisp | hollow | neon | pixel | polar
    royal | shady | turbo | amber | cobalt | crimson | dusty | electric | fuzzy | humble | iron | jolly | lunar
    """
)
NAME_ENDS = lines(
    """
    otter | falcon | badger | pickle | wizard | noodle | panda | raven | turnip | comet | walrus | fox | lynx
    gecko | moose | waffle | beetle | cactus | dragon | ferret | goblin | heron | jackal | koala | lemur | mantis
    newt | ocelot | pigeon | quail | rocket | salmon | teapot | urchin | viper | wombat | yak | zebra | biscuit
    kettle
    """
)
FIRST_NAMES = lines(
    """
    Anna | Ben | Chloe | David | Elif | Finn | Greta | Hugo | Ines | Jonas | Kira | Liam | Mina | Noah | Olga | Paul
    Rosa | Samir | Tess | Yuki
    """
)
LAST_NAMES = lines(
    """
    Adler | Brook | Castillo | Dahl | Eriksen | Fischer | Gupta | Hahn | Ito | Jansen | Keller | Lund | Moreau
    Nowak | Okafor | Petit | Rossi | Schmidt | Tanaka | Weber
    """
)


def handles(rng: np.random.Generator, count: int) -> list[str]:
    """So many different handles."""
    starts, ends = len(NAME_STARTS), len(NAME_ENDS)
    picked = rng.choice(starts * ends * 200, size=count, replace=False, shuffle=False)
    rng.shuffle(picked)
    styles = rng.integers(4, size=count)
    names = []
    for number, style in zip(picked.tolist(), styles.tolist(), strict=True):
        start, rest = NAME_STARTS[number % starts], number // starts
        end, tail = NAME_ENDS[rest % ends], rest // ends
        spelled = (
            f"{start}{end}{tail}",
            f"{start.title()}{end.title()}{tail}",
            f"{start}_{end}{tail}",
            f"{start.title()}_{end}{tail}",
        )
        names.append(spelled[style])
    return names


def full_names(rng: np.random.Generator, count: int) -> list[str]:
    """So many first and last names; two people may share one."""
    first, last = rng.integers(len(FIRST_NAMES), size=count), rng.integers(len(LAST_NAMES), size=count)
    return [f"{FIRST_NAMES[i]} {LAST_NAMES[j]}" for i, j in zip(first, last, strict=True)]
