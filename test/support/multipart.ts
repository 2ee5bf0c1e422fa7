/** Writes multipart bodies by hand, broken ones included. */
const BOUNDARY = 'the-boundary';
export const MULTIPART = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** The line after the last part. */
export const END = Buffer.from(`--${BOUNDARY}--\r\n`);

export const field = (name: string, value: string): Buffer => part(`name="${name}"`, Buffer.from(value));

export const upload = (name: string, bytes: Buffer | string, filename = 'source.tar'): Buffer =>
  part(`name="${name}"; filename="${filename}"`, Buffer.from(bytes));

const part = (disposition: string, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n`),
    body,
    Buffer.from('\r\n'),
  ]);
