/** What every LogStore keeps: gap-free numbers, one stream in the order of commits, the fence, and reading without loss. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeCursor, encodeCursor } from '../../src/domain/cursor.js';
import type { Fact } from '../../src/domain/deployment.js';
import { LIMITS } from '../../src/domain/limits.js';
import {
  createDeploymentLog,
  FlukeDeployEventType,
  LOG_LEVELS,
  type LogDraft,
  type LogRow,
} from '../../src/domain/log-entry.js';
import type { Appended, AppendItem, DeploymentRecord, LogFilter, LogPage, LogStore } from '../../src/domain/ports.js';
import { until } from '../support/until.js';

/** A store with the few things that other ports do in the product. */
export interface LogStoreSubject {
  readonly store: LogStore;
  /** A deployment that has been asked for, of an app of its own unless said; answers its id. */
  request(appName?: string): Promise<string>;
  find(id: string): Promise<DeploymentRecord | undefined>;
  /** A new worker takes the deployment over and answers its fence; the fences before it are old from now on. */
  takeOver(id: string): Promise<number>;
  /** Forgets the oldest entries; `kept` newest ones stay. */
  forget(kept: number): Promise<void>;
  /** As after a restore: the same numbers now mean other entries. */
  beginAnew(): Promise<void>;
}

/** Deployments of these tests never end by time or worker: their facts are appended as the API appends its own. */
const SKIPS = { pre_build: 'no source', pre_deploy: 'not wanted', post_deploy: 'no replicas' } as const;

const ODD_MESSAGES = [
  '',
  ' ',
  'null',
  'NULL',
  '{a,b}',
  '{"json":"\\u0041"}',
  '$1 %s %d ${x}',
  'it\'s "quoted" \\ and \\\' escaped; drop table entries; --',
  'two\nlines\r\n\tand a tab',
  '🚀 👩‍👩‍👧‍👦 e\u0301 ﷽ שלום \u2028\u2029\ufeff\uffff',
  'long '.repeat(20_000),
];

