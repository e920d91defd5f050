/** The environment, parsed once into one frozen configuration; every fault is told at once. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type TokenRules, tokenAlgorithms } from './api/token.ts';
import type { Assignment } from './runtime/run.ts';

/** Those that are declared as topologies. */
export const streamProcessors = [
  'intake',
  'stock',
  'carts',
  'audit',
  'webhooks',
  'anomalies',
] as const;
export type StreamProcessor = (typeof streamProcessors)[number];

const processorNames = [
  ...streamProcessors,
  'forecasts',
  'analytics',
  'api',
  'delivery',
  'serving',
] as const;
export type ProcessorName = (typeof processorNames)[number];

export const isStreamProcessor = (name: ProcessorName): name is StreamProcessor =>
  (streamProcessors as readonly string[]).includes(name);

const schema = z.object({
  STOCKLINE_PROCESSORS: z
    .string()
    .default(processorNames.join(','))
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(processorNames)).min(1)),
  STOCKLINE_KAFKA: z.string().min(1),
  STOCKLINE_REGISTRY: z.url(),
  STOCKLINE_CONNECT: z.url().optional(),
  STOCKLINE_LOG_BUDGET_MB: z.coerce.number().int().positive().default(4_096),
  STOCKLINE_STATE: z.string().default('.stockline/state'),
  STOCKLINE_RUN: z.string().default('.stockline/run'),
  STOCKLINE_POLICIES: z.string().optional(),
  STOCKLINE_RULES: z.string().optional(),
  STOCKLINE_REPLENISHMENT: z.string().optional(),
  STOCKLINE_CLICKHOUSE: z.url().optional(),
  STOCKLINE_CLICKHOUSE_USER: z.string().default('default'),
  STOCKLINE_CLICKHOUSE_PASSWORD: z.string().default(''),
  STOCKLINE_CLICKHOUSE_CLUSTER: z.string().regex(/^\w+$/).optional(),
  STOCKLINE_ANALYTICS_KEEP_DAYS: z.coerce.number().int().positive().optional(),
  STOCKLINE_ANALYTICS_COLD: z
    .string()
    .regex(/^[1-9]\d*:\w+$/, 'must be days:volume, such as 30:cold')
    .optional(),
  STOCKLINE_ANALYTICS_STORAGE_POLICY: z.string().regex(/^\w+$/).optional(),
  STOCKLINE_ANALYTICS_HOST: z.string().default('127.0.0.1'),
  STOCKLINE_ANALYTICS_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  STOCKLINE_ANALYTICS_USER: z.string().default('stockline'),
  STOCKLINE_ANALYTICS_KEY: z.string().optional(),
  STOCKLINE_API_HOST: z.string().default('127.0.0.1'),
  STOCKLINE_API_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  STOCKLINE_API_KEY: z.string().min(20).optional(),
  STOCKLINE_API_ORIGINS: z.string().default(''),
  STOCKLINE_API_CERTIFICATE: z.string().optional(),
  STOCKLINE_API_CERTIFICATE_KEY: z.string().optional(),
  STOCKLINE_API_REQUESTS_PER_MINUTE: z.coerce.number().int().positive().default(6_000),
  STOCKLINE_API_TOKEN_KEYS: z.url().optional(),
  STOCKLINE_API_TOKEN_ISSUER: z.string().optional(),
  STOCKLINE_API_TOKEN_AUDIENCE: z.string().optional(),
  STOCKLINE_API_TOKEN_ALGORITHMS: z
    .string()
    .default('RS256,PS256,ES256,EdDSA')
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(tokenAlgorithms)).min(1)),
  STOCKLINE_SERVING_POSTGRES: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  STOCKLINE_REDIS: z.url({ protocol: /^rediss?$/ }).optional(),
  STOCKLINE_DELIVERY: z.string().optional(),
  STOCKLINE_WEBHOOKS: z.string().optional(),
  STOCKLINE_SECRET_KEY: z.string().min(32).optional(),
  STOCKLINE_ASSIGNMENT: z
    .string()
    .regex(/^(elastic|\d+\/[1-9]\d*)$/, 'must be elastic, or group/groups such as 0/3')
    .default('0/1')
    .transform(parseAssignment)
    .refine(
      (assignment) => assignment === 'elastic' || assignment.group < assignment.groups,
      'the first group is 0, so the group must be less than the number of groups',
    ),
  STOCKLINE_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  STOCKLINE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

