/** The order of the test files: the longest begin, so that at the end no worker is left alone with one of them. */
import Sequencer from '@jest/test-sequencer';

const LONGEST = [
  'e2e/canary',
  'chaos/killed-rollout',
  'chaos/three-nodes',
  'chaos/killed-server',
  'chaos/many-workers',
  'chaos/broken-stores',
  'contracts/edge-traffic',
  'docker/swarm-cluster',
];

const place = ({ path }) => {
  const index = LONGEST.findIndex((name) => path.endsWith(`${name}.spec.ts`));
  return index < 0 ? LONGEST.length : index;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => place(a) - place(b));
  }
}
