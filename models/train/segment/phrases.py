"""Phrases for training and evaluation, with what they mean: words (colour, shape, material)."""

import vocabulary
from vocabulary import COLOURS, FILLERS, MATERIALS, SHAPES, SYNONYMS, THING_WORDS, plural

ANY = -5       # a phrase's slot that asks for nothing
NOTHING = -9   # a phrase whose meaning is not known: fits nothing

# Everyday words for training; HELD_OUT_WORDS are kept for evaluation.
STRANGE = (
    'person dog car truck bus bird horse sheep tree house road sky cloud water mountain chair sofa '
    'table lamp plate cup spoon fork knife apple pear carrot pizza bread phone laptop mouse clock '
    'vase scissors shoe hat shirt jacket face hand eye nose door window wall floor roof fence sign '
    'flower leaf stone paper leather cloth fabric plastic concrete marble gold silver copper bronze '
    'maroon beige navy magenta teal olive lime indigo crimson triangle square circle star heart '
    'rectangle hexagon prism capsule disc egg tube pipe stick rope wire tiny huge big small large '
    'left right front behind old new broken empty full hot cold man woman child girl boy player '
    'ski bicycle airplane train boat traffic light bench elephant bear zebra giraffe umbrella '
    'suitcase frisbee kite bat skateboard surfboard racket wine sandwich orange-tree cake toilet '
    'screen keyboard oven sink fridge book teddy toothbrush cow goat pig duck fish snake spider '
    'banana onion pepper potato rice soup salt sugar coffee milk juice beer river lake sea ocean '
    'beach sand grass field forest bush hill bridge tower castle church school shop street').split()
HELD_OUT_WORDS = (
    'cat backpack guitar helicopter pineapple mushroom bottle tractor penguin sunglasses violin '
    'bucket pillow hammer candle ladder windmill octopus submarine telescope wheel basket camera '
    'drum anchor feather glove balloon lantern puzzle').split()


def phrase(rng, colour=ANY, shape=ANY, material=ANY):
    """A random wording of these words; at least one must be given."""
    def word(names, index):
        name = names[index]
        options = (name, *SYNONYMS.get(name, ()))
        return options[int(rng.integers(len(options)))] if rng.random() < 0.3 else name
    parts = []
    if colour != ANY:
        parts.append(word(COLOURS, colour))
    after = []
    if material != ANY:
        text = word(MATERIALS, material)
        made_of = text in ('wood', 'metal', 'glass', 'rubber') and shape != ANY
        if made_of and rng.random() < 0.08:
            after = ['made', 'of', text]
        else:
            parts.append(text)
            if len(parts) == 2 and rng.random() < 0.15:
                parts.reverse()
    if shape != ANY:
        noun = word(SHAPES, shape)
    elif not parts or after or rng.random() < 0.3:
        noun = THING_WORDS[int(rng.integers(len(THING_WORDS)))]
    else:
        noun = ''
    if noun:
        many = rng.random() < 0.25
        parts.append(plural(noun) if many else noun)
        if rng.random() < 0.15:
            parts.insert(0, ('the', 'all', 'all the')[int(rng.integers(3))] if many
                         else ('a', 'an', 'the')[int(rng.integers(3))])
    return ' '.join([*parts, *after])


def strange(rng):
    """A phrase outside the vocabulary, often built around a known word."""
    def pseudo():
        letters = 'abcdefghijklmnopqrstuvwxyz'
        if rng.random() < 0.15:
            letters += '0123456789-.,!?äéñß中文猫犬ÅØжшд🙂'
        return ''.join(letters[int(k)] for k in rng.integers(0, len(letters), rng.integers(1, 10)))

    def odd():
        if rng.random() < 0.55:
            word = STRANGE[int(rng.integers(len(STRANGE)))]
            return word if rng.random() < 0.75 else f'{word}s'
        return pseudo()
    known = vocabulary.words()
    usual = known[int(rng.integers(len(known) - len(FILLERS) - 1))]
    u = rng.random()
    if u < 0.4:
        return odd()
    if u < 0.55:
        return f'{usual} {odd()}' if rng.random() < 0.7 else f'{odd()} {usual}'
    if u < 0.7:
        # A known word with letters added, taken away or changed.
        k, p = int(rng.integers(len(usual) + 1)), pseudo()[:3]
        made = (usual[:k] + p + usual[k:], usual[:k] + usual[k + 1:], p + usual, usual + p)[
            int(rng.integers(4))]
        return made if made not in known and made.strip() else odd()
    if u < 0.85:
        return ' '.join(odd() for _ in range(int(rng.integers(2, 5))))
    extra = FILLERS[int(rng.integers(len(FILLERS)))]
    return f'{extra} {odd()}' if u < 0.95 else extra


def meaning_pool(rng, count):
    """Random meanings int [count, 3], the common kinds of phrase in fair shares."""
    out = []
    for _ in range(count):
        c, s, m = int(rng.integers(12)), int(rng.integers(6)), int(rng.integers(4))
        mask = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1),
                (0, 0, 0))[int(rng.choice(8, p=(.17, .17, .1, .24, .08, .1, .08, .06)))]
        out.append([v if k else ANY for v, k in zip((c, s, m), mask)])
    return out


def fits(meaning, words):
    """1 fits, 0 does not, −1 cannot be told, for words int [n, 3] and a meaning of 3."""
    result = []
    for row in words:
        state = 1
        for wanted, has in zip(meaning, row):
            if wanted == ANY:
                continue
            if has == vocabulary.UNKNOWN:
                state = min(state, -1) if state == 1 else state
            elif wanted != has:
                state = 0
                break
        result.append(state)
    return result
