/** Every error that the client can name is answered by retry, abort or stop; what it cannot name means stop. */
import rdkafka from 'node-rdkafka';
import { describe, expect, it } from 'vitest';
import { kafkaError } from '../../processors/adapters/kafka/errors.ts';

/** Some have two names. */
const codes: readonly number[] = [...new Set<number>(Object.values(rdkafka.CODES.ERRORS))];
const recoveryOf = (code: number, flags: object = {}) =>
  kafkaError({ message: 'said', code, ...flags }, 'doing').recovery;

describe('errors of the client', () => {
  it('are answered by a table', () => {
    const answers = new Map<string, number[]>([
      ['retry', []],
      ['abort', []],
    ]);
    for (const code of codes) answers.get(recoveryOf(code))?.push(code);
    const sorted = [...answers].map(([name, found]) => [name, found.sort((a, b) => a - b)]);
    expect(Object.fromEntries(sorted)).toEqual({
      retry: [
        -195, -193, -187, -185, -184, -180, -178, -177, -166, -164, -163, -153, -146, -137, 3, 5, 6,
        7, 8, 9, 13, 14, 15, 16, 19, 20, 27, 41, 51, 56, 70, 71, 74, 75, 78, 88, 89, 100,
      ].filter((code) => codes.includes(code)),
      abort: [-192, -190, -188, -152, -151, -150].filter((code) => codes.includes(code)),
    });
  });

  it('stop when nobody knows them, whatever the flags of an end say', () => {
    expect(recoveryOf(12_345)).toBe('stop');
    expect(kafkaError(new Error('no code'), 'doing').recovery).toBe('stop');
    expect(recoveryOf(-185, { isFatal: true })).toBe('stop');
    expect(recoveryOf(10, { isTxnRequiresAbort: true })).toBe('stop');
    expect(recoveryOf(29, { isRetriable: true })).toBe('stop');
  });

  it('follow the client where it says more than the code', () => {
    expect(recoveryOf(12_345, { isTxnRequiresAbort: true })).toBe('abort');
    expect(recoveryOf(12_345, { isRetriable: true })).toBe('retry');
    expect(recoveryOf(47, { isTxnRequiresAbort: true })).toBe('abort');
    expect(recoveryOf(47)).toBe('stop');
  });
});
