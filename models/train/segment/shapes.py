"""Solids for the ray caster: rays against them, their normals. Local axes, half sizes s, z up."""

import math

from numba import njit

SPHERE, CUBE, CYLINDER, CONE, TORUS, PYRAMID = range(6)
FAR = 1e9


@njit(cache=True, fastmath=True)
def hash_float(a, b, c):
    """A number in 0 … 1 that depends on three whole numbers."""
    h = (a * 374761393 + b * 668265263 + c * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 2246822519) & 0xFFFFFFFF
    return ((h ^ (h >> 15)) & 0xFFFFFF) / 16777216.0


@njit(cache=True, fastmath=True)
def noise2(x, y, seed):
    """Smooth value noise in 0 … 1."""
    fx, fy = math.floor(x), math.floor(y)
    i, j = int(fx), int(fy)
    x -= fx
    y -= fy
    x, y = x * x * (3 - 2 * x), y * y * (3 - 2 * y)
    a = hash_float(i, j, seed) * (1 - x) + hash_float(i + 1, j, seed) * x
    b = hash_float(i, j + 1, seed) * (1 - x) + hash_float(i + 1, j + 1, seed) * x
    return a * (1 - y) + b * y


@njit(cache=True, fastmath=True)
def _slab(o, d, low, high):
    if abs(d) < 1e-12:
        if o < low or o > high:
            return FAR, -FAR
        return -FAR, FAR
    a, b = (low - o) / d, (high - o) / d
    return min(a, b), max(a, b)


@njit(cache=True, fastmath=True)
def _torus(s, ox, oy, oz, dx, dy, dz, tmin):
    """Sphere tracing inside the bounding box; s[0] is the outer radius, s[2] the tube's."""
    a0, a1 = _slab(ox, dx, -s[0], s[0])
    b0, b1 = _slab(oy, dy, -s[0], s[0])
    c0, c1 = _slab(oz, dz, -s[2], s[2])
    t = max(tmin, max(a0, max(b0, c0)))
    end = min(a1, min(b1, c1))
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    ring, tube = s[0] - s[2], s[2]
    for _ in range(60):
        if t > end:
            return FAR
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        q = math.sqrt(x * x + y * y) - ring
        gap = math.sqrt(q * q + z * z) - tube
        if gap < 6e-4 * tube + 1e-4:
            return t
        t += gap / length
    return FAR


@njit(cache=True, fastmath=True)
def intersect(kind, s, ox, oy, oz, dx, dy, dz, tmin):
    """Smallest ray parameter above tmin at which the solid is entered or left, or FAR."""
    if kind == TORUS:
        return _torus(s, ox, oy, oz, dx, dy, dz, tmin)
    t0, t1 = -FAR, FAR
    if kind == CUBE:
        a0, a1 = _slab(ox, dx, -s[0], s[0])
        b0, b1 = _slab(oy, dy, -s[1], s[1])
        c0, c1 = _slab(oz, dz, -s[2], s[2])
        t0, t1 = max(a0, max(b0, c0)), min(a1, min(b1, c1))
    elif kind == PYRAMID:
        t0, t1 = _slab(oz, dz, -s[2], s[2])
        for k in range(4):
            # Side plane: ±x/sx + (z + sz)/(2 sz) <= 1, and the same with y.
            side = 1.0 if k & 1 else -1.0
            o, d = (ox / s[0], dx / s[0]) if k < 2 else (oy / s[1], dy / s[1])
            f = side * o + (oz + s[2]) / (2 * s[2]) - 1.0
            g = side * d + dz / (2 * s[2])
            if abs(g) < 1e-12:
                if f > 0:
                    return FAR
            elif g > 0:
                t1 = min(t1, -f / g)
            else:
                t0 = max(t0, -f / g)
    else:
        ex, ey, fx, fy = ox / s[0], oy / s[1], dx / s[0], dy / s[1]
        qa, qb, qc = fx * fx + fy * fy, ex * fx + ey * fy, ex * ex + ey * ey
        if kind == SPHERE:
            ez, fz = oz / s[2], dz / s[2]
            qa, qb, qc = qa + fz * fz, qb + ez * fz, qc + ez * ez - 1.0
        elif kind == CYLINDER:
            qc -= 1.0
        else:
            k, dk = (s[2] - oz) / (2 * s[2]), -dz / (2 * s[2])
            qa, qb, qc = qa - dk * dk, qb - k * dk, qc - k * k
        low, high = -FAR, FAR
        if kind != SPHERE:
            low, high = _slab(oz, dz, -s[2], s[2])
        disc = qb * qb - qa * qc
        if abs(qa) < 1e-12 or disc <= 0.0:
            if qa > 0.0 and disc <= 0.0 and qa >= 1e-12:
                return FAR
            if qc > 0.0 and kind != CONE:
                return FAR
            t0, t1 = low, high
        else:
            root = math.sqrt(disc)
            r0, r1 = (-qb - root) / qa, (-qb + root) / qa
            if qa > 0.0:
                t0, t1 = max(r0, low), min(r1, high)
            else:
                # Steeper than the cone: one of the two outer half lines lies in the slab.
                t0, t1 = low, min(r1, high)
                if t0 > t1 or t1 <= tmin:
                    t0, t1 = max(r0, low), high
    if t0 > t1 or t1 <= tmin:
        return FAR
    return t0 if t0 > tmin else t1


@njit(cache=True, fastmath=True)
def surface(kind, s, x, y, z):
    """Unit normal and two texture coordinates at a local point of the surface."""
    u, v = math.atan2(y, x) * s[0], z
    if kind == CUBE:
        ax, ay, az = s[0] - abs(x), s[1] - abs(y), s[2] - abs(z)
        if ax <= ay and ax <= az:
            return (1.0 if x > 0 else -1.0), 0.0, 0.0, y, z
        if ay <= az:
            return 0.0, (1.0 if y > 0 else -1.0), 0.0, x, z
        return 0.0, 0.0, (1.0 if z > 0 else -1.0), x, y
    if kind == PYRAMID:
        h = (z + s[2]) / (2 * s[2]) - 1.0
        fx, fy = abs(x) / s[0] + h, abs(y) / s[1] + h
        if z + s[2] < 1e-3 * s[2] and max(fx, fy) < -1e-3:
            return 0.0, 0.0, -1.0, x, y
        if fx > fy:
            nx, ny, u = (1.0 if x > 0 else -1.0) / s[0], 0.0, y
        else:
            nx, ny, u = 0.0, (1.0 if y > 0 else -1.0) / s[1], x
        nz = 1.0 / (2 * s[2])
    elif kind == TORUS:
        flat = math.sqrt(x * x + y * y) + 1e-9
        ring = s[0] - s[2]
        nx, ny, nz = x - x / flat * ring, y - y / flat * ring, z
        v = math.atan2(z, flat - ring) * s[2]
    elif kind == SPHERE:
        nx, ny, nz = x / (s[0] * s[0]), y / (s[1] * s[1]), z / (s[2] * s[2])
    else:
        if s[2] - abs(z) < 1e-4 * s[2] + 1e-6 and (kind == CYLINDER or z < 0):
            return 0.0, 0.0, (1.0 if z > 0 else -1.0), x, y
        nx, ny, nz = x / (s[0] * s[0]), y / (s[1] * s[1]), 0.0
        if kind == CONE:
            nz = (s[2] - z) / (4 * s[2] * s[2])
    inv = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-18)
    return nx * inv, ny * inv, nz * inv, u, v
