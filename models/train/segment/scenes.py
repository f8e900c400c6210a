"""One random scene: solids of a few colours, shapes and materials on a table in a room."""

import colorsys
import math

import numpy as np

import raycast
import vocabulary
from shapes import CONE, CUBE, CYLINDER, PYRAMID, SPHERE, TORUS

# Hue in degrees, saturation and value ranges; the hues leave gaps between the names.
HUES = {'red': (-8, 7), 'orange': (21, 33), 'yellow': (47, 60), 'green': (90, 145),
        'cyan': (172, 190), 'blue': (212, 238), 'purple': (264, 284), 'pink': (325, 345),
        'brown': (17, 30)}
# Colours that a material hides or that would pass for another name on it.
NOT_ON = {raycast.METAL: ('white', 'brown'), raycast.GLASS: ('brown', 'black', 'grey'),
          raycast.WOOD: ('orange', 'black')}


def colour(name, rng):
    """A linear RGB colour that people would call by this name."""
    if name in ('white', 'grey', 'black'):
        low, high = {'white': (0.88, 0.98), 'grey': (0.42, 0.58), 'black': (0.03, 0.09)}[name]
        rgb = np.full(3, rng.uniform(low, high)) + rng.uniform(-0.015, 0.015, 3)
    else:
        saturation, value = rng.uniform(0.8, 1.0), rng.uniform(0.72, 1.0)
        if name == 'brown':
            saturation, value = rng.uniform(0.5, 0.8), rng.uniform(0.28, 0.45)
        if name == 'pink':
            saturation, value = rng.uniform(0.35, 0.7), rng.uniform(0.85, 1.0)
        rgb = np.array(colorsys.hsv_to_rgb(rng.uniform(*HUES[name]) / 360 % 1, saturation, value))
    return np.clip(rgb, 0.01, 1) ** 2.2


def any_colour(rng, low=0.05, high=0.95, most=0.5):
    """A linear RGB colour for tables and walls: anything, mostly dull."""
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.random() ** 1.5 * most, rng.uniform(low, high))
    return np.array(rgb) ** 2.2


def _turn(rng, tumbled):
    a = rng.uniform(0, 2 * math.pi)
    R = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1.0]])
    if tumbled == 'lying':
        R = R @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    return R


def random_solid(rng):
    """Kind, shape word, half sizes (the largest about 1) and rotation."""
    shape = int(rng.integers(6))
    pose = ''
    kind = (SPHERE, CUBE, CYLINDER, CONE, TORUS, PYRAMID)[shape]
    s = np.ones(3)
    if kind == CUBE:
        s = rng.uniform(0.9, 1.0, 3) * 0.75
    elif kind in (CYLINDER, CONE):
        s[:2] = rng.uniform(0.45, 0.75) if kind == CYLINDER else rng.uniform(0.55, 0.8)
        s[2] = rng.uniform(0.6, 1.0) if kind == CYLINDER else rng.uniform(0.7, 1.0)
        pose = 'lying' if kind == CYLINDER and rng.random() < 0.2 else ''
    elif kind == TORUS:
        s[2] = rng.uniform(0.22, 0.34)
        pose = 'lying' if rng.random() < 0.25 else ''
    elif kind == PYRAMID:
        s[:2] = rng.uniform(0.65, 0.9)
        s[2] = rng.uniform(0.6, 0.9)
    return kind, shape, s, _turn(rng, pose)


def _lowest(kind, s, R):
    """How far the turned solid reaches below its centre."""
    row = np.abs(R[2])
    if kind == SPHERE:
        return math.sqrt(float(((R[2] * s) ** 2).sum()))
    if kind == TORUS:
        return s[2] + (s[0] - s[2]) * math.sqrt(max(0.0, 1 - R[2, 2] ** 2))
    if kind in (CYLINDER, CONE):
        return s[0] * math.sqrt(max(0.0, 1 - R[2, 2] ** 2)) + s[2] * row[2]
    return float((row * s).sum())


