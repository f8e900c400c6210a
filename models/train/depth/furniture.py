"""Objects of everyday size (metres), built from boxes, ellipsoids and cylinders."""

import numpy as np

from raycast import BOX, CYLINDER, ELLIPSOID

EYE = np.eye(3)


def yaw_matrix(a):
    c, s = np.cos(a), np.sin(a)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def tilt_matrix(axis, a):
    c, s = np.cos(a), np.sin(a)
    if axis == 0:
        return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])
    return np.array([[c, 0, s], [0, 1.0, 0], [-s, 0, c]])


class Place:
    """A local frame standing at (x, y, z) with a yaw; parts are given in that frame."""

    def __init__(self, scene, x, y, z=0.0, yaw=0.0, scale=1.0):
        self.scene, self.R, self.o, self.k = scene, yaw_matrix(yaw), np.array([x, y, z]), scale

    def _put(self, kind, centre, half, mat, R, occlude):
        k = self.k
        centre = self.o + self.R @ (np.asarray(centre, float) * k)
        self.scene.add(kind, centre, np.asarray(half, float) * k, self.R @ R, mat, occlude * k)

    def box(self, x, y, z, sx, sy, sz, mat, R=EYE, occlude=0.0):
        """Box of full size (sx, sy, sz) whose bottom face is centred at (x, y, z)."""
        self._put(BOX, (x, y, z + sz / 2), (sx / 2, sy / 2, sz / 2), mat, R, occlude)

    def ball(self, x, y, z, rx, ry, rz, mat, R=EYE, occlude=0.0):
        """Ellipsoid centred at (x, y, z)."""
        self._put(ELLIPSOID, (x, y, z), (rx, ry, rz), mat, R, occlude)

    def rod(self, x, y, z, r, h, mat, R=EYE, occlude=0.0):
        """Upright cylinder of radius r and height h standing at (x, y, z)."""
        self._put(CYLINDER, (x, y, z + h / 2), (r, r, h / 2), mat, R, occlude)


def table(p, pal, w=None, d=None, h=None):
    w, d, h = w or pal.u(0.8, 1.9), d or pal.u(0.6, 1.0), h or pal.u(0.7, 0.77)
    top = pal.wood() if pal.chance(0.8) else pal.paint()
    leg = top if pal.chance(0.5) else pal.metal()
    p.box(0, 0, h - 0.035, w, d, 0.035, top, occlude=0.35 * min(w, d))
    t = pal.u(0.025, 0.06)
    for sx in (-1, 1):
        for sy in (-1, 1):
            if pal.chance(0.5):
                p.box(sx * (w / 2 - 0.06), sy * (d / 2 - 0.06), 0, t, t, h - 0.03, leg)
            else:
                p.rod(sx * (w / 2 - 0.06), sy * (d / 2 - 0.06), 0, t / 2, h - 0.03, leg)
    return w, d, h


def chair(p, pal):
    seat = pal.fabric() if pal.chance(0.5) else pal.wood()
    leg = pal.metal() if pal.chance(0.5) else pal.wood()
    h = pal.u(0.42, 0.48)
    p.box(0, 0, h - 0.05, 0.44, 0.44, 0.05, seat, occlude=0.22)
    p.box(0, 0.21, h + pal.u(0.0, 0.2), 0.42, 0.03, pal.u(0.25, 0.45), seat,
          R=tilt_matrix(0, pal.u(-0.15, 0)))
    if pal.chance(0.3):
        p.rod(0, 0, 0.05, 0.03, h - 0.08, leg)
        for a in range(5):
            p.box(0.14 * np.cos(a * 1.257), 0.14 * np.sin(a * 1.257), 0.03, 0.3, 0.035, 0.03, leg,
                  R=yaw_matrix(a * 1.257))
    else:
        for sx in (-0.19, 0.19):
            p.rod(sx, -0.19, 0, 0.015, h - 0.04, leg)
            p.rod(sx, 0.2, 0, 0.015, h + pal.u(0.0, 0.4), leg)
    return 0.45, 0.45, 0.9


