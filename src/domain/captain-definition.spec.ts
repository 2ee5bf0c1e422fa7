import { describe, expect, it } from '@jest/globals';
import { parseCaptainDefinition } from './captain-definition.js';

const parse = (fields: object) => parseCaptainDefinition({ schemaVersion: 2, ...fields });

describe('parseCaptainDefinition', () => {
  it.each([
    [{ imageName: 'nginx:1.27' }, { kind: 'image', image: 'nginx:1.27' }],
    [{ dockerfilePath: './docker/Dockerfile' }, { kind: 'dockerfile_path', path: 'docker/Dockerfile' }],
    [
      { dockerfileLines: ['FROM scratch', 'COPY . /'] },
      { kind: 'dockerfile_lines', dockerfile: 'FROM scratch\nCOPY . /\n' },
    ],
    [
      { imageName: 'nginx', templateId: null, dockerfilePath: '' },
      { kind: 'image', image: 'nginx' },
    ],
    [
      { imageName: 'nginx', comment: 'unknown fields are passed over' },
      { kind: 'image', image: 'nginx' },
    ],
  ])('reads %j', (fields, expected) => {
    expect(parse(fields)).toEqual(expected);
  });

  it('reads text, with a byte order mark too', () => {
    const text = '\uFEFF{ "schemaVersion": 2, "dockerfilePath": "Dockerfile" }';
    expect(parseCaptainDefinition(text)).toEqual({ kind: 'dockerfile_path', path: 'Dockerfile' });
  });

  it.each([
    ['{', /it is not JSON/],
    ['[]', /must be a JSON object/],
    ['null', /must be a JSON object/],
    ['"x"', /must be a JSON object/],
    ['{}', /schemaVersion must be the number 2/],
    ['{"schemaVersion":1,"imageName":"nginx"}', /schemaVersion/],
    ['{"schemaVersion":"2","imageName":"nginx"}', /schemaVersion/],
    ['{"schemaVersion":2}', /exactly one of imageName, dockerfilePath, dockerfileLines/],
    ['{"schemaVersion":2,"imageName":"a","dockerfilePath":"b"}', /not imageName and dockerfilePath/],
    ['{"schemaVersion":2,"imageName":7}', /imageName/],
    ['{"schemaVersion":2,"imageName":"--help"}', /imageName/],
    ['{"schemaVersion":2,"dockerfilePath":["a"]}', /dockerfilePath/],
    ['{"schemaVersion":2,"dockerfilePath":"/etc/passwd"}', /dockerfilePath is absolute/],
    ['{"schemaVersion":2,"dockerfilePath":"a/../../b"}', /dockerfilePath has \.\./],
    ['{"schemaVersion":2,"dockerfilePath":"./"}', /dockerfilePath names no file/],
    ['{"schemaVersion":2,"dockerfileLines":"FROM a"}', /dockerfileLines/],
    ['{"schemaVersion":2,"dockerfileLines":[]}', /dockerfileLines/],
    ['{"schemaVersion":2,"dockerfileLines":["FROM a",1]}', /dockerfileLines/],
  ])('refuses %s and names the field', (text, message) => {
    expect(() => parseCaptainDefinition(text)).toThrow(
      expect.objectContaining({ code: 'definition_invalid', message: expect.stringMatching(message) }),
    );
  });

  it('says that templates are not supported', () => {
    expect(() => parse({ templateId: 'node/20' })).toThrow(
      expect.objectContaining({ code: 'template_unsupported', message: expect.stringContaining('node/20') }),
    );
  });
});
