/**
 * Schemas of a Confluent-compatible registry, one subject per topic and part (`<topic>-key`, `<topic>-value`).
 * Registering happens in an apply step; a running processor only looks ids up, and never on the hot path.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { PipelineError } from '../../runtime/errors.ts';
import type { Topic, WriterSchema } from '../../topology/topic.ts';
import { within } from '../deadline.ts';
import type { SchemaSource, TopicPart } from './codec.ts';
import { schemaFile } from './schema-files.ts';

type AnyTopic = Topic<never, never>;

const parts: readonly TopicPart[] = ['key', 'value'];
const type = SchemaType.AVRO;
const compatibility = COMPATIBILITY.FULL_TRANSITIVE;
const requestTimeoutMs = 5_000;
const attemptsMax = 3;
/** A schema that the registry does not know is asked for again after this long. */
const absentMs = 10_000;

const subjectOf = (topic: { readonly name: string }, part: TopicPart): string =>
  `${topic.name}-${part}`;

/**
 * Registers the schemas of our topics; safe to repeat.
 * @throws {PipelineError} `SCHEMA_REFUSED` with the registry's reason, such as an incompatible change;
 * `REGISTRY_UNREACHABLE` when it does not answer, asked three times.
 */
export async function registerSchemas(
  registryUrl: string,
  topics: readonly AnyTopic[],
): Promise<void> {
  const registry = new SchemaRegistry({ host: registryUrl });
  await Promise.all(
    topics.map(async (topic) => {
      for (const part of parts) await registerPart(registry, registryUrl, topic, part);
    }),
  );
}

async function registerPart(
  registry: SchemaRegistry,
  registryUrl: string,
  topic: AnyTopic,
  part: TopicPart,
): Promise<void> {
  const schema = JSON.stringify(schemaFile(topic[part].schema));
  const subject = subjectOf(topic, part);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await requireCompatibility(registryUrl, subject);
      if (isNamed(schema)) {
        await answeredInTime(registry.register({ type, schema }, { subject, compatibility }));
      } else await send('POST', `${registryUrl}/subjects/${subject}/versions`, { schema });
      return;
    } catch (error) {
      if (isRefusal(error)) {
        throw new PipelineError(
          'SCHEMA_REFUSED',
          'stop',
          `schemas/${topic[part].schema}.avsc cannot be registered as ${subject}: ${textOf(error)}`,
          { cause: error },
        );
      }
      if (attempt === attemptsMax) throw unreachable(registryUrl, error);
    }
  }
}

/** Set before the first version, so that no version is ever accepted unchecked. */
async function requireCompatibility(registryUrl: string, subject: string): Promise<void> {
  await send('PUT', `${registryUrl}/config/${subject}`, { compatibility });
}

/** The registry's library takes only named schemas; the key of most topics is a plain string. */
function isNamed(schema: string): boolean {
  return (JSON.parse(schema) as { readonly name?: string }).name !== undefined;
}

/** Answers of 500 and more are a fault that passes, and 400 is what the library makes of a broken connection. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  return (status > 400 && status < 500) || isOfLibrary(error);
}

function isOfLibrary(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('ConfluentSchemaRegistry');
}

/** The registry's library would wait for ever for an answer that does not come, or breaks off. */
export function answeredInTime<T>(call: Promise<T>): Promise<T> {
  return within(requestTimeoutMs, call, () => {
    throw new Error(`no answer in ${requestTimeoutMs / 1_000} s`);
  });
}

async function send(method: 'POST' | 'PUT', url: string, body: unknown): Promise<void> {
  const answer = await ask(url, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(body),
  });
  if (answer.ok) return;
  const { status } = answer;
  throw Object.assign(new Error(`the registry answers ${status}: ${await answer.text()}`), {
    status,
  });
}

/**
 * The schemas by which a process reads and writes. What was fetched is also kept in `folder`, where there is one: it
 * serves while the registry does not answer, and only then, since a registry that was set up anew gives its ids again.
 */
