"""Procedural scenes with exact z-depth: rooms, corridors, halls, tabletops and streets.

`make(seed, width, height)` returns (RGB uint8 [H, W, 3], z-depth float32 metres [H, W] with
`SKY` where nothing is hit, dict of size, intrinsics and kind of scene). The same seed gives the same scene at any size.
"""

import math

import numpy as np

import furniture as fu
import photo
import raycast as rc
from palette import Palette

SKY = 100.0


class Scene:
    """Primitives, lights and surroundings of one scene."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.pal = Palette(self.rng)
        self.kind, self.centre, self.half, self.R, self.mat, self.occ = [], [], [], [], [], []
        self.lights = []
        self.room = None
        grey = self.pal.u(0.15, 0.5)
        tint = self.pal.u(-0.08, 0.08)
        self.ambient = np.array([grey * (1 + tint), grey, grey * (1 - tint)])
        self.sky = self._sky()

    def _sky(self):
        u = self.pal.u
        bright = u(0.8, 2.5)
        top = np.array([u(0.15, 0.6), u(0.35, 0.7), u(0.7, 1.0)]) * bright
        low = np.array([u(0.7, 1.0), u(0.75, 1.0), u(0.8, 1.0)]) * bright
        return np.array([*top, *low, u(0, 1), u(0, 50), bright])

    def add(self, kind, centre, half, R, mat, occlude=0.0):
        self.kind.append(kind)
        self.centre.append(centre)
        self.half.append(np.maximum(half, 1e-3))
        self.R.append(R)
        self.mat.append(mat)
        self.occ.append(occlude)

    def point(self, x, y, z, power, size=0.1):
        c = np.array([1.0, self.pal.u(0.8, 1.0), self.pal.u(0.55, 1.0)]) * power
        self.lights.append([1.0, x, y, z, *c, size])

    def sun(self, azimuth, elevation, power, soft=0.03):
        c = np.array([1.0, self.pal.u(0.85, 1.0), self.pal.u(0.65, 0.95)]) * power
        d = (math.cos(azimuth) * math.cos(elevation), math.sin(azimuth) * math.cos(elevation),
             math.sin(elevation))
        self.lights.append([0.0, *d, *c, soft])

    def arrays(self):
        env = np.zeros(12)
        env[0:3] = self.ambient * self.pal.u(0.9, 1.3)
        env[3:6] = self.ambient * self.pal.u(0.45, 0.8)
        if self.room is not None:
            env[6:12] = 1.0, *self.room
        rng = np.random.default_rng(len(self.kind))
        return (np.array(self.kind, np.int64), np.array(self.R), np.array(self.centre),
                np.array(self.half), np.array(self.occ), np.array(self.mat, np.int64),
                rng.random(len(self.kind)), np.array(self.pal.rows), np.array(self.lights), env,
                self.sky)


def wall_with_holes(scene, a, b, h, mat, holes, thick=0.15):
    """A wall from a to b (floor points), leaving rectangular holes (start, end, low, high)."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    length = float(np.linalg.norm(b - a))
    yaw = math.atan2(b[1] - a[1], b[0] - a[0])
    p = fu.Place(scene, *a, 0.0, yaw)

    def piece(x0, x1, z0, z1):
        if x1 - x0 > 0.01 and z1 - z0 > 0.01:
            p.box((x0 + x1) / 2, -thick / 2, z0, x1 - x0, thick, z1 - z0, mat)

    cursor = 0.0
    for x0, x1, z0, z1 in sorted(holes):
        piece(cursor, x0, 0.0, h)
        piece(x0, x1, 0.0, z0)
        piece(x0, x1, z1, h)
        cursor = x1
    piece(cursor, length, 0.0, h)
    return p, length


