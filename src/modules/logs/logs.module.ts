/** The log: its one writer, its distribution inside the process, and its REST route. */
import { Module } from '@nestjs/common';
import { LogHub } from './log-hub.js';
import { Logbook } from './logbook.js';
import { LogsController } from './logs.controller.js';

@Module({ controllers: [LogsController], providers: [Logbook, LogHub], exports: [Logbook, LogHub] })
export class LogsModule {}
