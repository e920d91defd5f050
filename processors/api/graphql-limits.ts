/** How much one GraphQL question may ask for: depth, and cost as the fields that it may have to be answered. */
import {
  type ASTVisitor,
  GraphQLError,
  type SelectionSetNode,
  type ValidationContext,
  type ValueNode,
} from 'graphql';
import { pageItemsMax } from './models.ts';

export const depthMax = 6;
/** Fields times the items of the lists that they are in. */
const costMax = 20_000;
const itemsUnknown = 100;
const itemsOfSku = 20;

type Fragments = (name: string) => SelectionSetNode | undefined;

/** A validation rule. Fragments are followed as they are used, so that a few of them cannot hide a great many fields. */
export function costRule(context: ValidationContext): ASTVisitor {
  const fragments: Fragments = (name) => context.getFragment(name)?.selectionSet;
  return {
    OperationDefinition(node) {
      const cost = costOf(node.selectionSet, fragments, 1, 0);
      if (cost <= costMax) return;
      context.reportError(
        new GraphQLError(`the question is too large: at most depth ${depthMax}, cost ${costMax}`, {
          nodes: node,
          extensions: { code: 'QUERY_TOO_LARGE' },
        }),
      );
    },
  };
}

/** Stops counting where it is too much already. */
function costOf(set: SelectionSetNode, fragments: Fragments, times: number, depth: number): number {
  if (depth > depthMax * 4) return costMax + 1;
  let cost = 0;
  for (const selection of set.selections) {
    if (cost > costMax) break;
    if (selection.kind === 'FragmentSpread') {
      const inner = fragments(selection.name.value);
      if (inner !== undefined) cost += costOf(inner, fragments, times, depth + 1);
      continue;
    }
    if (selection.kind === 'InlineFragment') {
      cost += costOf(selection.selectionSet, fragments, times, depth + 1);
      continue;
    }
    cost += times;
    if (selection.selectionSet === undefined) continue;
    const limit = selection.arguments?.find(({ name }) => name.value === 'limit')?.value;
    const inner = times * itemsOf(selection.name.value, limit);
    cost += costOf(selection.selectionSet, fragments, inner, depth + 1);
  }
  return cost;
}

function itemsOf(field: string, limit: ValueNode | undefined): number {
  // A question for more is refused when it is answered, by name.
  if (limit?.kind === 'IntValue') return Math.min(Number(limit.value), pageItemsMax);
  if (limit !== undefined) return itemsUnknown;
  switch (field) {
    case 'stock':
    case 'channelStock':
    case 'changes':
      return itemsUnknown;
    case 'cells':
      return itemsOfSku;
    default:
      return 1;
  }
}
