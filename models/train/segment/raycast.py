"""Ray caster for the generated scenes: radiance and the visible object of every pixel.

World: z up, the table at z = 0, in arbitrary units. Rows of `mats` (objects) and `stuff` (0 table,
1 floor, 2 wall) are surfaces:
  0 kind, 1-3 colour A, 4-6 colour B, 7 pattern, 8 scale, 9 specular weight, 10 exponent, 11 mirror,
  12 seed, 13 turn of the pattern (radians).
`room`: 0 half width and 1 half depth of the table, 2 floor's z, 3 wall's distance, 4-5 direction of
the wall, 6-8 colour of the sky above, 9-11 at the horizon, 12-14 ambient light, 16 the light
on a white table.
Lights: 0-2 direction to the light, 3-5 colour, 6 softness.
"""

import math

import numpy as np
from numba import njit

from shapes import FAR, hash_float, intersect, noise2, surface

RUBBER, METAL, GLASS, WOOD = range(4)
PLAIN, STRIPES, DOTS, GRAIN, MOTTLED, CHECKS, PLANKS, TILES, RINGS = range(9)
TABLE, FLOOR, WALL, SKY = -1, -2, -3, -4


@njit(cache=True, fastmath=True)
def albedo(m, u, v):
    """Colour of a surface row at texture coordinates."""
    kind, k, scale, seed = int(m[7]), 0.0, m[8], int(m[12])
    ca, sa = math.cos(m[13]), math.sin(m[13])
    u, v = (ca * u - sa * v) / scale, (sa * u + ca * v) / scale
    if kind == STRIPES:
        k = 1.0 if u - math.floor(u) < 0.5 else 0.0
    elif kind == DOTS:
        a, b = u - math.floor(u) - 0.5, v - math.floor(v) - 0.5
        k = 1.0 if a * a + b * b < 0.09 else 0.0
    elif kind == GRAIN:
        w = noise2(u * 0.6, v * 0.25, seed) * 7.0 + noise2(u * 9.0, v * 0.7, seed + 1) * 0.9
        k = w - math.floor(w)
        k = 0.75 * k * k + 0.25 * noise2(u * 16.0, v * 1.1, seed + 2)
    elif kind == RINGS:
        w = u * 4.0 + 1.6 * noise2(u * 1.5, v * 0.7, seed) + 0.3 * noise2(u * 9.0, v, seed + 1)
        w = abs(2.0 * (w - math.floor(w)) - 1.0)
        k = 0.85 * w * w * (3 - 2 * w) + 0.15 * noise2(u * 14.0, v * 1.1, seed + 2)
    elif kind == MOTTLED:
        k = 0.6 * noise2(u, v, seed) + 0.4 * noise2(u * 2.7, v * 2.7, seed + 1)
    elif kind == CHECKS:
        k = 1.0 if (int(math.floor(u)) + int(math.floor(v))) & 1 else 0.0
    elif kind == PLANKS:
        row = math.floor(u)
        shift = hash_float(int(row), seed, 5)
        column = math.floor(v / 6.0 + shift)
        k = 0.35 * hash_float(int(row), int(column), seed)
        k += 0.4 * noise2(u * 8.0, v * 0.6 + 9.0 * shift, seed)
        if u - row < 0.05:
            k = 1.0
    elif kind == TILES:
        fu, fv = u - math.floor(u), v - math.floor(v)
        k = 0.3 * hash_float(int(math.floor(u)), int(math.floor(v)), seed)
        if min(fu, fv) < 0.06:
            k = 1.0
    return m[1] + (m[4] - m[1]) * k, m[2] + (m[5] - m[2]) * k, m[3] + (m[6] - m[3]) * k


@njit(cache=True, fastmath=True)
def _object(kinds, Rs, cs, ss, i, ox, oy, oz, dx, dy, dz, tmin):
    R = Rs[i]
    ox, oy, oz = ox - cs[i, 0], oy - cs[i, 1], oz - cs[i, 2]
    return intersect(
        kinds[i], ss[i],
        R[0, 0] * ox + R[1, 0] * oy + R[2, 0] * oz,
        R[0, 1] * ox + R[1, 1] * oy + R[2, 1] * oz,
        R[0, 2] * ox + R[1, 2] * oy + R[2, 2] * oz,
        R[0, 0] * dx + R[1, 0] * dy + R[2, 0] * dz,
        R[0, 1] * dx + R[1, 1] * dy + R[2, 1] * dz,
        R[0, 2] * dx + R[1, 2] * dy + R[2, 2] * dz, tmin)


