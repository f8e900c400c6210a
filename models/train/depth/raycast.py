"""Ray caster for the generated scenes: numba kernels, no dependencies on a GPU.

World axes: x and y along the floor, z up, metres. The camera follows OpenCV (x right, y down,
z forward) and the rays are left unnormalised with z = 1, so that the ray parameter of a hit *is*
its z-depth.
"""

import math

import numpy as np
from numba import njit

from textures import hash_float, noise3, texture

BOX, ELLIPSOID, CYLINDER = 0, 1, 2
FAR = 1e9


@njit(cache=True, fastmath=True)
def _local(R, c, ox, oy, oz, dx, dy, dz):
    ox -= c[0]
    oy -= c[1]
    oz -= c[2]
    return (
        R[0, 0] * ox + R[1, 0] * oy + R[2, 0] * oz,
        R[0, 1] * ox + R[1, 1] * oy + R[2, 1] * oz,
        R[0, 2] * ox + R[1, 2] * oy + R[2, 2] * oz,
        R[0, 0] * dx + R[1, 0] * dy + R[2, 0] * dz,
        R[0, 1] * dx + R[1, 1] * dy + R[2, 1] * dz,
        R[0, 2] * dx + R[1, 2] * dy + R[2, 2] * dz,
    )


@njit(cache=True, fastmath=True)
def _slab(o, d, h):
    if abs(d) < 1e-12:
        if abs(o) > h:
            return FAR, -FAR
        return -FAR, FAR
    a = (-h - o) / d
    b = (h - o) / d
    return min(a, b), max(a, b)


@njit(cache=True, fastmath=True)
def intersect(kind, R, c, s, ox, oy, oz, dx, dy, dz, tmin):
    """Smallest ray parameter above tmin at which the primitive is hit, FAR where it is missed."""
    ox, oy, oz, dx, dy, dz = _local(R, c, ox, oy, oz, dx, dy, dz)
    if kind == BOX:
        a0, a1 = _slab(ox, dx, s[0])
        b0, b1 = _slab(oy, dy, s[1])
        c0, c1 = _slab(oz, dz, s[2])
        t0 = max(a0, max(b0, c0))
        t1 = min(a1, min(b1, c1))
    else:
        ex, ey = ox / s[0], oy / s[1]
        fx, fy = dx / s[0], dy / s[1]
        qa = fx * fx + fy * fy
        qb = ex * fx + ey * fy
        qc = ex * ex + ey * ey - 1.0
        if kind == ELLIPSOID:
            ez, fz = oz / s[2], dz / s[2]
            qa += fz * fz
            qb += ez * fz
            qc += ez * ez
        disc = qb * qb - qa * qc
        if disc <= 0.0 or qa < 1e-12:
            if kind == CYLINDER and qa < 1e-12 and qc < 0.0:
                t0, t1 = -FAR, FAR
            else:
                return FAR
        else:
            root = math.sqrt(disc)
            t0, t1 = (-qb - root) / qa, (-qb + root) / qa
        if kind == CYLINDER:
            c0, c1 = _slab(oz, dz, s[2])
            t0, t1 = max(t0, c0), min(t1, c1)
    if t0 > t1 or t1 <= tmin:
        return FAR
    if t0 > tmin:
        return t0
    return t1


@njit(cache=True, fastmath=True)
def surface(kind, s, lx, ly, lz):
    """Local unit normal and texture coordinates (metres) at a local point on the primitive."""
    if kind == BOX:
        ax, ay, az = s[0] - abs(lx), s[1] - abs(ly), s[2] - abs(lz)
        if ax <= ay and ax <= az:
            return (1.0 if lx > 0 else -1.0), 0.0, 0.0, ly, lz, s[1], s[2]
        if ay <= az:
            return 0.0, (1.0 if ly > 0 else -1.0), 0.0, lx, lz, s[0], s[2]
        return 0.0, 0.0, (1.0 if lz > 0 else -1.0), lx, ly, s[0], s[1]
    radius = 0.5 * (s[0] + s[1])
    angle = math.atan2(ly, lx)
    if kind == CYLINDER:
        if s[2] - abs(lz) < 1e-4 * s[2] + 1e-6:
            return 0.0, 0.0, (1.0 if lz > 0 else -1.0), lx, ly, s[0], s[1]
        nx, ny, nz = lx / (s[0] * s[0]), ly / (s[1] * s[1]), 0.0
    else:
        nx, ny, nz = lx / (s[0] * s[0]), ly / (s[1] * s[1]), lz / (s[2] * s[2])
    inv = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-18)
    return nx * inv, ny * inv, nz * inv, angle * radius, lz, math.pi * radius, s[2]


