/** The field `strategy` of a deploy body: a name or a name with parameters, and the whole strategy that it asks for. */
import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ValidateIf } from 'class-validator';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import {
  DEFAULT_ANALYSIS,
  DEFAULT_STRATEGIES,
  plannedWaitMs,
  STRATEGY_TYPES,
  type BlueGreenStrategy,
  type CanaryMatch,
  type CanaryStep,
  type CanaryStrategy,
  type RollingStrategy,
  type Strategy,
  type StrategyType,
} from '../../domain/strategy.js';
import { IsNested } from './field-forms.js';
import {
  BlueGreenStrategyDto,
  CanaryStrategyDto,
  RollingStrategyDto,
  UnknownStrategyDto,
  type CanaryMatchDto,
  type CanaryStepDto,
} from './strategy.dto.js';

export type StrategyField = StrategyType | RollingStrategyDto | BlueGreenStrategyDto | CanaryStrategyDto;

/** By the names of their types. */
const FORMS = { rolling: RollingStrategyDto, blue_green: BlueGreenStrategyDto, canary: CanaryStrategyDto };
export const STRATEGY_FORMS = Object.values(FORMS);
const MESSAGE = `$property must be one of ${STRATEGY_TYPES.join(', ')}, or an object with such a type`;

/** Checks the parameters by the class that the type names, so that those of another strategy are unknown fields. */
export const IsStrategy = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      oneOf: [
        { type: 'string', enum: [...STRATEGY_TYPES] },
        ...STRATEGY_FORMS.map((form) => ({ $ref: getSchemaPath(form) })),
      ],
      default: 'rolling',
    }),
    ValidateIf((_, value) => typeOf(value) === undefined),
    IsNested(MESSAGE),
    Type((place) => formOf(place?.object[place.property])),
  );

function typeOf(value: unknown): StrategyType | undefined {
  return STRATEGY_TYPES.find((type) => type === value);
}

function formOf(value: unknown): new () => object {
  const isObject = typeof value === 'object' && value !== null && 'type' in value;
  const type = isObject ? typeOf(value.type) : undefined;
  return type ? FORMS[type] : UnknownStrategyDto;
}

/**
 * The strategy with every parameter that was left out; undefined where none was asked for.
 * @throws DeployError `invalid_field` for what no single field shows, naming the place
 */
export function strategyOf({ strategy }: { readonly strategy?: StrategyField }): Strategy | undefined {
  if (strategy === undefined) return undefined;
  if (typeof strategy === 'string') return DEFAULT_STRATEGIES[strategy];
  switch (strategy.type) {
    case 'rolling':
      return rollingOf(strategy);
    case 'blue_green':
      return completed<BlueGreenStrategy>(DEFAULT_STRATEGIES.blue_green, strategy);
    case 'canary':
      return canaryOf(strategy);
  }
}

function completed<Whole extends object>(defaults: Whole, given: Partial<Whole>): Whole {
  return Object.assign({}, defaults, given);
}

function rollingOf(dto: RollingStrategyDto): RollingStrategy {
  const strategy = completed<RollingStrategy>(DEFAULT_STRATEGIES.rolling, dto);
  const isNone = (share: string | number) => share === 0 || share === '0%';
  if (isNone(strategy.max_surge) && isNone(strategy.max_unavailable)) {
    throw refusal('max_surge', 'must not be 0 together with max_unavailable: no replica could ever be replaced');
  }
  return strategy;
}

function canaryOf({ steps, match, analysis, ...rest }: CanaryStrategyDto): CanaryStrategy {
  const strategy = completed<CanaryStrategy>(DEFAULT_STRATEGIES.canary, {
    ...rest,
    ...(steps && { steps: steps.map(stepOf) }),
    ...(match && { match: match.map(matchOf) }),
    ...(analysis !== undefined && { analysis: analysis && completed(DEFAULT_ANALYSIS, analysis) }),
  });
  requireRisingWeights(strategy.steps);
  if (plannedWaitMs(strategy) > LIMITS.strategy_seconds * 1000) {
    throw refusal('steps', `must not pause for more than ${LIMITS.strategy_seconds} seconds in all`);
  }
  return strategy;
}

function stepOf({ set_weight, pause }: CanaryStepDto, index: number): CanaryStep {
  if (set_weight !== undefined && pause === undefined) return { set_weight };
  if (pause !== undefined && set_weight === undefined) return { pause: completed({}, pause) };
  throw refusal(`steps.${index}`, 'must hold exactly one of set_weight and pause');
}

function matchOf({ header, cookie, value }: CanaryMatchDto, index: number): CanaryMatch {
  if (header !== undefined && cookie === undefined) return { header, value };
  if (cookie !== undefined && header === undefined) return { cookie, value };
  throw refusal(`match.${index}`, 'must hold exactly one of header and cookie');
}

function requireRisingWeights(steps: readonly CanaryStep[]): void {
  let last = 0;
  for (const [index, step] of steps.entries()) {
    if (index === 0 && 'pause' in step) throw refusal('steps.0', 'must be a set_weight: before it there is no canary');
    if ('pause' in step) continue;
    if (step.set_weight <= last) throw refusal(`steps.${index}.set_weight`, `must be more than the ${last} before it`);
    last = step.set_weight;
  }
}

function refusal(place: string, message: string): DeployError {
  const path = `strategy.${place}`;
  return new DeployError('invalid_field', `${path} ${message}.`, { fields: [{ path, message }] });
}