def fit_openings(scene, p, length, h, holes, trim):
    """Frames, panes, doors, curtains and skirting for a wall's holes."""
    pal = scene.pal
    for x0, x1, z0, z1 in holes:
        w, mid = x1 - x0, (x0 + x1) / 2
        for x in (x0, x1):
            p.box(x, -0.06, z0, 0.06, 0.18, z1 - z0, trim)
        p.box(mid, -0.06, z1 - 0.03, w, 0.18, 0.06, trim)
        if z0 > 0.1:
            p.box(mid, -0.02, z0 - 0.03, w + 0.1, 0.28, 0.04, trim)
        if z0 > 0.1 or w > 1.3:
            n = max(1, int(w / 0.8))
            for i in range(1, n):
                p.box(x0 + i * w / n, -0.08, z0, 0.05, 0.06, z1 - z0, trim)
            if pal.chance(0.4):
                p.box(mid, -0.08, (z0 + z1) / 2, w, 0.06, 0.05, trim)
        if z0 < 0.1 and w < 1.2 and pal.chance(0.4):
            a = pal.u(0.3, 1.8)
            q = fu.Sub(p, x0, 0.02, 0, a)
            q.box(w / 2, 0, 0.01, w - 0.04, 0.04, z1 - 0.05, pal.cabinet(w, 1.0))
        if (z0 > 0.1 or w > 1.3) and pal.chance(0.5):
            m, low = pal.fabric(), 0.03 if pal.chance(0.6) else z0 - 0.1
            for s in (-1, 1):
                cw = pal.u(0.15, 0.45) * w
                n = max(3, int(cw / 0.09))
                for i in range(n):
                    x = (x0 - 0.05 if s < 0 else x1 + 0.05) - s * i * cw / n
                    scene_r = pal.u(0.045, 0.06)
                    p.rod(x, 0.12 + 0.02 * (i & 1), low, scene_r, min(h - 0.05, z1 + 0.15) - low, m)
    if pal.chance(0.7):
        cursor, sk = 0.0, pal.u(0.06, 0.15)
        for x0, x1, z0, _ in sorted(holes) + [(length, length, 0, 0)]:
            if z0 < 0.1:
                if x0 - cursor > 0.05:
                    p.box((cursor + x0) / 2, 0.008, 0, x0 - cursor, 0.016, sk, trim)
                cursor = x1


def closed_door(p, pal, x, trim):
    p.box(x, 0.01, 0, 0.84, 0.03, 2.02, pal.cabinet(0.84, pal.u(0.5, 1.01)))
    for s in (-1, 1):
        p.box(x + s * 0.46, 0.01, 0, 0.08, 0.05, 2.08, trim)
    p.box(x, 0.01, 2.02, 1.0, 0.05, 0.08, trim)
    p.ball(x + 0.35, 0.06, 1.02, 0.03, 0.03, 0.03, pal.metal())


def hang_pictures(p, pal, length, busy, n):
    for _ in range(n):
        w, h = pal.u(0.2, 1.1), pal.u(0.2, 0.9)
        x = pal.u(w / 2 + 0.1, max(w / 2 + 0.11, length - w / 2 - 0.1))
        if any(x0 - w / 2 - 0.1 < x < x1 + w / 2 + 0.1 for x0, x1 in busy):
            continue
        busy.append((x - w / 2, x + w / 2))
        z = pal.u(1.5, 1.65) - h / 2
        p.box(x, 0.012, z - 0.03, w + 0.06, 0.02, h + 0.06, pal.wood() if pal.chance(0.6) else pal.dark())
        p.box(x, 0.02, z, w, 0.02, h, pal.picture())


def openings(pal, length, h, window):
    """Random non-overlapping holes for a wall of this length."""
    holes, x = [], pal.u(0.2, 1.0)
    while x < length - 0.9 and len(holes) < 4:
        kind = pal.rng.random()
        if window and kind < 0.45:
            w, z0 = pal.u(0.7, 2.0), pal.u(0.75, 1.1)
            hole = (x, x + w, z0, min(h - 0.1, pal.u(1.9, 2.3)))
        elif window and kind < 0.6:
            w = pal.u(1.4, 2.8)
            hole = (x, x + w, 0.02, min(h - 0.08, pal.u(2.05, 2.3)))
        elif kind < 0.8:
            w = pal.u(0.8, 1.0)
            hole = (x, x + w, 0.0, min(h - 0.1, 2.03))
        else:
            x += pal.u(0.5, 2.0)
            continue
        if x + w > length - 0.2:
            break
        holes.append(hole)
        x += w + pal.u(0.3, 2.0)
    return holes


