/** Plugins: the REST route; the deployments run them. */
import { Module } from '@nestjs/common';
import { PluginsController } from './plugins.controller.js';

@Module({ controllers: [PluginsController] })
export class PluginsModule {}
