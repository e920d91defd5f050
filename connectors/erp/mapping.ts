/** What the ERP's tables mean for stock. Its own moves are in lagbew; documents give reservations, orders, transfers. */
import type { Row } from '../../processors/cdc/change.ts';
import type { CapturedTable } from '../../processors/cdc/table.ts';
import {
  dayMs,
  defineMapping,
  type EffectDraft,
  type Lookup,
  type Resolver,
  type SourceDocument,
  type Table,
} from '../../processors/intake/mapping.ts';

const erp = { name: 'erp', kind: 'postgresql', schema: 'public' } as const;

const table = (
  name: string,
  primaryKey: readonly string[],
  columns: CapturedTable['columns'],
): Table => ({ name, primaryKey, columns, onDelete: 'retract' });

const artean = table('artean', ['ean'], { ean: 'text', artnr: 'text' });
const lagst = table('lagst', ['lagnr'], { lagnr: 'id', filnr: 'id' });

/** The till knows a product by its barcode only. */
export const skuByBarcode: Lookup = {
  name: 'sku-by-barcode',
  system: erp,
  table: artean,
  entry: (row) => ({ key: String(row.ean), value: String(row.artnr) }),
};

/** The till knows a place by its shop number. */
export const locationByShop: Lookup = {
  name: 'location-by-shop',
  system: erp,
  table: lagst,
  entry: (row) =>
    row.filnr === null ? undefined : { key: String(row.filnr), value: String(row.lagnr) },
};

const text = (row: Row, column: string): string => String(row[column] ?? '');
const quantity = (row: Row, column: string): number => Number(row[column] ?? 0);
const isOpen = (row: Row): boolean => row.stat === 10 || row.stat === 20;

/** Moves that repeat what another document tells better: a count's difference, a posting of till receipts. */
const repeatedMoves = new Set(['INV', 'KAS']);

const moveReasons: Readonly<Record<string, string>> = {
  ANF: 'opening',
  WE: 'receipt',
  WA: 'shipment',
  UMA: 'transferOut',
  UME: 'transferIn',
  SCH: 'scrap',
  KOR: 'correction',
  RET: 'return',
};

function move({ header }: SourceDocument, resolver: Resolver): readonly EffectDraft[] {
  const kind = text(header, 'bewart');
  if (repeatedMoves.has(kind)) return [];
  return [
    {
      kind: 'event',
      bucket: 'onHand',
      sku: text(header, 'artnr'),
      location: text(header, 'lagnr'),
      quantity: quantity(header, 'menge'),
      occurredAt: resolver.dated(Number(header.budat)),
      reason: moveReasons[kind] ?? kind,
      reference: text(header, 'belnr') || `lagbew/${text(header, 'bewnr')}`,
    },
  ];
}

function balance({ header }: SourceDocument): readonly EffectDraft[] {
  return [
    {
      kind: 'opening',
      bucket: 'onHand',
      sku: text(header, 'artnr'),
      location: text(header, 'lagnr'),
      quantity: quantity(header, 'menge'),
      occurredAt: 0,
      reason: 'opening',
      reference: 'bestand',
    },
  ];
}

/** A current value per line: what is still open of an order, a purchase order or a transfer. */
function openLines(
  document: SourceDocument,
  what: {
    readonly bucket: EffectDraft['bucket'];
    readonly location: string;
    readonly wanted: string;
    readonly done: string;
    readonly reason: string;
    readonly reference: string;
    readonly expectedAt?: number;
  },
): readonly EffectDraft[] {
  const dated = what.expectedAt === undefined ? {} : { expectedAt: what.expectedAt };
  return document.lines.map((line) => ({
    kind: 'level',
    bucket: what.bucket,
    sku: text(line, 'artnr'),
    location: what.location,
    quantity: Math.max(0, quantity(line, what.wanted) - quantity(line, what.done)),
    occurredAt: 0,
    reason: what.reason,
    reference: what.reference,
    ...dated,
  }));
}

