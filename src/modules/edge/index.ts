/** What other parts may use of the edge. */
export { Captain, CaptainOptions } from './captain.js';
export { EdgeKeeping } from './edge-keeper.js';
export { EdgeModule } from './edge.module.js';
export { EdgeRouter } from './edge-router.js';
