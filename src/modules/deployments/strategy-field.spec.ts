/** Every form of the field `strategy`: what it becomes with its defaults, and the exact place of what is wrong with it. */
import { describe, expect, it } from '@jest/globals';
import { DeployError } from '../../domain/errors.js';
import { DEFAULT_ANALYSIS, DEFAULT_STRATEGIES, type Strategy } from '../../domain/strategy.js';
import { requestValidation } from '../../gateways/http/validation.js';
import { DeployDto } from './deploy.dto.js';
import { strategyOf } from './strategy-field.js';

const pipe = requestValidation();

async function read(strategy: unknown, others: object = {}): Promise<Strategy | undefined> {
  const body = { app_name: 'web', image: 'busybox:1', ...(strategy !== undefined && { strategy }), ...others };
  return strategyOf((await pipe.transform(body, { type: 'body', metatype: DeployDto })) as DeployDto);
}

async function refusal(strategy: unknown, others?: object): Promise<Pick<DeployError, 'code' | 'fields'>> {
  const error: unknown = await read(strategy, others).then(
    (accepted) => new Error(`accepted: ${JSON.stringify(accepted)}`),
    (refused: unknown) => refused,
  );
  if (error instanceof DeployError) return error;
  throw error;
}

const canary = (fields: object): object => ({ type: 'canary', ...fields });
const steps = (...list: unknown[]): object => canary({ steps: list });
const match = (...list: unknown[]): object => canary({ match: list });
const analysis = (value: unknown): object => canary({ analysis: value });
const { rolling, blue_green, canary: whole } = DEFAULT_STRATEGIES;
const FIRST = { set_weight: 1 };
const HOUR = { pause: { duration_seconds: 3_600 } };

describe('a strategy', () => {
  it.each<[unknown, Strategy | undefined]>([
    [undefined, undefined],
    ['rolling', rolling],
    ['blue_green', blue_green],
    ['canary', whole],
    [{ type: 'rolling' }, rolling],
    [{ type: 'blue_green' }, blue_green],
    [{ type: 'canary' }, whole],
    [
      { type: 'rolling', max_surge: 0, max_unavailable: 1 },
      { ...rolling, max_surge: 0, max_unavailable: 1 },
    ],
    [
      { type: 'rolling', max_surge: 100 },
      { ...rolling, max_surge: 100 },
    ],
    [
      { type: 'rolling', max_unavailable: '0%' },
      { ...rolling, max_unavailable: '0%' },
    ],
    [
      { type: 'rolling', max_surge: '100%' },
      { ...rolling, max_surge: '100%' },
    ],
    [
      { type: 'blue_green', preview_host: 'next.example.com' },
      { ...blue_green, preview_host: 'next.example.com' },
    ],
    [
      { type: 'blue_green', auto_promote: false, scale_down_delay_seconds: 0 },
      { ...blue_green, auto_promote: false, scale_down_delay_seconds: 0 },
    ],
    [canary({ stickiness: 'cookie' }), { ...whole, stickiness: 'cookie' }],
    [canary({ scale_down_delay_seconds: 86_400 }), { ...whole, scale_down_delay_seconds: 86_400 }],
    [analysis(false), { ...whole, analysis: false }],
    [analysis({}), whole],
    [
      analysis({ min_requests: 1, latency_quantile: 0.999, on_inconclusive: 'abort' }),
      {
        ...whole,
        analysis: { ...DEFAULT_ANALYSIS, min_requests: 1, latency_quantile: 0.999, on_inconclusive: 'abort' },
      },
    ],
    [
      analysis({ max_error_increase_percent: 0.5, max_latency_ratio: 1.25, latency_tolerance_ms: 0.5 }),
      {
        ...whole,
        analysis: {
          ...DEFAULT_ANALYSIS,
          max_error_increase_percent: 0.5,
          max_latency_ratio: 1.25,
          latency_tolerance_ms: 0.5,
        },
      },
    ],
    [steps(FIRST), { ...whole, steps: [FIRST] }],
    [
      steps({ set_weight: 1 }, { pause: {} }, { set_weight: 100 }, { pause: { duration_seconds: 0 } }),
      { ...whole, steps: [{ set_weight: 1 }, { pause: {} }, { set_weight: 100 }, { pause: { duration_seconds: 0 } }] },
    ],
    [
      steps(FIRST, ...Array<unknown>(24).fill(HOUR)),
      { ...whole, steps: [FIRST, ...Array<typeof HOUR>(24).fill(HOUR)] },
    ],
    [match(), whole],
    [
      match({ header: 'X-Canary', value: 'always' }, { cookie: 'canary_id', value: 'a b=c,#~{}' }),
      {
        ...whole,
        match: [
          { header: 'X-Canary', value: 'always' },
          { cookie: 'canary_id', value: 'a b=c,#~{}' },
        ],
      },
    ],
  ])('is made of %j', async (field, strategy) => {
    expect(await read(field)).toEqual(strategy);
  });

  it('is plain data, without what was left out', async () => {
    const text = JSON.stringify(await read(steps(FIRST, { pause: {} })));
    expect(text).toBe(JSON.stringify({ ...whole, steps: [FIRST, { pause: {} }] }));
  });
});

