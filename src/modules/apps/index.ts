/** What other parts may use of the apps. */
export { AppOrders } from './app-orders.js';
export { EdgePorts } from './app.view.js';
export { RollbackDto } from './apps.dto.js';
export { AppsModule } from './apps.module.js';
