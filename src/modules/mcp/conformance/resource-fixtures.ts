/** Fixtures that are read: a text, a picture, a template, and one to watch. */
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { IMAGE } from './samples.js';

const PLAIN = { description: 'For the conformance suite.', mimeType: 'text/plain' };

export function registerResources(server: McpServer): void {
  const texts = {
    'static-text': 'This is the content of the static text resource.',
    'watched-resource': 'Watched resource content',
  };
  for (const [name, text] of Object.entries(texts)) {
    server.registerResource(name, `test://${name}`, PLAIN, ({ href: uri }) => ({
      contents: [{ uri, mimeType: PLAIN.mimeType, text }],
    }));
  }
  const { data: blob, mimeType } = IMAGE;
  server.registerResource('static-binary', 'test://static-binary', { ...PLAIN, mimeType }, ({ href: uri }) => ({
    contents: [{ uri, mimeType, blob }],
  }));
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { ...PLAIN, mimeType: 'application/json' },
    ({ href: uri }, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` });
      return { contents: [{ uri, mimeType: 'application/json', text }] };
    },
  );
}
