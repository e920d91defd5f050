/** Writes of one step, held back until it is known that all of it can be applied. */
import type { StateView } from '../topology/topology.ts';
import type { StockState } from './state.ts';

export class Overlay implements StateView<StockState> {
  private readonly written = new Map<string, StockState | undefined>();
  private readonly below: StateView<StockState>;

  constructor(below: StateView<StockState>) {
    this.below = below;
  }

  get(key: string): StockState | undefined {
    return this.written.has(key) ? this.written.get(key) : this.below.get(key);
  }

  put(key: string, value: StockState): void {
    this.written.set(key, value);
  }

  delete(key: string): void {
    this.written.set(key, undefined);
  }

  flush(): void {
    for (const [key, value] of this.written) {
      if (value === undefined) this.below.delete(key);
      else this.below.put(key, value);
    }
  }
}
