/** What other parts may use of the apps. */
export { EdgePorts } from './app.view.js';
export { AppsModule } from './apps.module.js';
