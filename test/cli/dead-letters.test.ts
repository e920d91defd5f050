import { describe, expect, it } from 'vitest';
import {
  type FiledLetter,
  filtered,
  histogram,
  openLetters,
  planRedrive,
  redrivenCode,
} from '../../processors/cli/dead-letters.ts';

const filed = (place: string, letter: Partial<FiledLetter['letter']> = {}): FiledLetter => ({
  place,
  letter: {
    processor: 'intake-erp',
    code: 'LATE',
    reason: 'too late',
    topic: 'erp.public.t',
    partition: 0,
    offset: Number(place.split('-')[1]),
    timestamp: 1000,
    key: null,
    value: null,
    headers: [],
    redrives: 0,
    ...letter,
  },
});

describe('dead letters', () => {
  it('are open until they have been sent again', () => {
    const all = [filed('0-1'), filed('0-2'), filed('0-3', { code: redrivenCode, reason: '0-1' })];
    expect(openLetters(all).map(({ place }) => place)).toEqual(['0-2']);
  });

  it('are chosen by reason, time, topic and number', () => {
    const all = [
      filed('0-1'),
      filed('0-2', { code: 'UNDECODABLE' }),
      filed('0-3', { timestamp: 2000 }),
      filed('0-4', { topic: 'pos.pos.t' }),
    ];
    const places = (filter: Parameters<typeof filtered>[1]) =>
      filtered(all, filter).map(({ place }) => place);
    expect(places({ reason: 'UNDECODABLE' })).toEqual(['0-2']);
    expect(places({ since: 1500 })).toEqual(['0-3']);
    expect(places({ topic: 'pos.pos.t' })).toEqual(['0-4']);
    expect(places({ max: 2 })).toEqual(['0-1', '0-2']);
  });

  it('are sent again in the order in which they came, but for those that came back too often', () => {
    const plan = planRedrive([filed('0-9'), filed('0-2'), filed('0-5', { redrives: 3 })], 3);
    expect(plan.send.map(({ place }) => place)).toEqual(['0-2', '0-9']);
    expect(plan.keptBack.map(({ place }) => place)).toEqual(['0-5']);
  });

  it('are counted by reason and topic, most first', () => {
    const all = [filed('0-1', { code: 'UNDECODABLE' }), filed('0-2'), filed('0-3')];
    expect(histogram(all)).toEqual([
      ['LATE', 'erp.public.t', 2],
      ['UNDECODABLE', 'erp.public.t', 1],
    ]);
  });
});
