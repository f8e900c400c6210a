import { renderTable } from '../src/models/table.ts';
import type { Measurement } from './measurement.ts';
import { rounded } from './results.ts';

const HEADER = ['device', 'stage', 'case', 'median', 'min', 'p25', 'p75', 'unit', 'n', 'notes'];
const NUMBERS = [3, 4, 5, 6, 8];

/** All measurements as a table. */
export function renderMeasurements(measurements: readonly Measurement[]): string {
  const rows = measurements.map(
    ({ device, stage, name, median, min, p25, p75, unit, n, notes }) => [
      device,
      stage,
      name,
      ...[median, min, p25, p75].map(rounded),
      unit,
      String(n),
      notes,
    ],
  );
  const all = [HEADER, ...rows];
  for (const column of NUMBERS) {
    const width = Math.max(...all.map((row) => row[column].length));
    for (const row of all) row[column] = row[column].padStart(width);
  }
  const [header, ...body] = all;
  return renderTable(header, body);
}

/** One line, to be seen as it is measured. */
export function describeMeasurement(measurement: Measurement): string {
  const { device, stage, name, median, p25, p75, unit, n, notes } = measurement;
  const spread = p25 === undefined ? '' : `${rounded(p25)} to ${rounded(p75)}, `;
  const end = notes === '' ? '' : `  ${notes}`;
  return `${device}  ${stage}: ${name}  ${rounded(median)} ${unit} (${spread}n ${n})${end}`;
}