function parseAssignment(text: string): Assignment {
  if (text === 'elastic') return 'elastic';
  const [group, groups] = text.split('/').map(Number);
  return { group: group ?? 0, groups: groups ?? 1 };
}

export type Config = {
  readonly processors: readonly ProcessorName[];
  /** Which partitions this process works. */
  readonly assignment: Assignment;
  readonly brokers: string;
  /** Confluent-compatible registry. */
  readonly registryUrl: string;
  /** Kafka Connect's REST interface; absent: only its heartbeats tell whether a connector lives. */
  readonly connectUrl: string | undefined;
  /** So much of its log may a source keep for us before its slot is given up. */
  readonly logBudgetBytes: number;
  /** Local stores of the processors; may be lost, then it is rebuilt from Kafka. */
  readonly stateDirectory: string;
  /** Addresses of running parts, for the command line. */
  readonly runDirectory: string;
  /** Channel policies; absent: the ones that come with Stockline. */
  readonly policiesFile: string | undefined;
  /** Rules of stock and bundles; absent: the ordinary ones and no bundles. */
  readonly rulesFile: string | undefined;
  /** Rules of replenishment; absent: the ordinary ones, and a person decides each proposal. */
  readonly replenishmentFile: string | undefined;
  /** A ClickHouse server; absent: the embedded engine. */
  readonly clickhouse:
    | {
        readonly url: string;
        readonly user: string;
        readonly password: string;
        /** Absent: one server. */
        readonly cluster?: string;
      }
    | undefined;
  /** How long analytics keeps history, and when it moves to slower disks; absent: for ever, never. */
  readonly retention: {
    readonly keepDays?: number;
    readonly cold?: { readonly days: number; readonly volume: string };
    readonly storagePolicy?: string;
  };
  /** Where analysts' questions are answered; without a key only on this machine, for everybody on it. */
  readonly questions: {
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    readonly access: { readonly user: string; readonly key: string } | undefined;
  };
  /** The Unified Inventory API. */
  readonly api: {
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    /** Absent: the one in `api.key` of the run directory, made at the first start. */
    readonly key: string | undefined;
    /** Web pages of these origins may ask. */
    readonly origins: readonly string[];
    /** Files; absent: plain HTTP. */
    readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
    /** Of clients without a quota of their own. */
    readonly requestsPerMinute: number;
    /** Whose access tokens are taken, and where the issuer publishes its keys; absent: none. */
    readonly tokens: (TokenRules & { readonly keysUrl: string }) | undefined;
  };
  /** Copies of the figures for others: a PostgreSQL, and the Redis below; absent: none. */
  readonly serving: { readonly postgresUrl: string | undefined };
  /** A cache of figures, and quotas that instances of the API count together; absent: neither. */
  readonly redisUrl: string | undefined;
  /** Sources of webhooks that come in; absent: none. */
  readonly webhooksFile: string | undefined;
  readonly delivery: {
    /** Marketplace accounts and the rules of webhooks; absent: no account, the ordinary rules. */
    readonly settingsFile: string | undefined;
    /** What secrets of subscriptions are sealed with; absent: the one in `secret.key` of the run directory. */
    readonly secretKey: string | undefined;
  };
  readonly healthPort: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
};

function coldOf(text: string | undefined): { days: number; volume: string } | undefined {
  const [days = '', volume = ''] = text?.split(':') ?? [];
  return text === undefined ? undefined : { days: Number(days), volume };
}

/** A property that is there only when it has a value. */
function given<N extends string, V>(name: N, value: V | undefined): { readonly [key in N]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in N]?: V };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws one error that names every variable that is missing or wrong. */
export function parseEnvironment<T>(shape: z.ZodType<T>, environment: Environment): T {
  const parsed = shape.safeParse(withSecrets(environment));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`the environment is not right:\n  ${faults.join('\n  ')}`);
}

/** `STOCKLINE_X_FILE` names a file that holds `STOCKLINE_X`, so that a secret need not stand in the environment. */
function withSecrets(environment: Environment): Environment {
  const ending = '_FILE';
  const secrets = Object.entries(environment).flatMap(([name, file]) =>
    name.startsWith('STOCKLINE_') && name.endsWith(ending) && file !== undefined
      ? [[name.slice(0, -ending.length), readFileSync(file, 'utf8').trim()]]
      : [],
  );
  return { ...environment, ...Object.fromEntries(secrets) };
}

