/** What is said beforehand: the steps in order, what is replaced, whether anything stands still, and how much room it needs. */
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_CONFIG, DEFAULT_HEALTH_CHECK, type AppConfig, type DeploySpec } from './app-spec.js';
import { planOf, type PlanInput } from './deploy-plan.js';
import { DEFAULT_STRATEGIES } from './strategy.js';

const SPEC: DeploySpec = {
  source: { kind: 'dockerfile', dockerfile: 'FROM busybox:1' },
  config: {},
  validation_level: 'basic',
  auto_rollback: true,
  on_conflict: 'queue',
};
const LIVE: Partial<DeploySpec> = { source: { kind: 'live' } };
const VOLUME = { source: 'data', target: '/data', read_only: false };

interface Case extends Partial<Omit<PlanInput, 'spec' | 'config'>> {
  readonly spec?: Partial<DeploySpec>;
  readonly config?: Partial<AppConfig>;
}

/** An update of an app with two replicas, unless it is said otherwise. */
const planned = ({ spec, config, ...input }: Case = {}) =>
  planOf({
    spec: { ...SPEC, ...spec },
    config: { ...DEFAULT_CONFIG, replicas: 2, ...config },
    service: 'web_r2',
    before: { services: ['web_r1'], replicas: 2 },
    check: DEFAULT_HEALTH_CHECK,
    plugins: { pre_build: ['source-check', 'secret-scan'], pre_deploy: ['cluster-check'], post_deploy: [] },
    room: Infinity,
    ...input,
  });
const stepsOf = (input: Case, phase: string) => planned(input).plan.filter((step) => step.phase === phase);
const deployOf = (input: Case) => stepsOf(input, 'deploy').map(({ action, data }) => [action, data]);

describe('the phases around the rollout', () => {
  it.each<[string, Case, string, readonly (readonly [action: string, plugins?: readonly string[]])[]]>([
    ['a source is checked', {}, 'pre_build', [['check', ['source-check', 'secret-scan']]]],
    ['an image has no source', { spec: { source: { kind: 'image', image: 'nginx:1' } } }, 'pre_build', [['skip']]],
    ['an image that a source names has none', { image: 'nginx:1' }, 'pre_build', [['skip']]],
    ['a source is built', {}, 'build', [['build']]],
    ['an image is fetched', { spec: { source: { kind: 'image', image: 'nginx:1' } } }, 'build', [['fetch']]],
    ['an image that a source names is fetched', { image: 'nginx:1' }, 'build', [['fetch']]],
    ['what is live is not built', { spec: LIVE }, 'build', [['skip']]],
    ['the cluster is checked', {}, 'pre_deploy', [['check', ['cluster-check']]]],
    [
      'commands come after the checks',
      {
        plugins: {
          pre_build: [],
          pre_deploy: ['cluster-check', 'run-tests', 'release-command', 'own'],
          post_deploy: [],
        },
      },
      'pre_deploy',
      [
        ['check', ['cluster-check', 'own']],
        ['test', ['run-tests']],
        ['release_command', ['release-command']],
      ],
    ],
    ['the level none checks nothing', { spec: { validation_level: 'none' } }, 'pre_deploy', [['skip']]],
    ['the new version is watched, and the old one goes', {}, 'post_deploy', [['watch'], ['retire']]],
    [
      'plugins ask the new version',
      { plugins: { pre_build: [], pre_deploy: [], post_deploy: ['smoke-test'] } },
      'post_deploy',
      [['watch'], ['check', ['smoke-test']], ['retire']],
    ],
    ['nothing retires after a first deployment', { before: { services: [], replicas: 0 } }, 'post_deploy', [['watch']]],
    ['nothing retires where the replicas stay', { spec: LIVE, adopted: 'web_r1' }, 'post_deploy', [['watch']]],
    ['without replicas there is nothing to watch', { config: { replicas: 0 } }, 'post_deploy', [['skip']]],
  ])('%s', (_, input, phase, steps) => {
    const found = stepsOf(input, phase);
    expect(found.map(({ action, plugins }) => (plugins ? [action, plugins] : [action]))).toEqual(steps);
    for (const { summary } of found) expect(summary).toMatch(/\.$/);
  });
});

const START = ['start', { service: 'web_r2', replicas: 2 }];
const SWITCH = ['switch', { service: 'web_r2' }];
const STOP = ['stop', { services: ['web_r1'], replicas: 2 }];

