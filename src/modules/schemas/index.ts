/** What a log entry means, published for everybody. */
import { Module } from '@nestjs/common';
import { SchemasController } from './schemas.controller.js';

@Module({ controllers: [SchemasController] })
export class SchemasModule {}
