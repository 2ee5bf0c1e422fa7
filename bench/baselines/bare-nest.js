/** Baseline of start.bench: the least that Nest and Express can be, one module with one route. Not TypeScript: stripping types would cost it time. */
import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class Health {
  ready() {
    return { status: 'ready' };
  }
}
Get('ready')(Health.prototype, 'ready', Object.getOwnPropertyDescriptor(Health.prototype, 'ready'));
Controller('health')(Health);

const app = await NestFactory.create({ module: Health, controllers: [Health] }, { logger: false });
process.once('SIGTERM', () => void app.close());
await app.listen(0, '127.0.0.1');
console.log(`API on ${await app.getUrl()}`);