def armchair(p, pal):
    m = pal.fabric()
    w = pal.u(0.7, 0.95)
    p.box(0, 0, 0.12, w, 0.75, 0.2, m, occlude=0.35)
    p.box(0, -0.03, 0.3, w - 0.24, 0.65, 0.14, m)
    p.box(0, 0.32, 0.3, w, 0.18, pal.u(0.4, 0.6), m, R=tilt_matrix(0, pal.u(-0.2, 0)))
    for s in (-1, 1):
        p.box(s * (w / 2 - 0.07), 0, 0.12, 0.14, 0.72, 0.45, m)
    if pal.chance(0.5):
        p.ball(pal.u(-0.15, 0.15), 0.15, 0.58, 0.2, 0.09, 0.18, pal.fabric())
    return w, 0.8, 0.8


def lounge_chair(p, pal):
    """Cantilever armchair: bent tubes, a thin seat and a leaning back."""
    m, tube = pal.fabric(), pal.metal()
    w = pal.u(0.55, 0.7)
    p.box(0, -0.02, 0.36, w - 0.08, 0.62, 0.07, m, R=tilt_matrix(0, -0.12), occlude=0.25)
    p.box(0, 0.36, 0.36, w - 0.1, 0.06, 0.62, m, R=tilt_matrix(0, pal.u(-0.4, -0.15)))
    for s in (-1, 1):
        x = s * w / 2
        p.rod(x, -0.3, 0.02, 0.022, 0.55, tube, R=tilt_matrix(0, pal.u(-0.1, 0.1)))
        p.box(x, 0, 0.0, 0.04, 0.62, 0.035, tube)
        p.box(x, 0.02, 0.56, 0.05, 0.62, 0.035, tube, R=tilt_matrix(0, 0.1))
    return w, 0.8, 1.0


def sofa(p, pal):
    m = pal.fabric()
    w = pal.u(1.4, 2.4)
    p.box(0, 0, 0.05, w, 0.9, 0.3, m, occlude=0.45)
    p.box(0, 0.36, 0.3, w, 0.2, 0.5, m, R=tilt_matrix(0, pal.u(-0.15, 0)), occlude=0.3)
    n = int(pal.rng.integers(2, 4))
    for i in range(n):
        x = (i + 0.5) / n * (w - 0.36) - (w - 0.36) / 2
        p.box(x, -0.06, 0.35, (w - 0.36) / n - 0.02, 0.72, 0.12, m)
        if pal.chance(0.5):
            p.ball(x, 0.16, 0.62, 0.22, 0.1, 0.2, pal.fabric())
    for s in (-1, 1):
        p.box(s * (w / 2 - 0.09), 0, 0.05, 0.18, 0.88, 0.55, m)
    return w, 0.9, 0.85


def bed(p, pal):
    w, m = pal.u(0.9, 1.8), pal.fabric()
    p.box(0, 0, 0.0, w, 2.0, 0.3, pal.wood(), occlude=0.6)
    p.box(0, 0, 0.3, w - 0.04, 1.96, 0.2, m)
    p.box(0, 0.98, 0, w, 0.06, pal.u(0.7, 1.2), pal.wood())
    for s in ((-1, 1) if w > 1.3 else (0,)):
        p.ball(s * w / 4, 0.7, 0.54, 0.32, 0.2, 0.1, pal.fabric())
    return w, 2.0, 0.6


def shelf(p, pal):
    w, d, h = pal.u(0.6, 1.4), pal.u(0.25, 0.4), pal.u(0.8, 2.2)
    m = pal.wood()
    for s in (-1, 1):
        p.box(s * (w / 2), 0, 0, 0.025, d, h, m)
    p.box(0, d / 2 - 0.01, 0, w, 0.01, h, m, occlude=0.3)
    n = max(2, int(h / pal.u(0.3, 0.42)))
    for i in range(n + 1):
        z = i * (h - 0.03) / n
        p.box(0, 0, z, w, d, 0.025, m)
        if i < n and pal.chance(0.85):
            g = (h - 0.03) / n - 0.05
            if pal.chance(0.65):
                bw = pal.u(0.4, 0.97) * (w - 0.04)
                p.box((w - 0.04 - bw) / 2 * pal.u(-1, 1), 0.04, z + 0.025, bw, d * 0.7, g, pal.books())
            else:
                for _ in range(int(pal.rng.integers(1, 4))):
                    trinket(Sub(p, pal.u(-w / 2 + 0.1, w / 2 - 0.1), 0, z + 0.025), pal, g)
    return w, d, h


