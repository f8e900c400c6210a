/** The commit that is measured or packed; a `+` says that files have changed since. */
export async function commitName(): Promise<string> {
  const given = process.env.TRIPTYCH_COMMIT;
  if (given) return given;
  try {
    const head = await Bun.$`git rev-parse --short HEAD`.quiet().text();
    const changed = await Bun.$`git status --porcelain --untracked-files=no`.quiet().text();
    return `${head.trim()}${changed.trim() === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
