/** GraphQL subscriptions as server-sent events: the distinct connections mode of the protocol "GraphQL over SSE". */
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getOperationAST,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import type { EventStream } from './event-stream.ts';
import { costRule } from './graphql-limits.ts';

export type Asking = {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | undefined;
};

/** The document when it is a subscription that may be asked; the errors when it is none. */
export function readSubscription(
  schema: GraphQLSchema,
  { query, operationName }: Asking,
): DocumentNode | readonly GraphQLError[] {
  try {
    const document = parse(query);
    if (getOperationAST(document, operationName)?.operation !== 'subscription') {
      return [new GraphQLError('only a subscription is answered as text/event-stream')];
    }
    const faults = validate(schema, document, [...specifiedRules, costRule]);
    return faults.length === 0 ? document : faults;
  } catch (error) {
    return [error as GraphQLError];
  }
}

/** Opens nothing when it is refused: the errors then. */
export async function openSubscription(
  schema: GraphQLSchema,
  document: DocumentNode,
  { variables, operationName }: Asking,
  contextValue: object,
  subscribeFieldResolver: GraphQLFieldResolver<unknown, never>,
): Promise<AsyncIterable<ExecutionResult> | readonly GraphQLError[]> {
  const results = await subscribe({
    ...{ schema, document, contextValue, variableValues: variables },
    subscribeFieldResolver: subscribeFieldResolver as GraphQLFieldResolver<unknown, unknown>,
    ...(operationName === undefined ? {} : { operationName }),
  });
  return Symbol.asyncIterator in results ? results : (results.errors ?? []);
}

export async function sendResults(
  results: AsyncIterable<ExecutionResult>,
  stream: EventStream,
): Promise<void> {
  try {
    for await (const result of results) await stream.send({ event: 'next', data: result });
  } catch (error) {
    const { message, extensions } = error as GraphQLError;
    await stream.send({ event: 'next', data: { errors: [{ message, extensions }] } });
  }
  await stream.send({ event: 'complete', data: null });
  stream.close();
}
