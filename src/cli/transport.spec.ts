import { describe, expect, it } from '@jest/globals';
import { withServer, type RunOptions } from '../../test/support/command-line.js';
import { DEPLOY, ID, LOGS, success, SUCCESS_LINES } from '../../test/support/scripted-deployment.js';

const cli = withServer();
const deploy = (line: string, options?: RunOptions) => cli.run(`deploy ${line}`, options);

describe('a connection that breaks', () => {
  it('never makes a second deployment: the key is the same', async () => {
    const deployment = success();
    let cut = 2;
    cli.server.answer((request) => (request.route === DEPLOY && cut-- > 0 ? 'cut' : deployment.answer(request)));
    const { code, stderr } = await deploy('--app web --image a --detach');
    expect(code).toBe(0);
    expect(new Set(cli.server.to(DEPLOY).map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(cli.server.to(DEPLOY)).toHaveLength(3);
    expect(stderr).toMatch(/does not answer .* Trying again[^]*answers again/);
  });

  it('while following, loses no line and doubles none, through a restart of the server', async () => {
    const deployment = success();
    let restarted: Promise<void> | undefined;
    cli.server.answer((request) => {
      if (request.route !== LOGS || request.query.get('cursor') !== '2') return deployment.answer(request);
      if (restarted) return deployment.answer(request);
      deployment.answer(request); // the entries were read, and the answer was lost
      restarted = cli.server.stop().then(() => cli.server.start());
      return 'silence';
    });
    const { code, stdout } = await deploy('--app web --image a');
    await restarted;
    expect(stdout.split('\n').filter((line) => line.startsWith('['))).toEqual(SUCCESS_LINES);
    expect(code).toBe(0);
  });

  it('waits out a server that is not ready', async () => {
    const deployment = success();
    const busy = {
      status: 503,
      headers: { 'retry-after': '0' },
      json: { title: 'A service is down.', code: 'unavailable' },
    };
    let refusals = 3;
    cli.server.answer((request) => (request.route === LOGS && refusals-- > 0 ? busy : deployment.answer(request)));
    expect((await deploy('--app web --image a')).code).toBe(0);
  });

  it('for good is exit code 4', async () => {
    cli.server.answer(() => 'cut');
    const { code, stdout, stderr } = await cli.run(`status ${ID}`);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain(`The server at ${cli.server.url} does not answer`);
  });
});