@njit(cache=True, fastmath=True)
def _near(cs, rad, i, ox, oy, oz, dx, dy, dz, d2):
    """Whether the ray meets the object's bounding sphere."""
    px, py, pz = cs[i, 0] - ox, cs[i, 1] - oy, cs[i, 2] - oz
    along = px * dx + py * dy + pz * dz
    r2 = rad[i] * rad[i]
    p2 = px * px + py * py + pz * pz
    if p2 <= r2:
        return True
    return along > 0 and p2 - along * along / d2 <= r2


@njit(cache=True, fastmath=True)
def _stuff(room, ox, oy, oz, dx, dy, dz, tmin):
    """Nearest of table, floor and wall."""
    best, hit = FAR, SKY
    if dz < 0:
        t = -oz / dz
        if t > tmin and abs(ox + t * dx) < room[0] and abs(oy + t * dy) < room[1]:
            return t, TABLE
        t = (room[2] - oz) / dz
        if t > tmin:
            best, hit = t, FLOOR
    side = dx * room[4] + dy * room[5]
    if side > 1e-9:
        t = (room[3] - ox * room[4] - oy * room[5]) / side
        if tmin < t < best:
            return t, WALL
    return best, hit


@njit(cache=True, fastmath=True)
def _nearest(kinds, Rs, cs, ss, rad, room, skip, ox, oy, oz, dx, dy, dz):
    best, hit = _stuff(room, ox, oy, oz, dx, dy, dz, 1e-3)
    d2 = dx * dx + dy * dy + dz * dz
    for i in range(kinds.shape[0]):
        if i != skip and _near(cs, rad, i, ox, oy, oz, dx, dy, dz, d2):
            t = _object(kinds, Rs, cs, ss, i, ox, oy, oz, dx, dy, dz, 1e-3)
            if t < best:
                best, hit = t, i
    return best, hit


@njit(cache=True, fastmath=True)
def _lit(kinds, Rs, cs, ss, rad, mats, light, key, px, py, pz, nx, ny, nz):
    """Direction to the light (jittered), and how much of it arrives at the point."""
    soft = light[6]
    wx = light[0] + soft * (hash_float(key, 1, 7) - 0.5)
    wy = light[1] + soft * (hash_float(key, 2, 7) - 0.5)
    wz = light[2] + soft * (hash_float(key, 3, 7) - 0.5)
    inv = 1.0 / math.sqrt(wx * wx + wy * wy + wz * wz)
    wx, wy, wz = wx * inv, wy * inv, wz * inv
    cosine = wx * nx + wy * ny + wz * nz
    if cosine <= 0.0:
        return wx, wy, wz, 0.0
    px, py, pz = px + 3e-3 * nx, py + 3e-3 * ny, pz + 3e-3 * nz
    for i in range(kinds.shape[0]):
        if _near(cs, rad, i, px, py, pz, wx, wy, wz, 1.0):
            if _object(kinds, Rs, cs, ss, i, px, py, pz, wx, wy, wz, 1e-3) < FAR:
                cosine *= 0.6 if mats[i, 0] == GLASS else 0.0
                if cosine == 0.0:
                    break
    return wx, wy, wz, cosine


