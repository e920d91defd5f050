/** Puts the watch over the sources together: for each source that STOCKLINE_SECRETS and STOCKLINE_<SYSTEM> name. */
import type { Alert } from '../../schemas/types.ts';
import {
  connectorPlace,
  connectorState,
  restartFailed,
  stateInWords,
  stopConnector,
} from '../adapters/connect-rest.ts';
import { recordWriter } from '../adapters/kafka/record-writer.ts';
import { systemClock } from '../adapters/kafka/runtime.ts';
import type { KafkaPlaces } from '../adapters/kafka/topic-reader.ts';
import { type CaptureAccess, dropSlot, fileFacts, slotFacts } from '../adapters/source-log.ts';
import { slotName } from '../cli/connectors.ts';
import type { ConnectorFacts, ProtectionPorts } from '../protection/ports.ts';
import { runProtection } from '../protection/run.ts';
import type { Telemetry } from '../runtime/ports.ts';
import type { Watched } from '../settings/places.ts';
import { alerts } from '../topics.ts';

const askTimeoutMs = 2_000;

const states: Readonly<Record<string, ConnectorFacts['state']>> = {
  RUNNING: 'running',
  STOPPED: 'stopped',
  FAILED: 'failed',
};

/** `done` resolves when the signal has ended it. */
export async function startProtection(options: {
  readonly places: KafkaPlaces;
  readonly connectUrl: string;
  readonly watched: readonly Watched[];
  readonly budgetBytes: number;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}): Promise<{ readonly done: Promise<void> }> {
  const { connectUrl, telemetry, signal } = options;
  const writer = await recordWriter<string, Alert>(options.places, alerts);
  const accesses = new Map(options.watched.map(({ mapping, access }) => [mapping.system, access]));
  const accessOf = (system: string): CaptureAccess => {
    const access = accesses.get(system);
    if (access === undefined) throw new Error(`${system} is not watched`);
    return access;
  };
  const ports: ProtectionPorts = {
    logFacts: async (system) => {
      const access = accessOf(system);
      if (access.kind === 'postgresql') return slotFacts(access, slotName(system));
      const { file } = await connectorPlace(connectUrl, system, askTimeoutMs);
      return fileFacts(access, file === undefined ? undefined : String(file));
    },
    connector: async (system) => {
      const told = await connectorState(connectUrl, system, askTimeoutMs);
      if (told.state === 'UNASSIGNED') throw new Error(stateInWords(system, told));
      return { state: states[told.state] ?? 'other', cause: told.cause };
    },
    giveUp: (system) => dropSlot(accessOf(system), slotName(system)),
    stop: (system) => stopConnector(connectUrl, system, askTimeoutMs),
    restart: (system) => restartFailed(connectUrl, system),
    tell: (alert) => {
      telemetry.log('warn', alert.message, { seen: alert.seen, expected: alert.expected });
      return writer.write(alert.system, alert);
    },
    sleep: systemClock.sleep,
    now: systemClock.nowMs,
    report: (error) => telemetry.log('warn', 'a source is not watched', { error: String(error) }),
  };
  const { budgetBytes } = options;
  const done = runProtection({ systems: [...accesses.keys()], budgetBytes, ports, signal });
  return { done: done.finally(writer.close) };
}
