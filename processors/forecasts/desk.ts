/** The proposals as the newest records tell them, and the decisions about them. */
import type { Proposal } from '../../schemas/types.ts';
import { decide } from './propose.ts';

export class ProposalDesk {
  private readonly known = new Map<string, Proposal>();

  take(proposal: Proposal): void {
    this.known.set(proposal.id, proposal);
  }

  byId(): ReadonlyMap<string, Proposal> {
    return this.known;
  }

  all(): readonly Proposal[] {
    return [...this.known.values()];
  }

  /** Writes the decided one with `write`; a sentence when it cannot be decided. A second decision meanwhile is refused. */
  async decide(
    id: string,
    decision: {
      readonly state: 'approved' | 'rejected';
      readonly by: string;
      readonly reason: string;
    },
    write: (decided: Proposal) => Promise<void>,
  ): Promise<Proposal | string> {
    const before = this.known.get(id);
    const decided = decide(before, decision);
    if (typeof decided === 'string' || before === undefined) return decided;
    this.known.set(id, decided);
    try {
      await write(decided);
    } catch (error) {
      this.known.set(id, before);
      throw error;
    }
    return decided;
  }
}