describe('the rollout', () => {
  it.each<[string, Case, readonly unknown[]]>([
    ['begins where nothing serves', { before: { services: [], replicas: 0 } }, [START, SWITCH]],
    [
      'goes in waves, one new replica before an old one',
      {},
      [['wave', { wave: 1, come: 1, go: 1 }], ['wave', { wave: 2, come: 1, go: 0 }], SWITCH],
    ],
    [
      'goes in one wave where all may be added at once',
      { config: { strategy: { type: 'rolling', max_surge: '100%', max_unavailable: 0 } } },
      [['wave', { wave: 1, come: 2, go: 0 }], SWITCH],
    ],
    [
      'takes an old replica first where none may be added',
      { config: { strategy: { type: 'rolling', max_surge: 0, max_unavailable: 1 } } },
      [
        ['wave', { wave: 1, come: 0, go: 1 }],
        ['wave', { wave: 2, come: 1, go: 1 }],
        ['wave', { wave: 3, come: 1, go: 0 }],
        SWITCH,
      ],
    ],
    [
      'of blue_green starts all, then switches',
      { config: { strategy: DEFAULT_STRATEGIES.blue_green } },
      [START, SWITCH],
    ],
    [
      'of blue_green shows itself, and waits where it shall',
      { config: { strategy: { ...DEFAULT_STRATEGIES.blue_green, preview_host: 'new.test', auto_promote: false } } },
      [START, ['preview', { host: 'new.test' }], ['wait', undefined], SWITCH],
    ],
    [
      'of a canary takes its steps',
      {
        config: {
          replicas: 4,
          strategy: {
            ...DEFAULT_STRATEGIES.canary,
            steps: [{ set_weight: 10 }, { pause: { duration_seconds: 60 } }, { set_weight: 60 }, { pause: {} }],
          },
        },
      },
      [
        ['weight', { weight: 10, replicas: 1 }],
        ['pause', { duration_seconds: 60 }],
        ['weight', { weight: 60, replicas: 3 }],
        ['wait', undefined],
        ['start', { service: 'web_r2', replicas: 4 }],
        SWITCH,
      ],
    ],
    ['stops first for a volume', { config: { volumes: [VOLUME] } }, [STOP, START, SWITCH]],
    [
      'stops first for a host port',
      { config: { ports: [{ container_port: 80, host_port: 80, protocol: 'tcp' }] } },
      [STOP, START, SWITCH],
    ],
    [
      'stops nothing for a first volume',
      { before: { services: [], replicas: 0 }, config: { volumes: [VOLUME] } },
      [START, SWITCH],
    ],
    [
      'adds replicas to what serves',
      { spec: LIVE, adopted: 'web_r1', config: { replicas: 5 } },
      [['start', { service: 'web_r1', from: 2, to: 5 }]],
    ],
    [
      'goes back to a service that runs just this',
      { spec: LIVE, adopted: 'web_r0' },
      [
        ['start', { service: 'web_r0', replicas: 2 }],
        ['switch', { service: 'web_r0' }],
      ],
    ],
  ])('%s', (_, input, steps) => {
    expect(deployOf(input)).toEqual(steps);
    for (const { summary } of stepsOf(input, 'deploy')) expect(summary).toMatch(/\.$/);
  });
});

describe('restart, downtime and room', () => {
  const none = { seconds: 0, reason: expect.any(String) };
  it.each<[string, Case, { restart: number; downtime: number; extra: number }]>([
    ['a first deployment', { before: { services: [], replicas: 0 } }, { restart: 0, downtime: 0, extra: 2 }],
    ['rolling', {}, { restart: 2, downtime: 0, extra: 1 }],
    ['rolling to more replicas', { config: { replicas: 4 } }, { restart: 2, downtime: 0, extra: 3 }],
    ['rolling to fewer replicas', { config: { replicas: 1 } }, { restart: 2, downtime: 0, extra: 0 }],
    ['blue_green', { config: { strategy: DEFAULT_STRATEGIES.blue_green } }, { restart: 2, downtime: 0, extra: 2 }],
    ['a canary', { config: { strategy: DEFAULT_STRATEGIES.canary } }, { restart: 2, downtime: 0, extra: 2 }],
    ['a volume', { config: { volumes: [VOLUME] } }, { restart: 2, downtime: 3, extra: 0 }],
    ['other content of what is live', { spec: LIVE }, { restart: 2, downtime: 0, extra: 1 }],
    ['the same content', { spec: LIVE, adopted: 'web_r1' }, { restart: 0, downtime: 0, extra: 0 }],
    [
      'a volume whose content stays',
      { spec: LIVE, adopted: 'web_r1', config: { volumes: [VOLUME] } },
      { restart: 0, downtime: 0, extra: 0 },
    ],
    [
      'another number',
      { spec: LIVE, adopted: 'web_r1', config: { replicas: 5 } },
      { restart: 0, downtime: 0, extra: 3 },
    ],
    ['an older service', { spec: LIVE, adopted: 'web_r0' }, { restart: 2, downtime: 0, extra: 2 }],
    ['no replicas', { config: { replicas: 0 } }, { restart: 2, downtime: 0, extra: 0 }],
  ])('%s', (_, input, { restart, downtime, extra }) => {
    const plan = planned(input);
    expect(plan.restart).toEqual({ ...none, seconds: undefined, replicas: restart });
    expect(plan.expected_downtime).toEqual({ ...none, seconds: downtime });
    expect(plan.capacity.replicas_extra).toBe(extra);
  });

  it('says why a downtime cannot be avoided', () => {
    expect(planned({ config: { volumes: [VOLUME] } }).expected_downtime.reason).toMatch(/^Volumes have one holder/);
  });

  it('says what the replicas reserve, and whether they fit', () => {
    const config = { replicas: 10, resources: { cpu_reservation: 0.1, memory_reservation_mb: 64 } };
    const before = { services: [], replicas: 0 };
    const needed = { replicas_extra: 10, cpus: 1, memory_mb: 640 };
    expect(planned({ config, before, room: 10 }).capacity).toEqual({ ...needed, fits: true });
    expect(planned({ config, before, room: 9 }).capacity).toEqual({ ...needed, fits: false });
  });
});