function salesOrder(document: SourceDocument): readonly EffectDraft[] {
  const { header } = document;
  const bookings = document.lines.map((line) => booking(header, line));
  if (!isOpen(header)) return bookings;
  const reserved = openLines(document, {
    bucket: 'reserved',
    location: text(header, 'lagnr'),
    wanted: 'menge',
    done: 'gelmg',
    reason: 'order',
    reference: `aufkop/${text(header, 'aufnr')}`,
  });
  return [...reserved, ...bookings];
}

/** A reservation of ours that is for this order shrinks by what the line has booked, shipped or not. */
function booking(header: Row, line: Row): EffectDraft {
  const reference = `aufkop/${text(header, 'aufnr')}`;
  const ordered = quantity(line, 'menge');
  return {
    kind: 'level',
    bucket: 'reserved',
    sku: text(line, 'artnr'),
    location: text(header, 'lagnr'),
    quantity: 0,
    occurredAt: 0,
    reason: 'booking',
    reference,
    booking: {
      order: reference,
      line: text(line, 'posnr'),
      quantity: ordered,
      open: isOpen(header) ? Math.max(0, ordered - quantity(line, 'gelmg')) : 0,
    },
  };
}

function purchaseOrder(document: SourceDocument): readonly EffectDraft[] {
  const { header } = document;
  if (!isOpen(header)) return [];
  return openLines(document, {
    bucket: 'incoming',
    location: text(header, 'lagnr'),
    wanted: 'menge',
    done: 'wemg',
    reason: 'purchaseOrder',
    reference: `bstkop/${text(header, 'bstnr')}`,
    expectedAt: Number(header.ldat) * dayMs,
  });
}

function transfer(document: SourceDocument): readonly EffectDraft[] {
  const { header } = document;
  if (header.stat !== 20) return [];
  return openLines(document, {
    bucket: 'inTransit',
    location: text(header, 'nachlag'),
    wanted: 'abmg',
    done: 'zumg',
    reason: 'transfer',
    reference: `umlkop/${text(header, 'umlnr')}`,
  });
}

function physicalCount(document: SourceDocument, resolver: Resolver): readonly EffectDraft[] {
  const { header } = document;
  if (header.stat !== 'F') return [];
  return document.lines.map((line) => ({
    kind: 'count',
    bucket: 'onHand',
    sku: text(line, 'artnr'),
    location: text(header, 'lagnr'),
    quantity: quantity(line, 'zmenge'),
    occurredAt: resolver.instant(Number(line.zzeit)),
    reason: 'count',
    reference: `invkop/${text(header, 'invnr')}`,
  }));
}

const dispositions: Readonly<Record<string, EffectDraft['bucket']>> = {
  B: 'damaged',
  Q: 'qualityControl',
};

/** The goods themselves come back through lagbew; here is what of them cannot be sold. */
function customerReturn(document: SourceDocument, resolver: Resolver): readonly EffectDraft[] {
  const { header } = document;
  if (header.stat !== 90) return [];
  return document.lines.flatMap((line): readonly EffectDraft[] => {
    const bucket = dispositions[text(line, 'zust')];
    if (bucket === undefined) return [];
    return [
      {
        kind: 'event',
        bucket,
        sku: text(line, 'artnr'),
        location: text(header, 'lagnr'),
        quantity: quantity(line, 'menge'),
        occurredAt: resolver.dated(Number(header.rtdat)),
        reason: 'return',
        reference: `rtkop/${text(header, 'rtnr')}`,
      },
    ];
  });
}

/** What the tills sold, posted at night: the same sales that the POS tells at once. */
function tillPosting(document: SourceDocument, resolver: Resolver): readonly EffectDraft[] {
  const { header } = document;
  const location = resolver.lookup(locationByShop.name, text(header, 'filnr'));
  return document.lines.map((line) => ({
    kind: 'event',
    bucket: 'onHand',
    sku: text(line, 'artnr'),
    location,
    quantity: -quantity(line, 'menge'),
    occurredAt: resolver.dated(Number(header.budat)),
    reason: quantity(line, 'menge') < 0 ? 'return' : 'sale',
    reference: `kbkop/${text(header, 'kbnr')}`,
    echo: {
      key: text(line, 'bonnr'),
      role: 'posting',
      rule: 'supersede',
      complete: header.stat === 'F',
    },
  }));
}

