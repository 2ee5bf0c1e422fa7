/** Which built-in checks run at which validation level, and what of their findings stops a deployment: the published table. */
import type { ValidationLevel } from './app-spec.js';
import type { ErrorCode } from './errors.js';
import type { Finding, Severity } from './hooks.js';

/** `off`: does not run; `advise`: runs, stops nothing; `errors`, `warnings`: findings of that severity and above stop the deployment. */
export const GATE_MODES = ['off', 'advise', 'errors', 'warnings'] as const;
export type GateMode = (typeof GATE_MODES)[number];

interface Gate {
  readonly modes: Readonly<Record<ValidationLevel, GateMode>>;
  /** Where it is switched on by name, whatever the level says. */
  readonly asked: GateMode;
  /** What the failure is called where the finding's own code is no code of the error table. */
  readonly code: ErrorCode;
}

export const VALIDATION_GATES = {
  // A source that cannot be built, or that brings a build program of strangers, is refused at every level.
  'source-check': {
    modes: { none: 'errors', basic: 'errors', strict: 'warnings' },
    asked: 'errors',
    code: 'source_rejected',
  },
  'secret-scan': {
    modes: { none: 'off', basic: 'advise', strict: 'errors' },
    asked: 'errors',
    code: 'secret_found',
  },
  'cluster-check': {
    modes: { none: 'off', basic: 'errors', strict: 'warnings' },
    asked: 'errors',
    code: 'capacity_insufficient',
  },
  'image-policy': {
    modes: { none: 'off', basic: 'advise', strict: 'warnings' },
    asked: 'errors',
    code: 'image_rejected',
  },
  'vulnerability-scan': {
    modes: { none: 'off', basic: 'off', strict: 'errors' },
    asked: 'errors',
    code: 'image_rejected',
  },
} as const satisfies Record<string, Gate>;

export type GateName = keyof typeof VALIDATION_GATES;

export function isGate(plugin: string): plugin is GateName {
  return Object.hasOwn(VALIDATION_GATES, plugin);
}

/** How the plugin is judged; one that is no gate runs only where it is switched on. */
export function gateMode(plugin: string, level: ValidationLevel, isAsked: boolean): GateMode {
  if (!isGate(plugin)) return !isAsked ? 'off' : level === 'strict' ? 'warnings' : 'errors';
  const { modes, asked } = VALIDATION_GATES[plugin];
  return isAsked ? stricter(modes[level], asked) : modes[level];
}

/** The findings that stop the deployment. */
export function failing(findings: readonly Finding[], mode: GateMode): Finding[] {
  const severities: readonly Severity[] =
    mode === 'warnings' ? ['error', 'warning'] : mode === 'errors' ? ['error'] : [];
  return findings.filter(({ severity }) => severities.includes(severity));
}

function stricter(one: GateMode, other: GateMode): GateMode {
  return GATE_MODES.indexOf(one) >= GATE_MODES.indexOf(other) ? one : other;
}
