/** What other parts may use of the agents. */
export { AgentsModule } from './agents.module.js';
