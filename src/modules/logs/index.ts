/** What other parts may use of the log. */
export { DeploymentLogsView, NO_PHASE } from './entries.view.js';
export { LogHub, streamEntry, type StreamEntry } from './log-hub.js';
export { Logbook } from './logbook.js';
export { LogsModule } from './logs.module.js';