@njit(cache=True, fastmath=True)
def _blocked(kinds, Rs, cs, ss, rad, last, ox, oy, oz, dx, dy, dz, tmax):
    """Whether anything lies on the segment o + t·d, 0 < t < tmax (d of unit length).

    `last` holds the latest blocker, which is tried first: neighbouring points share shadows.
    Lamps have a negative radius and block nothing.
    """
    i = last[0]
    if i >= 0 and intersect(kinds[i], Rs[i], cs[i], ss[i], ox, oy, oz, dx, dy, dz, 1e-4) < tmax:
        return True
    for i in range(kinds.shape[0]):
        px, py, pz = cs[i, 0] - ox, cs[i, 1] - oy, cs[i, 2] - oz
        along = px * dx + py * dy + pz * dz
        r = rad[i]
        if r < 0.0:
            continue
        if along < -r or along > tmax + r:
            continue
        if px * px + py * py + pz * pz - along * along > r * r:
            continue
        if intersect(kinds[i], Rs[i], cs[i], ss[i], ox, oy, oz, dx, dy, dz, 1e-4) < tmax:
            last[0] = i
            return True
    return False


@njit(cache=True, fastmath=True)
def _sky(sky, dx, dy, dz):
    inv = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
    up = max(0.0, dz * inv)
    k = math.sqrt(up)
    cloud = 0.0
    if dz > 0.0 and sky[6] > 0.0:
        q = 2.0 / (dz * inv + 0.15)
        x, y = dx * inv * q, dy * inv * q
        n = noise3(x, y, sky[7]) * 0.55 + noise3(2.1 * x, 2.1 * y, 3.0) * 0.3
        n += noise3(4.3 * x, 4.3 * y, 5.0) * 0.15
        cloud = min(1.0, max(0.0, (n - 0.45) * 4.0)) * sky[6]
    return (
        (sky[3] * (1 - k) + sky[0] * k) * (1 - cloud) + cloud * sky[8],
        (sky[4] * (1 - k) + sky[1] * k) * (1 - cloud) + cloud * sky[8],
        (sky[5] * (1 - k) + sky[2] * k) * (1 - cloud) + cloud * sky[8],
    )


