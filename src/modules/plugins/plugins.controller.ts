/** REST: the plugins that can be switched on. */
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../auth/index.js';
import { pluginView, PluginListView } from './plugin.view.js';
import { Plugins } from './plugins.js';

@ApiTags('plugins')
@Controller('api/v1/plugins')
export class PluginsController {
  constructor(private readonly plugins: Plugins) {}

  /** Built-in and external ones, with their hooks and the JSON Schema of their options. */
  @Get()
  @Policy({ scope: 'read' })
  list(): PluginListView {
    return { plugins: this.plugins.all.map((plugin) => pluginView(plugin, this.plugins.server)) };
  }
}
