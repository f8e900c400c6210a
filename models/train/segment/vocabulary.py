"""The words the model knows, and what they mean."""

COLOURS = ('red', 'orange', 'yellow', 'green', 'cyan', 'blue', 'purple', 'pink', 'brown', 'white',
           'grey', 'black')
SHAPES = ('sphere', 'cube', 'cylinder', 'cone', 'torus', 'pyramid')
MATERIALS = ('rubber', 'metal', 'glass', 'wood')
UNNAMED = 9       # a shape that has no word: slabs and eggs, in the scenes of version 1.0.0
UNKNOWN = -1      # nobody can say: a multicoloured thing's colour, a flat picture's material

# Other words for the same things; every word has a plural where it names a thing.
SYNONYMS = {'grey': ('gray',), 'purple': ('violet',), 'cyan': ('turquoise',),
            'sphere': ('ball',), 'torus': ('ring', 'donut'), 'cube': ('block',),
            'metal': ('metallic', 'shiny'), 'rubber': ('matte',), 'glass': ('transparent',),
            'wood': ('wooden',)}
THING_WORDS = ('object', 'thing', 'shape')
FILLERS = ('a', 'an', 'the', 'all', 'of', 'made', 'and')
VISUAL = 'visual'


def plural(word):
    """The plural form of a noun of this vocabulary."""
    return {'torus': 'toruses'}.get(word, f'{word}s')


def words():
    """Every known word, in a fixed order."""
    nouns = [n for s in SHAPES for n in (s, *SYNONYMS.get(s, ()))] + list(THING_WORDS)
    others = [n for s in COLOURS + MATERIALS for n in (s, *SYNONYMS.get(s, ()))]
    return [*others, *nouns, *(plural(n) for n in nouns), *FILLERS, VISUAL]
