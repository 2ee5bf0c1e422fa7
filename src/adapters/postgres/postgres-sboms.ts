/** SBOMs in PostgreSQL, compressed: they are JSON that repeats itself. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { Sboms, type Sbom } from '../../domain/ports.js';
import type { Database } from './database.js';

const compressed = promisify(gzip);
const decompressed = promisify(gunzip);

export class PostgresSboms extends Sboms {
  constructor(private readonly database: Database) {
    super();
  }

  override async keep(deploymentId: string, { format, document }: Sbom): Promise<void> {
    if (Buffer.byteLength(document) > LIMITS.sbom_bytes) {
      throw new DeployError('payload_too_large', `The SBOM is larger than ${LIMITS.sbom_bytes} bytes.`);
    }
    await this.database.query(
      `insert into sboms (deployment_id, format, document) values ($1, $2, $3)
       on conflict (deployment_id) do update set format = excluded.format, document = excluded.document`,
      [deploymentId, format, await compressed(document)],
    );
  }

  override async find(deploymentId: string): Promise<Sbom | undefined> {
    const [row] = await this.database.query<{ format: Sbom['format']; document: Buffer }>(
      'select format, document from sboms where deployment_id = $1',
      [deploymentId],
    );
    return row && { format: row.format, document: (await decompressed(row.document)).toString() };
  }
}
