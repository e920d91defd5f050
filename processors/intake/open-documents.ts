/** The documents of one source transaction while its rows are applied: each is read once, changed freely, written once. */
import type { StateView, StepState } from '../topology/topology.ts';
import { type DocumentState, emptyDocument, type IntakeState, type StoredRow } from './state.ts';

export type OpenDocument = {
  -readonly [K in keyof DocumentState]: K extends 'lines'
    ? Map<string, StoredRow>
    : DocumentState[K];
};

/** The document's state key belongs to its id. */
export function loadDocument(state: StateView<IntakeState>, id: string): DocumentState {
  const known = state.get(`d|${id}`);
  return known?.kind === 'document' ? known : emptyDocument;
}

export class OpenDocuments {
  private readonly open = new Map<string, OpenDocument>();
  private readonly state: StepState<IntakeState>;

  constructor(state: StepState<IntakeState>) {
    this.state = state;
  }

  /** To be changed. */
  get(id: string): OpenDocument {
    const known = this.open.get(id);
    if (known !== undefined) return known;
    const loaded = loadDocument(this.state, id);
    const document = { ...loaded, lines: new Map(loaded.lines) };
    this.open.set(id, document);
    return document;
  }

  /** To be looked at. */
  peek(id: string): DocumentState {
    return this.open.get(id) ?? loadDocument(this.state, id);
  }

  /** The ids that begin so. */
  beginningWith(beginning: string): readonly string[] {
    const written = this.state.keys(`d|${beginning}`).map((key) => key.slice(2));
    const opened = [...this.open.keys()].filter((id) => id.startsWith(beginning));
    return [...new Set([...written, ...opened])];
  }

  replace(id: string, document: DocumentState): void {
    this.open.set(id, { ...document, lines: new Map(document.lines) });
  }

  forget(id: string): void {
    this.open.delete(id);
    this.state.delete(`d|${id}`);
  }

  /** Writes what was opened; nothing may be changed afterwards. */
  write(): void {
    for (const [id, document] of this.open) this.state.put(`d|${id}`, document);
    this.open.clear();
  }
}
