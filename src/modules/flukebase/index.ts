/** What other parts may use of the delivery to FlukeBase. */
export { FlukeBaseModule } from './flukebase.module.js';
export { requireUpstream } from './flukebase-health.js';
export { FlukeBaseOptions } from './flukebase-options.js';