def shell(scene, w, d, h, window_chance=0.45, hole_chance=0.38):
    """Floor, ceiling and four walls of a room centred at the origin; returns wall frames."""
    pal = scene.pal
    scene.room = (-w / 2, w / 2, -d / 2, d / 2, h)
    floor, trim, wall = pal.floor(), pal.paint(), pal.wall()
    if pal.chance(0.6):
        trim = pal._add(0, np.full(3, pal.u(0.5, 0.88)), contrast=0.03, spec=0.1)
    p = fu.Place(scene, 0, 0)
    p.box(0, 0, -0.1, w + 0.3, d + 0.3, 0.1, floor)
    p.box(0, 0, h, w + 0.3, d + 0.3, 0.1, pal.ceiling())
    corners = [(w / 2, -d / 2), (w / 2, d / 2), (-w / 2, d / 2), (-w / 2, -d / 2)]
    frames, any_hole = [], False
    for i in range(4):
        a, b = corners[i], corners[(i + 1) % 4]
        mat = wall if pal.chance(0.75) else pal.wall()
        length = math.hypot(b[0] - a[0], b[1] - a[1])
        holes = openings(pal, length, h, pal.chance(window_chance)) if pal.chance(hole_chance) else []
        any_hole |= bool(holes)
        # The frame's +y axis points into the room.
        q, length = wall_with_holes(scene, a, b, h, mat, holes)
        fit_openings(scene, q, length, h, holes, trim)
        busy = [(x0, x1) for x0, x1, _, _ in holes]
        if not holes and length > 1.4 and pal.chance(0.4):
            x = pal.u(0.6, length - 0.6)
            closed_door(q, pal, x, trim)
            busy.append((x - 0.5, x + 0.5))
        frames.append((q, length, busy))
    outside(scene, w, d) if any_hole else None
    return frames


def outside(scene, w, d):
    """What is seen through the holes: ground, walls close by, greenery, sky."""
    pal = scene.pal
    p = fu.Place(scene, 0, 0)
    p.box(0, 0, -0.3, 80, 80, 0.15, pal.ground())
    for side in range(4):
        if pal.chance(0.65):
            r = (w if side % 2 == 0 else d) / 2 + pal.u(1.5, 5.0)
            q = fu.Place(scene, 0, 0, -0.2, side * math.pi / 2)
            m = pal.bricks() if pal.chance(0.5) else pal.wall()
            q.box(r, 0, 0, 0.2, 30, pal.u(1.0, 4.5), m)
        for _ in range(int(pal.rng.integers(0, 3))):
            a = side * math.pi / 2 + pal.u(-0.6, 0.6)
            r = max(w, d) / 2 + pal.u(1.5, 6)
            (fu.bush if pal.chance(0.6) else fu.tree)(
                fu.Place(scene, r * math.cos(a), r * math.sin(a), -0.2), pal)


class Layout:
    """Keeps furniture from overlapping (circles on the floor)."""

    def __init__(self):
        self.spots = []

    def take(self, x, y, r):
        if any(math.hypot(x - a, y - b) < r + c for a, b, c in self.spots):
            return False
        self.spots.append((x, y, r))
        return True


def furnish(scene, frames, w, d, h, density):
    pal, layout = scene.pal, Layout()
    for q, length, busy in frames:
        for _ in range(int(pal.rng.integers(0, 3) * density + pal.u(0, 1.5))):
            make_item = fu.WALL_SIDE[pal.rng.integers(len(fu.WALL_SIDE))]
            x = pal.u(0.6, max(0.61, length - 0.6))
            if any(a - 0.5 < x < b + 0.5 for a, b in busy):
                continue
            centre = q.o + q.R @ np.array([x, 0.45, 0])
            if not layout.take(centre[0], centre[1], 0.75):
                continue
            busy.append((x - 0.7, x + 0.7))
            deep = 1.03 if make_item is fu.bed else 0.45 if make_item is fu.sofa else 0.33
            make_item(fu.Sub(q, x, deep + pal.u(0.0, 0.08), 0, math.pi + pal.u(-0.05, 0.05)), pal)
        if pal.chance(0.65):
            hang_pictures(q, pal, length, busy, int(pal.rng.integers(1, 4)))
    for _ in range(int(w * d / 4 * density * pal.u(0.3, 1.2)) + 1):
        x, y = pal.u(-w / 2 + 0.6, w / 2 - 0.6), pal.u(-d / 2 + 0.6, d / 2 - 0.6)
        if not layout.take(x, y, 0.5):
            continue
        make_item = fu.FREE[pal.rng.integers(len(fu.FREE))]
        make_item(fu.Place(scene, x, y, 0, pal.u(-math.pi, math.pi)), pal)
    if pal.chance(0.45):
        fu.Place(scene, pal.u(-w / 4, w / 4), pal.u(-d / 4, d / 4), 0, pal.u(-0.3, 0.3)).box(
            0, 0, 0, pal.u(1, 2.4), pal.u(0.8, 1.8), 0.012, pal.rug())
    return layout


