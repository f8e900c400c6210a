import { join, relative } from 'node:path';

/**
 * Packages of which only some files are taken, as most of their bytes are for other platforms or
 * other uses. What is listed is what they load by computed names; what is imported comes too.
 */
const IN_PART: Readonly<Record<string, readonly string[]>> = {
  webgpu: ['dist/linux-x64/dawn.node'],
  'onnxruntime-web': ['dist/ort-wasm-simd-threaded.jspi.{mjs,wasm}'],
  'onnxruntime-node': ['bin/napi-v6/linux/x64/*', 'dist/*.js'],
  '@img/sharp-linux-x64': ['index.cjs', 'lib/*'],
  '@img/sharp-libvips-linux-x64': ['lib/*', 'versions.json'],
  'swagger-ui-dist': ['swagger-ui.css', 'swagger-ui-bundle.js'],
  // What labels are drawn with.
  '@fontsource/dejavu-sans': ['files/dejavu-sans-latin-700-normal.woff'],
  // The Vulkan loader and SwiftShader; the browser itself is 67 MB.
  '@sparticuz/chromium': ['build/*.js', 'bin/swiftshader.tar.br'],
};

/** Of all other packages that are reached, whatever may be loaded while a program runs. */
const CODE = /\.(js|mjs|cjs|json)$/;

/**
 * Files of node_modules that a program needs which has these entry points. They are bundled (to
 * nowhere) to see which packages they reach.
 *
 * @param root the repository's root
 * @param entries paths from it
 * @returns paths from it, sorted
 * @throws when an entry cannot be bundled or a pattern finds nothing: the bundle would lack a part
 */
export async function packageFiles(root: string, entries: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  const packages = new Set(Object.keys(IN_PART).map((name) => join('node_modules', name)));
  for (const path of await reachedFiles(root, entries)) {
    files.add(path);
    packages.add(packageOf(path));
  }
  for (const folder of packages) {
    for (const path of await filesOf(root, folder)) files.add(path);
  }
  return [...files].sort();
}

async function reachedFiles(root: string, entries: readonly string[]): Promise<string[]> {
  const { success, logs, metafile } = await Bun.build({
    entrypoints: entries.map((entry) => join(root, entry)),
    root,
    target: 'bun',
    splitting: true,
    metafile: true,
    throw: false,
  });
  if (!success || !metafile) {
    throw new Error(`the bundle cannot be made: ${logs.map(String).join('\n')}`);
  }
  return Object.keys(metafile.inputs)
    .map((path) => relative(root, join(process.cwd(), path)))
    .filter((path) => path.startsWith('node_modules/'));
}

/** `node_modules/a/node_modules/@b/c/d.js` → `node_modules/a/node_modules/@b/c` */
function packageOf(path: string): string {
  const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  if (folder) return folder;
  throw new Error(`${path} belongs to no package`);
}

async function filesOf(root: string, folder: string): Promise<string[]> {
  const patterns = IN_PART[folder.replace(/^node_modules\//, '')];
  if (!patterns) {
    const all = await scan(root, `${folder}/**/*`);
    const nested = `${folder}/node_modules/`;
    return all.filter((path) => CODE.test(path) && !path.startsWith(nested));
  }
  const found = [`${folder}/package.json`];
  for (const pattern of patterns) {
    const matched = await scan(root, `${folder}/${pattern}`);
    if (matched.length === 0) {
      throw new Error(`${folder}/${pattern} matches no file: run bun install on Linux x64`);
    }
    found.push(...matched);
  }
  return found;
}

async function scan(root: string, pattern: string): Promise<string[]> {
  return Array.fromAsync(new Bun.Glob(pattern).scan({ cwd: root, onlyFiles: true, dot: true }));
}