@njit(cache=True, fastmath=True)
def _shade(kinds, Rs, cs, ss, rad, mats, stuff, room, lights, hit, t, ox, oy, oz, dx, dy, dz, key,
           shadows):
    """Own radiance of the hit, its normal, its highlight."""
    if hit == SKY:
        k = max(0.0, dz / math.sqrt(dx * dx + dy * dy + dz * dz))
        k = math.sqrt(k)
        return (room[9] + (room[6] - room[9]) * k, room[10] + (room[7] - room[10]) * k,
                room[11] + (room[8] - room[11]) * k, 0.0, 0.0, 1.0, 0.0)
    px, py, pz = ox + t * dx, oy + t * dy, oz + t * dz
    if hit >= 0:
        R = Rs[hit]
        qx, qy, qz = px - cs[hit, 0], py - cs[hit, 1], pz - cs[hit, 2]
        a, b, c, u, v = surface(
            kinds[hit], ss[hit], R[0, 0] * qx + R[1, 0] * qy + R[2, 0] * qz,
            R[0, 1] * qx + R[1, 1] * qy + R[2, 1] * qz, R[0, 2] * qx + R[1, 2] * qy + R[2, 2] * qz)
        nx = R[0, 0] * a + R[0, 1] * b + R[0, 2] * c
        ny = R[1, 0] * a + R[1, 1] * b + R[1, 2] * c
        nz = R[2, 0] * a + R[2, 1] * b + R[2, 2] * c
        m = mats[hit]
    elif hit == WALL:
        nx, ny, nz, u, v = -room[4], -room[5], 0.0, px * room[5] - py * room[4], pz
        m = stuff[2]
    else:
        nx, ny, nz, u, v = 0.0, 0.0, 1.0, px, py
        m = stuff[0] if hit == TABLE else stuff[1]
    inv = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
    vx, vy, vz = dx * inv, dy * inv, dz * inv
    if nx * vx + ny * vy + nz * vz > 0.0:
        nx, ny, nz = -nx, -ny, -nz
    r, g, b = albedo(m, u, v)
    dim = 0.55 + 0.45 * nz
    if hit >= 0 and nz < 0.7:
        dim *= min(1.0, 0.55 + 0.45 * (pz - room[15]) / (rad[hit] + 1e-6))
    lr, lg, lb, spot = room[12] * dim, room[13] * dim, room[14] * dim, 0.0
    for k in range(lights.shape[0]):
        L = lights[k]
        wx, wy, wz, power = 0.0, 0.0, 1.0, 0.0
        if shadows:
            wx, wy, wz, power = _lit(kinds, Rs, cs, ss, rad, mats, L, key + k, px, py, pz,
                                     nx, ny, nz)
        else:
            wx, wy, wz = L[0], L[1], L[2]
            power = max(0.0, wx * nx + wy * ny + wz * nz)
        if power > 0.0:
            lr += L[3] * power
            lg += L[4] * power
            lb += L[5] * power
            if m[9] > 0.0:
                hx, hy, hz = wx - vx, wy - vy, wz - vz
                hn = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
                cosine = max(0.0, (hx * nx + hy * ny + hz * nz) / hn)
                spot += m[9] * (L[3] + L[4] + L[5]) * 0.33 * cosine ** m[10]
    return r * lr, g * lg, b * lb, nx, ny, nz, spot


@njit(cache=True, fastmath=True)
def _studio(dx, dy, dz):
    """What shiny things see beyond the table, over white: bright panels in a dim surrounding."""
    dz /= math.sqrt(dx * dx + dy * dy + dz * dz)
    if dz > 0.8:
        return 1.3
    if 0.12 < dz < 0.62 and math.cos(3.0 * math.atan2(dy, dx) + 0.7) > 0.1:
        return 1.9
    return 0.3 if dz > 0.12 else 0.12


@njit(cache=True, fastmath=True)
def _far_side(kinds, Rs, cs, ss, i, px, py, pz, tx, ty, tz):
    """What the far surface of a glass solid lets through, and what it mirrors of the panels."""
    t = _object(kinds, Rs, cs, ss, i, px, py, pz, tx, ty, tz, 1e-3 * ss[i, 0])
    if t >= FAR:
        return 1.0, 0.0
    R = Rs[i]
    qx, qy, qz = px + t * tx - cs[i, 0], py + t * ty - cs[i, 1], pz + t * tz - cs[i, 2]
    a, b, c, _, _ = surface(
        kinds[i], ss[i], R[0, 0] * qx + R[1, 0] * qy + R[2, 0] * qz,
        R[0, 1] * qx + R[1, 1] * qy + R[2, 1] * qz, R[0, 2] * qx + R[1, 2] * qy + R[2, 2] * qz)
    nx = R[0, 0] * a + R[0, 1] * b + R[0, 2] * c
    ny = R[1, 0] * a + R[1, 1] * b + R[1, 2] * c
    nz = R[2, 0] * a + R[2, 1] * b + R[2, 2] * c
    cosine = tx * nx + ty * ny + tz * nz
    k = 0.6 + 0.4 * abs(cosine)
    mirrored = _studio(tx - 2 * cosine * nx, ty - 2 * cosine * ny, tz - 2 * cosine * nz)
    return k, 0.25 * mirrored * (1.0 - 0.5 * abs(cosine))


