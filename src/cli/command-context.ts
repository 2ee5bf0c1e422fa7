/** What every command starts from: the terminal, and the server that the settings name. */
import { Api } from './api.js';
import { Terminal, type Host } from './terminal.js';
import { Transport, type Server } from './transport.js';

export class CommandContext {
  readonly terminal: Terminal;

  constructor(readonly host: Host) {
    this.terminal = new Terminal(host);
  }

  /** @throws UsageError when nobody has logged in */
  async api(): Promise<Api> {
    const { url, token } = await this.host.settings.login();
    return this.apiOf({ url, token });
  }

  apiOf(server: Server): Api {
    return new Api(new Transport(server, this.host.interrupted, (text) => this.terminal.note(text)));
  }
}
