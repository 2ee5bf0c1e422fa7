import { describe, expect, it } from '@jest/globals';
import { checkedAddresses, isPublicAddress } from './public-address.js';

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '140.82.121.4', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
    '%s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '',
    'localhost',
    '1.2.3',
  ])('not %j', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('checkedAddresses', () => {
  const check = (url: string, allowedHosts: string[] = []) =>
    checkedAddresses(new URL(url), allowedHosts, new AbortController().signal);

  it.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost/',
    'http://169.254.169.254/',
    'http://0/',
    'http://１２７.０.０.１/',
  ])('refuses %s', async (url) => {
    await expect(check(url)).rejects.toMatchObject({ reason: 'not_public' });
  });

  it.each([
    ['http://127.0.0.1:8080/x', '127.0.0.1'],
    ['http://127.0.0.1:8080/x', '127.0.0.1:8080'],
    ['https://127.0.0.1/x', '127.0.0.1:443'],
    ['http://[::1]:81/x', '[::1]:81'],
    ['http://localhost/x', 'LocalHost'],
  ])('takes %s where %s is listed', async (url, allowed) => {
    expect(await check(url, [allowed])).not.toHaveLength(0);
  });

  it('a listed port opens that port only', async () => {
    await expect(check('http://127.0.0.1:2375/', ['127.0.0.1:8080'])).rejects.toMatchObject({
      reason: 'not_public',
    });
  });

  it('takes public addresses as they are', async () => {
    expect(await check('https://8.8.8.8/o/r')).toEqual(['8.8.8.8']);
    expect(await check('https://[2606:4700:4700::1111]/o/r')).toEqual(['2606:4700:4700::1111']);
  });

  it('says that a host is not known', async () => {
    await expect(check('https://does-not-exist.invalid/o/r')).rejects.toMatchObject({ reason: 'unknown' });
  });
});