@njit(cache=True, fastmath=True)
def _shade(kinds, Rs, cs, ss, rad, near, occ, last, mids, offs, mats, lights, env, i, t, ox, oy, oz, dx, dy, dz,
           spread, seed, depth_of_bounce):
    """Radiance that leaves hit t of primitive i; also the mirror direction and its weight."""
    px, py, pz = ox + t * dx, oy + t * dy, oz + t * dz
    R, s = Rs[i], ss[i]
    lx, ly, lz, _, _, _ = _local(R, cs[i], px, py, pz, 0.0, 0.0, 0.0)
    nx, ny, nz, u, v, hu, hv = surface(kinds[i], s, lx, ly, lz)
    m = mats[mids[i]]
    nwx = R[0, 0] * nx + R[0, 1] * ny + R[0, 2] * nz
    nwy = R[1, 0] * nx + R[1, 1] * ny + R[1, 2] * nz
    nwz = R[2, 0] * nx + R[2, 1] * ny + R[2, 2] * nz
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    vx, vy, vz = dx / length, dy / length, dz / length
    cosv = nwx * vx + nwy * vy + nwz * vz
    if cosv > 0.0:
        nwx, nwy, nwz, cosv = -nwx, -nwy, -nwz, -cosv
    foot = spread * t * length / max(0.08, -cosv)
    r, g, b, emit = texture(m, u, v, hu, hv, lx, ly, lz, offs[i], foot)
    if emit > 0.0:
        return r * emit, g * emit, b * emit, 0.0, 0.0, 0.0, 0.0
    bump = m[14]
    if bump > 0.0:
        k = m[15]
        fade = bump * max(0.0, 1.0 - foot * k * 1.5)
        if fade > 0.0:
            q = 17.3 * offs[i]
            nwx += fade * (noise3(px * k + q, py * k, pz * k) - 0.5)
            nwy += fade * (noise3(px * k, py * k + 31.7, pz * k + q) - 0.5)
            nwz += fade * (noise3(px * k, py * k + q, pz * k + 57.1) - 0.5)
            inv = 1.0 / math.sqrt(nwx * nwx + nwy * nwy + nwz * nwz)
            nwx, nwy, nwz = nwx * inv, nwy * inv, nwz * inv
    # Ambient light, darkened near the room's surfaces and by nearby objects (contact shadows).
    up = 0.5 + 0.5 * nwz
    ao = 1.0
    if env[6] > 0.0:
        side = min(min(px - env[7], env[8] - px), min(py - env[9], env[10] - py))
        low = min(pz, env[11] - pz)
        a = max(0.0, side)
        c = max(0.0, low)
        ao *= (1.0 - 0.35 * math.exp(-a * 4.0)) * (1.0 - 0.35 * math.exp(-c * 4.0)) / 0.65
        ao = min(1.0, ao)
    if depth_of_bounce == 0:
        for q in range(near.shape[0]):
            j = near[q]
            if j == i:
                continue
            qx, qy, qz = cs[j, 0] - px, cs[j, 1] - py, cs[j, 2] - pz
            d2 = qx * qx + qy * qy + qz * qz
            o2 = occ[j] * occ[j]
            if d2 > 16.0 * o2:
                continue
            cosj = (qx * nwx + qy * nwy + qz * nwz) / math.sqrt(d2 + 1e-9)
            if cosj > 0.0:
                ao *= 1.0 - 0.6 * cosj * min(1.0, o2 / (d2 + 0.05 * o2)) * (1.0 - d2 / (16.0 * o2))
    ao = max(0.12, ao)
    lr = (env[0] * up + env[3] * (1 - up)) * ao
    lg = (env[1] * up + env[4] * (1 - up)) * ao
    lb = (env[2] * up + env[5] * (1 - up)) * ao
    sr, sg, sb = 0.0, 0.0, 0.0
    spec, gloss = m[12], m[13]
    for k in range(lights.shape[0]):
        L = lights[k]
        j0 = hash_float(seed, k * 7 + 1, 11) - 0.5
        j1 = hash_float(seed, k * 7 + 2, 12) - 0.5
        j2 = hash_float(seed, k * 7 + 3, 13) - 0.5
        if L[0] == 0.0:
            wx, wy, wz = L[1] + L[7] * j0, L[2] + L[7] * j1, L[3] + L[7] * j2
            dist = math.sqrt(wx * wx + wy * wy + wz * wz)
            fall, reach = 1.0, 60.0
        else:
            wx, wy, wz = L[1] + L[7] * j0 - px, L[2] + L[7] * j1 - py, L[3] + L[7] * j2 - pz
            dist = math.sqrt(wx * wx + wy * wy + wz * wz) + 1e-6
            fall, reach = 1.0 / (0.4 + dist * dist), dist - 0.02
        wx, wy, wz = wx / dist, wy / dist, wz / dist
        cosl = nwx * wx + nwy * wy + nwz * wz
        if cosl <= 0.0 or fall * (L[4] + L[5] + L[6]) < 0.004:
            continue
        if depth_of_bounce == 0 and _blocked(kinds, Rs, cs, ss, rad, last[k:], px + nwx * 2e-3,
                                             py + nwy * 2e-3, pz + nwz * 2e-3, wx, wy, wz, reach):
            continue
        lr += L[4] * fall * cosl
        lg += L[5] * fall * cosl
        lb += L[6] * fall * cosl
        if spec > 0.0:
            hx, hy, hz = wx - vx, wy - vy, wz - vz
            hn = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
            c = max(0.0, (hx * nwx + hy * nwy + hz * nwz) / hn)
            f = spec * fall * c ** gloss
            sr += L[4] * f
            sg += L[5] * f
            sb += L[6] * f
    mirror = m[16]
    if mirror > 0.0:
        mirror = mirror + (1.0 - mirror) * 0.6 * (1.0 + cosv) ** 5
    k2 = 2.0 * (vx * nwx + vy * nwy + vz * nwz)
    keep = 1.0 - mirror
    return (r * lr * keep + sr, g * lg * keep + sg, b * lb * keep + sb, mirror,
            vx - k2 * nwx, vy - k2 * nwy, vz - k2 * nwz)


@njit(cache=True, fastmath=True)
def _bounds(kinds, Rs, cs, ss, Rcw, cam, f, cx, cy, width, height):
    """Screen rectangle of every primitive, from the corners of its local bounding box."""
    n = kinds.shape[0]
    out = np.empty((n, 4))
    for i in range(n):
        x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
        front = 0
        for k in range(8):
            lx = ss[i, 0] * (1 if k & 1 else -1)
            ly = ss[i, 1] * (1 if k & 2 else -1)
            lz = ss[i, 2] * (1 if k & 4 else -1)
            w = np.empty(3)
            for a in range(3):
                w[a] = Rs[i, a, 0] * lx + Rs[i, a, 1] * ly + Rs[i, a, 2] * lz + cs[i, a] - cam[a]
            x = Rcw[0, 0] * w[0] + Rcw[1, 0] * w[1] + Rcw[2, 0] * w[2]
            y = Rcw[0, 1] * w[0] + Rcw[1, 1] * w[1] + Rcw[2, 1] * w[2]
            z = Rcw[0, 2] * w[0] + Rcw[1, 2] * w[1] + Rcw[2, 2] * w[2]
            if z > 0.05:
                front += 1
                x0, x1 = min(x0, x / z * f + cx), max(x1, x / z * f + cx)
                y0, y1 = min(y0, y / z * f + cy), max(y1, y / z * f + cy)
        if front == 0:
            out[i] = np.array([1e9, 1e9, -1e9, -1e9])
        elif front < 8:
            out[i] = np.array([-1e9, -1e9, 1e9, 1e9])
        else:
            out[i] = np.array([x0 - 1, y0 - 1, x1 + 1, y1 + 1])
    return out


