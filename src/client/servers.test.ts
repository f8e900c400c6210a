import { describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { loadServers, parseServers, ServersFileError, serverByName } from './index.ts';

const EXAMPLE = fileURLToPath(new URL('./servers.example.yaml', import.meta.url));

describe('a servers file', () => {
  test("in the document's form is read whole", () => {
    const text = `
dany2:
  base_url: "http://10.0.0.211:8069"
  api_key: "smdepth"
  model: "depth-anything-v2"
  description: "robolidar"
`;
    expect(parseServers(text)).toEqual([
      {
        name: 'dany2',
        baseUrl: 'http://10.0.0.211:8069',
        apiKey: 'smdepth',
        model: 'depth-anything-v2',
        description: 'robolidar',
      },
    ]);
  });

  test('needs a base_url alone; a name of digits stays a name', () => {
    expect(parseServers('1: {base_url: "https://a.example", api_key: }')).toEqual([
      { name: '1', baseUrl: 'https://a.example' },
    ]);
  });

  test('the example is one', async () => {
    const servers = await loadServers(EXAMPLE);
    expect(servers.map(({ name }) => name)).toEqual(['local', 'lab']);
    expect(serverByName(servers, 'lab').apiKey).toBe('sk-your-api-key');
    expect(serverByName(servers, 'local').apiKey).toBeUndefined();
  });

  test.each([
    ['a: {base_url: "http://a"', /^s\.yaml:1:\d+: /],
    ['a:\n  base_url: http://a\n b: 1', /^s\.yaml:3:/],
    ['a: {base_url: "http://a"}\na: {base_url: "http://b"}', /^s\.yaml:2:1: .*unique/],
    ['', /expected servers by name/],
    ['- base_url: http://a', /expected servers by name/],
    ['a: http://a', /s\.yaml: a: expected base_url, .* given "http:\/\/a"/],
    ['a: {api_key: k}', /a\.base_url: expected an http\(s\) URL .* given nothing/],
    ['a: {base_url: "10.0.0.1:8000"}', /a\.base_url: .* given "10\.0\.0\.1:8000"/],
    ['a: {base_url: "http://a", apikey: k}', /a\.apikey is not a key; expected base_url, api_key/],
    [
      'a: {base_url: "http://a", api_key: 007}',
      /a\.api_key: expected text, given 7: put it in quotes/,
    ],
  ])('%j is refused with its place', (text, message) => {
    expect(() => parseServers(text, 's.yaml')).toThrow(message);
    expect(() => parseServers(text, 's.yaml')).toThrow(ServersFileError);
  });

  test('that is missing is named, and so are the servers there are', async () => {
    await expect(loadServers('no-such.yaml')).rejects.toThrow(/^no-such\.yaml cannot be read/);
    const servers = await loadServers(EXAMPLE);
    expect(() => serverByName(servers, 'toString')).toThrow(
      'no server is called "toString"; there are local, lab',
    );
  });
});
