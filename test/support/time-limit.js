/** Bounds each test of a project: Jest takes a time limit per project only from within (see testSeconds in jest.config.js). */
import { jest } from '@jest/globals';

jest.setTimeout(globalThis.testSeconds * 1000);
