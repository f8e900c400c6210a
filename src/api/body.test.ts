/** Bodies that do not come as they should. */
import { expect, test } from 'bun:test';
import { BodyReader } from './body.ts';

const URL = 'http://localhost/';

function posted(body: ReadableStream | FormData, headers: Record<string, string> = {}): Request {
  return new Request(URL, { method: 'POST', body, headers });
}

/** A sender who goes away in the middle. */
function cutOff(headers: Record<string, string>): Request {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode('{"image": "'));
      controller.error(new Error('the connection was closed'));
    },
  });
  return posted(body, headers);
}

const bodies = new BodyReader(1 << 20);

test('a body that is cut off is its sender’s fault, with a Content-Length or without', async () => {
  const type = { 'content-type': 'application/json' };
  for (const headers of [type, { ...type, 'content-length': '1000' }]) {
    await expect(bodies.read(cutOff(headers))).rejects.toMatchObject({
      status: 400,
      detail: expect.stringContaining('did not arrive in full'),
    });
  }
});

test('a form’s fields are JSON where they are, but for those that are text by nature', async () => {
  const form = new FormData();
  form.set('model', '123');
  form.set('confidence_threshold', '0.25');
  form.set('prompts', '[{"text": "red ball"}]');
  form.set('mode', 'instance');
  expect(await bodies.read(posted(form))).toEqual({
    model: '123',
    confidence_threshold: 0.25,
    prompts: [{ text: 'red ball' }],
    mode: 'instance',
  });
});
