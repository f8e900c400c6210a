import type { Clip } from './clip.ts';
import { describeModel, indent, line, shown } from './report.ts';
import { renderColumns } from './stages.ts';
import { sheetFrames } from './track_pictures.ts';
import type { TracksShown } from './tracks.ts';

/** How far the clip's objects were followed. */
export function describeTracks(
  { path, width, height, frames, fps, objects }: Clip,
  tracks: TracksShown,
): string {
  const files = [tracks.video, tracks.sheet].map(shown);
  const column = Math.max(...files.map((file) => file.length));
  const holds = [
    'the clip with the masks of what was clicked',
    `its frames ${sheetFrames(tracks.frames.length).join(', ')}`,
  ];
  return [
    '',
    line('video', `${shown(path)}, ${frames} frames of ${width}x${height} at ${fps} fps`),
    line('model', describeModel(tracks)),
    ...objects.map(({ name, click }, i) =>
      line('click', `at [${click}] on frame 0, the ${name}: ${describeObject(tracks, i + 1)}`),
    ),
    '',
    indent(renderColumns(tracks.stages)),
    '',
    ...files.map((file, i) => `  ${file.padEnd(column)}  ${holds[i]}`),
  ].join('\n');
}

function describeObject({ frames }: TracksShown, id: number): string {
  const seen = frames.map(({ objects }) => objects.find((one) => one.id === id)?.present === true);
  const hidden = frames.filter((_, i) => !seen[i]).map(({ frame_index }) => frame_index);
  const count = `seen on ${frames.length - hidden.length} of ${frames.length} frames`;
  return hidden.length === 0 ? count : `${count}, not on ${hidden.join(', ')}`;
}