def random_material(rng):
    """A surface row and its colour and material words."""
    material = int(rng.choice(4, p=(0.28, 0.24, 0.24, 0.24)))
    names = [n for n in vocabulary.COLOURS if n not in NOT_ON.get(material, ())]
    name = names[int(rng.integers(len(names)))]
    if material == raycast.WOOD and rng.random() < 0.3:
        name = 'brown'
    m = np.zeros(14)
    m[0], m[1:4] = material, colour(name, rng)
    m[4:7] = m[1:4] * rng.uniform(0.55, 0.8)
    m[8], m[12], m[13] = 1, rng.integers(1 << 20), rng.uniform(0, math.pi)
    if material == raycast.RUBBER:
        if rng.random() < 0.1:
            m[7], m[8] = raycast.DOTS, rng.uniform(0.15, 0.3)
        m[9], m[10] = rng.uniform(0, 0.05), rng.uniform(4, 12)
    elif material == raycast.METAL:
        m[9], m[10], m[11] = rng.uniform(0.6, 1.2), rng.uniform(40, 160), rng.uniform(0.75, 0.95)
    elif material == raycast.GLASS:
        m[9], m[10] = rng.uniform(0.7, 1.5), rng.uniform(60, 200)
    else:
        m[7], m[8], m[13] = raycast.RINGS, rng.uniform(0.8, 1.3), rng.choice((0, math.pi / 2))
        m[1:4] += 0.04
        m[4:7] = m[1:4] * rng.uniform(0.2, 0.35)
        m[9], m[10] = rng.uniform(0, 0.1), rng.uniform(10, 25)
    return m, vocabulary.COLOURS.index(name), material


def random_stuff(rng):
    rows = np.zeros((3, 14))
    for k, row in enumerate(rows):
        row[1:4] = any_colour(rng, 0.3, 0.85)
        row[4:7] = row[1:4] * rng.uniform(0.4, 1.3) if rng.random() < 0.7 else any_colour(
            rng, 0.3, 0.85)
        kinds = (raycast.PLAIN, raycast.MOTTLED, raycast.GRAIN, raycast.CHECKS, raycast.PLANKS,
                 raycast.TILES, raycast.STRIPES)
        row[7] = rng.choice(kinds, p=(0.25, 0.25, 0.12, 0.08, 0.12, 0.1, 0.08))
        row[8] = math.exp(rng.uniform(-1.6, 0.5))
        row[9], row[10] = (rng.uniform(0, 0.2), rng.uniform(5, 30)) if k == 0 else (0, 1)
        row[12], row[13] = rng.integers(1 << 20), rng.uniform(0, math.pi)
    return rows


def random_camera(rng, aspect):
    tilt = math.radians(rng.uniform(22, 62))
    distance = rng.uniform(4, 9)
    turn = rng.uniform(0, 2 * math.pi)
    eye = distance * np.array([math.cos(tilt) * math.cos(turn), math.cos(tilt) * math.sin(turn),
                               math.sin(tilt)])
    aim = np.array([rng.normal(0, 0.2), rng.normal(0, 0.2), rng.uniform(0, 0.4)])
    forward = (aim - eye) / np.linalg.norm(aim - eye)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    roll = rng.normal(0, 0.05)
    down = np.cross(forward, right)
    right, down = (math.cos(roll) * right + math.sin(roll) * down,
                   math.cos(roll) * down - math.sin(roll) * right)
    half = math.tan(math.radians(rng.uniform(32, 62)) / 2)
    across, along = half * math.sqrt(aspect), half / math.sqrt(aspect)
    return eye, np.stack([right, down, forward], 1), across, along


def place_solids(rng, count, eye, view, across, along):
    """Solids on the table, chosen by where and how large they appear. One list entry each."""
    placed = []
    for _ in range(count * 6):
        if len(placed) == count:
            break
        kind, shape, s, R = random_solid(rng)
        ray = view @ np.array([across * rng.uniform(-0.85, 0.85),
                               along * rng.uniform(-0.7, 0.85), 1])
        if ray[2] > -0.05:
            continue
        at = eye - ray * (eye[2] / ray[2])
        depth = float(view[:, 2] @ (at - eye))
        size = math.exp(rng.uniform(math.log(0.19), math.log(0.4)))
        s = s * size * depth * min(across, along)
        if depth > 22:
            continue
        reach = float(max(s[0], s[1], s[2]))
        z = 0.0
        under = placed[int(rng.integers(len(placed)))] if placed and rng.random() < 0.08 else None
        if under and under['stackable'] and not under['loaded']:
            at, z = under['c'].copy(), under['c'][2] + under['s'][2]
            scale = min(1.0, 0.9 * under['s'][0] / reach)
            s, reach = s * scale, reach * scale
            under['loaded'] = True
        elif any(np.hypot(*(at[:2] - p['c'][:2])) < 0.85 * (reach + p['reach']) and not p['high']
                 for p in placed):
            continue
        elif any(np.hypot(*(ray[:2] - p['ray'][:2]))
                 < 0.65 * (reach / depth + p['reach'] / p['depth']) for p in placed):
            continue
        c = np.array([at[0], at[1], z + _lowest(kind, s, R)])
        placed.append({'kind': kind, 'shape': shape, 's': s, 'R': R, 'c': c, 'reach': reach,
                       'high': z > 0, 'depth': depth, 'ray': ray, 'loaded': False,
                       'stackable': kind in (CUBE, CYLINDER) and abs(R[2, 2]) > 0.99 and z == 0})
    return placed


