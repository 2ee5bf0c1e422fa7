/** What other parts may use of the rounds. */
export { Rounds } from './rounds.js';
