/** The environment, parsed once into one frozen configuration; every fault is told at once. */
import { z } from 'zod';

const processorNames = ['intake', 'stock', 'channels', 'analytics'] as const;
export type ProcessorName = (typeof processorNames)[number];

const schema = z.object({
  STOCKLINE_PROCESSORS: z
    .string()
    .default(processorNames.join(','))
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(processorNames)).min(1)),
  STOCKLINE_KAFKA: z.string().min(1),
  STOCKLINE_REGISTRY: z.url(),
  STOCKLINE_STATE: z.string().default('.stockline/state'),
  STOCKLINE_RUN: z.string().default('.stockline/run'),
  STOCKLINE_POLICIES: z.string().optional(),
  STOCKLINE_CLICKHOUSE: z.url().optional(),
  STOCKLINE_CLICKHOUSE_USER: z.string().default('default'),
  STOCKLINE_CLICKHOUSE_PASSWORD: z.string().default(''),
  STOCKLINE_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  STOCKLINE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export type Config = {
  readonly processors: readonly ProcessorName[];
  readonly brokers: string;
  /** Confluent-compatible registry. */
  readonly registryUrl: string;
  /** Local stores of the processors; may be lost, then it is rebuilt from Kafka. */
  readonly stateDirectory: string;
  /** Addresses of running parts, for the command line. */
  readonly runDirectory: string;
  /** Channel policies; absent: the ones that come with Stockline. */
  readonly policiesFile: string | undefined;
  /** A ClickHouse server; absent: the embedded engine. */
  readonly clickhouse:
    | { readonly url: string; readonly user: string; readonly password: string }
    | undefined;
  readonly healthPort: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
};

/** Throws one error that names every variable that is missing or wrong. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const parsed = schema.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`the environment is not right:\n  ${faults.join('\n  ')}`);
  }
  const values = parsed.data;
  return Object.freeze({
    processors: values.STOCKLINE_PROCESSORS,
    brokers: values.STOCKLINE_KAFKA,
    registryUrl: values.STOCKLINE_REGISTRY,
    stateDirectory: values.STOCKLINE_STATE,
    runDirectory: values.STOCKLINE_RUN,
    policiesFile: values.STOCKLINE_POLICIES,
    clickhouse:
      values.STOCKLINE_CLICKHOUSE === undefined
        ? undefined
        : {
            url: values.STOCKLINE_CLICKHOUSE,
            user: values.STOCKLINE_CLICKHOUSE_USER,
            password: values.STOCKLINE_CLICKHOUSE_PASSWORD,
          },
    healthPort: values.STOCKLINE_HEALTH_PORT,
    logLevel: values.STOCKLINE_LOG_LEVEL,
  });
}
