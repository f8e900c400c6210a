"""Random materials with plausible colours and sizes in metres."""

import colorsys

import numpy as np

import textures as tx


class Palette:
    """Draws materials for one scene; every draw is a row of the scene's material table."""

    def __init__(self, rng):
        self.rng = rng
        self.rows = []

    def _add(self, kind, a, b=None, c=None, s1=1.0, s2=1.0, s3=0.0, contrast=0.2, spec=0.0,
             gloss=20.0, bump=0.0, bump_freq=20.0, mirror=0.0, swap=0.0, emission=0.0):
        row = np.zeros(tx.FIELDS)
        row[0], row[1:4] = kind, a
        row[4:7] = a if b is None else b
        row[7:10] = a if c is None else c
        row[10:19] = s1, s2, spec, gloss, bump, bump_freq, mirror, s3, contrast
        row[19:22] = swap, self.rng.integers(1, 10000), emission
        self.rows.append(row)
        return len(self.rows) - 1

    def u(self, low, high):
        return float(self.rng.uniform(low, high))

    def chance(self, p):
        return bool(self.rng.random() < p)

    def colour(self, sat=(0.0, 0.8), val=(0.05, 0.8)):
        """Linear RGB of a random hue."""
        h, s, v = self.rng.random(), self.u(*sat), self.u(*val)
        return np.array(colorsys.hsv_to_rgb(h, s, v)) ** 1.0

    def wood_colour(self):
        h, s, v = self.u(0.04, 0.11), self.u(0.25, 0.75), self.u(0.08, 0.65)
        return np.array(colorsys.hsv_to_rgb(h, s, v))

    def wall_colour(self):
        if self.chance(0.6):
            g = self.u(0.45, 0.88)
            return np.array([g * self.u(0.95, 1.05), g, g * self.u(0.85, 1.05)])
        return self.colour((0.08, 0.55), (0.2, 0.8))

    def wall(self):
        k = self.rng.random()
        a = self.wall_colour()
        if k < 0.62:
            return self._add(tx.PLAIN, a, s1=self.u(0.05, 0.8), contrast=self.u(0.02, 0.25),
                             bump=self.u(0, 0.12), bump_freq=self.u(5, 40))
        if k < 0.72:
            return self._add(tx.STRIPES, a, a * self.u(0.6, 0.95), s1=self.u(0.06, 0.3),
                             s2=self.u(0.2, 0.6))
        if k < 0.8:
            return self.bricks()
        if k < 0.86:
            return self.wall_tiles()
        if k < 0.91:
            return self._add(tx.DOTS, a, self.colour(), s1=self.u(0.06, 0.25), s2=self.u(0.1, 0.3))
        if k < 0.96:
            w = self.wood_colour()
            return self._add(tx.PLANKS, w, w * 0.3, s1=self.u(0.08, 0.15), s2=3.0, s3=0.003,
                             contrast=self.u(0.2, 0.6), swap=1.0)
        return self._add(tx.MOTTLED, a, a * self.u(0.6, 0.9), s1=self.u(0.1, 0.6),
                         s2=self.u(0.01, 0.05), contrast=self.u(0.5, 1.2))

    def bricks(self):
        k = self.rng.random()
        a = np.array([self.u(0.3, 0.55), self.u(0.12, 0.28), self.u(0.08, 0.2)])
        if k < 0.3:
            a = self.colour((0.0, 0.3), (0.2, 0.7))
        m = np.full(3, self.u(0.25, 0.75))
        return self._add(tx.BRICKS, a, m, a * self.u(0.5, 1.4), s1=0.225, s2=0.075,
                         s3=self.u(0.004, 0.007), contrast=self.u(0.2, 0.7), bump=0.1)

    def wall_tiles(self):
        a = self.colour((0, 0.35), (0.35, 0.85))
        s = self.u(0.1, 0.2)
        return self._add(tx.TILES, a, np.full(3, self.u(0.2, 0.8)), self.colour((0, 0.4), (0.3, 0.8)),
                         s1=s * (2 if self.chance(0.3) else 1), s2=s, s3=self.u(0.0015, 0.004),
                         contrast=self.u(0.02, 0.3), spec=0.15, gloss=60, mirror=self.u(0, 0.06))

    def floor(self):
        k = self.rng.random()
        if k < 0.45:
            w = self.wood_colour()
            return self._add(tx.PLANKS, w, w * self.u(0.15, 0.6), s1=self.u(0.07, 0.2),
                             s2=self.u(0.8, 1.8), s3=self.u(0.001, 0.004),
                             contrast=self.u(0.15, 0.9), spec=self.u(0, 0.25), gloss=self.u(10, 80),
                             mirror=self.u(0.02, 0.12) if self.chance(0.5) else 0.0,
                             swap=float(self.chance(0.5)))
        if k < 0.7:
            a = self.colour((0, 0.35), (0.15, 0.8))
            s = self.u(0.2, 0.6)
            return self._add(tx.TILES, a, a * self.u(0.3, 1.3), self.colour((0, 0.3), (0.15, 0.8)),
                             s1=s, s2=s, s3=self.u(0.002, 0.006), contrast=self.u(0.03, 0.35),
                             spec=self.u(0, 0.2), gloss=60,
                             mirror=self.u(0.02, 0.15) if self.chance(0.5) else 0.0)
        if k < 0.78:
            return self._add(tx.CHECKS, self.colour((0, 0.4), (0.4, 0.85)),
                             self.colour((0, 0.5), (0.03, 0.35)), s1=self.u(0.2, 0.45),
                             mirror=self.u(0, 0.1))
        a = self.colour((0, 0.5), (0.08, 0.6))
        return self._add(tx.MOTTLED, a, a * self.u(0.45, 0.9), s1=self.u(0.05, 0.5),
                         s2=self.u(0.008, 0.03), contrast=self.u(0.4, 1.2), bump=self.u(0, 0.4),
                         bump_freq=80)

    def ground(self):
        k = self.rng.random()
        if k < 0.35:
            a = np.array([self.u(0.1, 0.25), self.u(0.18, 0.38), self.u(0.03, 0.12)])
            return self._add(tx.MOTTLED, a, a * self.u(0.3, 0.7), s1=self.u(0.2, 1.5), s2=0.03,
                             contrast=1.3, bump=0.6, bump_freq=25)
        if k < 0.6:
            return self._add(tx.MOTTLED, np.full(3, self.u(0.12, 0.5)), np.full(3, self.u(0.08, 0.4)),
                             s1=self.u(0.3, 2.0), s2=0.02, contrast=1.0, bump=0.3, bump_freq=60)
        a = self.colour((0, 0.3), (0.2, 0.6))
        return self._add(tx.TILES if self.chance(0.6) else tx.BRICKS, a, a * 0.5,
                         self.colour((0, 0.3), (0.2, 0.6)), s1=self.u(0.2, 0.6), s2=self.u(0.1, 0.4),
                         s3=self.u(0.004, 0.01), contrast=self.u(0.2, 0.6))

    def ceiling(self):
        g = np.full(3, self.u(0.55, 0.9))
        if self.chance(0.25):
            return self._add(tx.TILES, g, g * 0.6, g, s1=0.6, s2=0.6, s3=0.012, contrast=0.05)
        return self._add(tx.PLAIN, g, s1=0.5, contrast=0.05)

    def wood(self):
        w = self.wood_colour() if self.chance(0.75) else np.full(3, self.u(0.5, 0.85))
        return self._add(tx.PLANKS, w, w * 0.6, s1=self.u(0.1, 0.5), s2=3.0, s3=0.0005,
                         contrast=self.u(0.05, 0.6), spec=self.u(0, 0.3), gloss=self.u(10, 60),
                         mirror=self.u(0, 0.06), swap=float(self.chance(0.3)))

    def cabinet(self, width=0.5, height=0.7):
        w = self.wood_colour() if self.chance(0.6) else self.colour((0, 0.3), (0.3, 0.9))
        return self._add(tx.PANELS, w, np.full(3, self.u(0.02, 0.7)), s1=width, s2=height,
                         s3=float(self.chance(0.5)), contrast=self.u(0, 0.4), spec=self.u(0, 0.2))

    def fabric(self):
        k = self.rng.random()
        a = self.colour((0, 0.75), (0.04, 0.8))
        if k < 0.6:
            return self._add(tx.MOTTLED, a, a * self.u(0.6, 0.95), s1=self.u(0.03, 0.2), s2=0.008,
                             contrast=self.u(0.3, 0.9), bump=self.u(0.1, 0.7),
                             bump_freq=self.u(6, 60))
        if k < 0.75:
            return self._add(tx.PLAID, a, self.colour(), self.colour(), s1=self.u(0.04, 0.25))
        if k < 0.9:
            return self._add(tx.STRIPES, a, self.colour(), s1=self.u(0.03, 0.2),
                             s2=self.u(0.2, 0.7), swap=float(self.chance(0.5)))
        return self._add(tx.DOTS, a, self.colour(), s1=self.u(0.04, 0.15), s2=self.u(0.15, 0.35))

    def rug(self):
        return self._add([tx.PLAID, tx.CHECKS, tx.PICTURE, tx.STRIPES][self.rng.integers(4)],
                         self.colour((0.1, 0.8)), self.colour(), self.colour(), s1=self.u(0.1, 0.5),
                         s2=self.u(0.2, 0.6))

    def paint(self):
        return self._add(tx.PLAIN, self.colour((0, 0.9), (0.03, 0.85)), s1=self.u(0.05, 0.3),
                         contrast=self.u(0, 0.3), spec=self.u(0, 0.5), gloss=self.u(8, 120),
                         mirror=self.u(0, 0.12) if self.chance(0.3) else 0.0)

    def metal(self):
        g = self.u(0.1, 0.7)
        return self._add(tx.PLAIN, np.array([g, g, g * self.u(0.85, 1.1)]), s1=0.1, contrast=0.1,
                         spec=self.u(0.3, 1.2), gloss=self.u(20, 150), mirror=self.u(0.05, 0.6))

    def dark(self):
        return self._add(tx.PLAIN, np.full(3, self.u(0.01, 0.08)), s1=0.2, contrast=0.1,
                         spec=0.1, gloss=60, mirror=self.u(0.0, 0.08))

    def screen(self):
        if self.chance(0.4):
            return self._add(tx.PLAIN, np.full(3, 0.015), spec=0.1, gloss=80, mirror=0.06)
        return self._add(tx.POSTER, self.colour(), self.colour(), self.colour(),
                         emission=self.u(0.5, 1.2))

    def glow(self, strength):
        return self._add(tx.PLAIN, np.array([1.0, self.u(0.85, 1.0), self.u(0.6, 1.0)]),
                         contrast=0.0, emission=strength)

    def picture(self):
        if self.chance(0.5):
            return self._add(tx.POSTER, self.colour(), self.colour(), np.full(3, self.u(0.0, 0.9)))
        return self._add(tx.PICTURE, self.colour(), self.colour(), self.colour(), s1=self.u(1.5, 6))

    def label(self):
        k = self.rng.integers(5)
        if k == 0:
            return self._add(tx.PAPER, np.full(3, self.u(0.6, 0.85)), np.full(3, 0.1),
                             s1=self.u(0.006, 0.03), contrast=self.u(0.5, 1))
        if k == 1:
            return self._add(tx.STRIPES, self.colour(), self.colour(), s1=self.u(0.02, 0.08), s2=0.4,
                             swap=float(self.chance(0.5)))
        if k == 2:
            return self._add(tx.CHECKS, self.colour(), self.colour(), s1=self.u(0.02, 0.08))
        return self._add(tx.POSTER, self.colour(), self.colour(), self.colour())

    def cardboard(self):
        a = np.array([0.45, 0.32, 0.2]) * self.u(0.6, 1.3)
        return self._add(tx.MOTTLED, a, a * 0.85, s1=0.3, s2=0.02, contrast=0.5)

    def books(self):
        return self._add(tx.BOOKS, self.colour(), self.colour(), self.colour(), s1=self.u(0.05, 0.1))

    def paper(self):
        return self._add(tx.PAPER, np.full(3, self.u(0.6, 0.88)), np.full(3, 0.12),
                         s1=self.u(0.008, 0.02), contrast=self.u(0.4, 1))

    def foliage(self):
        a = np.array([self.u(0.08, 0.25), self.u(0.2, 0.45), self.u(0.02, 0.12)])
        return self._add(tx.MOTTLED, a, a * self.u(0.08, 0.4), s1=self.u(0.08, 0.4), s2=0.05,
                         contrast=2.2, bump=1.2, bump_freq=self.u(8, 25))

    def bark(self):
        a = np.array([0.25, 0.18, 0.12]) * self.u(0.4, 1.4)
        return self._add(tx.MOTTLED, a, a * 0.4, s1=0.08, s2=0.02, contrast=1.2, bump=0.6,
                         bump_freq=30)

    def skin(self):
        return self._add(tx.PLAIN, np.array([0.6, 0.4, 0.3]) * self.u(0.35, 1.2), contrast=0.1)

    def facade(self):
        a = self.colour((0, 0.5), (0.2, 0.75))
        return self._add(tx.FACADE, a, np.full(3, self.u(0.02, 0.3)), np.full(3, self.u(0.1, 0.9)),
                         s1=self.u(1.6, 3.2), s2=self.u(2.7, 3.3), s3=0.075, contrast=0.3)
