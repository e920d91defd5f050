/**
 * Named points of a processor's work, put around the runtime's ports: at an armed one the process kills or stops
 * itself. The runtime knows nothing of them.
 */
import { appendFileSync } from 'node:fs';
import type { StateStore, TransactionalProducer } from '../../processors/runtime/ports.ts';
import type { RuntimeAdapters } from '../../processors/runtime/run.ts';

export const failpoints = [
  'initialised',
  'restored',
  'polled',
  'begun',
  'produced',
  'offsets sent',
  'commit called',
  'committed',
  'state written',
  'revoking',
] as const;
export type Failpoint = (typeof failpoints)[number];

/** At the `after`th time that `point` is reached the process sends itself the signal. */
export type Arming = {
  readonly point: Failpoint;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly after: number;
};

export type Failpoints = {
  readonly arm: (arming: Arming) => void;
  readonly around: (world: RuntimeAdapters) => RuntimeAdapters;
};

/** `trace` names a file that tells which point was the last: it outlives the process. */
export function createFailpoints(trace: string): Failpoints {
  let armed: Arming | undefined;
  let left = 0;
  const reach = (point: Failpoint): void => {
    if (armed?.point !== point) return;
    left -= 1;
    if (left > 0) return;
    const { signal } = armed;
    armed = undefined;
    appendFileSync(trace, `${signal} ${point}\n`);
    process.kill(process.pid, signal);
  };
  return {
    arm: (arming) => {
      armed = arming;
      left = arming.after;
    },
    around: (world) => ({
      ...world,
      createSource: async (group, gathering) => {
        const source = await world.createSource(group, gathering);
        // The producer takes the very client out of its source, so the source is changed and not wrapped.
        const { poll } = source;
        source.poll = async (options) => {
          const polled = await poll(options);
          const inputs = polled.records.filter(({ topic }) => !topic.endsWith('.changelog'));
          if (inputs.length > 0) reach('polled');
          return polled;
        };
        return source;
      },
      createProducer: async (id, source) =>
        aroundProducer(await world.createProducer(id, source), reach),
      openStore: (name) => aroundStore(world.openStore(name), reach),
      join: ({ events, ...options }) =>
        world.join({
          ...options,
          events: {
            ...events,
            revoked: () => {
              reach('revoking');
              return events.revoked();
            },
          },
        }),
    }),
  };
}

type Reach = (point: Failpoint) => void;

function aroundProducer(producer: TransactionalProducer, reach: Reach): TransactionalProducer {
  return {
    ...producer,
    init: async () => {
      await producer.init();
      reach('initialised');
    },
    begin: async () => {
      await producer.begin();
      reach('begun');
    },
    sendOffsets: async (offsets) => {
      // A transaction of ticks alone has nothing that could be lost or doubled.
      if (offsets.length > 0) reach('produced');
      await producer.sendOffsets(offsets);
      reach('offsets sent');
    },
    commit: async () => {
      const committing = producer.commit();
      setTimeout(() => reach('commit called'), 1);
      await committing;
      reach('committed');
    },
  };
}

function aroundStore(store: StateStore, reach: Reach): StateStore {
  let restoring = true;
  return {
    ...store,
    write: (entries, checkpoint) => {
      store.write(entries, checkpoint);
      if (checkpoint === undefined) return;
      reach(restoring ? 'restored' : 'state written');
      restoring = false;
    },
  };
}
