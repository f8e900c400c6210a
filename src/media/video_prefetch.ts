/**
 * Hands on what `source` yields while up to `depth` further values are made ahead of their use.
 * Ends the source when the reader leaves.
 */
export async function* prefetched<T>(
  source: AsyncGenerator<T, void, undefined>,
  depth: number,
): AsyncGenerator<T, void, undefined> {
  const made: Promise<IteratorResult<T, void>>[] = [];
  const ask = () => {
    // An async generator answers one `next` after the other, in the order of the calls.
    const next = source.next();
    // A failure is told when its turn comes, or not at all when the reader has left.
    next.catch(() => {});
    made.push(next);
  };
  try {
    for (;;) {
      while (made.length <= depth) ask();
      const result = await made.shift();
      if (!result || result.done) return;
      yield result.value;
    }
  } finally {
    await source.return();
  }
}
