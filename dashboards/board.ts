/** What a board is: what each panel asks. `npm run generate` makes Grafana's JSON of it; the console draws the same. */

export type Panel = {
  readonly title: string;
  /** What it tells, and when to worry. */
  readonly description: string;
  readonly kind: 'stat' | 'lines' | 'bars' | 'table';
  /** Of 24 columns. */
  readonly width: number;
  /** In rows of 30 pixels. */
  readonly height: number;
  /** A unit as Grafana names it. */
  readonly unit: string;
  /**
   * `sql`: the first column of lines is the time, of bars the name; with three columns the second names the series.
   * `prometheus`: a query of Prometheus, with the legend of each series.
   */
  readonly query:
    | { readonly sql: string }
    | { readonly prometheus: string; readonly legend: string };
};

/** A choice at the head of a board; its SQL gives the values. */
export type Variable = { readonly name: string; readonly label: string; readonly sql: string };

export type Board = {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Grafana's beginning of the time range, such as now-24h. */
  readonly from: string;
  readonly variables: readonly Variable[];
  readonly panels: readonly Panel[];
};

export const stat = (title: string, description: string, sql: string, unit = 'short'): Panel => ({
  title,
  description,
  kind: 'stat',
  width: 4,
  height: 3,
  unit,
  query: { sql },
});

export const panel = (
  kind: 'lines' | 'bars' | 'table',
  title: string,
  description: string,
  sql: string,
  place: { readonly width?: number; readonly height?: number; readonly unit?: string } = {},
): Panel => ({
  title,
  description,
  kind,
  width: place.width ?? 12,
  height: place.height ?? 8,
  unit: place.unit ?? 'short',
  query: { sql },
});

export const prometheus = (
  title: string,
  description: string,
  expression: string,
  legend: string,
  place: { readonly unit: string; readonly width?: number },
): Panel => ({
  title,
  description,
  kind: 'lines',
  width: place.width ?? 12,
  height: 8,
  unit: place.unit,
  query: { prometheus: expression, legend },
});