def random_room(rng):
    room = np.zeros(17)
    wide = rng.random() < 0.5
    room[0], room[1] = (200, 200) if wide else rng.uniform(2, 6, 2)
    room[2] = -rng.uniform(0.7, 2.5)
    room[3] = rng.uniform(3, 9) if rng.random() < 0.6 else 1e6
    bright = rng.uniform(0.3, 1.3)
    room[6:9], room[9:12] = any_colour(rng, 0.3, 1) * bright, any_colour(rng, 0.3, 1) * bright
    room[12:15] = rng.uniform(0.35, 0.6) * np.clip(1 + rng.normal(0, 0.06, 3), 0.8, 1.2)
    return room


def random_lights(rng, view):
    lights = np.zeros((int(rng.integers(1, 4)), 7))
    for light in lights:
        a, z = rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 2)
        direction = np.array([math.cos(a), math.sin(a), z]) - 0.4 * view[:, 2] * [1, 1, 0]
        light[:3] = direction / np.linalg.norm(direction)
        light[3:6] = rng.uniform(0.4, 1.0) * np.clip(1 + rng.normal(0, 0.07, 3), 0.8, 1.2)
        light[6] = rng.choice((0.02, 0.1, 0.25))
    lights[:, 3:6] *= 1.1 / math.sqrt(len(lights))
    return lights


def draw(rng, width, height, aspect, seed):
    """A rendered scene of width × height pixels that shows a picture of this aspect ratio.

    Returns radiance [height, width, 3] (1: a white table's), label uint8 [height, width] (0
    nothing, k + 1 object k), words int8 [objects, 3] (colour, shape, material) and the share of each
    object that is seen.
    """
    eye, view, across, along = random_camera(rng, aspect)
    count = int(rng.integers(2, 9))
    placed = place_solids(rng, count, eye, view, across, along)
    if not placed:
        return draw(rng, width, height, aspect, seed)
    mats, named = [], []
    for p in placed:
        twin = int(rng.integers(len(mats))) if mats and rng.random() < 0.2 else -1
        m, c, material = random_material(rng) if twin < 0 else (mats[twin], *named[twin])
        m = m.copy()
        if twin < 0:
            m[8] *= 2 * float(p['s'].max())
        mats.append(m)
        named.append((c, material))
    room = random_room(rng)
    ahead = view[:2, 2] / np.linalg.norm(view[:2, 2])
    turn = rng.normal(0, 0.4)
    room[4] = ahead[0] * math.cos(turn) - ahead[1] * math.sin(turn)
    room[5] = ahead[0] * math.sin(turn) + ahead[1] * math.cos(turn)
    lights = random_lights(rng, view)
    # What a white surface that faces up sends back: the picture's exposure.
    white = float(room[12:15].mean() + (lights[:, 3:6].mean(1) * lights[:, 2]).sum())
    room[16] = white
    image, label, alone = raycast.render(
        np.array([p['kind'] for p in placed]), np.stack([p['R'] for p in placed]),
        np.stack([p['c'] for p in placed]), np.stack([p['s'] for p in placed]), np.stack(mats),
        random_stuff(rng), room, lights, eye, view, width / (2 * across),
        height / (2 * along), width, height, seed % (1 << 30))
    words = np.array([(c, p['shape'], m) for p, (c, m) in zip(placed, named)], np.int8)
    label = np.maximum(label + 1, 0).astype(np.uint8)
    seen = np.bincount(label.ravel(), minlength=len(placed) + 1)[1:] / np.maximum(alone, 1)
    return image / white, label, words, seen.astype(np.float32)
