#!/usr/bin/env bun
import { defineCommand, runMain } from 'citty';
import { depthExample } from './example_depth.ts';
import { poseExample } from './example_pose.ts';
import { segmentExample } from './example_segment.ts';
import { videoExample } from './example_video.ts';

await runMain(
  defineCommand({
    meta: { name: 'example.ts', description: 'Ask a server for what a picture shows' },
    subCommands: {
      depth: depthExample,
      segment: segmentExample,
      pose: poseExample,
      video: videoExample,
    },
  }),
);
