/** Stock as it runs: with the channels behind it, in one transaction and with one codec of state. */
import { loadPolicies } from '../../processors/settings/policies.ts';
import { noRules, type StockRules } from '../../processors/stock/rules.ts';
import { stockWithChannels } from '../../processors/topologies.ts';

const policies = loadPolicies();

export const stockAsRun = (rules: Partial<StockRules> = {}) =>
  stockWithChannels(policies, { stock: { ...noRules, ...rules } });
