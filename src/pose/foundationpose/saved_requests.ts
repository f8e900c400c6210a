import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeBase64 } from '../../media/base64.ts';
import { sniffMeshFormat } from '../../media/mesh/mesh_format.ts';
import type { SequenceQuery } from './query.ts';

/** Requests and their poses as files, laid out as the document says. Nothing is ever deleted. */
export class SavedRequests {
  /** @param folder what the document calls `DIR` */
  constructor(private readonly folder: string) {}

  /**
   * Writes `saved_requests/<uuid>/`: cam_K.txt, rgb/, depth/, masks/ and mesh/, with the files as they
   * came.
   *
   * @returns the folder
   * @throws MediaError for what is no base64
   */
  async save(query: SequenceQuery, maxBytes: number): Promise<string> {
    const root = join(this.folder, 'saved_requests', crypto.randomUUID());
    const bytes = (text: string, field: string) => decodeBase64(text, { maxBytes, field });
    const [first] = query.images;
    const mesh = bytes(query.mesh, 'mesh');
    const extension = { PLY: 'ply', OBJ: 'obj', GLB: 'glb', glTF: 'gltf' }[
      sniffMeshFormat(mesh, null, 'mesh')
    ];
    const files: [string, Uint8Array | string][] = [
      ['cam_K.txt', numberLines(query.cameraMatrix)],
      [`masks/${first.name}.png`, bytes(query.mask, 'mask')],
      [`mesh/${first.name}.${extension}`, mesh],
    ];
    for (const [i, { name, rgb, depth }] of query.images.entries()) {
      files.push([`rgb/${name}.png`, bytes(rgb, `images.${i}.rgb`)]);
      files.push([`depth/${name}.png`, bytes(depth, `images.${i}.depth`)]);
    }
    for (const part of ['rgb', 'depth', 'masks', 'mesh']) {
      await mkdir(join(root, part), { recursive: true });
    }
    for (const [name, content] of files) await writeFile(join(root, name), content);
    return root;
  }

  /** Writes a frame's pose to `debug/ob_in_cam/<name>.txt`, 16 numbers in four rows. */
  async savePose(name: string, rows: readonly (readonly number[])[]): Promise<void> {
    const folder = join(this.folder, 'debug', 'ob_in_cam');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${name}.txt`), numberLines(rows));
  }
}

/** As `numpy.savetxt` writes and `numpy.loadtxt` reads. */
function numberLines(rows: readonly (readonly number[])[]): string {
  return rows.map((row) => `${row.map((value) => value.toExponential(18)).join(' ')}\n`).join('');
}
