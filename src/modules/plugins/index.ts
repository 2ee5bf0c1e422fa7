/** What other parts may use of the plugins. */
export { Plugins } from './plugins.js';
export { PluginsModule } from './plugins.module.js';
export { NO_SERVER_PLUGINS, parseServerPlugins, readServerPlugins } from './server-plugins.js';
