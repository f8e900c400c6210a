/**
 * The pairs of rows and columns with the largest total value, each row and each column at most once: as
 * many pairs as the shorter side has. The Hungarian method with potentials, O(rows²·columns)
 * (R. Jonker and A. Volgenant, "A shortest augmenting path algorithm", Computing 38, 1987).
 *
 * @param values finite, [rows][columns].
 * @returns [row, column], by rising row.
 */
export function bestAssignment(values: readonly (readonly number[])[]): [number, number][] {
  const rows = values.length;
  const columns = values[0]?.length ?? 0;
  if (rows === 0 || columns === 0) return [];
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, c) => values.map((row) => row[c]));
    const pairs = bestAssignment(turned).map(([c, r]): [number, number] => [r, c]);
    return pairs.sort(([a], [b]) => a - b);
  }
  const rowOf = assignRows(values, columns);
  const pairs = [...rowOf.entries()].flatMap(([column, row]): [number, number][] =>
    row < 0 ? [] : [[row, column]],
  );
  return pairs.sort(([a], [b]) => a - b);
}

/** The row of each column, −1 for none; there are no more rows than columns. */
function assignRows(values: readonly (readonly number[])[], columns: number): Int32Array {
  const rowOf = new Int32Array(columns).fill(-1);
  const rowPotential = new Float64Array(values.length);
  const columnPotential = new Float64Array(columns);
  for (let start = 0; start < values.length; start++) {
    const cost = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
    const from = new Int32Array(columns).fill(-1);
    const seen = new Uint8Array(columns);
    let column = -1;
    do {
      const row = column < 0 ? start : rowOf[column];
      if (column >= 0) seen[column] = 1;
      const previous = column;
      let least = Number.POSITIVE_INFINITY;
      let next = -1;
      for (let c = 0; c < columns; c++) {
        if (seen[c]) continue;
        const reduced = -values[row][c] - rowPotential[row] - columnPotential[c];
        if (reduced < cost[c]) {
          cost[c] = reduced;
          from[c] = previous;
        }
        if (cost[c] < least) [least, next] = [cost[c], c];
      }
      rowPotential[start] += least;
      for (let c = 0; c < columns; c++) {
        if (seen[c]) {
          rowPotential[rowOf[c]] += least;
          columnPotential[c] -= least;
        } else {
          cost[c] -= least;
        }
      }
      column = next;
    } while (rowOf[column] >= 0);
    for (let c = column; c >= 0; c = from[c]) rowOf[c] = from[c] < 0 ? start : rowOf[from[c]];
  }
  return rowOf;
}