def light_room(scene, w, d, h):
    pal = scene.pal
    n = int(pal.rng.integers(1, 4))
    power = pal.u(0.4, 2.2)
    for _ in range(n):
        x, y = pal.u(-w / 3, w / 3), pal.u(-d / 3, d / 3)
        drop = pal.u(0.06, 0.5) if pal.chance(0.6) else 0.03
        scene.point(x, y, h - drop - 0.12, power / n * (1 + 0.15 * w * d / n) * pal.u(0.5, 1.5),
                    pal.u(0.02, 0.2))
        p = fu.Place(scene, x, y)
        glow = pal.glow(pal.u(1.0, 3.0))
        if drop > 0.04:
            p.ball(0, 0, h - drop, 0.12, 0.12, 0.09, glow)
            p.rod(0, 0, h - drop, 0.01, drop, pal.dark())
        else:
            p.box(0, 0, h - 0.03, pal.u(0.2, 1.2), 0.25, 0.03, glow)
    if pal.chance(0.55):
        scene.sun(pal.u(-math.pi, math.pi), pal.u(0.25, 1.0), pal.u(0.5, 4.0))


class Camera:
    def __init__(self, position, yaw, pitch, roll, hfov):
        self.position = np.asarray(position, float)
        cp, sp = math.cos(pitch), math.sin(pitch)
        forward = np.array([math.cos(yaw) * cp, math.sin(yaw) * cp, sp])
        right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
        down = np.cross(forward, right)
        c, s = math.cos(roll), math.sin(roll)
        self.R = np.stack([c * right + s * down, c * down - s * right, forward], 1)
        self.hfov = hfov


def look_across(pal, w, d, margin=0.35):
    """A standpoint and a yaw that looks across the longer way to something."""
    x, y = pal.u(-w / 2 + margin, w / 2 - margin), pal.u(-d / 2 + margin, d / 2 - margin)
    tx, ty = pal.u(-w / 2, w / 2) * 0.8, pal.u(-d / 2, d / 2) * 0.8
    if math.hypot(tx - x, ty - y) < 0.8:
        tx, ty = -x, -y
    return x, y, math.atan2(ty - y, tx - x)


def eye_height(pal):
    """Mostly a standing person's view, so that the floor gives the scale; sometimes any height."""
    if pal.chance(0.82):
        return float(np.clip(pal.rng.normal(1.45, 0.1), 1.1, 1.75))
    return pal.u(0.5, 2.0)


def human_pitch(pal, height):
    return float(np.clip(pal.rng.normal(-0.2 - 0.1 * (height - 1.4), 0.12), -0.7, 0.25))


def room_height(pal):
    return float(np.clip(pal.rng.normal(2.5, 0.08), 2.3, 3.0))


def room(scene):
    pal = scene.pal
    w, d, h = pal.u(2.4, 6.5), pal.u(2.4, 6.5), room_height(pal)
    frames = shell(scene, w, d, h)
    furnish(scene, frames, w, d, h, pal.u(0.3, 1.6))
    light_room(scene, w, d, h)
    x, y, yaw = look_across(pal, w, d)
    z = eye_height(pal)
    return Camera((x, y, z), yaw, human_pitch(pal, z), pal.rng.normal(0, 0.035), fov(pal))


def corridor(scene):
    pal = scene.pal
    w, d, h = pal.u(1.3, 2.4), pal.u(6, 16), room_height(pal)
    frames = shell(scene, w, d, h, 0.2, 0.6)
    furnish(scene, frames, w, d, h, pal.u(0.0, 0.5))
    for y in np.arange(-d / 2 + 1, d / 2, pal.u(2, 4)):
        scene.point(0, y, h - 0.15, pal.u(0.5, 1.2), 0.1)
        fu.Place(scene, 0, y).box(0, 0, h - 0.04, 0.3, 0.9, 0.04, pal.glow(2.0))
    scene.lights = scene.lights[:5]
    side = 1 if pal.chance(0.5) else -1
    y, z = side * pal.u(0.0, 0.45) * d, eye_height(pal)
    yaw = -side * math.pi / 2 + pal.rng.normal(0, 0.2)
    return Camera((pal.u(-0.3, 0.3) * w, y, z), yaw, human_pitch(pal, z), pal.rng.normal(0, 0.03),
                  fov(pal))


