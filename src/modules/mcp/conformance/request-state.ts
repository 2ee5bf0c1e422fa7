/** The signed state of the fixtures that ask their client back: it is not worth more than the process. */
import { randomBytes } from 'node:crypto';
import { createRequestStateCodec } from '@modelcontextprotocol/server';

export const requestState = createRequestStateCodec<{ readonly step: number }>({ key: randomBytes(32) });
