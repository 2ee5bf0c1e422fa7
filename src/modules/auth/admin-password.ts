/** The administrator's password: the given one, else one that the first start makes and keeps in the data directory. */
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createPrivateFile } from '../../adapters/process/private-file.js';
import type { AuditTrail, CredentialStore } from '../../domain/ports.js';
import { hashPassword, verifyPassword } from './passwords.js';

const LENGTH = 20;
/** Nothing that looks like something else; 32 characters, so that five bits choose one without bias: 100 bits in all. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789';

export interface AdminPasswordOptions {
  /** From FLUKEDEPLOY_ADMIN_PASSWORD: replaces what was kept before and ends its sessions. */
  readonly given?: string | undefined;
  readonly dataDirectory: string;
}

/** Where a person finds the password; `elsewhere`: it was set from another place, which knows it. */
export type AdminPasswordPlace =
  { readonly kept: 'environment' } | { readonly kept: 'file'; readonly file: string } | { readonly kept: 'elsewhere' };

/** To be called at every start, by any number of processes at once, before the first login. */
export async function establishAdminPassword(
  store: CredentialStore,
  trail: AuditTrail,
  { given, dataDirectory }: AdminPasswordOptions,
): Promise<AdminPasswordPlace> {
  const file = join(dataDirectory, 'admin-password');
  if (given !== undefined) {
    await replace(store, trail, given);
    await rm(file, { force: true });
    return { kept: 'environment' };
  }
  const kept = (await store.adminPasswordHash()) ?? (await makeFirst(store, trail, file));
  const written = await read(file);
  return written !== undefined && (await verifyPassword(written, kept))
    ? { kept: 'file', file }
    : { kept: 'elsewhere' };
}

async function replace(store: CredentialStore, trail: AuditTrail, given: string): Promise<void> {
  const kept = await store.adminPasswordHash();
  if (kept !== undefined && (await verifyPassword(given, kept))) return;
  await store.setAdminPasswordHash(await hashPassword(given), true);
  await store.endSessions();
  await audit(trail, 'environment');
}

/**
 * The file comes first: a start that dies before the store knows the password leaves it to the next one.
 * On several machines only one password gets into the store, and the others take their file back.
 */
async function makeFirst(store: CredentialStore, trail: AuditTrail, file: string): Promise<string> {
  await createPrivateFile(file, `${readablePassword()}\n`);
  const password = await read(file);
  if (!password) throw new Error(`${file} is empty. Remove it, and the next start makes a new password.`);

  const hash = await hashPassword(password);
  const kept = await store.setAdminPasswordHash(hash, false);
  if (kept === hash) await audit(trail, file);
  else if (!(await verifyPassword(password, kept))) await rm(file, { force: true });
  return kept;
}

function readablePassword(): string {
  return Array.from(randomBytes(LENGTH), (byte) => READABLE.charAt(byte % READABLE.length)).join('');
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function audit(trail: AuditTrail, target: string): Promise<void> {
  const actor = { kind: 'system', name: 'flukedeploy' } as const;
  return trail.audit({
    at: new Date().toISOString(),
    actor,
    action: 'admin_password.set',
    target,
    outcome: 'succeeded',
  });
}
