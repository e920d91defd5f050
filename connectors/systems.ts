/** The source systems: one line here, and a folder beside this file, is what a new one needs. */
import type { SystemMapping } from '../processors/intake/mapping.ts';
import { erpMapping } from './erp/mapping.ts';
import { posMapping } from './pos/mapping.ts';

export const systems: readonly SystemMapping[] = [erpMapping, posMapping];
