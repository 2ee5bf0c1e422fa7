/** Everything that must be refused, in one list; the rows of each kind stand in a file of their own. */
import { BODIES } from './bad-input.bodies.table.js';
import { FIELDS } from './bad-input.fields.table.js';
import { ADDRESSES } from './bad-input.addresses.table.js';
import type { BadRequest } from './bad-input.row.js';
import { SOURCES } from './bad-input.sources.table.js';
import { UPLOADS } from './bad-input.uploads.table.js';

export const BAD_REQUESTS: Readonly<Record<string, readonly BadRequest[]>> = {
  'a field of the deploy body': FIELDS,
  'a source': SOURCES,
  'a body': BODIES,
  'an upload': UPLOADS,
  'an address, a query, a method or credentials': ADDRESSES,
};