def trinket(p, pal, limit=0.4):
    """A small thing that stands on a surface; at most `limit` high."""
    k = pal.rng.integers(9)
    m = [pal.paint, pal.label, pal.metal, pal.fabric][pal.rng.integers(4)]()
    if k == 0:
        s = pal.u(0.03, min(0.12, limit / 2))
        p.ball(0, 0, s, s, s, s, m, occlude=s)
    elif k == 1:
        s, h = pal.u(0.025, 0.045), min(limit, pal.u(0.18, 0.32))
        p.rod(0, 0, 0, s, h * 0.65, m, occlude=s)
        p.ball(0, 0, h * 0.65, s, s, s, m)
        p.rod(0, 0, h * 0.65, s * 0.35, h * 0.35, m)
    elif k == 2:
        s, h = pal.u(0.03, 0.05), pal.u(0.07, 0.13)
        p.rod(0, 0, 0, s, h, m, occlude=s)
        p.box(s, 0, h * 0.2, 0.03, 0.01, h * 0.6, m)
    elif k == 3:
        p.box(0, 0, 0, pal.u(0.05, 0.3), pal.u(0.05, 0.2), min(limit, pal.u(0.04, 0.35)), m,
              occlude=0.08)
    elif k == 4:
        z = 0.0
        for _ in range(int(pal.rng.integers(1, 6))):
            t = pal.u(0.015, 0.05)
            p.box(0, 0, z, pal.u(0.14, 0.24), pal.u(0.2, 0.3), t, pal.label() if pal.chance(0.5)
                  else pal.paint(), R=yaw_matrix(pal.u(-0.3, 0.3)), occlude=0.06)
            z += t
    elif k == 5:
        p.rod(0, 0, 0, pal.u(0.04, 0.1), pal.u(0.06, 0.12), pal.paint(), occlude=0.07)
        g = pal.foliage()
        for _ in range(4):
            p.ball(pal.u(-0.07, 0.07), pal.u(-0.07, 0.07), pal.u(0.12, 0.3), pal.u(0.03, 0.1),
                   pal.u(0.03, 0.1), pal.u(0.04, 0.12), g)
    elif k == 6:
        s = pal.u(0.03, 0.06)
        p.rod(0, 0, 0, s, pal.u(0.08, 0.14), pal.label(), occlude=s)
    elif k == 7:
        s = pal.u(0.06, 0.14)
        p.ball(0, 0, s * 0.5, s, s, s * 0.5, m, occlude=s)
    else:
        p.box(0, 0, 0, 0.21, 0.297, 0.004, pal.paper(), R=yaw_matrix(pal.u(-1, 1)))


class Sub(Place):
    """A frame inside another frame."""

    def __init__(self, parent, x, y, z, yaw=0.0):
        self.scene, self.k = parent.scene, parent.k
        self.R = parent.R @ yaw_matrix(yaw)
        self.o = parent.o + parent.R @ (np.array([x, y, z], float) * parent.k)


def desk(p, pal):
    w, d, h = table(p, pal, w=pal.u(1.1, 1.8), d=pal.u(0.6, 0.85))
    if pal.chance(0.8):
        for i in range(1 if pal.chance(0.7) else 2):
            q = Sub(p, pal.u(-0.2, 0.2) + 0.62 * i - 0.1, d * 0.2, h, pal.u(-0.3, 0.3))
            q.box(0, 0, 0, 0.22, 0.18, 0.01, pal.dark())
            q.box(0, 0.03, 0, 0.05, 0.02, 0.2, pal.dark())
            mw = pal.u(0.45, 0.65)
            q.box(0, 0.02, 0.12, mw, 0.035, mw * 0.6, pal.dark(), occlude=0.15)
            q.box(0, 0.0, 0.13, mw - 0.03, 0.005, mw * 0.6 - 0.02, pal.screen())
        p.box(0, -d * 0.2, h, 0.44, 0.14, 0.02, pal.label() if pal.chance(0.5) else pal.dark())
    clutter(p, pal, w, d, h, int(pal.rng.integers(1, 7)))
    return w, d, h


def clutter(p, pal, w, d, h, n):
    for _ in range(n):
        trinket(Sub(p, pal.u(-w / 2 + 0.1, w / 2 - 0.1), pal.u(-d / 2 + 0.1, d / 2 - 0.1), h,
                    pal.u(-3, 3)), pal)