const outside = (least: number, most: number): unknown[] => [least - 1, most + 1, -1e9, 1e308, null, '5', [], {}, true];
const whole_numbers = (least: number, most: number): unknown[] => [...outside(least, most), least + 0.5];
const each = (path: string, of: (value: unknown) => unknown, values: readonly unknown[]): [string, unknown][] =>
  values.map((value) => [path, of(value)]);

const NO_STRATEGY = [null, 1, true, '', 'ROLLING', 'blue-green', 'rolling;id', [], ['rolling'], [{ type: 'rolling' }]];
const SHARES = [null, -1, 101, 0.5, '25', '%', '-1%', '101%', '025%', '2.5%', '25%\n', '25 %', true, [], {}, [1]];
const HOSTS = [null, 1, '', 'localhost', 'A.example.com', '*.example.com', 'a.example.com;', 'a..b', ['a.example.com']];
const NO_OBJECT = [null, 'x', 1, []];
const NAMES = [null, 1, '', 'a b', 'a:b', 'a\n', 'é', 'a'.repeat(65), ['a'], 'a;b', '$a'];
const VALUES = [undefined, null, 1, '', 'v'.repeat(201), ...Array.from('"\'\\$;\n\r\t\u007fé', (char) => `a${char}`)];

const WRONG: readonly [path: string, strategy: unknown][] = [
  ...NO_STRATEGY.filter((value) => !Array.isArray(value) || value.length === 0).map((value): [string, unknown] => [
    'strategy',
    value,
  ]),
  ...each('strategy.type', (type) => ({ type }), [undefined, null, 1, '', 'x', 'toString', ['rolling'], {}]),
  ['strategy.type', { type: 'canari', steps: [], analysis: 1 }],
  ...each('strategy.max_surge', (max_surge) => ({ type: 'rolling', max_surge }), SHARES),
  ...each('strategy.max_unavailable', (max_unavailable) => ({ type: 'rolling', max_unavailable }), SHARES),
  ...each('strategy.max_surge', (max_surge) => ({ type: 'rolling', max_surge }), [0, '0%']),
  ['strategy.max_surge', { type: 'rolling', max_surge: 0, max_unavailable: '0%' }],
  ...each('strategy.preview_host', (preview_host) => ({ type: 'blue_green', preview_host }), HOSTS),
  ...each('strategy.auto_promote', (auto_promote) => ({ type: 'blue_green', auto_promote }), [null, 0, 'true', [], {}]),
  ...['blue_green', 'canary'].flatMap((type) =>
    each(
      'strategy.scale_down_delay_seconds',
      (scale_down_delay_seconds) => ({ type, scale_down_delay_seconds }),
      whole_numbers(0, 86_400),
    ),
  ),
  ...each('strategy.stickiness', (stickiness) => canary({ stickiness }), [null, '', 'ip', true, ['cookie'], {}]),
  ...each('strategy.steps', (list) => canary({ steps: list }), [null, 1, 'x', [], Array(51).fill(FIRST)]),
  ...each('strategy.steps.1.set_weight', (set_weight) => steps(FIRST, { set_weight }), whole_numbers(1, 100)),
  ['strategy.steps.1.set_weight', steps({ set_weight: 10 }, { set_weight: 10 })],
  ['strategy.steps.2.set_weight', steps({ set_weight: 10 }, { pause: {} }, { set_weight: 5 })],
  ['strategy.steps.0', steps({})],
  ['strategy.steps.0', steps({ pause: {} }, FIRST)],
  ['strategy.steps.1', steps(FIRST, { set_weight: 2, pause: {} })],
  ...each('strategy.steps.1.pause', (pause) => steps(FIRST, { pause }), NO_OBJECT),
  ...each(
    'strategy.steps.1.pause.duration_seconds',
    (duration_seconds) => steps(FIRST, { pause: { duration_seconds } }),
    whole_numbers(0, 86_400),
  ),
  ['strategy.steps', steps(FIRST, ...Array<unknown>(24).fill(HOUR), { pause: { duration_seconds: 1 } })],
  ...each('strategy.match', (list) => canary({ match: list }), [
    null,
    1,
    'x',
    Array(21).fill({ header: 'X-A', value: 'a' }),
  ]),
  ...each('strategy.match.0.header', (header) => match({ header, value: 'a' }), [...NAMES, 'a_b']),
  ...each('strategy.match.0.cookie', (cookie) => match({ cookie, value: 'a' }), [...NAMES, 'a.b']),
  ...each('strategy.match.0.value', (value) => match({ header: 'X-A', value }), VALUES),
  ['strategy.match.0', match({ value: 'a' })],
  ['strategy.match.1', match({ cookie: 'a', value: 'a' }, { cookie: 'a', header: 'X-A', value: 'a' })],
  ...each('strategy.analysis', analysis, [null, true, 0, 'off', [], 1]),
  ...Object.entries({
    interval_seconds: whole_numbers(1, 3_600),
    min_requests: whole_numbers(1, 1_000_000),
    failure_limit: whole_numbers(1, 100),
    max_error_increase_percent: outside(0, 100),
    latency_quantile: [...outside(0.5, 0.999), 0.49, 0.9991],
    max_latency_ratio: [...outside(1, 100), 0.99],
    latency_tolerance_ms: outside(0, 60_000),
    on_inconclusive: [null, '', 'PAUSE', true, ['pause'], {}],
  }).flatMap(([name, values]) => each(`strategy.analysis.${name}`, (value) => analysis({ [name]: value }), values)),
];