@njit(cache=True, fastmath=True)
def _nearest(kinds, Rs, cs, ss, ox, oy, oz, dx, dy, dz, tmin):
    best, hit = FAR, -1
    for i in range(kinds.shape[0]):
        t = intersect(kinds[i], Rs[i], cs[i], ss[i], ox, oy, oz, dx, dy, dz, tmin)
        if t < best:
            best, hit = t, i
    return best, hit


@njit(cache=True, fastmath=True, nogil=True)
def render(kinds, Rs, cs, ss, occ, mids, offs, mats, lights, env, sky, Rcw, cam, f, cx, cy, width,
           height, samples, seed):
    """Linear radiance [height, width, 3] and z-depth in metres [height, width] (FAR on the sky)."""
    n = kinds.shape[0]
    rad = np.empty(n)
    for i in range(n):
        q = ss[i, 0] ** 2 + ss[i, 1] ** 2 + ss[i, 2] ** 2
        rad[i] = math.sqrt(q) if kinds[i] != ELLIPSOID else max(ss[i, 0], max(ss[i, 1], ss[i, 2]))
        if mats[mids[i], 21] > 0.0:
            rad[i] = -1.0
    near = np.nonzero(occ)[0]
    last = np.full(lights.shape[0] + 1, -1, np.int64)
    above = np.full(width, -2, np.int64)
    rect = _bounds(kinds, Rs, cs, ss, Rcw, cam, f, cx, cy, width, height)
    image = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.float32(FAR))
    row = np.empty(n, np.int64)
    ox, oy, oz = cam[0], cam[1], cam[2]
    spread = 1.0 / f
    for y in range(height):
        m = 0
        for i in range(n):
            if rect[i, 1] <= y + 1 and rect[i, 3] >= y - 1:
                row[m] = i
                m += 1
        left, first = -2, -2
        for x in range(width):
            pix = y * width + x
            count = 1
            for k in range(samples):
                # Extra samples go only where another primitive begins.
                if k == 1 and first == left and first == above[x]:
                    break
                jx = 0.0 if k == 0 else hash_float(seed + k, pix, 1) - 0.5
                jy = 0.0 if k == 0 else hash_float(seed + k, pix, 2) - 0.5
                ca, cb = (x + jx - cx) / f, (y + jy - cy) / f
                dx = Rcw[0, 0] * ca + Rcw[0, 1] * cb + Rcw[0, 2]
                dy = Rcw[1, 0] * ca + Rcw[1, 1] * cb + Rcw[1, 2]
                dz = Rcw[2, 0] * ca + Rcw[2, 1] * cb + Rcw[2, 2]
                best, hit = FAR, -1
                for q in range(m):
                    i = row[q]
                    if rect[i, 0] > x + 1 or rect[i, 2] < x - 1:
                        continue
                    t = intersect(kinds[i], Rs[i], cs[i], ss[i], ox, oy, oz, dx, dy, dz, 0.02)
                    if t < best:
                        best, hit = t, i
                count = k + 1
                if k == 0:
                    if hit >= 0:
                        depth[y, x] = best
                    first = hit
                if hit < 0:
                    r, g, bl = _sky(sky, dx, dy, dz)
                else:
                    r, g, bl, w, rx, ry, rz = _shade(
                        kinds, Rs, cs, ss, rad, near, occ, last, mids, offs, mats, lights, env, hit,
                        best, ox, oy, oz, dx, dy, dz, spread, seed * 31 + pix * 4 + k, 0)
                    if w > 0.02:
                        px, py, pz = ox + best * dx, oy + best * dy, oz + best * dz
                        t2, h2 = _nearest(kinds, Rs, cs, ss, px, py, pz, rx, ry, rz, 3e-3)
                        if h2 < 0:
                            r2, g2, b2 = _sky(sky, rx, ry, rz)
                        else:
                            r2, g2, b2, _, _, _, _ = _shade(
                                kinds, Rs, cs, ss, rad, near, occ, last, mids, offs, mats, lights, env,
                                h2, t2, px, py, pz, rx, ry, rz, spread * 3, seed + pix, 1)
                        r += w * r2
                        g += w * g2
                        bl += w * b2
                image[y, x, 0] += r
                image[y, x, 1] += g
                image[y, x, 2] += bl
            for a in range(3):
                image[y, x, a] /= count
            left = first
            above[x] = first
    return image, depth
