/** What a secret looks like when nobody has told us its value. Every expression here takes linear time. */

/** Credentials that their issuers made recognisable, by a prefix that nothing else has. */
const ISSUED = [
  'A(?:KIA|SIA)[0-9A-Z]{16}',
  'gh[pousr]_[A-Za-z0-9]{36,}',
  'github_pat_\\w{22,}',
  'glpat-[\\w-]{20,}',
  'xox[abprs]-[\\w-]+',
  '[rs]k_(?:live|test)_\\w{16,}',
  'sk-(?:ant|proj)-[\\w-]{20,}',
  'AIza[\\w-]{35}',
  'npm_\\w{36}',
  'dckr_pat_[\\w-]{20,}',
  'fd_[0-9a-f]{12}_[\\w-]{43}',
  // Only at the beginning of a word: otherwise a long run of `eyJ` would be read again from each of them.
  '(?<![\\w-])eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+',
];

const SECRET_NAMES =
  'passw(?:or)?d|passphrase|secret|credential|api[_-]?key|private[_-]?key|access[_-]?key|signing[_-]?key|encryption[_-]?key|master[_-]?key|token';

/** Matches are masked whole; what only leads to a secret stands in a lookbehind. */
export const SECRET_PATTERNS: readonly RegExp[] = [
  new RegExp(ISSUED.join('|'), 'g'),
  // A key without its end is masked to the end of the text: better too much than half a key.
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g,
  // scheme://user:password@host, where passwords that hold `@` are read to the last one.
  /(?<=:\/\/[^\s/:@]{0,128}:)[^\s/]+(?=@)/g,
  // https://token@host, as git prints it.
  /(?<=https?:\/\/)[^\s/:@]+(?=@)/g,
  /(?<=\b[Bb]earer\s{1,4})[\w.~+/=-]{6,}/g,
  /(?<=\b[Aa]uthorization["']?\s{0,4}[:=]\s{0,4}["']?[A-Z][A-Za-z]{2,15} )[^\s"',;]+/g,
  /(?<=\b(?:[Ss]et-)?[Cc]ookie: )\S.*/g,
  // DB_PASSWORD=…, --token=…, ?api_key=…
  new RegExp(`(?<=(?:${SECRET_NAMES})[\\w-]{0,32}=)(?:"[^"]*"?|'[^']*'?|[^\\s&"',;]+)`, 'gi'),
  // "password": "…"
  new RegExp(`(?<=(?:${SECRET_NAMES})[\\w-]{0,32}"\\s{0,4}:\\s{0,4})"(?:[^"\\\\]|\\\\.)+"?`, 'gi'),
];

const SECRET_KEY = new RegExp(
  `${SECRET_NAMES.replace(/token$/, 'tokens?(?:$|[_-])')}|authorization|cookie|(?:^|[_-])dsn(?:$|[_-])`,
);
/** Names, numbers and places of secrets are not secret themselves: `token_id`, `SECRET_NAME`, `PASSWORD_FILE`. */
const ABOUT_A_SECRET = /(?:^|[_-])(?:names?|count|type|file|path|ttl)$|^token[_-]id$/;

/** Whether a value under this key is secret by its name, be it an environment variable, a JSON key or a header. */
export function looksSecret(key: string): boolean {
  const words = key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return SECRET_KEY.test(words) && !ABOUT_A_SECRET.test(words);
}