def hall(scene):
    pal = scene.pal
    w, d, h = pal.u(7, 13), pal.u(7, 15), pal.u(2.7, 5)
    frames = shell(scene, w, d, h)
    layout = furnish(scene, frames, w, d, h, pal.u(0.15, 0.6))
    if pal.chance(0.5):
        m = pal.wall()
        for x in np.arange(-w / 2 + 2, w / 2 - 1, pal.u(2.5, 4)):
            y = pal.u(-0.3, 0.3) * d
            if layout.take(x, y, 0.4):
                fu.Place(scene, x, y).box(0, 0, 0, 0.4, 0.4, h, m, occlude=0.3)
    light_room(scene, w, d, h)
    scene.ambient = scene.ambient * 1.3
    x, y, yaw = look_across(pal, w, d, 1.0)
    z = eye_height(pal)
    return Camera((x, y, z), yaw, human_pitch(pal, z), pal.rng.normal(0, 0.03), fov(pal))


def tabletop(scene):
    pal = scene.pal
    w, d, h = pal.u(3.0, 6.0), pal.u(3.0, 6.0), room_height(pal)
    frames = shell(scene, w, d, h)
    x, y = pal.u(-w / 2 + 0.9, w / 2 - 0.9), pal.u(-d / 2 + 0.9, d / 2 - 0.9)
    p = fu.Place(scene, x, y, 0, pal.u(-math.pi, math.pi))
    tw, td, th = fu.table(p, pal, w=pal.u(1.0, 2.2), d=pal.u(0.8, 1.3))
    p.box(0, 0, th, pal.u(0.6, 1.0) * tw, pal.u(0.6, 1.0) * td, 0.003,
          pal.fabric() if pal.chance(0.4) else pal.wood())
    fu.clutter(p, pal, tw, td, th, int(pal.rng.integers(4, 18)))
    for _ in range(int(pal.rng.integers(1, 6))):
        a, r = pal.u(-math.pi, math.pi), pal.u(1.3, 2.5)
        q = (x + r * math.cos(a), y + r * math.sin(a))
        if abs(q[0]) < w / 2 - 0.5 and abs(q[1]) < d / 2 - 0.5:
            fu.FREE[pal.rng.integers(len(fu.FREE))](fu.Place(scene, *q, 0, pal.u(-3, 3)), pal)
    for q, length, busy in frames:
        if pal.chance(0.5):
            hang_pictures(q, pal, length, busy, 2)
    light_room(scene, w, d, h)
    a, r, up = pal.u(-math.pi, math.pi), pal.u(0.55, 1.2), float(np.clip(pal.rng.normal(0.5, 0.1), 0.2, 0.8))
    cx = float(np.clip(x + r * math.cos(a), -w / 2 + 0.2, w / 2 - 0.2))
    cy = float(np.clip(y + r * math.sin(a), -d / 2 + 0.2, d / 2 - 0.2))
    tx, ty = x + pal.u(-0.3, 0.3), y + pal.u(-0.3, 0.3)
    dist = math.hypot(tx - cx, ty - cy)
    pitch = -math.atan2(up - pal.u(0, 0.15), max(dist, 0.2)) * pal.u(0.6, 1.1)
    return Camera((cx, cy, th + up), math.atan2(ty - cy, tx - cx), pitch, pal.rng.normal(0, 0.06),
                  fov(pal))


