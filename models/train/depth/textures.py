"""Procedural textures in metres, band-limited by the pixel's footprint on the surface.

A material is a row of 24 floats:
  0 kind, 1-3 colour A, 4-6 colour B, 7-9 colour C, 10 size 1, 11 size 2,
  12 specular weight, 13 specular exponent, 14 bump, 15 bump frequency, 16 mirror,
  17 size 3, 18 contrast, 19 swap u and v, 20 seed, 21 emission.
"""

import math

from numba import njit

PLAIN, PLANKS, TILES, BRICKS, STRIPES, CHECKS, MOTTLED, POSTER, BOOKS, PAPER, PLAID, PANELS = range(12)
PICTURE, DOTS, FACADE = 12, 13, 14
FIELDS = 24


@njit(cache=True, fastmath=True)
def hash_float(a, b, c):
    h = (a * 374761393 + b * 668265263 + c * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 2246822519) & 0xFFFFFFFF
    return ((h ^ (h >> 15)) & 0xFFFFFF) / 16777216.0


@njit(cache=True, fastmath=True)
def noise3(x, y, z):
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(fx), int(fy), int(fz)
    x -= fx
    y -= fy
    z -= fz
    x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
    out = 0.0
    for a in range(2):
        wz = z if a else 1 - z
        j0 = hash_float(i, j, k + a) * (1 - x) + hash_float(i + 1, j, k + a) * x
        j1 = hash_float(i, j + 1, k + a) * (1 - x) + hash_float(i + 1, j + 1, k + a) * x
        out += wz * (j0 * (1 - y) + j1 * y)
    return out


@njit(cache=True, fastmath=True)
def fbm(x, y, z, foot):
    """Three octaves about zero; octaves finer than the footprint (in units of x) fade out."""
    total, amp, freq = 0.0, 0.5, 1.0
    for _ in range(3):
        fade = 1.0 - foot * freq * 1.2
        if fade <= 0.0:
            break
        total += amp * fade * (noise3(x * freq, y * freq, z * freq) - 0.5)
        amp *= 0.55
        freq *= 2.17
    return total


@njit(cache=True, fastmath=True)
def _line(distance, half, foot):
    """Coverage (0..1) of a line of half-width `half` at `distance` from its centre."""
    w = max(foot, 1e-5)
    k = (half - distance) / w + 0.5
    return min(1.0, max(0.0, k)) * min(1.0, 2 * half / w + 0.05)


@njit(cache=True, fastmath=True)
def _cell_line(x, period, half, foot):
    d = abs(x - period * math.floor(x / period + 0.5))
    return _line(d, half, foot)


@njit(cache=True, fastmath=True)
def _mix(m, k):
    return (m[1] + (m[4] - m[1]) * k, m[2] + (m[5] - m[2]) * k, m[3] + (m[6] - m[3]) * k)


@njit(cache=True, fastmath=True)
def _palette(m, h):
    """One of the material's three colours, brightened or darkened."""
    k = 1 if h < 0.34 else (4 if h < 0.67 else 7)
    g = 0.65 + 0.7 * ((h * 37.0) % 1.0)
    return m[k] * g, m[k + 1] * g, m[k + 2] * g


