/** In which ways FlukeBase can fail a request, and which requests it fails: by order, or by chance that a seed repeats. */

export type Fault =
  /** It does what it is asked at once and says so late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** It answers this and does nothing. */
  | { readonly kind: 'status'; readonly status: number; readonly retry_after?: string }
  /** To another server, which must not be followed with a token. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** It takes a part of a batch and says which; the rest may come again. */
  | { readonly kind: 'partial'; readonly takes: 'first_half' | 'every_other' }
  /** It does what it is asked, and its answer is cut off in the middle. */
  | { readonly kind: 'malformed' }
  /** It does what it is asked, and its answer has so many bytes. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** The connection ends before the body is read. */
  | { readonly kind: 'cut_unread' }
  /** It does what it is asked; the connection ends before it says so. */
  | { readonly kind: 'cut_applied' }
  /** It does what it is asked and never says so; the connection stays. */
  | { readonly kind: 'silent' };

/** Both forms of the header that RFC 9110 allows. */
export const retryAfter = {
  seconds: (seconds: number): string => String(seconds),
  date: (seconds: number): string => new Date(Date.now() + seconds * 1_000).toUTCString(),
};

/** All that may happen to a request without making it wrong for ever; the waits are short. */
export const PASSING_FAULTS: readonly Fault[] = [
  { kind: 'slow', ms: 20 },
  { kind: 'status', status: 429, retry_after: '0' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'partial', takes: 'first_half' },
  { kind: 'malformed' },
  { kind: 'cut_unread' },
  { kind: 'cut_applied' },
];

interface Order {
  readonly fault: Fault;
  readonly route: RegExp;
  left: number;
}

export class FlukeBaseFaults {
  /** How often each kind has happened. */
  readonly happened = new Map<Fault['kind'], number>();
  readonly #orders: Order[] = [];
  #chance: { readonly share: number; readonly faults: readonly Fault[]; readonly random: () => number } | undefined;

  /** The next `times` requests whose method and path match fail so. */
  order(fault: Fault, { times = Infinity, route = /./ }: { times?: number; route?: RegExp } = {}): void {
    this.#orders.push({ fault, route, left: times });
  }

  /** From now on this share of all requests fails. */
  byChance(share: number, seed: number, faults: readonly Fault[] = PASSING_FAULTS): void {
    this.#chance = { share, faults, random: randomNumbers(seed) };
  }

  /** No request fails from now on. */
  end(): void {
    this.#orders.length = 0;
    this.#chance = undefined;
  }

  /** @param route method and path */
  next(route: string): Fault | undefined {
    const fault = this.#ordered(route) ?? this.#byChance();
    if (fault !== undefined) this.happened.set(fault.kind, (this.happened.get(fault.kind) ?? 0) + 1);
    return fault;
  }

  #ordered(route: string): Fault | undefined {
    const order = this.#orders.find((candidate) => candidate.left > 0 && candidate.route.test(route));
    if (order !== undefined) order.left--;
    return order?.fault;
  }

  #byChance(): Fault | undefined {
    if (this.#chance === undefined) return undefined;
    const { share, faults, random } = this.#chance;
    return random() < share ? faults[Math.floor(random() * faults.length)] : undefined;
  }
}

/** Mulberry32: numbers from 0 to 1, the same ones for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
