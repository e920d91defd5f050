/** Column values as a database writes them in text → what mappings work with; for rows that are read by SQL and not from the log. */
import { type Column, columnNames, columnType } from './table.ts';
import {
  type ColumnType,
  type ColumnValue,
  columnParser,
  Fault,
  type WrittenColumn,
} from './values.ts';

/** The encoding of the log whose values are texts, by type. */
const written: Readonly<Record<ColumnType, WrittenColumn>> = {
  text: { avro: 'string', encoding: '' },
  id: { avro: 'string', encoding: '' },
  integer: { avro: 'decimal', encoding: '' },
  quantity: { avro: 'string', encoding: '' },
  roundedQuantity: { avro: 'string', encoding: '' },
  date: { avro: 'string', encoding: 'io.debezium.time.IsoDate' },
  day: { avro: 'string', encoding: 'io.debezium.time.IsoTimestamp' },
  localTime: { avro: 'string', encoding: 'io.debezium.time.IsoTimestamp' },
  instant: { avro: 'string', encoding: 'io.debezium.time.ZonedTimestamp' },
  timeOfDay: { avro: 'int', encoding: 'io.debezium.time.Time' },
};

/** A row by its columns' names in the database, each as text or null. */
export type TextRow = Readonly<Record<string, string | null>>;

/** The row as the mapping has it, or why it cannot be read. */
export function rowOfText(
  columns: Readonly<Record<string, Column>>,
  text: TextRow,
): Readonly<Record<string, ColumnValue>> | Fault {
  const row: Record<string, ColumnValue> = {};
  for (const [name, column] of Object.entries(columns)) {
    const from = columnNames(name, column).find((one) => text[one] !== undefined);
    if (from === undefined) {
      if (typeof column === 'string' || column.absent === undefined) {
        return new Fault(`there is no column ${columnNames(name, column).join(' or ')}`);
      }
      row[name] = column.absent;
      continue;
    }
    const value = parsedText(columnType(column), text[from] ?? null);
    if (value instanceof Fault) return new Fault(`${name}: ${value.sentence}`);
    row[name] = value;
  }
  return row;
}

function parsedText(type: ColumnType, text: string | null): ColumnValue | Fault {
  if (text === null) return null;
  const value = columnParser(type, written[type])?.(normal(type, text));
  return typeof value === 'symbol' || value === undefined ? null : value;
}

/** `2026-05-20 08:00:00+00` as ISO 8601 has it; a truth value as a number. */
function normal(type: ColumnType, text: string): string | number {
  switch (type) {
    case 'integer':
      return text === 'true' ? '1' : text === 'false' ? '0' : text;
    case 'date':
    case 'day':
    case 'localTime': {
      const iso = text.replace(' ', 'T');
      return type !== 'date' && !iso.includes('T') ? `${iso}T00:00:00` : iso;
    }
    case 'instant': {
      const iso = text.replace(' ', 'T');
      if (/[+-]\d{2}$/.test(iso)) return `${iso}:00`;
      return /(Z|[+-]\d{2}:\d{2})$/.test(iso) ? iso : `${iso}Z`;
    }
    case 'timeOfDay': {
      const [hours = '0', minutes = '0', seconds = '0'] = text.split(':');
      return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000);
    }
    default:
      return text;
  }
}
