/** Takes apart what Docker sends of a container's two outputs: frames with a header of 8 bytes, cut anywhere by the network. */
const HEADER_BYTES = 8;
/** The first byte of a header. */
const STDERR = 2;

export interface Frame {
  readonly source: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

/** Frames in the order in which Docker sends them. What a cut stream leaves unfinished is dropped. */
export async function* frames(stream: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Frame> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { source: rest[0] === STDERR ? 'stderr' : 'stdout', bytes: rest.subarray(HEADER_BYTES, end) };
      rest = rest.subarray(end);
    }
  }
}

/** Whole lines, without their ends. */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  for await (const { bytes } of frames(stream)) {
    const parts = (rest + bytes.toString()).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
