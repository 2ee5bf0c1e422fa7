/** What a hook has done under test: every call of its context, in order. */
import type { LogLevel } from '../../domain/log-entry.js';
import type { FetchOptions, Finding, JsonObject, ProbeReport, RunOptions } from '../../domain/plugin.js';

/** One line that a hook has logged. */
export interface LoggedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly details?: JsonObject;
}

/** One command that a hook has run. */
export interface RecordedRun {
  readonly command: readonly string[];
  readonly options: RunOptions;
}

/** One request that a hook has sent to the app. */
export interface RecordedFetch {
  readonly path: string;
  readonly options: FetchOptions;
}

/** Everything that a hook has done, each kind in order. */
export interface Recorded {
  /** What `log` was given. */
  readonly logs: readonly LoggedLine[];
  /** What `probed` was given. */
  readonly probes: readonly ProbeReport[];
  /** What `report` was given. */
  readonly findings: readonly Finding[];
  /** What `output` has left, by name. */
  readonly outputs: JsonObject;
  /** Commands that were run. */
  readonly runs: readonly RecordedRun[];
  /** Requests that were sent. */
  readonly fetches: readonly RecordedFetch[];
  /** Ports that were tried. */
  readonly connects: readonly number[];
  /** What the hook asked for and the test does not say, as sentences. */
  readonly unanswered: readonly string[];
}

/** A record while it is written. */
export class Recording implements Recorded {
  readonly logs: LoggedLine[] = [];
  readonly probes: ProbeReport[] = [];
  readonly findings: Finding[] = [];
  outputs: JsonObject = {};
  readonly runs: RecordedRun[] = [];
  readonly fetches: RecordedFetch[] = [];
  readonly connects: number[] = [];
  readonly unanswered: string[] = [];

  /** Kept besides: the hook may take the error for one of the app's. */
  unansweredCall(sentence: string): Error {
    this.unanswered.push(sentence);
    return new Error(sentence);
  }
}
