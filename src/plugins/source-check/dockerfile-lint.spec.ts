import { describe, expect, it } from '@jest/globals';
import { lintDockerfile } from './dockerfile-lint.js';
import type { FindingCode } from './findings.js';

const GOOD = `# syntax=docker/dockerfile:1
ARG VERSION=24
FROM node:\${VERSION}-alpine AS build
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-alpine
WORKDIR /app
COPY --from=build /app/dist ./
EXPOSE 3000/tcp
USER node
CMD ["node", "main.js"]
`;

const lint = (lines: string) => lintDockerfile(lines, 'docker/Dockerfile');

it('finds nothing in a Dockerfile as it should be', () => {
  expect(lint(GOOD)).toEqual([]);
});

/** Instructions of a stage that is otherwise in order, and the line of the finding; none for the good ones. */
interface Case {
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

const STAGE: Readonly<Partial<Record<FindingCode, Case>>> = {
  add_of_url: {
    bad: ['ADD https://example.com/a /a', 'ADD ["http://example.com/a", "/a"]'],
    good: ['ADD --checksum=sha256:24454f830cdb https://example.com/a /a', 'ADD https://example.com/a.git#v1 /a'],
  },
  add_of_files: {
    bad: ['ADD a /a', 'ADD ["a", "b", "/c/"]', 'ADD . .'],
    good: ['COPY a /a', 'ADD a.tar.gz /', 'ADD a.tgz b.tar /', 'ADD $FILE /a', 'ADD <<EOF /a\nx\nEOF'],
  },
  run_cd: {
    bad: ['RUN cd /app', 'RUN cd /app && make'],
    good: ['WORKDIR /app', 'RUN echo cd', 'RUN make && cd /tmp && ls', 'RUN ["ls"]'],
  },
  apt_get_asks: {
    bad: [
      'RUN apt-get install curl && rm -r /var/lib/apt/lists/*',
      'RUN apt-get update \\\n  # why\n  && apt-get install \\\n  curl; rm -rf /var/lib/apt/lists',
      'RUN <<EOF\napt install curl\nrm -rf /var/lib/apt/lists/*\nEOF',
    ],
    good: [
      'RUN apt-get install -y curl && rm -rf /var/lib/apt/lists/*',
      'RUN apt-get -qq install curl && rm -rf /var/lib/apt/lists/*',
      'RUN apt-get install --yes curl && rm -rf /var/lib/apt/lists/*',
      'RUN echo "apt-get install curl"',
    ],
  },
  apt_get_upgrade: {
    bad: ['RUN apt-get update && apt-get upgrade -y', 'RUN apt-get -y dist-upgrade'],
    good: ['RUN apt-get update', 'RUN apk upgrade'],
  },
  apt_lists_kept: {
    bad: ['RUN apt-get install -y curl', 'RUN ["apt-get", "install", "-y", "curl"]'],
    good: [
      'RUN apt-get install -y curl && rm -rf /var/lib/apt/lists/*',
      'RUN --mount=type=cache,target=/var/lib/apt/lists apt-get install -y curl',
      'RUN apt-get remove -y curl',
    ],
  },
  sudo_used: { bad: ['RUN sudo make', 'RUN make && sudo make install'], good: ['RUN echo sudo', 'RUN make install'] },
  workdir_relative: {
    bad: ['WORKDIR app', 'WORKDIR ./app'],
    good: ['WORKDIR /app', 'WORKDIR $HOME/app', 'WORKDIR "/my app"', 'WORKDIR C:\\app'],
  },
  command_repeated: {
    bad: ['CMD ["a"]\nCMD ["b"]', 'ENTRYPOINT ["a"]\nRUN x\nENTRYPOINT ["b"]'],
    good: ['ENTRYPOINT ["a"]\nCMD ["b"]', 'CMD ["a"]\nFROM b:1\nCMD ["c"]', 'HEALTHCHECK CMD a\nCMD ["b"]'],
  },
  command_in_shell: {
    bad: ['CMD npm start', 'ENTRYPOINT /start.sh'],
    good: ['CMD ["npm", "start"]', 'CMD exec npm start', 'CMD npm start\nFROM b:1\nCMD ["c"]'],
  },
  port_out_of_range: {
    bad: ['EXPOSE 70000', 'EXPOSE 80 0/udp', 'EXPOSE 20-10', 'EXPOSE http'],
    good: ['EXPOSE 80', 'EXPOSE 1-65535/udp 53/UDP', 'EXPOSE $PORT'],
  },
  secret_in_dockerfile: {
    bad: ['ENV DB_PASSWORD=hunter2', 'ARG API_KEY=hunter2', 'ENV A=1 MY_TOKEN="hunter2"', 'ENV SECRET hunter2'],
    good: ['ENV PASSWORD_FILE=/run/secrets/x', 'ARG API_KEY', 'ENV TOKEN=$TOKEN', 'ENV NODE_ENV=production'],
  },
};

describe.each(Object.entries(STAGE))('%s', (code, { bad, good }) => {
  it.each(bad)('is found in %j', (lines) => {
    expect(lint(`FROM a:1\n${lines}\n`)).toEqual([
      { code, place: 'docker/Dockerfile:2', message: expect.stringMatching(/\.$/) },
    ]);
  });

  it.each(good)('is not found in %j', (lines) => {
    expect(lint(`FROM a:1\n${lines}\n`).map((found) => found.code)).not.toContain(code);
  });
});

describe('base images', () => {
  it.each([
    ['FROM node', 'base_image_untagged'],
    ['FROM localhost:5000/team/app', 'base_image_untagged'],
    ['FROM --platform=linux/amd64 node AS build', 'base_image_untagged'],
    ['FROM node:latest', 'base_image_latest'],
  ])('%s: %s', (line, code) => {
    expect(lint(`\n${line}\n`)).toEqual([
      { code, place: 'docker/Dockerfile:2', message: expect.stringContaining('base image') },
    ]);
  });

  it.each([
    'FROM scratch',
    'FROM node:24',
    'FROM node@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d',
    'ARG BASE\nFROM $BASE',
    'FROM node:24 AS Build\nFROM build',
  ])('%j is pinned, or nobody can say', (lines) => {
    expect(lint(lines)).toEqual([]);
  });
});

it('never repeats the value of a secret', () => {
  const value = ['hunt', 'er2'].join('');
  expect(JSON.stringify(lint(`FROM a:1\nENV DB_PASSWORD=${value}\n`))).not.toContain(value);
});