export function logStoreContract(start: () => Promise<LogStoreSubject>): void {
  let subject: LogStoreSubject;
  let store: LogStore;

  beforeAll(async () => {
    subject = await start();
    ({ store } = subject);
  });

  const at = (plusMs = 0): string => new Date(Date.now() + plusMs).toISOString();
  const line = (message: string, fields: Partial<LogDraft> = {}): AppendItem => ({
    draft: createDeploymentLog({ at: at(), message, ...fields }),
  });
  const head = async (): Promise<string> => (await store.bounds()).head;

  const write = async (id: string, ...items: AppendItem[]): Promise<Appended> => {
    const appended = await store.append({ deployment_id: id, items });
    if (appended === undefined) throw new Error('the append was refused');
    return appended;
  };
  const writeFacts = (id: string, ...facts: Fact[]): Promise<Appended> =>
    write(id, ...facts.map((fact): AppendItem => ({ fact })));

  const started = (): Fact => {
    return { type: 'deployment_started', at: at(), deadline_at: at(60_000), replicas: 0, skips: SKIPS };
  };
  const phase = (type: 'phase_started' | 'phase_succeeded', name: 'build' | 'deploy'): Fact =>
    type === 'phase_started'
      ? { type, at: at(), phase: name, attempt: 1 }
      : { type, at: at(), phase: name, attempt: 1, outputs: {} };
  const succeed = (id: string): Promise<Appended> =>
    writeFacts(
      id,
      started(),
      phase('phase_started', 'build'),
      phase('phase_succeeded', 'build'),
      phase('phase_started', 'deploy'),
      phase('phase_succeeded', 'deploy'),
    );

  /** Everything after the cursor, page by page. */
  const readAll = async (after: string, filter: LogFilter = {}, limit = 1_000): Promise<LogRow[]> => {
    const rows: LogRow[] = [];
    for (let cursor = after; ;) {
      const page: LogPage = await store.read(cursor, filter, limit);
      rows.push(...page.rows);
      if (page.rows.length < limit) return rows;
      cursor = page.next_cursor;
    }
  };

  describe('append', () => {
    it('numbers the entries of a deployment from 1 without a gap', async () => {
      const before = await head();
      const id = await subject.request();
      for (const size of [1, 3, 2]) await write(id, ...Array.from({ length: size }, () => line('x')));

      const rows = await readAll(before, { deployment_id: id });
      expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    it('answers the rows exactly as they are read later', async () => {
      const id = await subject.request();
      const before = await head();
      const { rows } = await write(
        id,
        line('plain'),
        line('with everything', {
          level: 'warn',
          phase: 'deploy',
          attempt: 2,
          component: 'cluster',
          event_type: FlukeDeployEventType.HEALTH_CHECK,
          metadata: { healthy: false, http_status: 503, details: { nothing: null, deep: [{ fraction: 0.5 }] } },
        }),
      );
      expect(rows).toHaveLength(2);
      expect(await readAll(before)).toEqual(rows);
    });

    it('keeps every character of messages and metadata', async () => {
      const id = await subject.request();
      const before = await head();
      await write(
        id,
        ...ODD_MESSAGES.map((text) => line(text, { metadata: { reason: text, details: { [text]: text } } })),
      );

      const rows = await readAll(before);
      expect(rows.map(({ message }) => message)).toEqual(ODD_MESSAGES);
      expect(rows.map(({ metadata }) => metadata)).toEqual(
        ODD_MESSAGES.map((text) => ({ reason: text, details: { [text]: text } })),
      );
    });

    it('takes an empty batch for what it is', async () => {
      const id = await subject.request();
      const before = await head();
      const { rows, state } = await write(id);
      expect(rows).toEqual([]);
      expect(state.status).toBe('pending');
      expect(await head()).toBe(before);
    });

    it('does not know a deployment that nobody asked for', async () => {
      const before = await head();
      const append = store.append({ deployment_id: 'dep-unknown', items: [line('hello')] });
      await expect(append).rejects.toMatchObject({ code: 'deployment_not_found' });
      expect(await head()).toBe(before);
    });

    it('lets time never run backwards along the stream', async () => {
      const [one, other] = [await subject.request(), await subject.request()];
      const { rows } = await write(one, line('now'), line('late line', { at: at(-60_000) }));
      const [late] = (await write(other, line('later still', { at: at(-120_000) }))).rows;
      expect(rows[1]?.at).toBe(rows[0]?.at);
      expect(late!.at >= rows[1]!.at).toBe(true);
    });
  });

  describe('facts', () => {
    it('fold into the summary, and what follows from them is appended at once', async () => {
      const id = await subject.request();
      const first = await writeFacts(id, started());
      expect(first.rows.map(({ phase: name, message }) => [name, message])).toEqual([
        [undefined, expect.stringContaining('started')],
        ['pre_build', 'Pre-build checks skipped: no source'],
      ]);
      expect(first.decision).toMatchObject({ kind: 'run', phase: 'build', attempt: 1 });
      expect(first.state.status).toBe('building');

      await writeFacts(id, phase('phase_started', 'build'), phase('phase_succeeded', 'build'));
      await writeFacts(id, phase('phase_started', 'deploy'));
      const last = await writeFacts(id, phase('phase_succeeded', 'deploy'));
      expect(last.rows.map(({ event_type, status }) => [event_type, status])).toEqual([
        [FlukeDeployEventType.DEPLOY_COMPLETE, 'deploying'],
        [FlukeDeployEventType.POST_DEPLOY, 'deploying'],
        [FlukeDeployEventType.DEPLOY_COMPLETE, 'success'],
      ]);
      expect(last.decision).toEqual({ kind: 'nothing' });
      expect((await subject.find(id))?.state).toEqual(last.state);
    });

    it('give every entry of a batch the status of its moment', async () => {
      const id = await subject.request();
      const { rows } = await write(id, line('before'), { fact: started() }, line('after'));
      expect(rows.map(({ status }) => status)).toEqual(['pending', 'building', 'building', 'building']);
    });

    it('carry the stack of a failure into its entry only', async () => {
      const id = await subject.request();
      const error = { code: 'internal', message: 'No.', retryable: true } as const;
      const fact: Fact = { type: 'phase_failed', at: at(), phase: 'build', attempt: 1, error };
      const { rows, state } = await write(id, { fact: started() }, { fact, stack: 'Error: No.\n    at test' });
      expect(rows.at(-1)?.metadata?.stack).toBe('Error: No.\n    at test');
      expect(JSON.stringify(state)).not.toContain('at test');
    });

    it('change nothing of a deployment that has ended, which still takes entries', async () => {
      const id = await subject.request();
      const { state, rows } = await succeed(id);
      const failure = { code: 'build_failed', message: 'No.', retryable: false } as const;
      const after = await write(id, line('a late line'), {
        fact: { type: 'deployment_failed', at: at(), error: failure },
      });
      expect(after.state).toEqual(state);
      expect(after.rows[0]).toMatchObject({ sequence: rows.at(-1)!.sequence + 1, status: 'success' });
      expect((await subject.find(id))?.state.status).toBe('success');
    });

    it('that come too late to change anything are not written', async () => {
      const cancel: Fact = { type: 'cancel_requested', at: at(), actor: { kind: 'admin', name: 'admin' }, reason: '' };
      const ended = await subject.request();
      await succeed(ended);
      expect((await writeFacts(ended, cancel)).rows).toEqual([]);

      const running = await subject.request();
      await writeFacts(running, started(), phase('phase_started', 'build'));
      expect((await writeFacts(running, cancel)).rows).toHaveLength(1);
      expect((await writeFacts(running, cancel)).rows).toEqual([]);
    });

    it('turn a failed deployment into a rolled back one', async () => {
      const id = await subject.request();
      const error = { code: 'build_failed', message: 'No.', retryable: false } as const;
      await writeFacts(id, started(), { type: 'deployment_failed', at: at(), error });
      const { state } = await writeFacts(id, { type: 'deployment_rolled_back', at: at(), by: 'dep-other' });
      expect(state).toMatchObject({ status: 'rolled_back', rolled_back_by: 'dep-other' });
    });
  });

  describe('the fence', () => {
    it('refuses a worker that has been taken over, whatever it writes', async () => {
      const id = await subject.request();
      const old = await subject.takeOver(id);
      const fence = await subject.takeOver(id);
      const before = await head();

      for (const items of [[line('zombie')], [{ fact: started() }], []]) {
        expect(await store.append({ deployment_id: id, fence: old, items })).toBeUndefined();
      }
      expect(
        await store.append({ deployment_id: id, fence: fence + 1, items: [line('from nowhere')] }),
      ).toBeUndefined();
      expect(await head()).toBe(before);
      expect((await subject.find(id))?.state.started_at).toBeUndefined();

      const appended = await store.append({ deployment_id: id, fence, items: [line('the holder')] });
      expect(appended?.rows.map(({ message }) => message)).toEqual(['the holder']);
    });

    it('does not bind the API, which holds no phase', async () => {
      const id = await subject.request();
      await subject.takeOver(id);
      expect((await write(id, line('from the API'))).rows).toHaveLength(1);
    });
  });

  describe('the stream', () => {
    it('shows a reader who follows it everything, once and in order, while four writers write', async () => {
      const ids = await Promise.all(Array.from({ length: 8 }, () => subject.request()));
      const before = await head();
      const written: LogRow[] = [];
      let writing = true;

      const writer = async (number: number): Promise<void> => {
        for (let turn = 0; turn < 50; turn++) {
          const id = ids[(number * 3 + turn) % ids.length]!;
          const batch = Array.from({ length: 1 + (turn % 4) }, (_, index) =>
            line(`${number}/${turn}/${index}`, { at: at(-1_000 * number) }),
          );
          written.push(...(await write(id, ...batch)).rows);
        }
      };
      const follow = async (): Promise<LogRow[]> => {
        const seen: LogRow[] = [];
        for (let cursor = before; ;) {
          // Looking at the flag comes first: what was written before it fell is on the page after.
          const last = !writing;
          const page = await store.read(cursor, {}, 7);
          seen.push(...page.rows);
          cursor = page.next_cursor;
          if (last && page.rows.length === 0) return seen;
        }
      };
      const following = follow();
      await Promise.all([0, 1, 2, 3].map(writer)).finally(() => (writing = false));
      const seen = await following;

      const positions = seen.map(({ cursor }) => decodeCursor(cursor).position);
      const first = decodeCursor(before).position + 1;
      expect(positions).toEqual(positions.map((_, index) => first + index));
      expect(seen).toEqual(written.sort((a, b) => decodeCursor(a.cursor).position - decodeCursor(b.cursor).position));
      expect(seen.map((row) => row.at)).toEqual(seen.map((row) => row.at).sort());
      for (const id of ids) {
        const own = seen.filter(({ deployment_id }) => deployment_id === id);
        expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index + 2));
      }
    });
  });

  describe('reading', () => {
    let before: string;
    let all: LogRow[];
    let ids: string[];

    beforeAll(async () => {
      before = await head();
      ids = [await subject.request('shop-api'), await subject.request('shop-web'), await subject.request('blog')];
      for (const [turn, id] of [...ids, ...ids].entries()) {
        for (const level of LOG_LEVELS) {
          await write(
            id,
            line(`${turn} ${level}`, { level }),
            line(`${turn} ${level} build`, { level, phase: 'build', event_type: FlukeDeployEventType.BUILD_START }),
            line(`${turn} ${level} deploy`, { level, phase: 'deploy', event_type: FlukeDeployEventType.SCALE_EVENT }),
          );
        }
      }
      all = await readAll(before);
    });

    const rank = (row: LogRow): number => LOG_LEVELS.indexOf(row.level);
    const FILTERS: readonly [name: string, filter: () => LogFilter, passes: (row: LogRow) => boolean][] = [
      ['nothing', () => ({}), () => true],
      ['app_name', () => ({ app_name: 'blog' }), ({ app_name }) => app_name === 'blog'],
      ['an app that is not there', () => ({ app_name: 'shop' }), () => false],
      ['deployment_id', () => ({ deployment_id: ids[1]! }), ({ deployment_id }) => deployment_id === ids[1]],
      ...LOG_LEVELS.map((level, least): (typeof FILTERS)[number] => [
        `level ${level}`,
        () => ({ level }),
        (row) => rank(row) >= least,
      ]),
      [
        'event_type',
        () => ({ event_type: FlukeDeployEventType.SCALE_EVENT }),
        ({ event_type }) => event_type === FlukeDeployEventType.SCALE_EVENT,
      ],
      ['phase', () => ({ phase: 'build' }), (row) => row.phase === 'build'],
      ['apps, one name', () => ({ apps: ['blog'] }), ({ app_name }) => app_name === 'blog'],
      ['apps, a pattern', () => ({ apps: ['shop-*'] }), ({ app_name }) => app_name.startsWith('shop-')],
      ['apps, a pattern inside', () => ({ apps: ['s*i', 'b*g'] }), ({ app_name }) => app_name !== 'shop-web'],
      ['apps, all', () => ({ apps: ['*'] }), () => true],
      ['apps, a part of a name', () => ({ apps: ['shop', 'hop-api'] }), () => false],
      ['apps, none', () => ({ apps: [] }), () => false],
      [
        'everything at once',
        () => ({
          app_name: 'shop-api',
          apps: ['shop-*'],
          deployment_id: ids[0]!,
          level: 'warn',
          event_type: FlukeDeployEventType.BUILD_START,
          phase: 'build',
        }),
        (row) => row.deployment_id === ids[0] && rank(row) >= 2 && row.phase === 'build',
      ],
    ];

    it.each(FILTERS)('finds exactly what passes the filter: %s', async (_, filter, passes) => {
      const expected = all.filter(passes);
      expect(await readAll(before, filter())).toEqual(expected);
      const answer = await store.query(filter(), { limit: 1_000, offset: 0, cursor: before });
      expect(answer).toMatchObject({ total: expected.length, total_capped: false });
      expect(answer.rows).toEqual(expected);
    });

    it.each([1, 2, 5, 75, 76])('reaches everything exactly once in pages of %d', async (limit) => {
      expect(all).toHaveLength(75);
      expect(await readAll(before, {}, limit)).toEqual(all);
      const phases = all.filter((row) => row.phase === 'deploy');
      expect(await readAll(before, { phase: 'deploy' }, limit)).toEqual(phases);
    });

    it('continues after everything it has looked at, where little passes the filter', async () => {
      const page = await store.read(before, { app_name: 'nobody' }, 10);
      expect(page.rows).toEqual([]);
      expect(page.next_cursor).toBe(await head());
      const id = await subject.request('nobody');
      const next = await store.read(page.next_cursor, { app_name: 'nobody' }, 10);
      expect(next.rows.map(({ deployment_id }) => deployment_id)).toEqual([id]);
      expect(next.gap).toBeUndefined();
    });

    it('answers the newest rows, and goes on with what comes', async () => {
      const ofBlog = all.filter(({ app_name }) => app_name === 'blog');
      const page = await store.tail({ app_name: 'blog' }, 3);
      expect(page.rows).toEqual(ofBlog.slice(-3));
      const id = await subject.request('newcomer');
      const next = await store.read(page.next_cursor, { app_name: 'newcomer' }, 10);
      expect(next.rows.map(({ deployment_id }) => deployment_id)).toEqual([id]);
      expect((await store.tail({ deployment_id: id }, 10)).rows).toEqual(next.rows);
    });

    it('pages a query by offset and goes on by its cursor', async () => {
      const ofBlog = all.filter(({ app_name }) => app_name === 'blog');
      const filter = { app_name: 'blog' };
      const middle = await store.query(filter, { limit: 5, offset: 10, cursor: before });
      expect(middle.rows).toEqual(ofBlog.slice(10, 15));
      expect(middle.total).toBe(ofBlog.length);
      const rest = await store.query(filter, { limit: 1_000, offset: 0, cursor: middle.next_cursor });
      expect(rest.rows).toEqual(ofBlog.slice(15));
      const beyond = await store.query(filter, { limit: 5, offset: 1_000, cursor: before });
      expect(beyond.rows).toEqual([]);
      expect(beyond.total).toBe(ofBlog.length);
    });

    it('begins a query at the entry of the time that is asked for', async () => {
      const id = await subject.request();
      const times: string[] = [];
      while (times.length < 3) {
        // Three times that differ, as the clock gives them.
        await until(async () => at() > (times.at(-1) ?? ''), 'the clock goes on');
        const time = at();
        times.push(time);
        await write(id, line(time, { at: time }));
      }
      const since = async (time: string): Promise<string[]> => {
        const { rows, total } = await store.query({ deployment_id: id, since: time }, { limit: 10, offset: 0 });
        expect(total).toBe(rows.length);
        return rows.map(({ message }) => message);
      };
      expect(await since(times[1]!)).toEqual(times.slice(1));
      expect(await since(new Date(Date.parse(times[1]!) + 1).toISOString())).toEqual(times.slice(2));
      expect(await since(at(3_600_000))).toEqual([]);
    });

    it('counts a total up to the limit and says when there is more', async () => {
      const id = await subject.request();
      const lines = (count: number): AppendItem[] => Array.from({ length: count }, () => line('one of many'));
      const count = () => store.query({ deployment_id: id }, { limit: 1, offset: 0 });
      const batch = LIMITS.counted_entries / 4;
      for (let written = 0; written < LIMITS.counted_entries; written += batch) {
        await write(id, ...lines(written === 0 ? batch - 1 : batch));
      }
      expect(await count()).toMatchObject({ total: LIMITS.counted_entries, total_capped: false });
      await write(id, line('one more'));
      expect(await count()).toMatchObject({ total: LIMITS.counted_entries, total_capped: true });
    });

    it('refuses a cursor that no server has given out', async () => {
      for (const cursor of ['', 'x', '.', 'a.b.c', "a.'", 'A.1', 'a.-1', `a.${'z'.repeat(12)}`]) {
        await expect(store.read(cursor, {}, 1)).rejects.toMatchObject({ code: 'cursor_invalid' });
        await expect(store.query({}, { limit: 1, offset: 0, cursor })).rejects.toMatchObject({
          code: 'cursor_invalid',
        });
      }
    });
  });

  describe('gaps', () => {
    const KEPT = 3;

    /** Reads and queries from a place that is no more: both tell the gap and go on at the beginning of what is kept. */
    const expectGap = async (cursor: string): Promise<void> => {
      const { beginning } = await store.bounds();
      const gap = { from: cursor, to: beginning };
      const kept = await readAll(beginning);
      expect(await store.read(cursor, {}, 1_000)).toMatchObject({ gap, rows: kept });
      expect(await store.query({}, { limit: 1_000, offset: 0, cursor })).toMatchObject({ gap, rows: kept });
    };

    it('are told where the beginning is no longer kept, and only there', async () => {
      const id = await subject.request();
      const before = await head();
      const { rows } = await write(id, ...Array.from({ length: 5 }, (_, index) => line(`line ${index}`)));
      await subject.forget(KEPT);

      await expectGap(before);
      await expectGap(rows[0]!.cursor);
      const { beginning } = await store.bounds();
      expect(beginning).toBe(rows[1]!.cursor);
      const page = await store.read(beginning, {}, 10);
      expect(page.gap).toBeUndefined();
      expect(page.rows).toEqual(rows.slice(-KEPT));
      expect((await store.query({}, { limit: 10, offset: 0 })).gap).toBeUndefined();
    });

    it('are told to a cursor that lies ahead of the stream', async () => {
      const { epoch, position } = decodeCursor(await head());
      await expectGap(encodeCursor({ epoch, position: position + 1 }));
    });

    it('are told to a cursor of another history', async () => {
      await write(await subject.request(), line('before the restore'));
      const old = await head();
      await subject.beginAnew();
      await write(await subject.request(), line('after the restore'));
      await expectGap(old);
      expect(await readAll((await store.bounds()).beginning)).toHaveLength(2);
    });
  });
}
