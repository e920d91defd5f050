/** Operating errors: what happened, as a stable code, and what the runtime does about it. */

/**
 * retry: the same call again, later. abort: this transaction is lost, its inputs are read again.
 * stop: going on could lose or double something, or cannot work: the processor ends.
 */
export type Recovery = 'retry' | 'abort' | 'stop';

export class PipelineError extends Error {
  readonly code: string;
  readonly recovery: Recovery;

  constructor(
    code: string,
    recovery: Recovery,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'PipelineError';
    this.code = code;
    this.recovery = recovery;
  }
}

/** Thrown while decoding: the schema of this id has not been fetched yet. `Codecs.learn` fetches it. */
export class SchemaNotFetched extends Error {
  readonly schemaId: number;

  constructor(schemaId: number) {
    super(`schema ${schemaId} has not been fetched from the registry`);
    this.name = 'SchemaNotFetched';
    this.schemaId = schemaId;
  }
}

/** What the runtime does about `error`; anything it does not know is a reason to stop. */
export function recoveryOf(error: unknown): Recovery {
  return error instanceof PipelineError ? error.recovery : 'stop';
}

/** A stop with a sentence: for impossible states and programmer errors. */
export function stop(code: string, message: string, cause?: unknown): PipelineError {
  return new PipelineError(code, 'stop', message, { cause });
}