def dining(p, pal):
    w, d, h = table(p, pal)
    clutter(p, pal, w, d, h, int(pal.rng.integers(0, 7)))
    for s in (-1, 1):
        for i in range(int(pal.rng.integers(0, 3))):
            chair(Sub(p, (i - 0.5) * 0.6, s * (d / 2 + pal.u(0.0, 0.3)), 0,
                      (0 if s > 0 else np.pi) + pal.u(-0.3, 0.3)), pal)
    return w, d + 0.9, h


def low_table(p, pal):
    w, d, h = table(p, pal, w=pal.u(0.6, 1.2), d=pal.u(0.45, 0.7), h=pal.u(0.35, 0.48))
    clutter(p, pal, w, d, h, int(pal.rng.integers(0, 5)))
    return w, d, h


def wardrobe(p, pal):
    w, d, h = pal.u(0.6, 2.0), pal.u(0.45, 0.62), pal.u(1.8, 2.2)
    p.box(0, 0, 0, w, d, h, pal.cabinet(0.5, pal.u(0.7, 2.2)), occlude=0.4)
    return w, d, h


def sideboard(p, pal):
    w, d, h = pal.u(0.5, 1.8), pal.u(0.35, 0.5), pal.u(0.5, 1.0)
    p.box(0, 0, 0, w, d, h, pal.cabinet(pal.u(0.35, 0.6), pal.u(0.2, 0.7)), occlude=0.3)
    clutter(p, pal, w, d, h, int(pal.rng.integers(0, 5)))
    if pal.chance(0.3):
        tw = pal.u(0.7, 1.2)
        p.box(0, 0, h + 0.04, tw, 0.05, tw * 0.58, pal.dark(), occlude=0.2)
        p.box(0, -0.028, h + 0.05, tw - 0.03, 0.005, tw * 0.58 - 0.03, pal.screen())
    return w, d, h


def kitchen(p, pal):
    w = pal.u(1.6, 3.2)
    p.box(0, 0, 0.0, w, 0.58, 0.86, pal.cabinet(0.6, 0.8), occlude=0.4)
    p.box(0, -0.01, 0.86, w, 0.62, 0.04, pal.wood() if pal.chance(0.5) else pal.paint())
    if pal.chance(0.8):
        p.box(0, 0.12, 1.42, w, 0.34, 0.7, pal.cabinet(0.6, 0.7), occlude=0.3)
    if pal.chance(0.6):
        p.box(w / 2 + 0.32, 0, 0, 0.6, 0.62, pal.u(1.6, 2.0), pal.paint(), occlude=0.35)
    clutter(p, pal, w, 0.4, 0.9, int(pal.rng.integers(1, 7)))
    return w, 0.65, 2.0


def floor_lamp(p, pal):
    h, m = pal.u(1.3, 1.8), pal.metal()
    p.rod(0, 0, 0, 0.14, 0.02, m)
    p.rod(0, 0, 0, 0.012, h, m)
    p.rod(0, 0, h, pal.u(0.12, 0.22), pal.u(0.2, 0.3), pal.glow(pal.u(0.6, 1.6)) if pal.chance(0.5)
          else pal.fabric())
    return 0.3, 0.3, h + 0.25


def plant(p, pal):
    s = pal.u(0.6, 1.5)
    p.rod(0, 0, 0, 0.13 * s + 0.05, 0.25 * s, pal.paint(), occlude=0.15)
    g = pal.foliage()
    p.rod(0, 0, 0.2 * s, 0.015, 0.5 * s, pal.bark())
    for _ in range(int(pal.rng.integers(5, 12))):
        p.ball(pal.u(-0.25, 0.25) * s, pal.u(-0.25, 0.25) * s, pal.u(0.4, 1.2) * s, pal.u(0.05, 0.2),
               pal.u(0.03, 0.15), pal.u(0.05, 0.3) * s, g, R=tilt_matrix(0, pal.u(-1, 1)))
    return 0.5, 0.5, 1.2 * s


def box_stack(p, pal):
    z, w = 0.0, pal.u(0.3, 0.6)
    for _ in range(int(pal.rng.integers(1, 5))):
        h = pal.u(0.18, 0.45)
        p.box(pal.u(-0.04, 0.04), pal.u(-0.04, 0.04), z, w, pal.u(0.3, 0.5), h,
              pal.cardboard() if pal.chance(0.6) else pal.label(), R=yaw_matrix(pal.u(-0.3, 0.3)),
              occlude=0.25)
        z += h
    return w, 0.5, z


