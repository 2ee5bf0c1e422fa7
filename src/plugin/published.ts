/**
 * Everything that is published, in one place: the API report in docs/reference is made of it.
 *
 * @packageDocumentation
 */
export * from './index.js';
export * as testing from './testing.js';
