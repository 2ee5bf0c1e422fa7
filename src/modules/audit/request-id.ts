/** The id of a request, as its answer and its record name it. */
import { randomUUID } from 'node:crypto';
import type { Response } from 'express';

const REQUEST_ID = 'X-Request-Id';

/** Given where it is asked for first, which must be before the answer begins. */
export function requestIdOf(response: Response): string {
  const given = response.getHeader(REQUEST_ID);
  if (typeof given === 'string') return given;
  const id = randomUUID();
  if (!response.headersSent) response.setHeader(REQUEST_ID, id);
  return id;
}