@njit(cache=True, fastmath=True)
def texture(m, u, v, hu, hv, x, y, z, off, foot):
    """Albedo at texture coordinates (u, v) of a face of half-size (hu, hv), and emission."""
    kind = int(m[0])
    seed = int(m[20])
    s1, s2, s3, contrast = m[10], m[11], m[17], m[18]
    pu, pv = u, v
    if m[19] > 0.5:
        u, v, hu, hv = v, u, hv, hu
    q = off * 91.7
    r, g, b = m[1], m[2], m[3]
    if kind == PLAIN:
        k = 1.0 + contrast * fbm(x / s1 + q, y / s1, z / s1, foot / s1)
        r, g, b = r * k, g * k, b * k
    elif kind == PLANKS:
        row = math.floor(v / s1)
        shift = hash_float(int(row), seed, 3) * s2
        col = math.floor((u + shift) / s2)
        tone = hash_float(int(row), int(col), seed)
        k = 1.0 + 0.45 * (tone - 0.5) * contrast
        k += contrast * fbm(u * 3.0 + q + tone * 50, v * 45.0, tone * 9, foot * 30)
        gap = max(_cell_line(v, s1, s3, foot), _cell_line(u + shift, s2, s3, foot))
        r, g, b = _mix(m, gap)
        r, g, b = r * k, g * k, b * k
    elif kind == TILES or kind == BRICKS:
        row = math.floor(v / s2)
        shift = 0.0
        if kind == BRICKS:
            shift = 0.5 * s1 * (int(row) & 1)
        col = math.floor((u + shift) / s1)
        tone = hash_float(int(row), int(col), seed)
        fade = max(0.0, 1.0 - foot / s2)
        k = 1.0 + contrast * fade * (tone - 0.5) + 0.5 * contrast * fbm(
            u / s2 * 2.0 + q, v / s2 * 2.0, tone * 7, foot / s2 * 2.0)
        w = 0.4 * contrast * fade * hash_float(int(col), int(row), seed + 9)
        r, g, b = (r + (m[7] - r) * w) * k, (g + (m[8] - g) * w) * k, (b + (m[9] - b) * w) * k
        gap = max(_cell_line(v, s2, s3, foot), _cell_line(u + shift, s1, s3, foot))
        r, g, b = r + (m[4] - r) * gap, g + (m[5] - g) * gap, b + (m[6] - b) * gap
    elif kind == STRIPES:
        k = _cell_line(u + q, s1, s1 * s2 * 0.5, foot)
        r, g, b = _mix(m, k)
    elif kind == CHECKS:
        a = _cell_line(u, 2 * s1, 0.5 * s1, foot)
        c = _cell_line(v, 2 * s1, 0.5 * s1, foot)
        r, g, b = _mix(m, a + c - 2 * a * c)
    elif kind == MOTTLED:
        k = 0.5 + contrast * fbm(x / s1 + q, y / s1, z / s1, foot / s1)
        k += 0.5 * contrast * fbm(x / s2, y / s2 + q, z / s2, foot / s2)
        r, g, b = _mix(m, min(1.0, max(0.0, k)))
    elif kind == POSTER:
        a, c = u / (2 * hu) + 0.5, v / (2 * hv) + 0.5
        border = min(min(a, 1 - a) * hu, min(c, 1 - c) * hv)
        if border < 0.02 + 0.0:
            r, g, b = m[7], m[8], m[9]
        else:
            for j in range(7):
                ca, cc = hash_float(seed, j, 1), hash_float(seed, j, 2)
                wa, wc = 0.08 + 0.3 * hash_float(seed, j, 3), 0.04 + 0.25 * hash_float(seed, j, 4)
                da, dc = (a - ca) / wa, (c - cc) / wc
                inside = max(abs(da), abs(dc)) < 1 if j & 1 else da * da + dc * dc < 1
                if inside:
                    r, g, b = _palette(m, hash_float(seed, j, 5))
            lines = math.floor(c * 24)
            if hash_float(int(lines), seed, 8) < 0.25 and a > 0.1 and a < 0.1 + 0.8 * hash_float(
                    int(lines), seed, 6):
                if hash_float(int(a * 50), int(lines), seed) < 0.6:
                    r, g, b = r * 0.25, g * 0.25, b * 0.25
    elif kind == BOOKS:
        cell = math.floor(u / s1)
        frac = u / s1 - cell
        cut = 0.25 + 0.5 * hash_float(int(cell), seed, 1)
        book = int(cell) * 2 + (1 if frac > cut else 0)
        tall = hv * (2.0 * (0.6 + 0.4 * hash_float(book, seed, 2)))
        if v + hv > tall:
            r, g, b = m[1] * 0.15, m[2] * 0.15, m[3] * 0.15
        else:
            r, g, b = _palette(m, hash_float(book, seed, 3))
            k = 0.7 + 0.6 * hash_float(book, seed, 4)
            d = min(abs(frac - cut), min(frac, 1 - frac)) * s1
            k *= 1 - 0.6 * _line(d, 0.002, foot)
            band = (v + hv) / tall
            if abs(band - 0.3 - 0.5 * hash_float(book, seed, 5)) < 0.06:
                k *= 1.7
            r, g, b = r * k, g * k, b * k
    elif kind == PAPER:
        row = math.floor(v / s1)
        word = hash_float(int(math.floor(u / (s1 * 1.3))), int(row), seed)
        body = _line(abs(v - (row + 0.5) * s1), 0.22 * s1, foot)
        edge = min(hu - abs(u), hv - abs(v))
        if word < 0.75 and edge > s1 and hash_float(int(row), seed, 5) < 0.85:
            r, g, b = _mix(m, body * contrast)
    elif kind == PLAID:
        a = _cell_line(u, s1, s1 * 0.22, foot)
        c = _cell_line(v, s1, s1 * 0.22, foot)
        r, g, b = _mix(m, 0.5 * (a + c))
        d = max(_cell_line(u + 0.3 * s1, s1, s1 * 0.04, foot), _cell_line(v, s1, s1 * 0.04, foot))
        r, g, b = r + (m[7] - r) * d, g + (m[8] - g) * d, b + (m[9] - b) * d
    elif kind == PANELS:
        k = 1.0 + contrast * fbm(u * 6.0 + q, v * 2.0, q, foot * 6) + 0.6 * contrast * fbm(
            u * 45.0 + q, v * 3.0, q, foot * 45)
        nu, nv = max(1.0, math.floor(2 * hu / s1 + 0.5)), max(1.0, math.floor(2 * hv / s2 + 0.5))
        wu, wv = 2 * hu / nu, 2 * hv / nv
        gap = max(_cell_line(u + hu, wu, 0.004, foot), _cell_line(v + hv, wv, 0.004, foot))
        fu = u + hu - wu * math.floor((u + hu) / wu)
        fv = v + hv - wv * math.floor((v + hv) / wv)
        rim = min(min(fu, wu - fu), min(fv, wv - fv))
        k *= 1 - 0.3 * s3 * _line(abs(rim - 0.07), 0.008, foot)
        handle = abs(fu - 0.88 * wu) < 0.012 and abs(fv - 0.5 * wv) < 0.07
        r, g, b = r * k * (1 - 0.75 * gap), g * k * (1 - 0.75 * gap), b * k * (1 - 0.75 * gap)
        if handle:
            r, g, b = m[4], m[5], m[6]
    elif kind == PICTURE:
        a, c = pu / (2 * hu), pv / (2 * hv)
        k = 0.5 + 1.6 * fbm(a * s1 + q, c * s1, seed * 0.37, 0.0)
        w = 0.5 + 1.6 * fbm(a * s1 + 40.0, c * s1 + q, seed * 0.11, 0.0)
        k, w = min(1.0, max(0.0, k + 0.5 * c)), min(1.0, max(0.0, w))
        r, g, b = _mix(m, k)
        r, g, b = r + (m[7] - r) * w, g + (m[8] - g) * w, b + (m[9] - b) * w
    elif kind == DOTS:
        a, c = u - s1 * math.floor(u / s1 + 0.5), v - s1 * math.floor(v / s1 + 0.5)
        r, g, b = _mix(m, _line(math.sqrt(a * a + c * c), s2 * s1, foot))
    elif kind == FACADE:
        col, row = math.floor(u / s1), math.floor((v + hv) / s2)
        fu, fv = u / s1 - col, (v + hv) / s2 - row
        if abs(fu - 0.5) < 0.24 and fv > 0.28 and fv < 0.8:
            k = 0.5 + hash_float(int(col), int(row), seed)
            r, g, b = m[4] * k, m[5] * k, m[6] * k
            if abs(fu - 0.5) > 0.215 or abs(fu - 0.5) < 0.012 or fv < 0.31 or fv > 0.77:
                r, g, b = m[7], m[8], m[9]
        else:
            k = 1.0 - 0.35 * max(_cell_line(v, s3, 0.006, foot), 0.0)
            k += contrast * fbm(u * 4 + q, v * 8, q, foot * 8)
            r, g, b = r * k, g * k, b * k
    return max(0.0, r), max(0.0, g), max(0.0, b), m[21]
