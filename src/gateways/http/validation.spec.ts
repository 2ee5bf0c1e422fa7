import { Body, Controller, Get, type INestApplication, Module, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { ProblemFilter } from './problem.filter.js';
import { requestValidation } from './validation.js';

class PortDto {
  @IsInt()
  @Min(1)
  @Max(65_535)
  host_port: number;
}

class OrderDto {
  @IsString()
  @MaxLength(5)
  name: string;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PortDto)
  ports?: PortDto[];
}

class PageDto {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  limit?: number;
}

@Controller('orders')
class OrdersController {
  @Post()
  accept(@Body() order: OrderDto): unknown {
    return { order, isOrder: order instanceof OrderDto };
  }

  @Get()
  list(@Query() page: PageDto): unknown {
    return page;
  }
}

@Module({ controllers: [OrdersController] })
class TestModule {}

let app: INestApplication;
let url: string;
beforeAll(async () => {
  app = await NestFactory.create(TestModule, { logger: false });
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(requestValidation());
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/orders`;
});
afterAll(() => app.close());

async function post(body: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await response.json()) as Record<string, unknown>;
}
const get = async (query: string): Promise<unknown> => (await fetch(`${url}${query}`)).json();

describe('request validation', () => {
  it('makes the DTO of a good body', async () => {
    const order = { name: 'web', ports: [{ host_port: 80 }] };
    expect(await post(JSON.stringify(order))).toEqual({ order, isOrder: true });
  });

  it.each([
    [{ name: 'web', nmae: 1 }, [{ path: 'nmae', message: 'is not known here' }]],
    [{ name: 'web', ports: [{ host_port: 80, x: 1 }] }, [{ path: 'ports.0.x', message: 'is not known here' }]],
  ])('refuses unknown fields by name: %j', async (body, errors) => {
    expect(await post(JSON.stringify(body))).toMatchObject({ status: 400, code: 'unknown_field', errors });
  });

  it.each([
    [{}, [{ path: 'name', message: 'is required' }]],
    [{ name: 'toolong' }, [{ path: 'name', message: 'must be shorter than or equal to 5 characters' }]],
    [
      { name: 'web', ports: [{ host_port: 80 }, { host_port: 0 }] },
      [{ path: 'ports.1.host_port', message: 'must not be less than 1' }],
    ],
    [
      { name: 'web', ports: [{ host_port: '80' }] },
      [{ path: 'ports.0.host_port', message: expect.stringContaining('must be an integer number') }],
    ],
    [{ name: 'web', ports: ['80'] }, [{ path: 'ports.0', message: expect.any(String) }]],
    [{ name: 'web', ports: 80 }, [{ path: 'ports', message: expect.any(String) }]],
    [{ nmae: 1 }, [expect.objectContaining({ path: 'nmae' }), { path: 'name', message: 'is required' }]],
  ])('names the path of each bad field: %j', async (body, errors) => {
    expect(await post(JSON.stringify(body))).toMatchObject({ status: 400, code: 'invalid_field', errors });
  });

  it('says in the detail what is wrong', async () => {
    expect((await post('{}'))['detail']).toBe('name is required.');
  });

  it.each(['[]', '[{"name":"web"}]'])('refuses %s, which is no object', async (body) => {
    expect(await post(body)).toMatchObject({ status: 400, code: 'invalid_field' });
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('takes no %s from a body', async (name) => {
    const answer = await post(`{"name":"web","ports":[{"host_port":80,"${name}":{"admin":true}}]}`);
    expect(answer).toMatchObject({ code: 'unknown_field', errors: [{ path: `ports.0.${name}` }] });
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it.each([
    ['NUL', '{"name":"a\\u0000"}', 'name'],
    ['half a surrogate pair', '{"name":"\\ud800"}', 'name'],
    ['NUL in a name', '{"a\\u0000":1}', 'a\0'],
    ['10,000 levels', `{"name":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, `name${'.0'.repeat(31)}`],
    ['10,001 values', `{"ports":${JSON.stringify(Array(10_001).fill(1))}}`, ''],
    ['no object', '["web"]', ''],
  ])('refuses %s', async (_, body, path) => {
    expect(await post(body)).toMatchObject({ status: 400, code: 'invalid_field', errors: [{ path }] });
  });

  it('does not call required what was sent and is wrong in two ways', async () => {
    const { errors } = await post(JSON.stringify({ name: 'web', ports: [1, { host_port: 0 }] }));
    expect(JSON.stringify(errors)).not.toContain('is required');
  });

  it('bounds its answer, whatever the body', async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${String(index)}`, 1]));
    expect((await post(JSON.stringify(many)))['errors']).toHaveLength(20);
    const long = await post(JSON.stringify({ name: 'web', ['x'.repeat(50_000)]: 1 }));
    expect(JSON.stringify(long).length).toBeLessThan(1_000);
  });

  it('converts in queries what their DTO says', async () => {
    expect(await get('?limit=20')).toEqual({ limit: 20 });
    expect(await get('')).toEqual({});
    for (const limit of ['', '1e3', '0x10', '1.0', '+1', '%201', '1&limit=2']) {
      expect(await get(`?limit=${limit}`)).toMatchObject({ code: 'invalid_field', errors: [{ path: 'limit' }] });
    }
    expect(await get('?limit=many')).toMatchObject({ code: 'invalid_field', errors: [{ path: 'limit' }] });
    expect(await get('?limt=1')).toMatchObject({ code: 'unknown_field', errors: [{ path: 'limt' }] });
  });
});
