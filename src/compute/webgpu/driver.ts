import { dlopen, FFIType } from 'bun:ffi';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheDirectory } from '../../cache.ts';

/**
 * Makes SwiftShader, a Vulkan driver that runs on the CPU, available to Dawn with no system
 * package. Must be called before the first Dawn instance is created in the process: the Vulkan
 * loader reads its variables then. The driver is added to those of the system, not put in their
 * place, so that hardware stays usable in the same process.
 *
 * The driver and the loader come from the npm package `@sparticuz/chromium`; they are unpacked
 * into the cache folder on first use.
 *
 * @throws on anything but Linux x64, for which alone that package carries them.
 */
export function useSoftwareVulkan(): void {
  if (!carried) {
    throw new Error(
      `--device software needs Linux x64 (this is ${process.platform} ${process.arch}): use --device cpu`,
    );
  }
  const folder = unpackSwiftShader();
  setEnvironment('VK_ADD_DRIVER_FILES', join(folder, 'vk_swiftshader_icd.json'));
  useVulkanLoader();
}

/**
 * Loads a Vulkan loader now, so that Dawn's own dlopen by soname finds it: the system's, else the
 * one that is carried with SwiftShader. GPU containers often have a driver and no loader.
 */
export function useVulkanLoader(): void {
  if (!carried) return;
  try {
    loadVulkan('libvulkan.so.1');
  } catch {
    loadVulkan(join(unpackSwiftShader(), 'libvulkan.so.1'));
  }
}

/** Where GPU containers mount NVIDIA's driver manifest, which no loader looks for by itself. */
const MOUNTED_NVIDIA = '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json';

/**
 * Finds a Vulkan driver by the loader's own search path (LoaderDriverInterface.md of
 * Vulkan-Loader), so that a machine without one is not troubled with Dawn's warnings; points the
 * loader to one that is mounted where it does not look.
 */
export function findVulkanDriver(): boolean {
  if (process.platform !== 'linux') return true;
  const { env } = process;
  if (env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES || env.VK_ADD_DRIVER_FILES) return true;
  const roots = [
    env.XDG_CONFIG_HOME || join(homedir(), '.config'),
    ...(env.XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    '/etc',
    '/usr/local/etc',
    env.XDG_DATA_HOME || join(homedir(), '.local/share'),
    ...(env.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
  ];
  if (roots.some((root) => hasManifest(join(root, 'vulkan/icd.d')))) return true;
  if (!existsSync(MOUNTED_NVIDIA)) return false;
  setEnvironment('VK_ADD_DRIVER_FILES', MOUNTED_NVIDIA);
  return true;
}

function hasManifest(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.json'));
}

const carried = process.platform === 'linux' && process.arch === 'x64';

/** Unpacks once, atomically, so that two processes may start together. */
function unpackSwiftShader(): string {
  const require = createRequire(import.meta.url);
  const root = dirname(dirname(require.resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(cacheDirectory(), `swiftshader-${version}`);
  if (existsSync(join(target, 'libvulkan.so.1'))) return target;
  mkdirSync(dirname(target), { recursive: true });
  const staging = mkdtempSync(`${target}-`);
  const archive = brotliDecompressSync(readFileSync(join(root, 'bin/swiftshader.tar.br')));
  for (const { name, content } of tarEntries(archive)) {
    if (/vulkan|vk_swiftshader/.test(name)) writeFileSync(join(staging, name), content);
  }
  try {
    renameSync(staging, target);
  } catch (error) {
    // Another process was first.
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(join(target, 'libvulkan.so.1'))) throw error;
  }
  return target;
}

/** Regular files of a POSIX ustar archive: 512-byte header with octal size, then padded content. */
function* tarEntries(archive: Uint8Array): Generator<{ name: string; content: Uint8Array }> {
  const text = new TextDecoder();
  const field = (start: number, length: number) =>
    text.decode(archive.subarray(start, start + length)).replace(/\0.*$/s, '');
  for (let offset = 0; offset + 512 <= archive.length; ) {
    const name = field(offset, 100);
    if (name === '') return;
    const size = Number.parseInt(field(offset + 124, 12), 8);
    const type = field(offset + 156, 1);
    const start = offset + 512;
    if (type === '0' || type === '') yield { name, content: archive.subarray(start, start + size) };
    offset = start + Math.ceil(size / 512) * 512;
  }
}

const cString = (text: string) => Buffer.from(`${text}\0`);

/** Sets a variable in C's environment, which Bun's `process.env` does not reach. */
function setEnvironment(name: string, value: string): void {
  const libc = dlopen('libc.so.6', {
    setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.i32], returns: FFIType.i32 },
  });
  libc.symbols.setenv(cString(name), cString(value), 1);
}

function loadVulkan(path: string): void {
  dlopen(path, {
    vkGetInstanceProcAddr: { args: [FFIType.ptr, FFIType.ptr], returns: FFIType.ptr },
  });
}
