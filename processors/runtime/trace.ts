/** W3C trace context: taken from the input or begun here, and carried to what is emitted with a new span. */
import { bufferOf } from '../topology/buffer.ts';
import type { Header } from '../topology/topology.ts';
import type { TraceIds } from './ports.ts';

const name = 'traceparent';
const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The trace header of everything that one input causes. */
export function nextSpan(headers: readonly Header[], ids: TraceIds): Header {
  const found = headers.find(([header]) => header === name);
  const match = found === undefined ? null : form.exec(textOf(found[1]));
  const trace = match?.[1] ?? ids.traceId();
  const flags = match?.[3] ?? '01';
  return [name, Buffer.from(`00-${trace}-${ids.spanId()}-${flags}`, 'latin1')];
}

const textOf = (bytes: Uint8Array): string => bufferOf(bytes).toString('latin1');
