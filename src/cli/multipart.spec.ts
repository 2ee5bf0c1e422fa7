import { beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import busboy from 'busboy';
import { withServer } from '../../test/support/command-line.js';
import { DEPLOY, success } from '../../test/support/scripted-deployment.js';
import type { ScriptedRequest } from '../../test/support/scripted-server.js';
import { temporaryFolder } from '../../test/support/temporary-folder.js';

const temporary = temporaryFolder();
const cli = withServer();
const deploy = (line: string) => cli.run(`deploy ${line}`);

describe('an upload', () => {
  /** The parts of a request, read by the parser of the cli.server. */
  async function partsOf({ headers, body }: ScriptedRequest): Promise<{ spec: unknown; source: Buffer }> {
    const parser = busboy({ headers });
    let spec: unknown;
    let source = Promise.resolve(Buffer.alloc(0));
    parser.on('field', (name, value) => name === 'spec' && (spec = JSON.parse(value) as unknown));
    parser.on('file', (name, stream) => {
      expect(name).toBe('source');
      source = buffer(stream);
    });
    await new Promise((resolve) => parser.on('close', resolve).end(body));
    return { spec, source: await source };
  }

  const folder = () => join(temporary.path, 'app');
  beforeEach(async () => {
    await mkdir(folder());
    await writeFile(join(folder(), 'Dockerfile'), 'FROM scratch');
  });

  it('of a folder is the same when it is repeated', async () => {
    const deployment = success();
    let cut = 1;
    cli.server.answer((request) => (request.route === DEPLOY && cut-- > 0 ? 'cut' : deployment.answer(request)));
    expect(await deploy(`${folder()} --app web --detach`)).toMatchObject({ code: 0 });
    const [first, second] = await Promise.all(cli.server.to(DEPLOY).map(partsOf));
    expect(first?.spec).toEqual({ app_name: 'web' });
    expect(first?.source.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    expect(second).toEqual(first);
  });

  it('of an archive sends the bytes of the file', async () => {
    success().on(cli.server);
    const bytes = Buffer.from('any bytes: the server judges them');
    await writeFile(join(temporary.path, 'app.tar'), bytes);
    expect(await deploy(`--tar ${join(temporary.path, 'app.tar')} --app web --detach`)).toMatchObject({ code: 0 });
    const [request] = cli.server.to(DEPLOY);
    expect((await partsOf(request!)).source).toEqual(bytes);
  });

  it('that cannot be read is a mistake of the command, not of the net', async () => {
    const { code, stderr } = await deploy(`--tar ${join(temporary.path, 'missing.tar')} --app web`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*missing.tar cannot be read: ENOENT/);
    expect(cli.server.to(DEPLOY)).toEqual([]);
  });
});
