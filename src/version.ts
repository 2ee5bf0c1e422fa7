/** The version of this FlukeDeploy, as its package says. */
import { readFileSync } from 'node:fs';

const description = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const VERSION = description.version;
