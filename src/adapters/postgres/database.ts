/** The connection to PostgreSQL: a bounded pool, transactions, migrations, and errors that say when it is away. */
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { DeployError } from '../../domain/errors.js';

export type Client = pg.PoolClient;

const STATEMENT_TIMEOUT_MS = 30_000;
/** A host that is gone answers nothing at all, not even that the statement took too long. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;
/** A process that freezes inside a transaction holds up the stream for all. */
const IDLE_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** SQLSTATE classes 08 (connection), 53 (resources), 57P (shutdown), 25P03 (idle), 25006 (read only), and what sockets say. */
const AWAY_STATES = /^(08...|53...|57P0[1-5]|25P03|25006|57014)$/;
const AWAY_SOCKETS = new Set(
  ['REFUSED', 'RESET', 'ABORTED']
    .map((what) => `ECONN${what}`)
    .concat(['ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']),
);
const AWAY_WORDS = /timeout|terminated|ended|not queryable/i;

export class Database {
  readonly #pool: pg.Pool;

  constructor(readonly url: string) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 10,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'flukedeploy',
    });
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
  }

  get pool(): pg.Pool {
    return this.#pool;
  }

  /** Brings the schema up to date; processes that start at once wait for each other. */
  async migrate(): Promise<void> {
    await runner({
      databaseUrl: this.url,
      dir: fileURLToPath(new URL('./migrations', import.meta.url)),
      direction: 'up',
      migrationsTable: 'schema_migrations',
      log: () => undefined,
      advisoryLockMode: 'wait',
    });
  }

  /** Names this database, and so the installation that lives in it. */
  async installation(): Promise<string> {
    const [stream] = await this.query<{ epoch: string }>('select epoch from stream');
    if (stream === undefined) throw new Error('the stream has no row');
    return stream.epoch;
  }

  /** @throws DeployError `unavailable` when the database does not answer */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(text, values)).rows;
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  async transaction<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw databaseFailure(error);
    });
    let broken: Error | undefined;
    // While it is in use the pool does not listen: an error that nobody hears would end the process.
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      // A connection that broke, or whose rollback fails, is thrown away with whatever was open on it.
      if (isAway(error)) broken = error as Error;
      else await client.query('rollback').catch((failure: unknown) => (broken = failure as Error));
      throw databaseFailure(error);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  /**
   * Runs `work` in one process of the installation at a time, by a lock that ends with its connection. `undefined` where another one
   * is at it and `wait` is false.
   */
  async exclusively<Result>(task: string, wait: boolean, work: () => Promise<Result>): Promise<Result | undefined> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw databaseFailure(error);
    });
    let broken: Error | undefined;
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    // What goes wrong in the work is its own affair, whatever it sounds like.
    let outcome: { readonly value: Result } | { readonly error: unknown } | undefined;
    try {
      const take = wait ? 'pg_advisory_lock' : 'pg_try_advisory_lock';
      const { rows } = await client.query<{ taken: boolean | '' }>(`select ${take}(hashtext($1)) as taken`, [task]);
      if (rows[0]?.taken === false) return undefined;
      outcome = await work().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      await client.query('select pg_advisory_unlock(hashtext($1))', [task]);
    } catch (error) {
      // The lock goes with its connection.
      broken = error as Error;
      if (outcome === undefined) throw databaseFailure(error);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === constraint;
}

function databaseFailure(error: unknown): unknown {
  return isAway(error)
    ? new DeployError('unavailable', 'The database does not answer.', { cause: error, retryAfterSeconds: 2 })
    : error;
}

function isAway(error: unknown): boolean {
  const { code, message, syscall } = error as { code?: unknown; message?: unknown; syscall?: unknown };
  if (typeof code === 'string') return AWAY_STATES.test(code) || (AWAY_SOCKETS.has(code) && syscall !== 'open');
  return typeof message === 'string' && AWAY_WORDS.test(message);
}