export const erpMapping = defineMapping({
  system: erp.name,
  kind: erp.kind,
  schema: erp.schema,
  timeZone: 'Europe/Berlin',
  lateAfterMs: 35 * dayMs,
  lookups: [skuByBarcode, locationByShop],
  documents: [
    {
      name: 'balance',
      header: table('bestand', ['artnr', 'lagnr'], {
        artnr: 'text',
        lagnr: 'id',
        menge: 'quantity',
      }),
      containedInOpening: false,
      effects: balance,
    },
    {
      name: 'move',
      header: table('lagbew', ['bewnr'], {
        bewnr: 'id',
        artnr: 'text',
        lagnr: 'id',
        bewart: 'text',
        menge: 'quantity',
        budat: 'date',
        belnr: 'text',
      }),
      containedInOpening: true,
      effects: move,
    },
    {
      name: 'order',
      header: table('aufkop', ['aufnr'], { aufnr: 'id', stat: 'integer', lagnr: 'id' }),
      lines: {
        table: table('aufpos', ['aufnr', 'posnr'], {
          aufnr: 'id',
          posnr: 'id',
          artnr: 'text',
          menge: 'quantity',
          gelmg: 'quantity',
        }),
        headerKey: ['aufnr'],
      },
      containedInOpening: false,
      effects: salesOrder,
    },
    {
      name: 'purchase',
      header: table('bstkop', ['bstnr'], {
        bstnr: 'id',
        ldat: 'date',
        lagnr: 'id',
        stat: 'integer',
      }),
      lines: {
        table: table('bstpos', ['bstnr', 'posnr'], {
          bstnr: 'id',
          posnr: 'id',
          artnr: 'text',
          menge: 'quantity',
          wemg: 'quantity',
        }),
        headerKey: ['bstnr'],
      },
      containedInOpening: false,
      effects: purchaseOrder,
    },
    {
      name: 'transfer',
      header: table('umlkop', ['umlnr'], { umlnr: 'id', nachlag: 'id', stat: 'integer' }),
      lines: {
        table: table('umlpos', ['umlnr', 'posnr'], {
          umlnr: 'id',
          posnr: 'id',
          artnr: 'text',
          abmg: 'quantity',
          zumg: 'quantity',
        }),
        headerKey: ['umlnr'],
      },
      containedInOpening: false,
      effects: transfer,
    },
    {
      name: 'count',
      header: table('invkop', ['invnr'], { invnr: 'id', lagnr: 'id', stat: 'text' }),
      lines: {
        table: table('invpos', ['invnr', 'posnr'], {
          invnr: 'id',
          posnr: 'id',
          artnr: 'text',
          zmenge: 'quantity',
          zzeit: 'localTime',
        }),
        headerKey: ['invnr'],
        apart: true,
      },
      containedInOpening: true,
      effects: physicalCount,
    },
    {
      name: 'return',
      header: table('rtkop', ['rtnr'], { rtnr: 'id', rtdat: 'date', lagnr: 'id', stat: 'integer' }),
      lines: {
        table: table('rtpos', ['rtnr', 'posnr'], {
          rtnr: 'id',
          posnr: 'id',
          artnr: 'text',
          menge: 'quantity',
          zust: 'text',
        }),
        headerKey: ['rtnr'],
      },
      containedInOpening: false,
      effects: customerReturn,
    },
    {
      name: 'posting',
      header: table('kbkop', ['kbnr'], { kbnr: 'id', filnr: 'id', budat: 'date', stat: 'text' }),
      lines: {
        table: table('kbpos', ['kbnr', 'posnr'], {
          kbnr: 'id',
          posnr: 'id',
          bonnr: 'text',
          artnr: 'text',
          menge: 'quantity',
        }),
        headerKey: ['kbnr'],
        apart: true,
      },
      containedInOpening: true,
      effects: tillPosting,
    },
  ],
});
