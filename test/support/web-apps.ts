/** Small web servers to deploy, as requests and as sources: each serves one line of text at `/`. */

/** A health check that loses no time; the tests' servers are up in a moment. */
export const QUICK_CHECK = { path: '/', interval_ms: 100, healthy_threshold: 1, deadline_ms: 30_000 };

/** Serves the text out of an image that is on every test machine: nothing is built. */
export const serving = (text: string) => ({
  image: 'busybox:1',
  command: shell(`mkdir /www; echo '${text}' > /www/index.html; exec httpd -f -p 80 -h /www`),
  health_check: QUICK_CHECK,
});

/** A Dockerfile that needs no other files. */
export const dockerfileServing = (text: string, ...before: string[]): string =>
  lines('FROM busybox:1', ...before, `RUN mkdir /www && echo '${text}' > /www/index.html`, ...SERVE);

/** A Dockerfile that serves the file `index.html` beside it. */
export const DOCKERFILE_SERVING_A_FILE = [
  'FROM busybox:1',
  'COPY index.html /www/index.html',
  'EXPOSE 80',
  'CMD ["httpd", "-f", "-p", "80", "-h", "/www"]',
];

/** Arguments in place of the image's CMD. */
export const shell = (script: string): string[] => ['sh', '-c', script];

export const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;

const SERVE = DOCKERFILE_SERVING_A_FILE.slice(2);
