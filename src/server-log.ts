/** What the server prints: its own words, without the framework's start-up chatter, coloured on a terminal only. */
import { isatty } from 'node:tty';
import { ConsoleLogger } from '@nestjs/common';

const CHATTER = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

export class ServerLog extends ConsoleLogger {
  constructor() {
    super({ colors: isatty(1), logLevels: ['log', 'warn', 'error', 'fatal'], prefix: 'flukedeploy' });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    if (!(typeof context === 'string' && CHATTER.has(context))) super.log(message, ...(rest as [string]));
  }
}
