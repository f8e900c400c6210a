import { setDefaultTimeout } from 'bun:test';

// A software rasteriser compiles an attention graph in tens of seconds on a busy machine.
setDefaultTimeout(180_000);
