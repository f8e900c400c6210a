/**
 * Names a mesh by its files and scale: SHA-256, since who could make two meshes of one name would be
 * answered with another's.
 */
export async function meshKey(
  files: readonly (Uint8Array<ArrayBuffer> | null)[],
  scale: number,
): Promise<string> {
  const digests: string[] = [];
  for (const file of files) {
    const digest = file && (await crypto.subtle.digest('SHA-256', file));
    digests.push(digest ? Buffer.from(digest).toString('base64url') : '');
  }
  return `${digests.join(' ')} ${scale}`;
}
