/** What may be handed to git: URLs of http and https, branches, tags and full commit ids, all strictly. */

const LONGEST_URL = 2_048;
const LONGEST_REF = 255;

/** Why the URL is not taken, in words that follow "the URL"; `undefined` when it is. */
export function gitUrlProblem(text: string): string | undefined {
  const url = text.length <= LONGEST_URL ? URL.parse(text) : null;
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password; send the token by itself';
  if (url.search !== '' || url.hash !== '') return 'must not hold a query or fragment';
  return undefined;
}

/** All 40 digits: what is shorter could name another commit tomorrow. */
export function isCommitId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/**
 * Whether the text can be a branch, a tag, or a full name such as `refs/heads/main`. Narrower than git, whose own
 * check lets `main;id` and `$(id)` pass.
 */
export function isGitRef(text: string): boolean {
  return (
    text.length <= LONGEST_REF &&
    /^[A-Za-z0-9_@][A-Za-z0-9_@./+#=,-]*$/.test(text) &&
    !/\.\.|\/\/|\/\.|@\{|^@$|[./]$|\.lock(\/|$)/.test(text)
  );
}
