/** What a refusal of the documented route must be. */
import { expect } from 'bun:test';
import type { TestServer } from '../../../test/server.ts';
import { foundationPoseBody } from '../demo_fixture.ts';

const PATH = '/foundationpose';

/** A refusal with the documented code and body, whose details have all the words. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly words?: readonly (string | RegExp)[];
  readonly headers?: Record<string, string>;
}

/** Sends it, and then a good request, which must work. */
export async function refuses(
  server: TestServer,
  sent: unknown,
  { status, error, words = [], headers = {} }: Refusal,
): Promise<void> {
  const response = await server.post(PATH, sent, headers);
  const answer = (await response.json()) as { error: string; details?: string };
  const details = words.length > 0 ? { details: expect.any(String) } : {};
  expect({ status: response.status, answer }).toEqual({ status, answer: { error, ...details } });
  for (const word of words) expect(answer.details ?? '').toMatch(word);
  const next = await server.post(PATH, await foundationPoseBody());
  expect(next.status).toBe(200);
}
