/** What other parts may use of the rounds. */
export { Rounds, type RoundsOptions } from './rounds.js';
