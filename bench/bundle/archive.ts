import { rename } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The x86 filter turns relative jumps into absolute ones, which repeat: a tenth less on machine
 * code. The dictionary spans all of Bun's binary.
 */
const XZ = ['xz', '--threads=1', '--x86', '--lzma2=preset=9e,dict=128MiB', '--stdout'];

/** What tar ends an archive with, at a blocking factor of 1. */
const TAR_END_BYTES = 1024;
const TAR = ['tar', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '-b1'];

/**
 * Packs files into one archive, in two streams of xz, which unpack as one: what changes seldom
 * takes minutes to pack, and is kept.
 *
 * @param folder what all paths start from
 * @param seldom packed once for each content
 * @param cache folder for what was packed
 * @throws when tar or xz fails
 */
export async function pack(
  folder: string,
  seldom: readonly string[],
  often: readonly string[],
  archive: string,
  cache: string,
): Promise<void> {
  const kept = join(cache, `${await digestOf(folder, seldom)}.xz`);
  if (!(await Bun.file(kept).exists())) {
    const first = (await tar(folder, seldom)).subarray(0, -TAR_END_BYTES);
    const draft = `${kept}.${process.pid}`;
    await Bun.write(draft, await xz(first));
    await rename(draft, kept);
  }
  const last = await xz(await tar(folder, often));
  await Bun.write(archive, new Blob([await Bun.file(kept).bytes(), last]));
}

async function digestOf(folder: string, files: readonly string[]): Promise<string> {
  const digest = new Bun.CryptoHasher('sha256').update(XZ.join(' '));
  for (const path of files) {
    digest.update(`${path}\n`).update(await Bun.file(join(folder, path)).bytes());
  }
  return digest.digest('hex').slice(0, 16);
}

async function tar(folder: string, files: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const list = new Blob([files.join('\n')]);
  return output([...TAR, '-C', folder, '-T', '-', '-cf', '-'], list);
}

function xz(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return output(XZ, new Blob([data]));
}

async function output(command: readonly string[], stdin: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const child = Bun.spawn([...command], { stdin, stderr: 'inherit' });
  const bytes = new Uint8Array(await new Response(child.stdout).arrayBuffer());
  const code = await child.exited;
  if (code === 0) return bytes;
  throw new Error(`${command[0]} ended with ${code}: the archive is not whole`);
}

/** Drops symbols that only debuggers read; without binutils the file stays as it is. */
export async function strip(path: string): Promise<void> {
  if (!Bun.which('strip')) return;
  await Bun.$`strip --strip-unneeded ${path}`.quiet();
}

/** Files below this are shown together. */
const LARGE_BYTES = 1e6;

/** Packed and plain megabytes of the largest files, and of all others together. */
export async function measureParts(folder: string, files: readonly string[]): Promise<string[][]> {
  const rows: { path: string; packed: number; bytes: number }[] = [];
  const small: string[] = [];
  let smallBytes = 0;
  for (const path of files) {
    const bytes = Bun.file(join(folder, path)).size;
    if (bytes >= LARGE_BYTES) {
      const packed = (await xz(await Bun.file(join(folder, path)).bytes())).byteLength;
      rows.push({ path, bytes, packed });
    } else {
      small.push(path);
      smallBytes += bytes;
    }
  }
  const packed = (await xz(await tar(folder, small))).byteLength;
  rows.push({ path: `${small.length} smaller files`, bytes: smallBytes, packed });
  return rows
    .sort((a, b) => b.packed - a.packed)
    .map((row) => [(row.packed / 1e6).toFixed(2), (row.bytes / 1e6).toFixed(2), row.path]);
}
