/** `test` and `describe` for what reads or writes video files: skipped where FFmpeg is missing. */
import { describe as describeAll, test as testAll } from 'bun:test';
import { missingFfmpeg } from './ffmpeg.ts';

const isMissing = missingFfmpeg !== null;
if (isMissing) console.warn(`SKIPPED: all that reads or writes video files: ${missingFfmpeg}`);

export const test = testAll.skipIf(isMissing);
export const describe = describeAll.skipIf(isMissing);

/** For what needs something besides; `skipIf` of what is skipped already is refused. */
export const testIf = (isGiven: boolean) => testAll.skipIf(isMissing || !isGiven);
