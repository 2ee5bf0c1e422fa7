/** What other parts may use of the notifications. */
export { NotificationsModule } from './notifications.module.js';
