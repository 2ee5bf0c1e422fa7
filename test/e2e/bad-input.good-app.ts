/** The app that must still work after all bad input: it shows which arguments and variables came to it. */
import { QUICK_CHECK } from '../support/web-apps.js';

/** Good as arguments and values of variables, whatever a shell would make of them. */
// prettier-ignore
export const FREE_TEXTS = [
  ';id', '$(id)', '`id`', '|id', '&id', "'", '"', 'a\nb', '\\', '*', '--help', '', ' ', 'é😀', '${HOME}', '%s', '{{.Service.Name}}', '{{',
];

/** Serves the texts at `/arguments` and `/variables`, a NUL behind each. */
export function goodApp(app_name: string) {
  const env = Object.fromEntries(FREE_TEXTS.map((text, index) => [`TEXT_${index}`, text]));
  const variables = Object.keys(env).map((name) => `"$${name}"`);
  const script = [
    'mkdir /www',
    'echo ok > /www/index.html',
    'printf "%s\\0" "$@" > /www/arguments',
    `printf "%s\\0" ${variables.join(' ')} > /www/variables`,
    'exec httpd -f -p 80 -h /www',
  ];
  return {
    app_name,
    image: 'busybox:1',
    command: ['sh', '-c', script.join('; '), 'sh', ...FREE_TEXTS],
    env,
    reason: FREE_TEXTS.join(' '),
    health_check: QUICK_CHECK,
  };
}