function tlsOf(certificateFile: string | undefined, keyFile: string | undefined) {
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined) {
    throw new Error(
      'STOCKLINE_API_CERTIFICATE and STOCKLINE_API_CERTIFICATE_KEY belong together: set both or none',
    );
  }
  return { certificateFile, keyFile };
}

function tokensOf(values: z.infer<typeof schema>): Config['api']['tokens'] {
  const keysUrl = values.STOCKLINE_API_TOKEN_KEYS;
  const issuer = values.STOCKLINE_API_TOKEN_ISSUER;
  const audience = values.STOCKLINE_API_TOKEN_AUDIENCE;
  if (keysUrl === undefined && issuer === undefined && audience === undefined) return undefined;
  if (keysUrl === undefined || issuer === undefined || audience === undefined) {
    throw new Error(
      'STOCKLINE_API_TOKEN_KEYS, STOCKLINE_API_TOKEN_ISSUER and STOCKLINE_API_TOKEN_AUDIENCE belong together: set all or none',
    );
  }
  return { keysUrl, issuer, audience, algorithms: values.STOCKLINE_API_TOKEN_ALGORITHMS };
}

export function parseConfig(environment: Environment): Config {
  const values = parseEnvironment(schema, environment);
  return Object.freeze({
    processors: values.STOCKLINE_PROCESSORS,
    assignment: values.STOCKLINE_ASSIGNMENT,
    brokers: values.STOCKLINE_KAFKA,
    registryUrl: values.STOCKLINE_REGISTRY,
    connectUrl: values.STOCKLINE_CONNECT,
    logBudgetBytes: values.STOCKLINE_LOG_BUDGET_MB * 1_048_576,
    stateDirectory: values.STOCKLINE_STATE,
    runDirectory: values.STOCKLINE_RUN,
    policiesFile: values.STOCKLINE_POLICIES,
    rulesFile: values.STOCKLINE_RULES,
    replenishmentFile: values.STOCKLINE_REPLENISHMENT,
    clickhouse:
      values.STOCKLINE_CLICKHOUSE === undefined
        ? undefined
        : {
            url: values.STOCKLINE_CLICKHOUSE,
            user: values.STOCKLINE_CLICKHOUSE_USER,
            password: values.STOCKLINE_CLICKHOUSE_PASSWORD,
            ...given('cluster', values.STOCKLINE_CLICKHOUSE_CLUSTER),
          },
    retention: {
      ...given('keepDays', values.STOCKLINE_ANALYTICS_KEEP_DAYS),
      ...given('cold', coldOf(values.STOCKLINE_ANALYTICS_COLD)),
      ...given('storagePolicy', values.STOCKLINE_ANALYTICS_STORAGE_POLICY),
    },
    questions: {
      host: values.STOCKLINE_ANALYTICS_HOST,
      port: values.STOCKLINE_ANALYTICS_PORT,
      access:
        values.STOCKLINE_ANALYTICS_KEY === undefined
          ? undefined
          : { user: values.STOCKLINE_ANALYTICS_USER, key: values.STOCKLINE_ANALYTICS_KEY },
    },
    api: {
      host: values.STOCKLINE_API_HOST,
      port: values.STOCKLINE_API_PORT,
      key: values.STOCKLINE_API_KEY,
      origins: values.STOCKLINE_API_ORIGINS.split(',').filter((origin) => origin !== ''),
      tls: tlsOf(values.STOCKLINE_API_CERTIFICATE, values.STOCKLINE_API_CERTIFICATE_KEY),
      requestsPerMinute: values.STOCKLINE_API_REQUESTS_PER_MINUTE,
      tokens: tokensOf(values),
    },
    serving: { postgresUrl: values.STOCKLINE_SERVING_POSTGRES },
    redisUrl: values.STOCKLINE_REDIS,
    webhooksFile: values.STOCKLINE_WEBHOOKS,
    delivery: {
      settingsFile: values.STOCKLINE_DELIVERY,
      secretKey: values.STOCKLINE_SECRET_KEY,
    },
    healthPort: values.STOCKLINE_HEALTH_PORT,
    logLevel: values.STOCKLINE_LOG_LEVEL,
  });
}
