#!/usr/bin/env python3
"""Make test/fixtures/mesh: small meshes in every format, and what trimesh reads from them.

Files are written by trimesh where it can, by hand where it can't. The references are trimesh's
triangles, in its order, and NumPy's diameter over all pairs of vertices.

    python models/export/make_meshes.py [--data ../shared/data/pose]

Of real meshes only measures are recorded; without --data those of the last time are kept.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image
from scipy.spatial import ConvexHull

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "mesh"
REAL = ("lmo/obj_05.ply", "renderer/_body/schauma.obj", "renderer/_body/triangle.obj")


def diameter(points: np.ndarray) -> float:
    """Largest distance between two points [N, 3]; those of the convex hull suffice."""
    corners = points[ConvexHull(points).vertices]
    apart = corners[:, None] - corners[None]
    return float(np.sqrt((apart**2).sum(-1).max()))


def packed(values: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def read(path: Path) -> trimesh.Trimesh:
    return trimesh.load(path, process=False, force="mesh")


def describe(mesh: trimesh.Trimesh, with_triangles: bool = True) -> dict:
    mesh = mesh.copy()
    mesh.remove_unreferenced_vertices()
    measures = {
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "diameter": diameter(np.asarray(mesh.vertices, np.float64)),
        "center": mesh.bounds.mean(0).tolist(),
        "extents": mesh.extents.tolist(),
        "area": float(mesh.area),
        # Of an open mesh, or one with turned faces, it depends on the method.
        "volume": float(mesh.volume) if mesh.is_volume else None,
    }
    if not with_triangles:
        return measures
    measures["triangles"] = packed(mesh.triangles, "<f4")
    visual = mesh.visual
    if visual.kind == "texture" and visual.uv is not None:
        # trimesh counts v from below.
        uv = np.asarray(visual.uv)[mesh.faces] * [1, -1] + [0, 1]
        measures["uvs"] = packed(uv, "<f4")
    elif visual.kind in ("vertex", "face"):
        colors = visual.vertex_colors[mesh.faces][..., :3]
        if visual.kind == "face":
            colors = np.repeat(visual.face_colors[:, None, :3], 3, axis=1)
        measures["colors"] = packed(colors, "u1")
    return measures


def body() -> trimesh.Trimesh:
    """A lopsided ball whose origin lies outside it."""
    mesh = trimesh.creation.icosphere(subdivisions=1, radius=0.05)
    mesh.vertices *= [1, 0.7, 1.6]
    mesh.vertices += [0.11, -0.03, 0.2]
    mesh.vertices = mesh.vertices.astype(np.float32)
    shades = (mesh.vertices - mesh.vertices.min(0)) / np.ptp(mesh.vertices, axis=0)
    # From nearly black on: rounding through linear light would be seen there.
    mesh.visual.vertex_colors = np.c_[shades**2 * 255, np.full(len(shades), 255)].astype(np.uint8)
    return mesh


def big_endian(mesh: trimesh.Trimesh) -> bytes:
    """Doubles, 16-bit indices, an element between and a list among the vertices' values."""
    colors = mesh.visual.vertex_colors
    head = [
        "ply",
        "format binary_big_endian 1.0",
        "comment made by hand",
        f"element vertex {len(mesh.vertices)}",
        *(f"property double {axis}" for axis in "xyz"),
        "property list uchar short notes",
        *(f"property ushort {name}" for name in ("red", "green", "blue")),
        "element between 2",
        "property list int float values",
        "property int8 last",
        f"element face {len(mesh.faces)}",
        "property uchar flags",
        "property list uint8 uint16 vertex_index",
        "end_header",
    ]
    body = io.BytesIO()
    for index, (point, color) in enumerate(zip(mesh.vertices, colors)):
        notes = list(range(index % 3))
        body.write(np.asarray(point, ">f8").tobytes() + bytes([len(notes)]))
        body.write(np.asarray(notes, ">i2").tobytes())
        body.write((color[:3].astype(">u2") * 257).astype(">u2").tobytes())
    for count in (0, 3):
        body.write(np.asarray(count, ">i4").tobytes() + np.ones(count, ">f4").tobytes() + b"\xff")
    for face in mesh.faces:
        body.write(b"\x07\x03" + face.astype(">u2").tobytes())
    return ("\n".join(head) + "\n").encode() + body.getvalue()


PRISM = """ply
format ascii 1.0
comment a house: two pentagons, four rectangles; one vertex that nothing uses
obj_info by hand
element vertex 11
property float x
property float y
property float z
property float nx
property float ny
property float nz
element face 7
property list uchar int vertex_indices
end_header
0 0 0 0 0 -1
4 0 0 0 0 -1
4 3e0 0 0 0 1
2 5 0 0 0 1
0 3 0. 0 0 1
0 0 6 0 0 1
4 0 6 0 0 1
4 3 6 0 0 1
2 5.0 6 0 0 1
0 3 +6 0 0 1
100 100 100 0 0 1
5 4 3 2 1 0
5 5 6 7 8 9
4 0 1 6 5
4 1 2 7 6
4 2 3 8 7
4 3 4 9 8
4 4 0 5 9
"""