export function registrySchemas(registryUrl: string, folder?: string): SchemaSource {
  const registry = new SchemaRegistry({ host: registryUrl });
  const fetched = new Map<number, WriterSchema>();
  const absentSinceMs = new Map<number, number>();
  const ids = new Map<string, number>();
  const files = folder === undefined ? noFiles : filesIn(folder);

  const prepareOne = async (topic: AnyTopic, part: TopicPart): Promise<void> => {
    const subject = subjectOf(topic, part);
    if (ids.has(subject)) return;
    const schema = JSON.stringify(schemaFile(topic[part].schema));
    try {
      const id = await answeredInTime(registry.getRegistryIdBySchema(subject, { type, schema }));
      ids.set(subject, id);
      files.keep(subject, { id, schema });
    } catch (error) {
      // What the library makes of status 404.
      if (isOfLibrary(error)) {
        throw new PipelineError(
          'SCHEMA_NOT_REGISTERED',
          'stop',
          `schemas/${topic[part].schema}.avsc is not registered as ${subject}: register the schemas before the start`,
          { cause: error },
        );
      }
      const kept = files.read(subject) as
        | { readonly id: number; readonly schema: string }
        | undefined;
      if (kept?.schema !== schema) throw unreachable(registryUrl, error);
      ids.set(subject, kept.id);
    }
  };
  return {
    writer: (schemaId) => {
      const known = fetched.get(schemaId);
      if (known !== undefined) return known;
      const sinceMs = absentSinceMs.get(schemaId);
      return sinceMs !== undefined && Date.now() - sinceMs < absentMs ? 'absent' : undefined;
    },
    idOf: (topic, part) => {
      const id = ids.get(subjectOf(topic, part));
      if (id === undefined) throw new Error(`the id of ${subjectOf(topic, part)} was not prepared`);
      return id;
    },
    ownSchema: schemaFile,
    learn: async (schemaId) => {
      const schema = await fetchSchema(registryUrl, schemaId, files);
      if (schema === 'absent') absentSinceMs.set(schemaId, Date.now());
      else fetched.set(schemaId, schema);
    },
    prepare: async (topics) => {
      for (const topic of topics) for (const part of parts) await prepareOne(topic, part);
    },
  };
}

/** By plain REST: the registry's library would drop what Debezium says about the types. */
async function fetchSchema(
  registryUrl: string,
  schemaId: number,
  files: SchemaFiles,
): Promise<WriterSchema | 'absent'> {
  try {
    const answer = await ask(`${registryUrl}/schemas/ids/${schemaId}`);
    if (answer.status === 404) return 'absent';
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { schema } = (await answer.json()) as { readonly schema: string };
    const parsed: unknown = JSON.parse(schema);
    files.keep(String(schemaId), parsed);
    return parsed;
  } catch (error) {
    const kept = files.read(String(schemaId));
    if (kept !== undefined) return kept;
    throw unreachable(registryUrl, error);
  }
}

function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(requestTimeoutMs) });
}

/** What was fetched, by name; `read` gives undefined for what is not there. */
type SchemaFiles = {
  readonly keep: (name: string, content: unknown) => void;
  readonly read: (name: string) => unknown;
};

const noFiles: SchemaFiles = { keep: () => undefined, read: () => undefined };

function filesIn(folder: string): SchemaFiles {
  mkdirSync(folder, { recursive: true });
  const fileOf = (name: string): string => join(folder, `${name}.json`);
  return {
    // Whole or not at all: several processes share the folder.
    keep: (name, content) => {
      const unfinished = `${fileOf(name)}.${process.pid}`;
      writeFileSync(unfinished, JSON.stringify(content));
      renameSync(unfinished, fileOf(name));
    },
    read: (name) => {
      try {
        return JSON.parse(readFileSync(fileOf(name), 'utf8'));
      } catch {
        return undefined;
      }
    },
  };
}

function unreachable(registryUrl: string, cause: unknown): PipelineError {
  const message = `the schema registry at ${registryUrl} does not answer: ${textOf(cause)}`;
  return new PipelineError('REGISTRY_UNREACHABLE', 'retry', message, { cause });
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly status?: number }).status;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
