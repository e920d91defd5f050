/** Boards → Grafana's JSON, for provisioning. Pure. */
import type { Board, Panel, Variable } from './board.ts';

/** Fixed in dashboards/provisioning/datasources.yml. */
export const dataSources = {
  clickHouse: { type: 'grafana-clickhouse-datasource', uid: 'stockline-clickhouse' },
  prometheus: { type: 'prometheus', uid: 'stockline-prometheus' },
} as const;

const columns = 24;
/** Of Grafana 12.1. */
const schemaVersion = 41;

export function grafanaBoard(board: Board): Record<string, unknown> {
  return {
    uid: board.uid,
    title: `Stockline: ${board.title}`,
    description: board.description,
    tags: ['stockline'],
    schemaVersion,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    timezone: 'browser',
    time: { from: board.from, to: 'now' },
    templating: { list: board.variables.map(variable) },
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'Boards',
        tags: ['stockline'],
        asDropdown: true,
        keepTime: true,
      },
    ],
    panels: placed(board.panels).map(({ panel, ...gridPos }, index) =>
      grafanaPanel(panel, index + 1, gridPos),
    ),
  };
}

export type Place = {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
};

/** From left to right, then down; panels of a row are as high as the highest. */
export function placed(panels: readonly Panel[]): readonly (Place & { readonly panel: Panel })[] {
  let x = 0;
  let y = 0;
  let rowHeight = 0;
  return panels.map((panel) => {
    if (x + panel.width > columns) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    const place = { x, y, w: panel.width, h: panel.height, panel };
    x += panel.width;
    rowHeight = Math.max(rowHeight, panel.height);
    return place;
  });
}

function variable({ name, label, sql }: Variable): Record<string, unknown> {
  return {
    type: 'query',
    name,
    label,
    datasource: dataSources.clickHouse,
    query: sql,
    definition: sql,
    refresh: 1,
    sort: 0,
    multi: false,
    includeAll: false,
  };
}

const types = { stat: 'stat', lines: 'timeseries', bars: 'barchart', table: 'table' } as const;

function grafanaPanel(panel: Panel, id: number, gridPos: Place): Record<string, unknown> {
  const { title, description, kind, unit } = panel;
  return {
    id,
    type: types[kind],
    title,
    description,
    gridPos,
    datasource: 'sql' in panel.query ? dataSources.clickHouse : dataSources.prometheus,
    fieldConfig: {
      defaults: { unit, ...(kind === 'lines' ? { custom: lineStyle } : {}) },
      overrides: [],
    },
    options: optionsOf(kind),
    targets: [target(panel)],
    ...transformed(panel),
  };
}

const lineStyle = { drawStyle: 'line', lineWidth: 2, fillOpacity: 8, spanNulls: true };

function optionsOf(kind: Panel['kind']): Record<string, unknown> {
  switch (kind) {
    case 'stat':
      return {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        colorMode: 'value',
        graphMode: 'none',
        textMode: 'value',
      };
    case 'lines':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'bars':
      return {
        orientation: 'auto',
        stacking: 'normal',
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'table':
      return { showHeader: true, cellHeight: 'sm', footer: { show: false } };
  }
}

function target({ kind, query }: Panel): Record<string, unknown> {
  if ('prometheus' in query) {
    const { prometheus, legend } = query;
    return {
      refId: 'A',
      datasource: dataSources.prometheus,
      expr: prometheus,
      legendFormat: legend,
    };
  }
  const isLines = kind === 'lines';
  return {
    refId: 'A',
    datasource: dataSources.clickHouse,
    editorType: 'sql',
    rawSql: query.sql,
    queryType: isLines ? 'timeseries' : 'table',
    // 0: time series, 1: table.
    format: isLines ? 0 : 1,
  };
}

/** Bars with a name per series come as rows of three columns: they become one column per series. */
function transformed({ kind, query }: Panel): Record<string, unknown> {
  const fields = 'sql' in query && kind === 'bars' ? seriesOf(query.sql) : undefined;
  if (fields === undefined) return {};
  const [rowField, columnField, valueField] = fields;
  return {
    transformations: [
      {
        id: 'groupingToMatrix',
        options: { rowField, columnField, valueField, emptyValue: 'zero' },
      },
    ],
  };
}

/** The three columns of a SELECT that groups by two. */
function seriesOf(sql: string): readonly string[] | undefined {
  const grouped = / GROUP BY (\w+), (\w+)/.exec(sql);
  const value = / AS (\w+) FROM /.exec(sql);
  if (grouped?.[1] === undefined || grouped[2] === undefined || value?.[1] === undefined)
    return undefined;
  return [grouped[1], grouped[2], value[1]];
}
