/** Whoever is told figures, as the delivery loop sees them. */
import type { DeliveryAttempt } from '../../schemas/types.ts';
import type { Figure } from './figure.ts';

/** One call to be made. Never rejects; resolves when its result is settled. */
export type Errand = () => Promise<readonly DeliveryAttempt[]>;

export type Destination = {
  readonly id: string;
  readonly offer: (figure: Figure, nowMs: number) => void;
  /** What goes now. It must be kept durably, by `takeChanges`, before it is made. */
  readonly plan: (nowMs: number) => readonly Errand[];
  readonly takeChanges: () => readonly (readonly [key: string, value: string | undefined])[];
  /** When there may be something to plan without anything new; Infinity: never. */
  readonly nextMs: (nowMs: number) => number;
  /** Figures that are not there yet. */
  readonly pending: () => number;
};
