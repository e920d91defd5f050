/** Several connections per system; transactions that touch the same thing follow each other, all others interleave. */
import { setTimeout as sleep } from 'node:timers/promises';
import { commitClockMs } from './commit-clock.ts';
import { canRetry, type Session, type SourceCommit } from './databases.ts';
import type { PlannedTransaction, Probe } from './transaction.ts';

type System = PlannedTransaction['system'];
type Opener = (system: System) => Promise<Session>;

const attemptsMax = 60;
const retryPauseMs = 500;

export class Lanes {
  private readonly open: Opener;
  private readonly idle: Record<System, Session[]>;
  private readonly waiting: Record<System, ((session: Session) => void)[]> = { erp: [], pos: [] };
  /** The last transaction planned for each key. */
  private readonly tails = new Map<string, Promise<unknown>>();

  private constructor(open: Opener, idle: Record<System, Session[]>) {
    this.open = open;
    this.idle = idle;
  }

  static async open(open: Opener, connectionsPerSystem: number): Promise<Lanes> {
    const several = (system: System): Promise<Session[]> =>
      Promise.all(Array.from({ length: connectionsPerSystem }, () => open(system)));
    const [erp, pos] = await Promise.all([several('erp'), several('pos')]);
    return new Lanes(open, { erp, pos });
  }

  /** Resolves when the transaction is committed and `onCommit` was told, before any that has to wait for it begins. */
  execute(planned: PlannedTransaction, onCommit: (commit: SourceCommit) => void): Promise<void> {
    const before = planned.keys.map((key) => this.tails.get(key));
    const done = this.executeAfter(Promise.all(before), planned, onCommit);
    for (const key of planned.keys) this.tails.set(key, done);
    const forget = (): void => {
      for (const key of planned.keys) if (this.tails.get(key) === done) this.tails.delete(key);
    };
    done.then(forget, () => {});
    return done;
  }

  private async executeAfter(
    before: Promise<unknown>,
    planned: PlannedTransaction,
    onCommit: (commit: SourceCommit) => void,
  ): Promise<void> {
    await before;
    const { system, rows } = planned;
    onCommit({ system, rows, ...(await this.commit(planned)) });
  }

  private async commit(planned: PlannedTransaction) {
    let session = await this.take(planned.system);
    for (let attempt = 1; ; attempt++) {
      try {
        const committed = await session.commit(planned.statements);
        this.give(planned.system, session);
        return committed;
      } catch (error) {
        if (!canRetry(error) || attempt >= attemptsMax) {
          this.give(planned.system, session);
          throw new Error(`the ${planned.system} refused a transaction (${planned.kind})`, {
            cause: error,
          });
        }
        session = await this.renew(planned.system, session);
        const isThere = planned.probe !== null && (await isCommitted(session, planned.probe));
        if (isThere) {
          this.give(planned.system, session);
          return {
            transaction: 'unknown',
            committedAtMs: commitClockMs(),
          };
        }
      }
    }
  }

  /** A fresh connection in place of one that may be broken. */
  private async renew(system: System, session: Session): Promise<Session> {
    await session.close().catch(() => {});
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.open(system);
      } catch (error) {
        if (!canRetry(error) || attempt >= attemptsMax) throw error;
        await sleep(retryPauseMs);
      }
    }
  }

  /** For what is done alone: master data, questions. */
  async withSession<Result>(
    system: System,
    use: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    const session = await this.take(system);
    try {
      return await use(session);
    } finally {
      this.give(system, session);
    }
  }

  private take(system: System): Promise<Session> {
    const session = this.idle[system].pop();
    if (session !== undefined) return Promise.resolve(session);
    return new Promise((resolve) => this.waiting[system].push(resolve));
  }

  private give(system: System, session: Session): void {
    const next = this.waiting[system].shift();
    if (next === undefined) this.idle[system].push(session);
    else next(session);
  }

  async close(): Promise<void> {
    const sessions = [...this.idle.erp.splice(0), ...this.idle.pos.splice(0)];
    await Promise.all(sessions.map((session) => session.close().catch(() => {})));
  }
}

/** Whether a transaction whose outcome is unknown was committed. */
export async function isCommitted(session: Session, probe: Probe): Promise<boolean> {
  return (await session.finds(probe.sql)) === (probe.committedWhen === 'found');
}
