/** What other parts may use of the edge. */
export { EdgeKeeping } from './edge-keeper.js';
export { EdgeModule } from './edge.module.js';
export { CaptainAddress, EdgeRouter } from './edge-router.js';
