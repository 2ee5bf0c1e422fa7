/** Room for sessions: what is used stays, and each owner makes room for itself. */
import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '../../domain/limits.js';
import { endingFor, type HeldSession } from './session-room.js';

const NOW = 10_000_000;
const IDLE = NOW - 30 * 60_000;

/** `count` sessions of each owner in turn, named after it and numbered. */
function held(counts: Readonly<Record<string, number>>, session: Partial<HeldSession> = {}): Map<string, HeldSession> {
  return new Map(
    Object.entries(counts).flatMap(([owner, count]) =>
      Array.from({ length: count }, (_, index): [string, HeldSession] => [
        `${owner}-${index}`,
        { owner, open: 0, used: NOW, ...session },
      ]),
    ),
  );
}

/** As many owners with a full share as there is room for. */
function full(own: Readonly<Record<string, number>> = {}): Record<string, number> {
  let left = LIMITS.mcp_sessions - Object.values(own).reduce((sum, count) => sum + count, 0);
  const counts: Record<string, number> = { ...own };
  for (let owner = 0; left > 0; owner++) {
    counts[`other${owner}`] = Math.min(left, LIMITS.mcp_sessions_per_token);
    left -= LIMITS.mcp_sessions_per_token;
  }
  return counts;
}

describe('a session', () => {
  it('ends when it was not used for half an hour, whoever it belongs to', () => {
    expect(endingFor('me', held({ you: 2 }, { used: IDLE }), NOW)).toEqual(['you-0', 'you-1']);
    expect(endingFor('me', held({ you: 2 }, { used: IDLE + 1 }), NOW)).toEqual([]);
  });

  it('is used for as long as its stream is open', () => {
    expect(endingFor('me', held({ you: 2 }, { used: 0, open: 1 }), NOW)).toEqual([]);
  });
});

describe('room', () => {
  it('is made by whoever has its share, out of its own', () => {
    const share = LIMITS.mcp_sessions_per_token;
    expect(endingFor('me', held({ you: 5, me: share - 1 }), NOW)).toEqual([]);
    expect(endingFor('me', held({ you: 5, me: share }), NOW)).toEqual(['me-0']);
  });

  it('is made where all is full by the owner first, then by whoever holds the most', () => {
    expect(endingFor('me', held(full({ you: 1, me: 2 })), NOW)).toEqual(['me-0']);
    expect(endingFor('me', held(full({ you: 1 })), NOW)).toEqual(['other0-0']);
  });

  it('is not needed where enough of them are idle', () => {
    const sessions = new Map([...held({ gone: 1 }, { used: IDLE }), ...held(full({ you: 1 }))]);
    sessions.delete('you-0');
    expect(endingFor('me', sessions, NOW)).toEqual(['gone-0']);
  });

  it('takes what nobody listens to first', () => {
    const sessions = held({ me: LIMITS.mcp_sessions_per_token }, { open: 1 });
    expect(endingFor('me', sessions, NOW)).toEqual(['me-0']);
    sessions.set('me-7', { owner: 'me', open: 0, used: NOW });
    expect(endingFor('me', sessions, NOW)).toEqual(['me-7']);
  });
});