@njit(cache=True, fastmath=True)
def _radiance(kinds, Rs, cs, ss, rad, mats, stuff, room, lights, hit, t, ox, oy, oz, dx, dy, dz,
              key):
    r, g, b, nx, ny, nz, spot = _shade(kinds, Rs, cs, ss, rad, mats, stuff, room, lights, hit, t,
                                       ox, oy, oz, dx, dy, dz, key, True)
    if hit < 0:
        return r + spot, g + spot, b + spot
    m = mats[hit]
    mirror, glass = m[11], m[0] == GLASS
    if mirror > 0.0 or glass:
        px, py, pz = ox + t * dx, oy + t * dy, oz + t * dz
        inv = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
        vx, vy, vz = dx * inv, dy * inv, dz * inv
        # Beaten or blown a little uneven, so that flat faces do not reflect one colour only.
        k, deep, seed = 2.4 / rad[hit], 0.35 if glass else 0.5, int(m[12])
        ax = nx + deep * (noise2(k * (px + 0.5 * pz), k * (py + 0.7 * pz), seed) - 0.5)
        ay = ny + deep * (noise2(k * (px + 0.6 * pz), k * (py - 0.5 * pz), seed + 1) - 0.5)
        az = nz + deep * (noise2(k * (px - 0.5 * pz), k * (py + 0.6 * pz), seed + 2) - 0.5)
        inv = 1.0 / math.sqrt(ax * ax + ay * ay + az * az)
        if (ax * vx + ay * vy + az * vz) * inv < -0.05:
            nx, ny, nz = ax * inv, ay * inv, az * inv
        cosine = -(vx * nx + vy * ny + vz * nz)
        fresnel = (1.0 - max(0.0, cosine)) ** 5
        rx, ry, rz = vx + 2 * cosine * nx, vy + 2 * cosine * ny, vz + 2 * cosine * nz
        t2, h2 = _nearest(kinds, Rs, cs, ss, rad, room, hit, px, py, pz, rx, ry, rz)
        r2, g2, b2, _, _, _, s2 = _shade(kinds, Rs, cs, ss, rad, mats, stuff, room, lights, h2, t2,
                                         px, py, pz, rx, ry, rz, key, False)
        if h2 == SKY or h2 == WALL:
            panel = room[16] * _studio(rx, ry, rz)
            r2, g2, b2 = panel + 0.15 * r2, panel + 0.15 * g2, panel + 0.15 * b2
        if glass:
            # Bent once on entry; what lies behind is tinted, and the surface itself shows a little.
            k = 0.75
            bend = k * cosine - math.sqrt(max(0.0, 1.0 - k * k * (1.0 - cosine * cosine)))
            tx, ty, tz = k * vx + bend * nx, k * vy + bend * ny, k * vz + bend * nz
            t3, h3 = _nearest(kinds, Rs, cs, ss, rad, room, hit, px, py, pz, tx, ty, tz)
            r3, g3, b3, _, _, _, _ = _shade(kinds, Rs, cs, ss, rad, mats, stuff, room, lights, h3,
                                            t3, px, py, pz, tx, ty, tz, key, False)
            w, own = 0.15 + 0.7 * fresnel, 0.2
            tone = 0.5 + 0.5 * max(0.0, cosine)
            back, glow = _far_side(kinds, Rs, cs, ss, hit, px, py, pz, tx, ty, tz)
            tone *= back
            glow *= room[16]
            r = own * r + (1 - own) * (tone * r3 + glow) * (0.04 + 1.15 * m[1]) * (1 - w) + w * r2
            g = own * g + (1 - own) * (tone * g3 + glow) * (0.04 + 1.15 * m[2]) * (1 - w) + w * g2
            b = own * b + (1 - own) * (tone * b3 + glow) * (0.04 + 1.15 * m[3]) * (1 - w) + w * b2
        else:
            w = mirror + (1 - mirror) * fresnel
            least = 0.05 + 0.95 * fresnel
            r = r * (1 - w) + w * (r2 + s2) * (m[1] + (1 - m[1]) * least)
            g = g * (1 - w) + w * (g2 + s2) * (m[2] + (1 - m[2]) * least)
            b = b * (1 - w) + w * (b2 + s2) * (m[3] + (1 - m[3]) * least)
    return r + spot, g + spot, b + spot


