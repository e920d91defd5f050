/** The state of intake as bytes. */
import { packedCodec } from '../topology/packed.ts';
import type { IntakeState } from './state.ts';

/** What nearly every value holds. A part of the format: add at the end. */
const words = [
  ...['kind', 'document', 'header', 'row', 'position', 'lines', 'asserted', 'resolved', 'baseline'],
  ...['purgedThrough', 'waitsFor', '', 'effects', 'bucket', 'sku', 'location', 'quantity'],
  ...['occurredAt', 'reason', 'reference', 'echo', 'key', 'role', 'rule', 'complete', 'order'],
  ...['toldAt', 'event', 'level', 'count', 'opening', 'onHand', 'reserved', 'incoming'],
  ...['inTransit', 'damaged', 'qualityControl', 'safetyStock', 'till', 'posting', 'supersede'],
  ...['max', 'sale', 'return', 'documents', 'lookup', 'value', 'lookupRow', 'waiting', 'once'],
  ...['dateLag', 'lagMs', 'held', 'change', 'table', 'operation', 'c', 'u', 'd', 'r'],
  ...['committedAt', 'transaction', 'id', 'totalOrder', 'arrived', 'orderMax', 'ended', 'queued'],
  ...['changes', 'opened', 'system', 'snapshot', 'queueFrom', 'queueTo', 'openedFrom', 'openedTo'],
  ...['lastEnds', 'lastPosition', 'domain', 'first', 'isPartial', 'before', 'stuck', 'waitsSince'],
  ...['headerId'],
];

/** Version 2 counted texts behind the words, version 1 was JSON and noted each line by itself: both are refused. */
export const intakeStateCodec = packedCodec<IntakeState>({ version: 3, words });
