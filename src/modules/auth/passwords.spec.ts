import { describe, expect, it } from '@jest/globals';
import { hashPassword, verifyPassword } from './passwords.js';

describe('passwords', () => {
  it('are known again, and no others', async () => {
    const kept = await hashPassword('correct horse');
    expect(await verifyPassword('correct horse', kept)).toBe(true);
    for (const wrong of ['', 'correct hors', 'correct horse ', 'Correct horse']) {
      expect(await verifyPassword(wrong, kept)).toBe(false);
    }
  });

  it('are the same however their characters are composed', async () => {
    expect(await verifyPassword('Gru\u0308n', await hashPassword('Gr\u00fcn'))).toBe(true);
  });

  it('are salted, and say how they were made', async () => {
    const [first, second] = [await hashPassword('same'), await hashPassword('same')];
    expect(first).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(first).not.toBe(second);
  });

  it('are still known when the cost was another', async () => {
    const cheap = '$scrypt$ln=4,r=8,p=1$c2FsdA$JRExr9KU7uDHXrzpWgVSYElV1FghhngB/jv43ibCWus';
    expect(await verifyPassword('old', cheap)).toBe(true);
    expect(await verifyPassword('new', cheap)).toBe(false);
  });

  it('are not compared with a hash of another kind', async () => {
    await expect(verifyPassword('x', '$2b$10$abc')).rejects.toThrow('unknown format');
  });
});