def person(p, pal):
    h = pal.u(1.55, 1.88) / 1.75
    top, legs = pal.fabric(), pal.fabric()
    stride = pal.u(-0.25, 0.25)
    for s in (-1, 1):
        p.rod(s * 0.09, 0, 0.04, 0.075 * h, 0.82 * h, legs, R=tilt_matrix(0, s * stride))
        p.ball(s * 0.09, s * stride * 0.8 - 0.06, 0.05, 0.05, 0.13, 0.05, pal.dark())
        p.rod(s * 0.23, 0, 0.82 * h, 0.05, 0.62 * h, top, R=tilt_matrix(0, -s * stride))
    p.ball(0, 0, 1.14 * h, 0.2, 0.13, 0.36 * h, top, occlude=0.25)
    p.ball(0, 0, 1.6 * h, 0.085, 0.1, 0.125, pal.skin())
    p.ball(0, 0.02, 1.65 * h, 0.092, 0.1, 0.1, pal.dark())
    return 0.6, 0.4, 1.75


def ball(p, pal):
    s = pal.u(0.05, 0.35)
    p.ball(0, 0, s, s, s, s, pal.label() if pal.chance(0.5) else pal.paint(), occlude=s)
    return 2 * s, 2 * s, 2 * s


def bin_(p, pal):
    h = pal.u(0.3, 0.7)
    p.rod(0, 0, 0, pal.u(0.12, 0.25), h, pal.paint() if pal.chance(0.6) else pal.metal(), occlude=0.2)
    return 0.4, 0.4, h


def car(p, pal):
    m, glass, tyre = pal.paint(), pal.dark(), pal.dark()
    p.box(0, 0, 0.3, 1.75, 4.2, 0.55, m, occlude=0.9)
    p.box(0, 0.2, 0.85, 1.5, 2.2, 0.5, glass)
    p.box(0, 0.2, 1.33, 1.45, 1.9, 0.06, m)
    for sx in (-1, 1):
        for sy in (-1.3, 1.3):
            p.rod(sx * 0.8, sy, 0.22, 0.32, 0.2, tyre, R=tilt_matrix(1, np.pi / 2))
    return 1.8, 4.2, 1.4


def tree(p, pal):
    h = pal.u(2.5, 6)
    p.rod(0, 0, 0, pal.u(0.06, 0.2), h * 0.6, pal.bark(), occlude=0.3)
    g = pal.foliage()
    for _ in range(int(pal.rng.integers(5, 12))):
        p.ball(pal.u(-0.3, 0.3) * h, pal.u(-0.3, 0.3) * h, pal.u(0.45, 1.0) * h, pal.u(0.1, 0.25) * h,
               pal.u(0.1, 0.25) * h, pal.u(0.08, 0.2) * h, g)
    return 0.5, 0.5, h


def bush(p, pal):
    g = pal.foliage()
    for _ in range(int(pal.rng.integers(3, 7))):
        p.ball(pal.u(-0.5, 0.5), pal.u(-0.5, 0.5), pal.u(0.1, 0.6), pal.u(0.2, 0.5),
               pal.u(0.2, 0.5), pal.u(0.2, 0.5), g, occlude=0.3)
    return 1.2, 1.2, 0.9


def bench(p, pal):
    m = pal.wood()
    for i in range(3):
        p.box(0, (i - 1) * 0.14, 0.42, 1.5, 0.11, 0.04, m, occlude=0.1)
        p.box(0, 0.24, 0.5 + i * 0.12, 1.5, 0.03, 0.09, m)
    for s in (-0.6, 0.6):
        p.box(s, 0, 0, 0.06, 0.42, 0.42, pal.metal())
    return 1.5, 0.5, 0.9


WALL_SIDE = [desk, sofa, bed, shelf, wardrobe, sideboard, kitchen, shelf, sideboard, desk, armchair]
FREE = [dining, chair, chair, armchair, lounge_chair, low_table, plant, floor_lamp, box_stack, ball,
        bin_, person, chair, lounge_chair, low_table, box_stack]
STREET = [car, tree, bush, person, bench, box_stack, tree, person, bin_, ball, chair, dining]