@njit(cache=True, fastmath=True, nogil=True)
def render(kinds, Rs, cs, ss, mats, stuff, room, lights, eye, view, fx, fy, width, height, seed):
    """Radiance float32 [height, width, 3], object index int16 [height, width] (negative: none), and
    how many pixels each object would cover alone."""
    n = kinds.shape[0]
    rad = np.empty(n)
    rect = np.empty((n, 4))
    alone = np.zeros(n, np.int64)
    for i in range(n):
        rad[i] = math.sqrt(ss[i, 0] ** 2 + ss[i, 1] ** 2 + ss[i, 2] ** 2)
        p = np.empty(3)
        for a in range(3):
            p[a] = (view[0, a] * (cs[i, 0] - eye[0]) + view[1, a] * (cs[i, 1] - eye[1])
                    + view[2, a] * (cs[i, 2] - eye[2]))
        near = max(p[2] - rad[i], 0.05)
        x, y = width / 2 + fx * p[0] / p[2], height / 2 + fy * p[1] / p[2]
        grow = 1.3 * rad[i] / near
        rect[i] = np.array([x - fx * grow - 2, y - fy * grow - 2, x + fx * grow + 2,
                            y + fy * grow + 2])
    image = np.zeros((height, width, 3), np.float32)
    label = np.empty((height, width), np.int16)
    ox, oy, oz = eye[0], eye[1], eye[2]
    for y in range(height):
        for x in range(width):
            first = -9
            edge = False
            for k in range(5):
                # The centre, then four corners if something else is seen above or to the left.
                if k == 1:
                    edge = (x > 0 and label[y, x - 1] != first) or (
                        y > 0 and label[y - 1, x] != first)
                    if not edge:
                        break
                jx = 0.5 if k == 0 else (0.25 if k & 1 else 0.75)
                jy = 0.5 if k == 0 else (0.25 if k <= 2 else 0.75)
                ca, cb = (x + jx - width / 2) / fx, (y + jy - height / 2) / fy
                dx = view[0, 0] * ca + view[0, 1] * cb + view[0, 2]
                dy = view[1, 0] * ca + view[1, 1] * cb + view[1, 2]
                dz = view[2, 0] * ca + view[2, 1] * cb + view[2, 2]
                best, hit = _stuff(room, ox, oy, oz, dx, dy, dz, 1e-3)
                d2 = dx * dx + dy * dy + dz * dz
                for i in range(n):
                    if rect[i, 0] > x or rect[i, 2] < x or rect[i, 1] > y or rect[i, 3] < y:
                        continue
                    if not _near(cs, rad, i, ox, oy, oz, dx, dy, dz, d2):
                        continue
                    t = _object(kinds, Rs, cs, ss, i, ox, oy, oz, dx, dy, dz, 1e-3)
                    if t < FAR and k == 0:
                        alone[i] += 1
                    if t < best:
                        best, hit = t, i
                if k == 0:
                    first = hit
                    label[y, x] = hit
                r, g, b = _radiance(kinds, Rs, cs, ss, rad, mats, stuff, room, lights, hit, best,
                                    ox, oy, oz, dx, dy, dz, seed * 31 + (y * width + x) * 5 + k)
                image[y, x, 0] += r
                image[y, x, 1] += g
                image[y, x, 2] += b
            if edge:
                for a in range(3):
                    image[y, x, a] /= 5.0
    return image, label, alone