FACE_TEXTURE = """ply
format ascii 1.0
comment TextureFile checks.png
element vertex 4
property float x
property float y
property float z
element face 4
property list uchar float texcoord
property list uchar int vertex_indices
end_header
0 0 0
1 0 0
0 1 0
0 0 1
6 0 0 1 0 0 1 3 0 2 1
6 0 0 0.5 0 0 0.5 3 0 1 3
6 0 0 1 1 0.25 0.75 3 1 2 3
6 0 0 1 0 0 1 3 2 0 3
"""

FACE_COLORS = """ply
format ascii 1.0
element vertex 4
property double x
property double y
property double z
element face 4
property list uchar int vertex_indices
property uchar red
property uchar green
property uchar blue
end_header
0 0 0
1 0 0
0 1 0
0 0 1
3 0 2 1 255 0 0
3 0 1 3 255 0 0
3 1 2 3 0 250 3
3 2 0 3 0 250 3
"""

OBJ = """# a box without its lid, in a mixture of styles
mtllib box.mtl
o box
v 0 0 0
v 2 0 0
v 2 1 0
v 0 1 0
v 0 0 -3
v 2 0 -3
v 2 1 -3
v 0 1 -3
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 0 1
usemtl printed
f 1/1/1 2/2/1 3/3/1 4/4/1
g sides
f -8/1 -4/2 -3/3 -7/4
f 2/1 6/2 \\
7/3 3/4
f 5/1// 8/2// 7/3// 6/4//
"""

OBJ_MATERIALS = """newmtl printed
Ka 0 0 0
Kd 0.8 0.8 0.8
map_Kd -s 1 1 1 checks.png
illum 2
"""

OBJ_KD = """v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1
usemtl red
f 1 3 2
f 1 2 4
usemtl dark green
f 2 3 4
usemtl red
f 3 1 4
"""

OBJ_KD_MATERIALS = """newmtl dark green
Kd 0 0.4 0.02
newmtl red
Kd 1 0 0
"""

OBJ_COLORS = """v 0 0 0 1 0 0
v 1 0 0 0 1 0
v 0 1 0 0 0 1
v 0 0 1 0.2 0.4 0.6
f 1 3 2
f 1 2 4
f 2 3 4
f 3 1 4
"""


def checks() -> Image.Image:
    rows, columns = np.indices((6, 8))
    pixels = np.stack([rows * 40, columns * 30, (rows + columns) % 2 * 255], -1)
    return Image.fromarray(pixels.astype(np.uint8))


def scene() -> trimesh.Scene:
    """One body shown twice, moved, turned and mirrored; and a textured square below a node."""
    parts = trimesh.Scene()
    moved = trimesh.transformations.rotation_matrix(0.7, [1, 2, 3])
    moved[:3, 3] = [0.3, 0, -0.1]
    mirrored = np.diag([-1.0, 2, 1, 1])
    plain = trimesh.creation.icosphere(subdivisions=1, radius=0.05)
    plain.visual = trimesh.visual.TextureVisuals(material=trimesh.visual.material.PBRMaterial())
    parts.add_geometry(plain, geom_name="body", node_name="first", transform=moved)
    parts.graph.update(frame_to="second", matrix=mirrored, geometry="body")
    parts.graph.update(frame_to="holder", matrix=moved)
    corners = np.array([[0, 0, 0], [0.2, 0, 0], [0.2, 0.1, 0], [0, 0.1, 0]])
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=checks())
    look = trimesh.visual.TextureVisuals(uv=[[0, 0], [1, 0], [1, 1], [0, 1]], material=material)
    square = trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 3]], visual=look, process=False)
    parts.add_geometry(square, geom_name="square", node_name="label", parent_node_name="holder")
    return parts


def files() -> dict[str, bytes]:
    mesh = body()
    picture = io.BytesIO()
    checks().save(picture, "PNG")
    whole = scene()
    return {
        "checks.png": picture.getvalue(),
        "ascii.ply": mesh.export(file_type="ply", encoding="ascii", vertex_normal=True),
        "little.ply": mesh.export(file_type="ply"),
        "big.ply": big_endian(mesh),
        "house.ply": PRISM.encode(),
        "house-crlf.ply": PRISM.replace("\n", "\r\n").encode(),
        "face-texture.ply": FACE_TEXTURE.encode(),
        "face-colors.ply": FACE_COLORS.encode(),
        "box.obj": OBJ.encode(),
        "box.mtl": OBJ_MATERIALS.encode(),
        "colors.obj": OBJ_COLORS.encode(),
        "two-colors.obj": OBJ_KD.encode(),
        "two-colors.mtl": OBJ_KD_MATERIALS.encode(),
        "scene.glb": whole.export(file_type="glb"),
        "scene.gltf": whole.export(file_type="gltf", merge_buffers=True, embed_buffers=True)["model.gltf"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    data = parser.parse_args().data
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = FOLDER / "trimesh.json"
    kept = json.loads(known.read_text())["real"] if known.exists() and not data else {}
    meshes = {}
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
    for name in sorted(files()):
        if name.endswith((".png", ".mtl")):
            continue
        # trimesh can't read lists whose lengths differ in an element that it doesn't know.
        meshes[name] = describe(body() if name == "big.ply" else read(FOLDER / name))
    real = {name: describe(read(data / name), False) for name in REAL} if data else kept
    known.write_text(json.dumps({"trimesh": trimesh.__version__, "meshes": meshes, "real": real}, indent=1))


if __name__ == "__main__":
    main()