def street(scene):
    pal = scene.pal
    p = fu.Place(scene, 0, 0)
    p.box(0, 0, -0.1, 120, 120, 0.1, pal.ground())
    layout = Layout()
    layout.take(0, 0, 1.2)
    scene.ambient = np.array([0.35, 0.4, 0.5]) * pal.u(0.6, 1.5)
    if pal.chance(0.75):
        scene.sun(pal.u(-math.pi, math.pi), pal.u(0.25, 1.3), pal.u(0.6, 2.2), 0.02)
    for side in (-1, 1):
        if pal.chance(0.75):
            r = pal.u(2.5, 14)
            m = pal.facade() if pal.chance(0.6) else pal.bricks() if pal.chance(0.5) else pal.wall()
            q = fu.Place(scene, 0, 0, 0, pal.u(-0.15, 0.15))
            q.box(pal.u(-5, 5), side * (r + 4), 0, pal.u(10, 60), 8, pal.u(2.5, 14), m)
            if pal.chance(0.6):
                q.box(0, side * (r - 0.8), 0, 80, 1.6, 0.12, pal.ground())
        elif pal.chance(0.6):
            r, m = pal.u(2, 8), pal.wood()
            for i in range(-12, 13):
                p.box(i * 1.2, side * r, 0, 0.08, 0.08, 1.2, m)
            p.box(0, side * r, 0.4, 30, 0.03, 0.1, m)
            p.box(0, side * r, 0.9, 30, 0.03, 0.1, m)
    if pal.chance(0.5):
        p.box(pal.u(8, 25), 0, 0, 4, 40, pal.u(2, 12), pal.facade() if pal.chance(0.5) else pal.bricks())
    for _ in range(int(pal.rng.integers(4, 18))):
        r, a = pal.u(1.6, 14), pal.rng.normal(0, 0.6)
        x, y = r * math.cos(a), r * math.sin(a)
        item = fu.STREET[pal.rng.integers(len(fu.STREET))]
        if layout.take(x, y, 2.2 if item is fu.car else 0.7):
            item(fu.Place(scene, x, y, 0, pal.u(-math.pi, math.pi)), pal)
    z = eye_height(pal)
    return Camera((0, 0, z), pal.rng.normal(0, 0.25), human_pitch(pal, z), pal.rng.normal(0, 0.03),
                  fov(pal))


def fov(pal):
    """Field of view along the longer side: mostly like a phone or a depth camera."""
    if pal.chance(0.85):
        return math.radians(float(np.clip(pal.rng.normal(60, 2.5), 50, 70)))
    return math.radians(pal.u(45, 90))


KINDS = ((room, 0.62), (tabletop, 0.11), (corridor, 0.09), (hall, 0.08), (street, 0.10))


def _attempt(seed, width, height, samples, focal_factor, oversample):
    scene = Scene(seed)
    pick, total = scene.rng.random(), 0.0
    for build, share in KINDS:
        total += share
        if pick < total:
            break
    camera = build(scene)
    if not scene.lights:
        scene.point(*camera.position, 0.3)
    f = width / 2 / math.tan(camera.hfov / 2) * focal_factor
    cx, cy = (width - 1) / 2, (height - 1) / 2
    arrays = scene.arrays()  # drawn once: both sizes show the same scene

    def shoot(w, h, s):
        k = w / width
        return rc.render(*arrays, camera.R, camera.position, f * k, (w - 1) / 2, (h - 1) / 2, w, h,
                         s, seed % 100003)

    _, probe = shoot(48, max(8, round(48 * height / width)), 1)
    near, mid = np.percentile(probe, [2, 50])
    seen = probe[probe < rc.FAR]
    if near < (0.3 if build is tabletop else 0.6) or mid < 0.7 or (probe >= rc.FAR).mean() > 0.5:
        return None
    if np.percentile(seen, 95) / np.percentile(seen, 5) < 1.25 and scene.rng.random() < 0.8:
        return None
    radiance, depth = shoot(width, height, samples)
    if oversample > 1:
        k = oversample
        fine, _ = shoot(width * k, height * k, samples)
        radiance = fine.reshape(height, k, width, k, 3).mean((1, 3))
    depth[depth > SKY] = SKY
    K = dict(width=width, height=height, fx=f, fy=f, cx=cx, cy=cy)
    return scene, radiance, depth, K, build.__name__


def make(seed, width=264, height=200, samples=2, clean=False, oversample=1):
    """One photograph with its depth. Scenes with a blocked view are redrawn (seed-determined).

    `oversample` k averages k×k finely traced pixels into each, for pictures without grain.
    """
    # The focal length is set for a 4:3 frame, so that a narrow frame is a crop and not a zoom.
    factor = 1.0 if width >= height else (height / width)
    for k in range(40):
        got = _attempt(seed * 64 + k, width, height, samples, factor, oversample)
        if got is not None:
            scene, radiance, depth, K, kind = got
            return photo.develop(radiance, scene.rng, clean), depth, dict(K, kind=kind)
    raise RuntimeError(f'seed {seed}: no unblocked view in 40 draws')
