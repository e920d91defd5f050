/**
 * What is due later, kept in a processor's own state: keys by time, taken out by ticks. Two levels of lists, so that
 * nothing is scanned: the head names the hours that hold something, an hour names its slots.
 */

export type AgendaState =
  /** Slots or hours that hold something, ascending. */
  | { readonly kind: 'pending'; readonly at: readonly number[] }
  | { readonly kind: 'slot'; readonly count: number }
  | { readonly kind: 'due'; readonly key: string };

/** As much of a StateView as an agenda needs, for any state that includes `AgendaState`. */
type View = {
  get(key: string): { readonly kind: string } | undefined;
  put(key: string, value: AgendaState): void;
  delete(key: string): void;
};

export type Agenda = {
  /** Begins every key of it in the state. */
  readonly name: string;
  /** Things are due at the end of the slot that their time falls into. */
  readonly slotMs: number;
};

const slotsPerHour = 1_024;

export function addToAgenda(agenda: Agenda, view: View, atMs: number, key: string): void {
  const slot = Math.ceil(atMs / agenda.slotMs);
  const slotKey = `${agenda.name}|${slot}`;
  const known = view.get(slotKey) as AgendaState | undefined;
  const count = known?.kind === 'slot' ? known.count : 0;
  view.put(`${slotKey}|${count}`, { kind: 'due', key });
  view.put(slotKey, { kind: 'slot', count: count + 1 });
  if (count > 0) return;
  const hour = Math.floor(slot / slotsPerHour);
  insert(view, `${agenda.name}|h|${hour}`, slot);
  insert(view, agenda.name, hour);
}

/** Takes out what is due by `nowMs`, earliest first. */
export function takeDue(agenda: Agenda, view: View, nowMs: number): readonly string[] {
  const nowSlot = Math.floor(nowMs / agenda.slotMs);
  const due: string[] = [];
  const hours = pending(view, agenda.name);
  for (const hour of hours) {
    if (hour * slotsPerHour > nowSlot) break;
    const hourKey = `${agenda.name}|h|${hour}`;
    const slots = pending(view, hourKey);
    const passed = slots.filter((slot) => slot <= nowSlot);
    for (const slot of passed) takeSlot(view, `${agenda.name}|${slot}`, due);
    if (passed.length > 0) remove(view, hourKey, slots, passed.length);
    if (passed.length === slots.length) {
      const left = pending(view, agenda.name);
      remove(view, agenda.name, left, 1);
    }
  }
  return due;
}

function takeSlot(view: View, slotKey: string, due: string[]): void {
  const known = view.get(slotKey) as AgendaState | undefined;
  const count = known?.kind === 'slot' ? known.count : 0;
  for (let index = 0; index < count; index += 1) {
    const entryKey = `${slotKey}|${index}`;
    const entry = view.get(entryKey) as AgendaState | undefined;
    if (entry?.kind === 'due') due.push(entry.key);
    view.delete(entryKey);
  }
  view.delete(slotKey);
}

function pending(view: View, key: string): readonly number[] {
  const known = view.get(key) as AgendaState | undefined;
  return known?.kind === 'pending' ? known.at : [];
}

function insert(view: View, key: string, value: number): void {
  const at = pending(view, key);
  if (at.includes(value)) return;
  view.put(key, { kind: 'pending', at: [...at, value].sort((one, other) => one - other) });
}

/** Removes the first `count`, which are the earliest. */
function remove(view: View, key: string, at: readonly number[], count: number): void {
  if (at.length === count) view.delete(key);
  else view.put(key, { kind: 'pending', at: at.slice(count) });
}