const UNKNOWN: readonly [path: string, strategy: unknown][] = [
  ['strategy.parallelism', { type: 'rolling', parallelism: 2 }],
  ['strategy.steps', { type: 'rolling', steps: [] }],
  ['strategy.scale_down_delay_seconds', { type: 'rolling', scale_down_delay_seconds: 1 }],
  ['strategy.max_surge', { type: 'blue_green', max_surge: 1 }],
  ['strategy.analysis', { type: 'blue_green', analysis: false }],
  ['strategy.auto_promote', canary({ auto_promote: true })],
  ['strategy.preview_host', canary({ preview_host: 'a.example.com' })],
  ['strategy.setWeight', canary({ setWeight: 1 })],
  ['strategy.steps.0.setWeight', steps({ ...FIRST, setWeight: 1 })],
  ['strategy.steps.1.pause.duration', steps(FIRST, { pause: { duration: '5m' } })],
  ['strategy.match.0.values', match({ header: 'X-A', value: 'a', values: [] })],
  ['strategy.analysis.interval', analysis({ interval: 5 })],
  ['strategy.constructor', canary({ constructor: 1 })],
];

const brief = (value: unknown): string => JSON.stringify([value]).slice(1, 80);

describe('a strategy is refused', () => {
  it.each(WRONG.map(([path, strategy]) => [path, brief(strategy), strategy] as const))(
    'at %s: %s',
    async (path, _, strategy) => {
      const { code, fields } = await refusal(strategy);
      expect({ code, paths: fields?.map((field) => field.path) }).toEqual({ code: 'invalid_field', paths: [path] });
    },
  );

  it.each(UNKNOWN)('for the unknown %s of %j', async (path, strategy) => {
    expect(await refusal(strategy)).toMatchObject({
      code: 'unknown_field',
      fields: [{ path, message: 'is not known here' }],
    });
  });

  it.each(NO_STRATEGY.filter((value) => Array.isArray(value)))('as a list', async (...items) => {
    expect((await refusal(items)).fields?.[0]?.path).toBe('strategy');
  });

  it('together with everything else that is wrong', async () => {
    const wrong = canary({ x: 1, steps: [{ set_weight: 0 }, { pause: { duration_seconds: -1 } }] });
    const { fields } = await refusal(wrong, { replicas: -1 });
    expect(fields?.map(({ path }) => path).sort()).toEqual([
      'replicas',
      'strategy.steps.0.set_weight',
      'strategy.steps.1.pause.duration_seconds',
      'strategy.x',
    ]);
  });

  it.each([
    ['fast', 'must be one of rolling, blue_green, canary, or an object with such a type'],
    [{ type: 'rolling', max_surge: '2' }, 'must be a whole number from 0 to 100, or a percentage such as 25%'],
    [
      { type: 'rolling', max_surge: 0 },
      'must not be 0 together with max_unavailable: no replica could ever be replaced',
    ],
    [{}, 'is required'],
    [steps(FIRST, FIRST), 'must be more than the 1 before it'],
    [analysis(true), 'must be false or an object'],
  ])('in plain words: %j', async (strategy, message) => {
    expect((await refusal(strategy)).fields?.map((field) => field.message)).toEqual([message]);
  });
});
